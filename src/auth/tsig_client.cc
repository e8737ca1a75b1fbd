#include "auth/tsig_client.hh"

#include "dns/message.hh"

namespace steward::auth {

namespace {

constexpr uint32_t max_unsigned = 99;  // RFC 8945 §5.3.1

}  // namespace

std::string_view to_text(TsigReply reply) {
  switch (reply) {
    case TsigReply::Good: return "good";
    case TsigReply::Unsigned: return "unsigned";
    case TsigReply::Missing: return "TSIG is missing";
    case TsigReply::TooMany: return "a hundred messages without TSIG";
    case TsigReply::FormErr: return "malformed message or TSIG";
    case TsigReply::BadKey: return "TSIG is by another key or algorithm";
    case TsigReply::BadSig: return "TSIG does not fit";
    case TsigReply::BadTime: return "TSIG is not of our time";
    case TsigReply::BadTrunc: return "TSIG is truncated too far";
    case TsigReply::PeerError: return "refused by the peer";
  }
  return "";
}

std::string peer_error_text(uint16_t error) {
  switch (static_cast<TsigError>(error)) {
    case TsigError::NOERROR: return "NOERROR";
    case TsigError::BADSIG: return "BADSIG";
    case TsigError::BADKEY: return "BADKEY";
    case TsigError::BADTIME: return "BADTIME";
    case TsigError::BADTRUNC: return "BADTRUNC";
  }
  return std::to_string(error);
}

TsigVerifier::TsigVerifier(const TsigKey& key, ByteView request_mac)
    : key_(key), chain_(key), request_mac_(request_mac.begin(), request_mac.end()) {
  chain_.add_mac(request_mac_);
}

void TsigVerifier::restart() {
  std::array<uint8_t, crypto::max_digest_size> discarded;
  chain_.finish(discarded);
  chain_.add_mac(request_mac_);
  state_ = TsigReply::Good;
  has_begun_ = peer_error_is_authentic_ = false;
  peer_error_ = 0;
  unsigned_ = 0;
  message_size_ = 0;
  peer_time_ = 0;
}

TsigReply TsigVerifier::verify(ByteView message, UnixTime now) {
  if (state_ == TsigReply::Good || state_ == TsigReply::Unsigned) state_ = step(message, now);
  return state_;
}

TsigReply TsigVerifier::step(ByteView message, UnixTime now) {
  const FoundSignature found = find_signature(message);
  message_size_ = found.message_size;
  switch (found.kind) {
    case SignatureKind::Malformed:
    case SignatureKind::Sig0: return TsigReply::FormErr;
    case SignatureKind::None: return pass_unsigned(message);
    case SignatureKind::Tsig: break;
  }
  const auto record = read_tsig(message, found);
  return record ? check(message, *record, now) : TsigReply::FormErr;
}

TsigReply TsigVerifier::pass_unsigned(ByteView message) {
  if (!has_begun_) return TsigReply::Missing;
  if (unsigned_ == max_unsigned) return TsigReply::TooMany;
  ++unsigned_;
  chain_.add_unsigned(message);
  return TsigReply::Unsigned;
}

TsigReply TsigVerifier::check(ByteView message, const TsigRecord& record, UnixTime now) {
  // RFC 8945 §5.3.2: BADKEY and BADSIG come without a MAC, NSD's BADTIME too. They authenticate nothing, and so never
  // count as a good message.
  if (record.mac.empty() && record.error != 0) {
    note_peer_error(record);
    return TsigReply::PeerError;
  }
  if (!(record.key_name == key_.name) || !(record.algorithm_name == name_of(key_.algorithm))) return TsigReply::BadKey;
  const MacLength length = mac_length(record, key_);
  if (length == MacLength::Impossible) return TsigReply::FormErr;
  chain_.add_message(message, message_size_, true, record.original_id);
  if (has_begun_) {
    chain_.add_timers(record);
  } else {
    chain_.add_variables(record);
  }
  if (!chain_.matches(record.mac)) return TsigReply::BadSig;
  if (record.error != 0) {
    note_peer_error(record);
    peer_error_is_authentic_ = !has_begun_;  // §5.3.1: later messages have the timers only in their MAC
    return TsigReply::PeerError;
  }
  if (!is_in_time(record, now)) return TsigReply::BadTime;
  if (length == MacLength::BelowPolicy) return TsigReply::BadTrunc;
  chain_.add_mac(record.mac);
  has_begun_ = true;
  unsigned_ = 0;
  return TsigReply::Good;
}

void TsigVerifier::note_peer_error(const TsigRecord& record) {
  peer_error_ = record.error;
  if (static_cast<TsigError>(record.error) == TsigError::BADTIME && record.other.size() == 6) {
    peer_time_ = static_cast<uint64_t>(load_u16(record.other.data())) << 32 | load_u32(&record.other[2]);
  }
}

size_t request_signature_size(const TsigKey& key) {
  return tsig_record_size(key.name, name_of(key.algorithm), mac_size(key.algorithm), 0);
}

Result<TsigVerifier> sign_request(Bytes& message, const TsigKey& key, UnixTime now, uint16_t fudge) {
  if (message.size() < dns::header_size) return fail(Errc::Invalid, "no message to be signed");
  TsigRecord record;
  record.key_name = key.name.folded();
  record.algorithm_name = name_of(key.algorithm);
  record.time_signed = tsig_time(now);
  record.fudge = fudge;
  record.original_id = load_u16(message.data());
  TsigChain chain(key);
  chain.add_message(message, message.size(), false, record.original_id);
  chain.add_variables(record);
  std::array<uint8_t, crypto::max_digest_size> mac;
  record.mac = ByteView(mac).first(chain.finish(mac));
  const size_t size = message.size();
  message.resize(size + request_signature_size(key));
  const auto total = append_tsig(message, size, record);
  if (!total) {
    message.resize(size);
    return tl::unexpected(total.error());
  }
  return TsigVerifier(key, record.mac);
}

}  // namespace steward::auth

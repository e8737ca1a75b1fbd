#include "auth/tsig.hh"

#include "dns/message.hh"

namespace steward::auth {

namespace {

constexpr size_t server_time_size = 6;  // RFC 8945 §5.2.3: Other Data of BADTIME

std::array<uint8_t, server_time_size> server_time(UnixTime now) {
  const uint64_t seconds = tsig_time(now);
  std::array<uint8_t, server_time_size> out;
  store_u16(out.data(), static_cast<uint16_t>(seconds >> 32));
  store_u32(&out[2], static_cast<uint32_t>(seconds));
  return out;
}

/// Lets `append` work in the message's own vector.
template <class Append>
Result<void> grow(Bytes& message, size_t by, Append append) {
  const size_t size = message.size();
  message.resize(size + by);
  const auto done = append(MutableByteView(message), size);
  message.resize(done ? *done : size);
  if (!done) return tl::unexpected(done.error());
  return {};
}

/// RFC 8945 §5.2: key, MAC, time, truncation, in this order.
TsigStatus check(ByteView message, const TsigRecord& record, const TsigKey& key, size_t size, UnixTime now,
                 TsigChain& chain) {
  const MacLength length = mac_length(record, key);
  if (length == MacLength::Impossible) return TsigStatus::FormErr;  // §5.2.2.1
  chain.add_message(message, size, true, record.original_id);
  chain.add_variables(record);
  if (!chain.matches(record.mac)) return TsigStatus::BadSig;
  if (!is_in_time(record, now)) return TsigStatus::BadTime;
  return length == MacLength::BelowPolicy ? TsigStatus::BadTrunc : TsigStatus::Good;
}

}  // namespace

std::string_view to_text(TsigStatus status) {
  switch (status) {
    case TsigStatus::Absent: return "no TSIG";
    case TsigStatus::FormErr: return "FORMERR";
    case TsigStatus::BadKey: return "BADKEY";
    case TsigStatus::BadSig: return "BADSIG";
    case TsigStatus::BadTime: return "BADTIME";
    case TsigStatus::BadTrunc: return "BADTRUNC";
    case TsigStatus::Good: return "good";
  }
  return "";
}

TsigSigner::TsigSigner(const TsigKey& key, ByteView request_mac) : TsigSigner(key, TsigChain(key), request_mac) {}

TsigSigner::TsigSigner(const TsigKey& key, TsigChain chain, ByteView request_mac)
    : chain_(std::move(chain)), key_name_(key.name.folded()), algorithm_(key.algorithm) {
  chain_.add_mac(request_mac);
}

Result<size_t> TsigSigner::sign_as(MutableByteView room, size_t size, TsigRecord record) {
  std::array<uint8_t, crypto::max_digest_size> mac{};
  record.key_name = key_name_;
  record.algorithm_name = name_of(algorithm_);
  record.mac = ByteView(mac).first(mac_size(algorithm_));
  if (size >= dns::header_size) record.original_id = load_u16(room.data());
  // First with a MAC of zeros: where it does not fit, the chain must be as it was.
  auto total = append_tsig(room, size, record);
  if (!total) return total;
  chain_.add_message(room, size, true, record.original_id);
  if (is_first_) {
    chain_.add_variables(record);
  } else {
    chain_.add_timers(record);
  }
  chain_.finish(mac);
  // Behind the MAC: original id, error, other length, other data.
  std::memcpy(&room[*total - record.other.size() - 6 - record.mac.size()], mac.data(), record.mac.size());
  is_first_ = false;
  chain_.add_mac(record.mac);
  return total;
}

Result<size_t> TsigSigner::sign(MutableByteView room, size_t size, UnixTime now) {
  TsigRecord record;
  record.time_signed = tsig_time(now);
  record.fudge = default_fudge;
  return sign_as(room, size, std::move(record));
}

Result<void> TsigSigner::sign(Bytes& message, UnixTime now) {
  return grow(message, this->size(), [&](MutableByteView room, size_t size) { return sign(room, size, now); });
}

dns::Rcode TsigVerdict::rcode() const {
  switch (status) {
    case TsigStatus::Absent:
    case TsigStatus::Good: return dns::Rcode::NOERROR;
    case TsigStatus::FormErr: return dns::Rcode::FORMERR;
    case TsigStatus::BadKey:
    case TsigStatus::BadSig:
    case TsigStatus::BadTime:
    case TsigStatus::BadTrunc: return dns::Rcode::NOTAUTH;
  }
  return dns::Rcode::SERVFAIL;
}

TsigError TsigVerdict::error() const {
  switch (status) {
    case TsigStatus::Absent:
    case TsigStatus::Good:
    case TsigStatus::FormErr: return TsigError::NOERROR;
    case TsigStatus::BadKey: return TsigError::BADKEY;
    case TsigStatus::BadSig: return TsigError::BADSIG;
    case TsigStatus::BadTime: return TsigError::BADTIME;
    case TsigStatus::BadTrunc: return TsigError::BADTRUNC;
  }
  return TsigError::NOERROR;
}

size_t TsigVerdict::response_size() const {
  if (status == TsigStatus::Absent || status == TsigStatus::FormErr) return 0;
  if (!signer) return tsig_record_size(key_name, algorithm_name, 0, 0);
  return signer->size() + (status == TsigStatus::BadTime ? server_time_size : 0);
}

Result<size_t> TsigVerdict::sign_response(MutableByteView room, size_t size, UnixTime now) {
  if (status == TsigStatus::Absent || status == TsigStatus::FormErr) return size;
  TsigRecord record;
  record.time_signed = tsig_time(now);
  record.fudge = default_fudge;
  record.error = static_cast<uint16_t>(error());
  const auto our_time = server_time(now);
  if (status == TsigStatus::BadTime) {
    // RFC 8945 §5.2.3: the client's time where it looks for its own, so that it accepts the message; ours beside it.
    record.time_signed = time_signed;
    record.fudge = fudge;
    record.other = our_time;
  }
  if (signer) return signer->sign_as(room, size, std::move(record));
  record.key_name = key_name;
  record.algorithm_name = algorithm_name;
  if (size >= dns::header_size) record.original_id = load_u16(room.data());
  return append_tsig(room, size, record);
}

Result<void> TsigVerdict::sign_response(Bytes& message, UnixTime now) {
  return grow(message, response_size(),
              [&](MutableByteView room, size_t size) { return sign_response(room, size, now); });
}

TsigVerdict verify_request(ByteView message, const Keyring& keys, UnixTime now) {
  return verify_request(message, find_signature(message), keys, now);
}

TsigVerdict verify_request(ByteView message, const FoundSignature& found, const Keyring& keys, UnixTime now) {
  TsigVerdict verdict;
  verdict.message_size = found.message_size;
  if (found.kind == SignatureKind::Malformed) verdict.status = TsigStatus::FormErr;
  if (found.kind != SignatureKind::Tsig) return verdict;
  const auto record = read_tsig(message, found);
  // RFC 8945 §4.2: in requests the Error field is zero, and with it there is nothing to go into Other Data.
  if (!record || record->error != 0) {
    verdict.status = TsigStatus::FormErr;
    return verdict;
  }
  verdict.key_name = record->key_name;
  verdict.algorithm_name = record->algorithm_name;
  verdict.time_signed = record->time_signed;
  verdict.fudge = record->fudge;
  const TsigKey* key = keys.find(record->key_name);
  // RFC 8945 §5.2.1: a key goes with one algorithm.
  if (key == nullptr || !(record->algorithm_name == name_of(key->algorithm))) {
    verdict.status = TsigStatus::BadKey;
    return verdict;
  }
  TsigChain chain(*key);
  verdict.status = check(message, *record, *key, found.message_size, now, chain);
  const bool is_authentic = verdict.status >= TsigStatus::BadTime;
  if (is_authentic) verdict.signer = TsigSigner(*key, std::move(chain), record->mac);
  return verdict;
}

}  // namespace steward::auth

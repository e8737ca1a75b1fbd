#include "serve/deferred_response.hh"

#include <algorithm>

#include "auth/signature.hh"
#include "auth/tsig.hh"
#include "dns/message.hh"

namespace steward::serve {
namespace {

constexpr uint16_t opcode_and_rd = 0x7900;

void count_additional(Bytes& message, int by) {
  store_u16(&message[10], static_cast<uint16_t>(load_u16(&message[10]) + by));
}

}  // namespace

DeferredResponse::DeferredResponse(std::unique_ptr<Reply> reply, ByteView message, const Request& request,
                                   uint16_t udp_size, std::unique_ptr<auth::TsigVerdict> tsig)
    : reply_(std::move(reply)),
      tsig_(std::move(tsig)),
      id_(request.id),
      flags_(request.flags),
      udp_size_(std::max<uint16_t>(udp_size, 512)),
      edns_(request.edns.present),
      dnssec_ok_(request.edns.dnssec_ok) {
  const ByteView question = message.subspan(header_size, request.question_size);
  question_.assign(question.begin(), question.end());
}

DeferredResponse::~DeferredResponse() = default;
DeferredResponse::DeferredResponse(DeferredResponse&&) noexcept = default;
DeferredResponse& DeferredResponse::operator=(DeferredResponse&&) noexcept = default;

const SocketAddress& DeferredResponse::client() const { return reply_->client(); }
std::shared_ptr<const CertificateChain> DeferredResponse::shown() const { return reply_->shown(); }

void DeferredResponse::send(dns::Rcode rcode, UnixTime now, std::optional<ExtendedError> error, std::string_view text) {
  const auto code = static_cast<uint16_t>(rcode);
  Bytes message;
  append_u16(message, id_);
  append_u16(message, static_cast<uint16_t>(0x8000U | (flags_ & opcode_and_rd) | (code & 0x0fU)));
  append_u16(message, question_.empty() ? 0 : 1);
  append_u32(message, 0);
  append_u16(message, static_cast<uint16_t>(additional_count_ + (edns_ ? 1 : 0)));
  append(message, question_);
  append(message, additional_);
  if (edns_) {
    append_u8(message, 0);
    append_u16(message, value(dns::RrType::OPT));
    append_u16(message, udp_size_);
    append_u8(message, static_cast<uint8_t>(code >> 4));
    append_u8(message, 0);
    append_u16(message, dnssec_ok_ ? 0x8000 : 0);
    const size_t lease_size = !lease_ ? 0 : lease_->key_lease != 0 ? 12 : 8;
    append_u16(message, static_cast<uint16_t>((error ? 6 + text.size() : 0) + lease_size));
    if (lease_) {
      append_u16(message, static_cast<uint16_t>(EdnsOption::UpdateLease));
      append_u16(message, static_cast<uint16_t>(lease_size - 4));
      append_u32(message, lease_->lease);
      if (lease_->key_lease != 0) append_u32(message, lease_->key_lease);
    }
    if (error) {
      append_u16(message, static_cast<uint16_t>(EdnsOption::ExtendedError));
      append_u16(message, static_cast<uint16_t>(2 + text.size()));
      append_u16(message, static_cast<uint16_t>(*error));
      append(message, as_bytes(text));
    }
  }
  write(message, now);
}

void DeferredResponse::add(const dns::Name& owner, dns::RrType type, uint32_t ttl, ByteView rdata) {
  append(additional_, owner.view().wire());
  append_u16(additional_, value(type));
  append_u16(additional_, value(dns::RrClass::IN));
  append_u32(additional_, ttl);
  append_u16(additional_, static_cast<uint16_t>(rdata.size()));
  append(additional_, rdata);
  ++additional_count_;
}

void DeferredResponse::relay(ByteView response, UnixTime now) {
  const auth::FoundSignature found = auth::find_signature(response);
  const bool whole = response.size() >= header_size && found.kind != auth::SignatureKind::Malformed &&
                     (load_u16(&response[2]) & 0x8000) != 0;
  if (!whole) return send(dns::Rcode::SERVFAIL, now);
  const bool is_signed = found.kind == auth::SignatureKind::Tsig;
  const ByteView kept = is_signed ? response.first(found.message_size) : response;
  Bytes message(kept.begin(), kept.end());
  if (is_signed) count_additional(message, -1);
  store_u16(message.data(), id_);
  const size_t signature = tsig_ != nullptr ? tsig_->response_size() : 0;
  if (message.size() + signature > dns::max_message_size) return send(dns::Rcode::SERVFAIL, now);
  write(message, now);
}

void DeferredResponse::write(Bytes& message, UnixTime now) {
  if (reply_ == nullptr) return;
  // Unsigned it would not be believed.
  if (tsig_ == nullptr || tsig_->sign_response(message, now)) reply_->write(message);
  reply_.reset();
}

}  // namespace steward::serve

#include "auth/sig0.hh"

#include "dns/compressed_name.hh"
#include "dns/message.hh"

namespace steward::auth {

namespace {

constexpr size_t fixed_rdata_size = 18;        // RFC 2535 §4.1: all before the signer's name
constexpr uint16_t key_flag_no_auth = 0x8000;  // RFC 2535 §3.1.2
constexpr uint16_t key_flag_extended = 0x1000;
constexpr uint8_t key_protocol_dnssec = 3;
constexpr uint8_t key_protocol_any = 255;
constexpr unsigned least_rsa_bits = 1024;

/// Seconds since 1970 as SIG has them: RFC 1982 arithmetic, like RRSIG's (RFC 4034 §3.1.5).
uint32_t sig_time(UnixTime time) { return static_cast<uint32_t>(seconds_of(time)); }
bool is_before(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) < 0; }

bool is_in_window(const Sig0& sig0, UnixTime now) {
  const uint32_t ours = sig_time(now);
  return !is_before(sig0.expiration, sig0.inception) && !is_before(ours, sig0.inception) &&
         !is_before(sig0.expiration, ours);
}

bool is_candidate(ByteView key, const Sig0& sig0) {
  return may_authenticate(key) && key[3] == sig0.algorithm && crypto::key_tag(key) == sig0.tag;
}

/// RFC 2931 §3.1: RDATA without the signature, then the request as it was before the SIG(0) came.
Bytes signed_octets(ByteView head, ByteView message, size_t size, bool with_sig0) {
  Bytes data;
  data.reserve(head.size() + size);
  append(data, head);
  append(data, message.first(size));
  uint8_t* count = &data[head.size() + 10];
  if (with_sig0) store_u16(count, static_cast<uint16_t>(load_u16(count) - 1));
  return data;
}

}  // namespace

std::optional<Sig0> read_sig0(ByteView message, const FoundSignature& found) {
  const size_t end = found.rdata_at + found.rdata_size;
  if (found.kind != SignatureKind::Sig0 || found.rdata_size < fixed_rdata_size) return std::nullopt;
  size_t used = 0;
  const auto signer = dns::name_from_message(message, found.rdata_at + fixed_rdata_size, end, used);
  if (!signer) return std::nullopt;
  Sig0 sig0;
  ByteReader in(message, found.rdata_at + 2);
  sig0.algorithm = in.u8();
  in.skip(5);
  sig0.expiration = in.u32();
  sig0.inception = in.u32();
  sig0.tag = in.u16();
  sig0.signer = signer->folded();
  append(sig0.head, message.subspan(found.rdata_at, fixed_rdata_size));
  append(sig0.head, signer->view().wire());
  const size_t signature_at = found.rdata_at + fixed_rdata_size + used;
  sig0.signature = message.subspan(signature_at, end - signature_at);
  sig0.message_size = found.message_size;
  if (sig0.signature.empty()) return std::nullopt;
  return sig0;
}

std::string_view to_text(Sig0Status status) {
  switch (status) {
    case Sig0Status::Good: return "good";
    case Sig0Status::BadKey: return "no usable KEY";
    case Sig0Status::BadTime: return "SIG(0) is not of our time";
    case Sig0Status::BadSig: return "SIG(0) does not fit";
    case Sig0Status::OverBudget: return "too many SIG(0) to be checked";
  }
  return "";
}

dns::Rcode rcode_of(Sig0Status status) {
  switch (status) {
    case Sig0Status::Good: return dns::Rcode::NOERROR;
    case Sig0Status::BadKey:
    case Sig0Status::BadTime:
    case Sig0Status::BadSig: return dns::Rcode::NOTAUTH;
    case Sig0Status::OverBudget: return dns::Rcode::REFUSED;
  }
  return dns::Rcode::SERVFAIL;
}

bool may_authenticate(ByteView key_rdata) {
  if (key_rdata.size() <= crypto::dnskey_fixed_size) return false;
  const uint16_t flags = load_u16(key_rdata.data());
  const uint8_t protocol = key_rdata[2];
  return (flags & (key_flag_no_auth | key_flag_extended)) == 0 &&
         (protocol == key_protocol_dnssec || protocol == key_protocol_any);
}

Sig0Status verify_sig0(ByteView message, const Sig0& sig0, std::span<const ByteView> keys, UnixTime now,
                       const VerifyAllowance& allowance) {
  if (!is_in_window(sig0, now)) return Sig0Status::BadTime;
  const auto algorithm = crypto::algorithm_from_number(sig0.algorithm);
  // RFC 8624 §3.1: SHA-1 signs nothing any more.
  if (!algorithm || !crypto::may_sign(*algorithm)) return Sig0Status::BadKey;
  Bytes data;
  size_t tried = 0;
  auto status = Sig0Status::BadKey;
  for (const ByteView rdata : keys) {
    if (!is_candidate(rdata, sig0)) continue;
    if (tried++ == max_sig0_candidates) break;
    // Taking a key apart costs about as much as using it.
    if (!allowance.take()) return Sig0Status::OverBudget;
    const auto key = crypto::PublicKey::from_octets(*algorithm, rdata.subspan(crypto::dnskey_fixed_size));
    if (!key || (crypto::is_rsa(*algorithm) && key->bits() < least_rsa_bits)) continue;
    if (data.empty()) data = signed_octets(sig0.head, message, sig0.message_size, true);
    if (key->verify(data, sig0.signature)) return Sig0Status::Good;
    status = Sig0Status::BadSig;
  }
  return status;
}

Result<void> sign_with_sig0(Bytes& message, const Sig0Key& key, UnixTime now, Seconds window) {
  if (message.size() < dns::header_size) return fail(Errc::Invalid, "no message to be signed");
  auto signer = crypto::Signer::create(*key.key);
  if (!signer) return tl::unexpected(signer.error());
  const uint16_t count = load_u16(&message[10]);
  Bytes head;
  append_u16(head, 0);  // type covered: what makes it a SIG(0)
  append_u8(head, crypto::value(key.key->algorithm()));
  append_u8(head, 0);
  append_u32(head, 0);
  append_u32(head, sig_time(now + window));
  append_u32(head, sig_time(now - window));
  append_u16(head, crypto::key_tag(key.key_rdata()));
  append(head, key.signer.folded().view().wire());
  const size_t rdata_size = head.size() + signer->signature_size();
  if (count == 0xffff || message.size() + 11 + rdata_size > dns::max_message_size) {
    return fail(Errc::Full, "no room for the SIG(0) record");
  }
  Bytes signature(signer->signature_size());
  const Bytes data = signed_octets(head, message, message.size(), false);
  if (const auto done = signer->sign(data, signature.data()); !done) return tl::unexpected(done.error());
  append_u8(message, 0);  // RFC 2931 §3: the root, ANY, 0
  append_u16(message, dns::value(dns::RrType::SIG));
  append_u16(message, dns::value(dns::RrClass::ANY));
  append_u32(message, 0);
  append_u16(message, static_cast<uint16_t>(rdata_size));
  append(message, head);
  append(message, signature);
  store_u16(&message[10], static_cast<uint16_t>(count + 1));
  return {};
}

}  // namespace steward::auth

#include "auth/registry_request.hh"

#include <algorithm>

#include "crypto/certificate.hh"

namespace steward::auth {

namespace {

constexpr uint16_t udp_size = 1232;  // octets; requests go over TLS, where it means nothing

bool is_identity_algorithm(uint8_t number) {
  return number == crypto::value(crypto::Algorithm::RSASHA256) || number == crypto::value(crypto::Algorithm::ED25519);
}

/// Seconds from `a` to `b` in RFC 1982 arithmetic, as SIG has its times (RFC 4034 §3.1.5).
int32_t seconds_between(uint32_t a, uint32_t b) { return static_cast<int32_t>(b - a); }

size_t count_nonces(const dns::Record& opt, ByteView* data) {
  size_t count = 0;
  ByteView left = opt.rdata;
  while (const auto option = dns::next_edns_option(left)) {
    if (option->code != nonce_option) continue;
    ++count;
    if (data != nullptr) *data = option->data;
  }
  return count;
}

/// All but the signature itself.
RequestVerdict check_rules(const Sig0& sig0, const RegistryPeer& peer, UnixTime now) {
  const int32_t window = seconds_between(sig0.inception, sig0.expiration);
  if (window < 0 || window > max_request_window.count()) return RequestVerdict::LongWindow;
  const auto ours = static_cast<uint32_t>(seconds_of(now));
  if (seconds_between(sig0.inception, ours) < 0 || seconds_between(ours, sig0.expiration) < 0)
    return RequestVerdict::Stale;
  if (!(sig0.signer == peer.signer)) return RequestVerdict::WrongSigner;
  if (!is_identity_algorithm(sig0.algorithm)) return RequestVerdict::Weak;
  if (!may_authenticate(peer.key) || peer.key[3] != sig0.algorithm) return RequestVerdict::BadKey;
  const auto key = crypto::PublicKey::from_octets(static_cast<crypto::Algorithm>(sig0.algorithm),
                                                  peer.key.subspan(crypto::dnskey_fixed_size));
  if (!key) return RequestVerdict::BadKey;
  return crypto::check_identity_key(*key) ? RequestVerdict::Good : RequestVerdict::Weak;
}

}  // namespace

std::string_view to_text(RequestVerdict verdict) {
  switch (verdict) {
    case RequestVerdict::Good: return "good";
    case RequestVerdict::Malformed: return "no whole message, or no whole SIG(0)";
    case RequestVerdict::Unsigned: return "no SIG(0)";
    case RequestVerdict::NoNonce: return "no nonce in EDNS option 65001";
    case RequestVerdict::BadNonce: return "EDNS option 65001 is not there once with 16 octets";
    case RequestVerdict::LongWindow: return "SIG(0) is not good for 0 to 300 seconds";
    case RequestVerdict::Stale: return "SIG(0) is not of our time";
    case RequestVerdict::WrongSigner: return "SIG(0) is not by the identity in the TLS certificate";
    case RequestVerdict::Weak: return "SIG(0) is neither RSA/SHA-256 of 2048 bits nor Ed25519";
    case RequestVerdict::BadKey: return "SIG(0) is not by the identity's KEY";
    case RequestVerdict::BadSig: return "SIG(0) does not fit";
    case RequestVerdict::OverBudget: return "too many SIG(0) to be checked";
  }
  return "";
}

dns::Rcode rcode_of(RequestVerdict verdict) {
  switch (verdict) {
    case RequestVerdict::Good: return dns::Rcode::NOERROR;
    case RequestVerdict::Malformed:
    case RequestVerdict::BadNonce: return dns::Rcode::FORMERR;
    case RequestVerdict::Unsigned:
    case RequestVerdict::OverBudget: return dns::Rcode::REFUSED;
    case RequestVerdict::NoNonce:
    case RequestVerdict::LongWindow:
    case RequestVerdict::Stale:
    case RequestVerdict::WrongSigner:
    case RequestVerdict::Weak:
    case RequestVerdict::BadKey:
    case RequestVerdict::BadSig: return dns::Rcode::NOTAUTH;
  }
  return dns::Rcode::SERVFAIL;
}

tl::expected<RegistryRequest, RequestVerdict> read_registry_request(ByteView message) {
  const auto refused = [](RequestVerdict verdict) { return tl::unexpected(verdict); };
  const FoundSignature found = find_signature(message);
  if (found.kind == SignatureKind::Malformed) return refused(RequestVerdict::Malformed);
  if (found.kind != SignatureKind::Sig0) return refused(RequestVerdict::Unsigned);
  auto sig0 = read_sig0(message, found);
  // With OPT in its place and at most once (RFC 6891 §6.1.1): what is signed stands before the SIG(0), and so does OPT.
  const auto parsed = dns::Message::parse(message);
  if (!sig0 || !parsed) return refused(RequestVerdict::Malformed);
  const dns::Record* opt = parsed->opt();
  ByteView data;
  const size_t count = opt == nullptr ? 0 : count_nonces(*opt, &data);
  if (count == 0) return refused(RequestVerdict::NoNonce);
  if (count > 1 || data.size() != nonce_size) return refused(RequestVerdict::BadNonce);
  RegistryRequest request{*std::move(sig0), {}};
  std::copy(data.begin(), data.end(), request.nonce.begin());
  return request;
}

RequestVerdict verify_registry_request(ByteView message, const RegistryRequest& request, const RegistryPeer& peer,
                                       UnixTime now, const VerifyAllowance& allowance) {
  if (const auto verdict = check_rules(request.sig0, peer, now); verdict != RequestVerdict::Good) return verdict;
  switch (verify_sig0(message, request.sig0, std::span(&peer.key, 1), now, allowance)) {
    case Sig0Status::Good: return RequestVerdict::Good;
    case Sig0Status::BadKey: return RequestVerdict::BadKey;
    case Sig0Status::BadTime: return RequestVerdict::Stale;
    case Sig0Status::BadSig: return RequestVerdict::BadSig;
    case Sig0Status::OverBudget: return RequestVerdict::OverBudget;
  }
  return RequestVerdict::BadSig;
}

Result<Bytes> sign_registry_request(dns::Message message, const Sig0Key& key, UnixTime now, const Nonce& nonce) {
  if (auto sound = crypto::check_identity_key(key.key->public_key()); !sound) return tl::unexpected(sound.error());
  auto opt = std::find_if(message.additional.begin(), message.additional.end(),
                          [](const dns::Record& record) { return record.type == dns::RrType::OPT; });
  if (opt == message.additional.end()) opt = message.additional.insert(opt, dns::make_opt(udp_size, false));
  if (count_nonces(*opt, nullptr) != 0) return fail(Errc::Exists, "request: it has a nonce already");
  dns::append_edns_option(opt->rdata, nonce_option, nonce);
  auto octets = message.build();
  if (!octets) return octets;
  if (find_signature(*octets).kind != SignatureKind::None)
    return fail(Errc::Exists, "request: it is signed already, or cannot be");
  // To both sides of now: clocks differ.
  if (auto done = sign_with_sig0(*octets, key, now, max_request_window / 2); !done) return tl::unexpected(done.error());
  return octets;
}

}  // namespace steward::auth

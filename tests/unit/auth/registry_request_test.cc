// Requests between registries: signature, nonce, window, signer, strength.

#include "auth/registry_request.hh"

#include <fmt/format.h>

#include <algorithm>

#include "support.hh"

using namespace steward;
using namespace steward::auth;
using namespace steward::auth::test;

namespace {

const UnixTime now = unix_time(1'790'000'000);
constexpr Nonce nonce{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr std::string_view signer_text = "vibe-agency._registries._agents.com.s.example.";

Sig0Key make_key(crypto::Algorithm algorithm, unsigned bits = 0) {
  auto pair = crypto::KeyPair::generate(algorithm, bits);
  REQUIRE(pair);
  return {name("Vibe-Agency._registries._agents.com.s.example."),
          std::make_shared<const crypto::KeyPair>(*std::move(pair))};
}
const Sig0Key& key() {
  static const Sig0Key made = make_key(crypto::Algorithm::ED25519);
  return made;
}

dns::Message query() {
  dns::Message message;
  message.header.id = 7;
  message.question.push_back({name("eu-4f2a._feed.com.s.example."), dns::RrType::SOA, dns::RrClass::IN});
  return message;
}

Bytes sign(const Sig0Key& with = key(), dns::Message message = query()) {
  auto octets = sign_registry_request(std::move(message), with, now, nonce);
  REQUIRE_MESSAGE(octets, octets.error().what);
  return *octets;
}

/// Signed by hand, with whatever options and window.
Bytes sign_with(const Bytes& options, Seconds window = Seconds{150}, const Sig0Key& with = key()) {
  dns::Message message = query();
  message.additional.push_back(dns::make_opt(1232, false, options));
  auto octets = message.build();
  REQUIRE(octets);
  REQUIRE(sign_with_sig0(*octets, with, now, window));
  return *octets;
}
Bytes option(ByteView data, uint16_t code = nonce_option) {
  Bytes out;
  dns::append_edns_option(out, code, data);
  return out;
}

struct Expected {
  std::string_view signer = signer_text;
  std::optional<Bytes> key_rdata;
  UnixTime at = now;
};

RequestVerdict judge(const Bytes& message, const Expected& expected = {}) {
  VerifyBudget budget({}, crypto::SipHashKey{1});
  const VerifyAllowance allowance{&budget, *SocketAddress::from_text("192.0.2.1"), 1'000'000'000};
  const auto request = read_registry_request(message);
  if (!request) return request.error();
  const dns::Name signer = name(expected.signer);
  const Bytes rdata = expected.key_rdata.value_or(key().key_rdata());
  return verify_registry_request(message, *request, {signer, rdata}, expected.at, allowance);
}

}  // namespace

TEST_CASE("request: signed with Ed25519 or RSA/SHA-256 it is good, and its nonce is read back") {
  const Bytes message = sign();
  CHECK(judge(message) == RequestVerdict::Good);
  const auto request = read_registry_request(message);
  REQUIRE(request);
  CHECK(request->nonce == nonce);
  CHECK(request->sig0.signer == name(signer_text));
  CHECK(request->sig0.expiration - request->sig0.inception == max_request_window.count());

  const Sig0Key rsa = make_key(crypto::Algorithm::RSASHA256, 2048);
  CHECK(judge(sign(rsa), {signer_text, rsa.key_rdata()}) == RequestVerdict::Good);
  // An OPT that is there is kept.
  dns::Message with_opt = query();
  with_opt.additional.push_back(dns::make_opt(4096, true, option(as_bytes("other"), 65002)));
  CHECK(judge(sign(key(), with_opt)) == RequestVerdict::Good);
}

TEST_CASE("request: an UPDATE is signed as well [RFC 2136]") {
  dns::Message update;
  update.header.opcode = dns::Opcode::UPDATE;
  update.question.push_back({name("com.s.example."), dns::RrType::SOA, dns::RrClass::IN});
  update.authority.push_back({name("a.com.s.example."), dns::RrType::TXT, dns::RrClass::ANY, 0, {}});
  CHECK(judge(sign(key(), update)) == RequestVerdict::Good);
}

TEST_CASE("request: the nonce is there exactly once, with 16 octets") {
  const Bytes one = option(nonce);
  Bytes two = one;
  append(two, option(nonce));
  CHECK(judge(sign_with(one)) == RequestVerdict::Good);
  CHECK(judge(sign_with({})) == RequestVerdict::NoNonce);
  CHECK(judge(sign_with(option(nonce, 65000))) == RequestVerdict::NoNonce);
  CHECK(judge(sign_with(two)) == RequestVerdict::BadNonce);
  CHECK(judge(sign_with(option(ByteView(nonce).first(15)))) == RequestVerdict::BadNonce);
  CHECK(judge(sign_with(option(Bytes(17, 1)))) == RequestVerdict::BadNonce);
  CHECK(judge(sign_with(option({}))) == RequestVerdict::BadNonce);
}

TEST_CASE("request: the SIG(0) covers the nonce") {
  Bytes message = sign();
  const auto at = std::search(message.begin(), message.end(), nonce.begin(), nonce.end());
  REQUIRE(at != message.end());
  *at ^= 1;
  CHECK(judge(message) == RequestVerdict::BadSig);
}

TEST_CASE("request: a window of over 300 seconds, or that is not ours, is refused") {
  CHECK(judge(sign_with(option(nonce), Seconds{150})) == RequestVerdict::Good);
  CHECK(judge(sign_with(option(nonce), Seconds{151})) == RequestVerdict::LongWindow);
  CHECK(judge(sign_with(option(nonce), Seconds{-1})) == RequestVerdict::LongWindow);
  const Bytes message = sign();
  CHECK(judge(message, {signer_text, {}, now + Seconds{150}}) == RequestVerdict::Good);
  CHECK(judge(message, {signer_text, {}, now + Seconds{151}}) == RequestVerdict::Stale);
  CHECK(judge(message, {signer_text, {}, now - Seconds{150}}) == RequestVerdict::Good);
  CHECK(judge(message, {signer_text, {}, now - Seconds{151}}) == RequestVerdict::Stale);
}

TEST_CASE("request: the signer is the identity in the TLS certificate, name and key") {
  CHECK(judge(sign(), {"other._registries._agents.com.s.example."}) == RequestVerdict::WrongSigner);
  const Sig0Key other = make_key(crypto::Algorithm::ED25519);
  CHECK(judge(sign(other)) == RequestVerdict::BadKey);
  Bytes changed = sign();
  changed.back() ^= 1;
  CHECK(judge(changed) == RequestVerdict::BadSig);
  Bytes no_auth = key().key_rdata();
  no_auth[0] |= 0x80;
  CHECK(judge(sign(), {signer_text, no_auth}) == RequestVerdict::BadKey);
  CHECK(judge(sign(), {signer_text, Bytes{}}) == RequestVerdict::BadKey);
}

TEST_CASE("request: what is weaker is refused, whoever signed it") {
  const auto weak = [](const Sig0Key& with) {
    return judge(sign_with(option(nonce), Seconds{150}, with), {signer_text, with.key_rdata()});
  };
  CHECK(weak(make_key(crypto::Algorithm::RSASHA256, 1024)) == RequestVerdict::Weak);
  CHECK(weak(make_key(crypto::Algorithm::RSASHA512, 2048)) == RequestVerdict::Weak);
  CHECK(weak(make_key(crypto::Algorithm::ECDSAP256SHA256)) == RequestVerdict::Weak);
  // SHA-1, by its number alone.
  Bytes sha1 = sign();
  const auto found = find_signature(sha1);
  sha1[found.rdata_at + 2] = 5;
  CHECK(judge(sha1) == RequestVerdict::Weak);
  // RSA where the identity is Ed25519, and the other way round.
  const Sig0Key rsa = make_key(crypto::Algorithm::RSASHA256, 2048);
  CHECK(judge(sign(rsa)) == RequestVerdict::BadKey);
  CHECK(judge(sign(), {signer_text, rsa.key_rdata()}) == RequestVerdict::BadKey);
}

TEST_CASE("request: without a SIG(0), or not whole") {
  const auto plain = query().build();
  REQUIRE(plain);
  CHECK(judge(*plain) == RequestVerdict::Unsigned);
  Bytes cut = sign();
  cut.pop_back();
  CHECK(judge(cut) == RequestVerdict::Malformed);
  CHECK(judge({}) == RequestVerdict::Malformed);
  CHECK(judge(signed_query(vector_key()).message) == RequestVerdict::Unsigned);
}

TEST_CASE("request: nothing is signed twice, nor with a weak key") {
  dns::Message with_nonce = query();
  with_nonce.additional.push_back(dns::make_opt(1232, false, option(nonce)));
  CHECK(sign_registry_request(with_nonce, key(), now, nonce).error().code == Errc::Exists);
  CHECK(sign_registry_request(query(), make_key(crypto::Algorithm::RSASHA256, 1024), now, nonce).error().code ==
        Errc::Refused);
}

TEST_CASE("request: an exhausted budget is told") {
  VerifyBudget budget({1, 1}, crypto::SipHashKey{1});
  const VerifyAllowance allowance{&budget, *SocketAddress::from_text("192.0.2.1"), 1'000'000'000};
  const Bytes message = sign();
  const auto request = read_registry_request(message);
  REQUIRE(request);
  const dns::Name signer = name(signer_text);
  const Bytes rdata = key().key_rdata();
  auto verdict = RequestVerdict::Good;
  for (int i = 0; i < 4; ++i) verdict = verify_registry_request(message, *request, {signer, rdata}, now, allowance);
  CHECK(verdict == RequestVerdict::OverBudget);
  CHECK(rcode_of(verdict) == dns::Rcode::REFUSED);
}

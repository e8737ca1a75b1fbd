#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "crypto/key_pair.hh"
#include "dns/encoding.hh"

using namespace steward;
using namespace steward::crypto;

namespace {
Bytes b64(std::string_view text) {
  auto octets = dns::decode(dns::base64, text);
  REQUIRE_MESSAGE(octets, text);
  return *octets;
}
KeyPair pair_of(Algorithm algorithm, std::string_view secret) {
  PrivateFields fields;
  fields.add("PrivateKey", b64(secret));
  auto pair = KeyPair::from_private_fields(algorithm, fields);
  REQUIRE(pair);
  return std::move(*pair);
}
void check_public(const KeyPair& pair, std::string_view octets, KeyTag tag) {
  CHECK(dns::encode(dns::base64, pair.public_key().octets()) == octets);
  CHECK(key_tag(pair.public_key().dnskey_rdata(257)) == tag);
}
constexpr Algorithm signing[] = {Algorithm::RSASHA256, Algorithm::RSASHA512, Algorithm::ECDSAP256SHA256,
                                 Algorithm::ECDSAP384SHA384, Algorithm::ED25519};
}  // namespace

TEST_CASE("keys: the public key follows from the private one, P-256 and P-384 [RFC 6605 §6]") {
  check_public(pair_of(Algorithm::ECDSAP256SHA256, "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ="),
               "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==", 55648);
  check_public(
      pair_of(Algorithm::ECDSAP384SHA384, "WURgWHCcYIYUPWgeLmiPY2DJJk02vgrmTfitxgqcL4vwW7BOrbawVmVe0d9V94SR"),
      "xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6"
      "Glur8I/mlVNgF6W/qTI37m40",
      10771);
}

TEST_CASE("keys: the public key follows from the private one, Ed25519 [RFC 8080 §6.1]") {
  check_public(pair_of(Algorithm::ED25519, "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI="),
               "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", 3613);
  check_public(pair_of(Algorithm::ED25519, "DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY="),
               "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=", 35217);
}

TEST_CASE("keys: key tag of the DNSKEY of the DS example [RFC 4034 §5.4, Appendix B]") {
  const auto key = PublicKey::from_octets(Algorithm::RSASHA1,
                                          b64("AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/"
                                              "2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7Orz"
                                              "KBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="));
  REQUIRE(key);
  CHECK(key_tag(key->dnskey_rdata(256)) == 60485);
  CHECK(key->bits() == 1024);
}

TEST_CASE("keys: every algorithm signs, verifies, and notices a changed octet in data or signature") {
  for (const Algorithm algorithm : signing) {
    CAPTURE(to_text(algorithm));
    const auto pair = KeyPair::generate(algorithm, 1024);
    REQUIRE(pair);
    auto signer = Signer::create(*pair);
    REQUIRE(signer);
    Verifier verifier(pair->public_key());
    for (uint8_t i = 0; i < 40; ++i) {
      Bytes data(i, i);
      Bytes signature(signer->signature_size());
      REQUIRE(signer->sign(data, signature.data()));
      CHECK(verifier.verify(data, signature));
      data.push_back(0);
      CHECK_FALSE(verifier.verify(data, signature));
      data.pop_back();
      signature[i] ^= 1;
      CHECK_FALSE(verifier.verify(data, signature));
    }
    for (const size_t size : {size_t{0}, size_t{1}, signer->signature_size() - 1, signer->signature_size() + 1}) {
      CHECK_FALSE(verifier.verify(as_bytes("x"), Bytes(size, 0)));
      CHECK_FALSE(verifier.verify(as_bytes("x"), Bytes(size, 0xff)));
    }
  }
}

TEST_CASE("keys: private fields, DNSKEY octets, SPKI and PEM lead back to the same key") {
  for (const Algorithm algorithm : signing) {
    CAPTURE(to_text(algorithm));
    const auto pair = KeyPair::generate(algorithm, 1024);
    REQUIRE(pair);
    const auto fields = pair->private_fields();
    REQUIRE(fields);
    const auto again = KeyPair::from_private_fields(algorithm, *fields);
    REQUIRE(again);
    const Bytes rdata = pair->public_key().dnskey_rdata(257);
    CHECK(again->public_key().dnskey_rdata(257) == rdata);
    CHECK(PublicKey::from_octets(algorithm, pair->public_key().octets())->dnskey_rdata(257) == rdata);
    const auto pem = pair->pem();
    REQUIRE(pem);
    const auto from_pem = KeyPair::from_pem(*pem);
    REQUIRE(from_pem);
    CHECK(std::ranges::equal(from_pem->public_key().octets(), pair->public_key().octets()));
    const auto open = PublicKey::from_pem(*pair->public_key().pem());
    REQUIRE(open);
    CHECK(*open->fingerprint() == *pair->public_key().fingerprint());
    CHECK(open->fingerprint()->size() == 7 + 64);
  }
}

TEST_CASE("keys: SubjectPublicKeyInfo is to the octet what the library writes as PEM [RFC 5280 §4.1.2.7]") {
  for (const Algorithm algorithm : signing) {
    for (const unsigned bits : {1024U, 2048U, 4096U}) {
      if (bits != 1024 && !is_rsa(algorithm)) continue;
      CAPTURE(to_text(algorithm));
      const auto pair = KeyPair::generate(algorithm, bits);
      REQUIRE(pair);
      std::string pem = *pair->public_key().pem();
      pem.erase(0, pem.find('\n') + 1);
      pem.resize(pem.find("-----END"));
      std::erase(pem, '\n');
      const auto der = pair->public_key().spki();
      REQUIRE(der);
      CHECK(dns::encode(dns::base64, *der) == pem);
      CHECK(PublicKey::from_spki(*der));
    }
  }
}

TEST_CASE("keys: malformed public keys are refused with a reason") {
  const auto refused = [](Algorithm algorithm, Bytes octets) { return !PublicKey::from_octets(algorithm, octets); };
  for (const Algorithm algorithm : signing) {
    CHECK(refused(algorithm, {}));
    CHECK(refused(algorithm, {0}));
    CHECK(refused(algorithm, {0, 0}));
    CHECK(refused(algorithm, {0, 255, 255}));
    CHECK(refused(algorithm, {3, 1, 0, 1}));
    CHECK(refused(algorithm, Bytes(31, 1)));
    CHECK(refused(algorithm, Bytes(2000, 0xff)));
  }
  // A point that does not lie on the curve.
  CHECK(refused(Algorithm::ECDSAP256SHA256, Bytes(64, 1)));
  // RFC 5702 §2.2: at least 1024 bits with SHA-512.
  Bytes small{1, 3};
  small.resize(2 + 64, 0xff);
  CHECK_FALSE(refused(Algorithm::RSASHA256, small));
  CHECK(refused(Algorithm::RSASHA512, small));
  // An exponent as long as the modulus.
  Bytes slow{64};
  slow.resize(1 + 64 + 256, 0xff);
  CHECK(refused(Algorithm::RSASHA256, slow));
}

TEST_CASE("keys: no key is made, and nothing signed, with SHA-1 [RFC 8624 §3.1]") {
  CHECK(KeyPair::generate(Algorithm::RSASHA1).error().code == Errc::Unsupported);
  const auto pair = KeyPair::generate(Algorithm::RSASHA256, 1024);
  const auto sha1 = KeyPair::from_private_fields(Algorithm::RSASHA1, *pair->private_fields());
  REQUIRE(sha1);
  CHECK(Signer::create(*sha1).error().code == Errc::Unsupported);
}

TEST_CASE("keys: many signatures of P-256 at once verify each, and no nonce comes twice [FIPS 186-5 §6.4]") {
  const auto pair = KeyPair::generate(Algorithm::ECDSAP256SHA256);
  auto signer = Signer::create(*pair);
  REQUIRE(signer);
  REQUIRE(signer->signs_batches());
  Verifier verifier(pair->public_key());
  std::set<Bytes> first_halves;
  size_t made = 0;
  for (const size_t count : {0U, 1U, 3U, 4U, 5U, 63U, 64U, 65U, 130U, 4U}) {
    std::vector<Bytes> messages;
    std::vector<Bytes> signatures(count, Bytes(signer->signature_size()));
    std::vector<Prehashed> waiting(count);
    for (size_t i = 0; i < count; ++i) {
      messages.emplace_back(40, static_cast<uint8_t>(i / 2));  // each message twice: a nonce is not its message's alone
      signer->prehash(messages[i], waiting[i]);
      waiting[i].out = signatures[i].data();
    }
    REQUIRE(signer->sign_all(waiting));
    for (size_t i = 0; i < count; ++i) {
      CHECK(verifier.verify(messages[i], signatures[i]));
      first_halves.emplace(signatures[i].begin(), signatures[i].begin() + 32);
    }
    made += count;
  }
  CHECK(first_halves.size() == made);
}

TEST_CASE("keys: only P-256 signs in batches") {
  for (const Algorithm algorithm : signing) {
    const auto signer = Signer::create(*KeyPair::generate(algorithm, is_rsa(algorithm) ? 1024 : 0));
    REQUIRE(signer);
    CHECK(signer->signs_batches() == (algorithm == Algorithm::ECDSAP256SHA256));
  }
}

TEST_CASE("keys: two threads sign with one key at the same time") {
  const auto pair = KeyPair::generate(Algorithm::ECDSAP256SHA256);
  std::array<bool, 2> good{};
  const auto work = [&](size_t which) {
    auto signer = Signer::create(*pair);
    Verifier verifier(pair->public_key());
    good[which] = signer.has_value();
    for (int i = 0; i < 200 && good[which]; ++i) {
      const Bytes data(64, static_cast<uint8_t>(i));
      Bytes signature(signer->signature_size());
      good[which] = signer->sign(data, signature.data()) && verifier.verify(data, signature);
    }
  };
  std::thread first(work, 0);
  std::thread second(work, 1);
  first.join();
  second.join();
  CHECK(good[0]);
  CHECK(good[1]);
}

TEST_CASE("algorithms: mnemonics in any case, and numbers") {
  CHECK(algorithm_from_text("ecdsap256sha256") == Algorithm::ECDSAP256SHA256);
  CHECK(algorithm_from_text("13") == Algorithm::ECDSAP256SHA256);
  CHECK(algorithm_from_text("ed25519") == Algorithm::ED25519);
  CHECK(algorithm_from_text("NSEC3RSASHA1") == Algorithm::RSASHA1_NSEC3_SHA1);
  for (const auto* word : {"", "1", "16", "256", "ECDSA", "13x", "-13"}) CHECK_FALSE(algorithm_from_text(word));
}

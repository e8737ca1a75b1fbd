#include <doctest/doctest.h>

#include "crypto/digest.hh"
#include "crypto/nsec3_hash.hh"
#include "crypto/siphash.hh"
#include "dns/encoding.hh"

using namespace steward;
using namespace steward::crypto;

namespace {
std::string hex(ByteView octets) { return dns::encode(dns::hex_lower, octets); }
Bytes unhex(std::string_view text) {
  auto octets = dns::decode(dns::hex, text);
  REQUIRE_MESSAGE(octets, text);
  return *octets;
}
std::string digest_hex(DigestAlgorithm algorithm, std::string_view text) {
  Bytes out(max_digest_size);
  out.resize(digest(algorithm, as_bytes(text), out.data()));
  return hex(out);
}
std::string hashed(std::string_view name, std::string_view salt, uint16_t iterations) {
  const auto parsed = dns::Name::from_text(name);
  REQUIRE(parsed);
  return dns::encode(dns::base32hex, nsec3_hash(*parsed, unhex(salt), iterations));
}
std::string cookie_hash(const SipHashKey& key, std::string_view input) {
  Bytes out(8);
  store_siphash(siphash24(key, unhex(input)), out.data());
  return hex(out);
}
SipHashKey sip_key(std::string_view text) {
  const Bytes octets = unhex(text);
  SipHashKey key{};
  REQUIRE(octets.size() == key.size());
  std::copy(octets.begin(), octets.end(), key.begin());
  return key;
}
}  // namespace

TEST_CASE("digest: the examples of the standard for \"abc\" [FIPS 180-4]") {
  CHECK(digest_hex(DigestAlgorithm::Sha1, "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(digest_hex(DigestAlgorithm::Sha224, "abc") == "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  CHECK(digest_hex(DigestAlgorithm::Sha256, "abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest_hex(DigestAlgorithm::Sha384, "abc").starts_with("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"));
  CHECK(digest_hex(DigestAlgorithm::Sha512, "abc").starts_with("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"));
  CHECK(digest_hex(DigestAlgorithm::Sha256, "").starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
}

TEST_CASE("digest: pieces give what the whole gives, again and again") {
  Hasher hasher(DigestAlgorithm::Sha256);
  for (int i = 0; i < 3; ++i) {
    hasher.update(as_bytes("a"));
    hasher.update({});
    hasher.update(as_bytes("bc"));
    Bytes out(32);
    CHECK(hasher.finish(out.data()) == 32);
    CHECK(hex(out) == hex(sha256(as_bytes("abc"))));
  }
}

TEST_CASE("hmac: vectors for SHA-224, SHA-256 and SHA-512, and the same key twice [RFC 4231 §4.2, §4.3]") {
  Hmac first(DigestAlgorithm::Sha256, Bytes(20, 0x0b));
  Bytes out(64);
  for (int i = 0; i < 2; ++i) {
    first.update(as_bytes("Hi "));
    first.update(as_bytes("There"));
    CHECK(first.finish(out.data()) == 32);
    CHECK(hex(ByteView(out).first(32)) == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  }
  Hmac second(DigestAlgorithm::Sha512, as_bytes("Jefe"));
  second.update(as_bytes("what do ya want for nothing?"));
  CHECK(second.finish(out.data()) == 64);
  CHECK(hex(out).starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"));
  Hmac third(DigestAlgorithm::Sha224, Bytes(20, 0x0b));
  third.update(as_bytes("Hi There"));
  CHECK(third.finish(out.data()) == 28);
  CHECK(hex(ByteView(out).first(28)) == "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22");
  Hmac empty(DigestAlgorithm::Sha256, {});
  CHECK(empty.finish(out.data()) == 32);
  CHECK(hex(ByteView(out).first(32)) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("comparison in constant time: sizes and octets count") {
  CHECK(equal_in_constant_time({}, {}));
  CHECK(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
}

TEST_CASE("siphash: the reference implementation's first and sixteenth vectors") {
  const SipHashKey key = sip_key("000102030405060708090a0b0c0d0e0f");
  CHECK(siphash24(key, {}) == 0x726fdb47dd0e0e31);
  CHECK(siphash24(key, unhex("000102030405060708090a0b0c0d0e")) == 0xa129ca6149be45e5);
}

TEST_CASE("siphash: the hashes of the server cookies of the examples [RFC 9018 Appendix A]") {
  const SipHashKey secret = sip_key("e5e973e5a6b2a43f48e7dc849e37bfcf");
  // A.1: client cookie, version and reserved, timestamp, 198.51.100.100
  CHECK(cookie_hash(secret,
                    "2464c4abcf10c957"
                    "01000000"
                    "5cf79f11"
                    "c6336464") == "1f8130c3eee29480");
  // A.3: reserved octets that are not zero, 203.0.113.203
  CHECK(cookie_hash(secret,
                    "fc93fc62807ddb86"
                    "01abcdef"
                    "5cf78f71"
                    "cb0071cb") == "a314227b6679ebf5");
  // A.4: an IPv6 address and the new secret
  CHECK(cookie_hash(sip_key("445536bcd2513298075a5d379663c962"),
                    "22681ab97d52c298"
                    "01000000"
                    "5cf7c609"
                    "20010db80220000159ded0f4876982b8") == "a6bb79d16625507a");
}

TEST_CASE("nsec3: the hashed owner names of the example zone [RFC 5155 Appendix A]") {
  const std::pair<const char*, const char*> rows[] = {
      {"example.", "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM"},     {"a.example.", "35MTHGPGCU1QG68FAB165KLNSNK3DPVL"},
      {"ai.example.", "GJEQE526PLBF1G8MKLP59ENFD789NJGI"},  {"ns1.example.", "2T7B4G4VSA5SMI47K61MV5BV1A22BOJR"},
      {"NS2.example.", "Q04JKCEVQVMU85R014C7DKBA38O0JI5R"}, {"w.example.", "K8UDEMVP1J2F7EG6JEBPS17VP3N8I58H"},
      {"*.w.example.", "R53BQ7CC2UVMUBFU5OCMM6PERS9TK9EN"}, {"x.w.example.", "B4UM86EGHHDS6NEA196SMVMLO4ORS995"},
      {"y.W.Example.", "JI6NEOAEPV8B5O6K4EV33ABHA8HT9FGC"}, {"x.y.w.example.", "2VPTU5TIMAMQTTGL4LUU9KG21E0AOR3S"},
      {"xx.example.", "T644EBQK9BIBCNA874GIVR6JOJ62MLHV"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(hashed(row.first, "aabbccdd", 12) == row.second);
  }
}

TEST_CASE("nsec3: no iterations and no salt is one SHA-1 over the name [RFC 5155 §5, RFC 9276 §3.1]") {
  Bytes expected(20);
  digest(DigestAlgorithm::Sha1, dns::Name::from_text("a.example.")->view().wire(), expected.data());
  CHECK(hashed("A.EXAMPLE.", "", 0) == dns::encode(dns::base32hex, expected));
  CHECK(hashed("A.EXAMPLE.", "", 1) != dns::encode(dns::base32hex, expected));
}

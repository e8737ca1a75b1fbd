// Keys of TSIG and the ring of them [RFC 8945 §6].

#include "auth/tsig_key.hh"

#include "support.hh"

using namespace steward;
using namespace steward::auth;
using namespace steward::auth::test;

TEST_CASE("tsig keys: names and algorithms of any case, secrets in base64; errors name the key and never the secret") {
  const auto key = TsigKey::from_text("Key.Example", "HMAC-SHA256.", "AAECAw==");
  REQUIRE(key);
  CHECK(key->name.to_text() == "key.example.");
  CHECK(key->algorithm == TsigAlgorithm::HmacSha256);
  CHECK(std::ranges::equal(key->secret.view(), unhex("00010203")));
  for (const TsigAlgorithm algorithm : tsig_algorithms) {
    CHECK(tsig_algorithm_from_text(to_text(algorithm)) == algorithm);
    CHECK(tsig_algorithm_from_name(name_of(algorithm)) == algorithm);
    CHECK(name_of(algorithm).to_text() == std::string(to_text(algorithm)) + ".");
  }
  CHECK_FALSE(tsig_algorithm_from_text("hmac-md5.sig-alg.reg.int."));
  CHECK_FALSE(TsigKey::from_text("key", "hmac-md5", "AAECAw=="));
  CHECK_FALSE(TsigKey::from_text("key..", "hmac-sha256", "AAECAw=="));
  CHECK_FALSE(TsigKey::from_text("key", "hmac-sha256", ""));
  const auto bad = TsigKey::from_text("key", "hmac-sha256", "c2VjcmV0*");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().what.find("'key'") != std::string::npos);
  CHECK(bad.error().what.find("c2VjcmV0") == std::string::npos);
}

TEST_CASE("keyring: keys are found whatever the case; two of one name and empty secrets are refused") {
  std::vector<TsigKey> keys;
  for (int i = 0; i < 100; ++i) keys.push_back({name("k" + std::to_string(i) + ".Example."), {}, Bytes{1}});
  const Keyring many = ring(keys);
  for (int i = 0; i < 100; ++i) {
    const TsigKey* found = many.find(name("K" + std::to_string(i) + ".eXAMPLE."));
    REQUIRE(found != nullptr);
    CHECK(found->name.to_text() == "k" + std::to_string(i) + ".example.");
  }
  CHECK(many.find(name("k100.example.")) == nullptr);
  CHECK(many.find({}) == nullptr);
  CHECK(Keyring().find(name("a.")) == nullptr);
  keys.push_back({name("K7.example."), {}, Bytes{2}});
  CHECK_FALSE(Keyring::create(keys));
  CHECK_FALSE(Keyring::create({{name("a."), {}, Bytes{}}}));
}

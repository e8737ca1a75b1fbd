// SIG(0) [RFC 2931] against what BIND's nsupdate signs.

#include "auth/sig0.hh"

#include "peer_vectors.hh"
#include "support.hh"

using namespace steward;
using namespace steward::auth;
using namespace steward::auth::test;

namespace {

struct Budget {
  VerifyBudget budget;
  explicit Budget(VerifyBudgetSettings settings = {}) : budget(settings, crypto::SipHashKey{1}) {}
  VerifyAllowance allowance{&budget, *SocketAddress::from_text("192.0.2.1"), 1'000'000'000};
};

/// RDATA of a KEY as dnssec-keygen -T KEY -n HOST writes it.
Bytes key_rdata(uint8_t algorithm, std::string_view base64, uint16_t flags = 512, uint8_t protocol = 3) {
  Bytes out;
  append_u16(out, flags);
  append_u8(out, protocol);
  append_u8(out, algorithm);
  const auto key = dns::decode(dns::base64, base64);
  REQUIRE(key);
  append(out, *key);
  return out;
}

Sig0 read(const Bytes& message) {
  auto sig0 = read_sig0(message, find_signature(message));
  REQUIRE(sig0);
  return *sig0;
}

Sig0Status verify(const Bytes& message, const std::vector<Bytes>& keys, UnixTime now, Budget& budget) {
  const std::vector<ByteView> views(keys.begin(), keys.end());
  return verify_sig0(message, read(message), views, now, budget.allowance);
}
Sig0Status verify(const Bytes& message, const std::vector<Bytes>& keys, UnixTime now) {
  Budget budget;
  return verify(message, keys, now, budget);
}

struct Row {
  uint8_t algorithm;
  const peers::SignedUpdate& update;
};
const Row rows[] = {{13, peers::nsupdate_ecdsap256sha256},
                    {14, peers::nsupdate_ecdsap384sha384},
                    {15, peers::nsupdate_ed25519},
                    {8, peers::nsupdate_rsasha256},
                    {10, peers::nsupdate_rsasha512}};

const UnixTime ed25519_time = unix_time(peers::nsupdate_ed25519.update.time);
Bytes ed25519_update() { return unhex(peers::nsupdate_ed25519.update.message); }
Bytes ed25519_key(uint16_t flags = 512, uint8_t protocol = 3) {
  return key_rdata(15, peers::nsupdate_ed25519.key, flags, protocol);
}
Sig0Key ed25519_private() {
  crypto::PrivateFields fields;
  fields.add("PrivateKey", *dns::decode(dns::base64, peers::ed25519_private_key));
  auto pair = crypto::KeyPair::from_private_fields(crypto::Algorithm::ED25519, fields);
  REQUIRE(pair);
  return {name("host.example."), std::make_shared<const crypto::KeyPair>(std::move(*pair))};
}
Sig0Key generated(crypto::Algorithm algorithm) {
  auto pair = crypto::KeyPair::generate(algorithm, crypto::is_rsa(algorithm) ? 1024 : 0);
  REQUIRE(pair);
  return {name("Host.Example."), std::make_shared<const crypto::KeyPair>(std::move(*pair))};
}

}  // namespace

TEST_CASE("sig0: the updates of nsupdate are good with every algorithm [RFC 2931 §3.1]") {
  for (const Row& row : rows) {
    const auto& [algorithm, update] = row;
    INFO("algorithm ", int{row.algorithm});
    const Bytes message = unhex(update.update.message);
    const Sig0 sig0 = read(message);
    CHECK(sig0.signer.to_text() == "host.example.");
    CHECK(sig0.algorithm == algorithm);
    const Bytes key = key_rdata(algorithm, update.key);
    CHECK(sig0.tag == crypto::key_tag(key));
    const UnixTime now = unix_time(update.update.time);
    CHECK(verify(message, {key}, now) == Sig0Status::Good);
    for (const size_t at : {size_t{2}, size_t{14}, sig0.message_size - 1, message.size() - 1}) {
      Bytes changed = message;
      changed[at] ^= 1;
      CHECK(verify(changed, {key}, now) == Sig0Status::BadSig);
    }
    Bytes id = message;
    id[0] ^= 1;  // there is no original id here
    CHECK(verify(id, {key}, now) == Sig0Status::BadSig);
  }
}

TEST_CASE("sig0: with the same key and time we sign to the octet as nsupdate does") {
  Bytes message = ed25519_update();
  const Bytes whole = message;
  message.resize(read(message).message_size);
  store_u16(&message[10], 0);
  REQUIRE(sign_with_sig0(message, ed25519_private(), ed25519_time));
  CHECK(message == whole);
}

TEST_CASE("sig0: what we sign with each algorithm is good, the signer's name in lower case") {
  for (const auto algorithm :
       {crypto::Algorithm::ECDSAP256SHA256, crypto::Algorithm::ECDSAP384SHA384, crypto::Algorithm::ED25519,
        crypto::Algorithm::RSASHA256, crypto::Algorithm::RSASHA512}) {
    const Sig0Key key = generated(algorithm);
    Bytes message = plain_query();
    REQUIRE(sign_with_sig0(message, key, vector_time));
    CHECK(read(message).signer.to_text() == "host.example.");
    CHECK(verify(message, {key.key_rdata()}, vector_time) == Sig0Status::Good);
  }
}

TEST_CASE("sig0: the window counts, at both ends, and is checked before anything that costs [RFC 2931 §3.3]") {
  Budget budget;
  const std::vector<Bytes> keys = {ed25519_key()};
  CHECK(verify(ed25519_update(), keys, ed25519_time - Seconds{301}, budget) == Sig0Status::BadTime);
  CHECK(verify(ed25519_update(), keys, ed25519_time - Seconds{300}, budget) == Sig0Status::Good);
  CHECK(verify(ed25519_update(), keys, ed25519_time + Seconds{300}, budget) == Sig0Status::Good);
  CHECK(verify(ed25519_update(), keys, ed25519_time + Seconds{301}, budget) == Sig0Status::BadTime);
  Bytes turned = plain_query();
  REQUIRE(sign_with_sig0(turned, ed25519_private(), vector_time, Seconds{-10}));
  CHECK(verify(turned, keys, vector_time) == Sig0Status::BadTime);
}

TEST_CASE("sig0: times go on after 2106 [RFC 1982]") {
  const UnixTime turn = unix_time(int64_t{1} << 32);
  Bytes message = plain_query();
  REQUIRE(sign_with_sig0(message, ed25519_private(), turn));
  CHECK(verify(message, {ed25519_key()}, turn - Seconds{299}) == Sig0Status::Good);
  CHECK(verify(message, {ed25519_key()}, turn + Seconds{299}) == Sig0Status::Good);
  CHECK(verify(message, {ed25519_key()}, turn + Seconds{301}) == Sig0Status::BadTime);
}

TEST_CASE("sig0: keys of another tag or algorithm, and none at all, are BADKEY") {
  CHECK(verify(ed25519_update(), {}, ed25519_time) == Sig0Status::BadKey);
  CHECK(verify(ed25519_update(), {key_rdata(13, peers::nsupdate_ecdsap256sha256.key)}, ed25519_time) ==
        Sig0Status::BadKey);
  CHECK(verify(ed25519_update(), {{}, {2}, {2, 0, 3, 15}}, ed25519_time) == Sig0Status::BadKey);
  CHECK(rcode_of(Sig0Status::BadKey) == dns::Rcode::NOTAUTH);
}

TEST_CASE("sig0: keys that must not authenticate are refused: flags and protocol [RFC 2535 §3.1.2, §3.1.3, RFC 3445]") {
  CHECK(may_authenticate(ed25519_key(0)));
  CHECK(may_authenticate(ed25519_key(512)));
  CHECK(may_authenticate(ed25519_key(512, 255)));
  CHECK(may_authenticate(ed25519_key(0x4000)));        // prohibited for confidentiality only
  CHECK_FALSE(may_authenticate(ed25519_key(0x8000)));  // prohibited for authentication
  CHECK_FALSE(may_authenticate(ed25519_key(0xc000)));  // no key
  CHECK_FALSE(may_authenticate(ed25519_key(0x1000)));  // extended flags
  CHECK_FALSE(may_authenticate(ed25519_key(512, 1)));  // TLS
  CHECK_FALSE(may_authenticate(ed25519_key(512, 2)));  // email
  Sig0Key key = ed25519_private();
  key.flags = 0x8200;
  Bytes message = plain_query();
  REQUIRE(sign_with_sig0(message, key, vector_time));
  CHECK(verify(message, {key.key_rdata()}, vector_time) == Sig0Status::BadKey);
}

TEST_CASE("sig0: SHA-1 and unknown algorithms are BADKEY, without work [RFC 8624 §3.1]") {
  Budget budget({.per_second = 1, .per_client_second = 1});
  for (const int number : {0, 1, 3, 5, 7, 12, 16, 253, 255}) {
    const auto algorithm = static_cast<uint8_t>(number);
    Bytes message = unhex(peers::nsupdate_rsasha256.update.message);
    const size_t rdata_at = find_signature(message).rdata_at;
    message[rdata_at + 2] = algorithm;
    const Bytes key = key_rdata(algorithm, peers::nsupdate_rsasha256.key);
    store_u16(&message[rdata_at + 16], crypto::key_tag(key));
    CHECK(verify(message, {key}, unix_time(peers::nsupdate_rsasha256.update.time), budget) == Sig0Status::BadKey);
  }
  CHECK(budget.allowance.take());
}

TEST_CASE("sig0: of keys that share a tag two are tried, no more [CVE-2023-50387]") {
  // Swapping two octets of equal parity keeps the tag.
  const Bytes good = ed25519_key();
  std::vector<Bytes> twins;
  for (size_t i = 4; twins.size() < 4; ++i) {
    Bytes twin = good;
    std::swap(twin[i], twin[i + 2]);
    if (twin != good) twins.push_back(twin);
  }
  for (const Bytes& twin : twins) REQUIRE(crypto::key_tag(twin) == crypto::key_tag(good));
  Budget budget({.per_second = 2, .per_client_second = 2});
  CHECK(verify(ed25519_update(), {twins[0], good, twins[1]}, ed25519_time, budget) == Sig0Status::Good);
  const Sig0Status third = verify(ed25519_update(), {twins[0], twins[1], good}, ed25519_time);
  CHECK((third == Sig0Status::BadSig || third == Sig0Status::BadKey));
  CHECK(verify(ed25519_update(), {good}, ed25519_time, budget) == Sig0Status::OverBudget);
}

TEST_CASE("sig0: without budget nothing is verified and the answer is REFUSED [CVE-2024-1975]") {
  Budget budget({.per_second = 1, .per_client_second = 1});
  CHECK(verify(ed25519_update(), {ed25519_key()}, ed25519_time, budget) == Sig0Status::Good);
  CHECK(verify(ed25519_update(), {ed25519_key()}, ed25519_time, budget) == Sig0Status::OverBudget);
  CHECK(rcode_of(Sig0Status::OverBudget) == dns::Rcode::REFUSED);
  budget.allowance.monotonic_ns += 1'000'000'000;
  CHECK(verify(ed25519_update(), {ed25519_key()}, ed25519_time, budget) == Sig0Status::Good);
}

TEST_CASE("sig0: RDATA cut short, without signature or with a broken name is refused") {
  const Bytes message = ed25519_update();
  const FoundSignature found = find_signature(message);
  const size_t name_size = name("host.example.").size();
  for (uint16_t size = 2; size <= 18 + name_size; ++size) {
    Bytes cut(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(found.rdata_at + size));
    store_u16(&cut[found.rdata_at - 2], size);
    REQUIRE(find_signature(cut).kind == SignatureKind::Sig0);
    CHECK_FALSE(read_sig0(cut, find_signature(cut)));
  }
  Bytes looping = message;
  store_u16(&looping[found.rdata_at + 18], static_cast<uint16_t>(0xc000 | (found.rdata_at + 18)));
  CHECK_FALSE(read_sig0(looping, find_signature(looping)));
  CHECK_FALSE(read_sig0(plain_query(), find_signature(plain_query())));
}

TEST_CASE("sig0: a compressed signer's name is signed in full [RFC 3597 §4]") {
  Bytes message = unhex(
      "123428000001000000000000"
      "04686f7374076578616d706c650000060001");
  REQUIRE(sign_with_sig0(message, ed25519_private(), vector_time));
  const size_t name_at = find_signature(message).rdata_at + 18;
  const size_t name_size = name("host.example.").size();
  message.erase(message.begin() + static_cast<std::ptrdiff_t>(name_at + 2),
                message.begin() + static_cast<std::ptrdiff_t>(name_at + name_size));
  store_u16(&message[name_at], 0xc00c);
  store_u16(&message[name_at - 20], static_cast<uint16_t>(message.size() - (name_at - 18)));
  CHECK(verify(message, {ed25519_key()}, vector_time) == Sig0Status::Good);
}

TEST_CASE("sig0: signatures of any wrong size are BADSIG, and no message grows over 65,535 octets") {
  const Bytes message = ed25519_update();
  const FoundSignature found = find_signature(message);
  for (const size_t size : {size_t{1}, size_t{63}, size_t{65}, size_t{600}, size_t{60000}}) {
    Bytes changed = message;
    changed.resize(message.size() - 64 + size);
    store_u16(&changed[found.rdata_at - 2], static_cast<uint16_t>(changed.size() - found.rdata_at));
    CHECK(verify(changed, {ed25519_key()}, ed25519_time) == Sig0Status::BadSig);
  }
  Bytes large = unhex(
      "123401000000000100000000"
      "00ff000001000000000000");
  large.resize(65500);
  store_u16(&large[21], static_cast<uint16_t>(large.size() - 23));
  const Bytes before = large;
  CHECK_FALSE(sign_with_sig0(large, ed25519_private(), vector_time));
  CHECK(large == before);
}

TEST_CASE("verify budget: a network has its share, all together have theirs, and both come back with time") {
  VerifyBudget budget({.per_second = 10, .per_client_second = 4}, crypto::SipHashKey{7});
  const auto client = [](std::string_view text) { return *SocketAddress::from_text(text); };
  const auto taken = [&](std::string_view text, uint64_t now) {
    int count = 0;
    while (count < 100 && budget.take(client(text), now)) ++count;
    return count;
  };
  constexpr uint64_t second = 1'000'000'000;
  CHECK(taken("192.0.2.1", 10 * second) == 4);
  CHECK(taken("192.0.2.200", 10 * second) == 0);  // the same /24
  CHECK(taken("2001:db8::1", 10 * second) == 4);
  CHECK(taken("2001:db8:0:ff::1", 10 * second) == 0);  // the same /56
  CHECK(taken("198.51.100.1", 10 * second) == 2);      // all that is left
  CHECK(taken("192.0.2.1", 10 * second + second / 4) == 1);
  CHECK(taken("192.0.2.1", 20 * second) == 4);
  CHECK(taken("192.0.2.1", 5 * second) == 0);  // another thread's clock, a little behind
}

#include "sign/zone_signer.hh"

#include <thread>

#include "texts.hh"

using namespace steward;
using namespace steward::sign;
using namespace steward::sign::test;

namespace {
const UnixTime now = unix_time(1'800'000'000);

SigningKey key_with(bool keys, bool zone, Algorithm algorithm = Algorithm::ED25519) {
  auto pair = crypto::KeyPair::generate(algorithm);
  REQUIRE(pair);
  return {std::make_shared<const crypto::KeyPair>(std::move(*pair)), keys ? uint16_t{257} : uint16_t{256}, keys, zone};
}
crypto::KeyTag tag_of(const SigningKey& key) { return crypto::key_tag(key.key->public_key().dnskey_rdata(key.flags)); }
std::vector<crypto::KeyTag> tags_of(const RrsigList& list) {
  std::vector<crypto::KeyTag> tags;
  for (size_t i = 0; i < list.size(); ++i) tags.push_back(RrsigView::from_rdata(list[i])->key_tag);
  return tags;
}
Verdict check(const SigningKey& by, const OwnedRrset& rrset, ByteView rrsig, UnixTime time) {
  auto key = ZoneKey::from_dnskey(by.key->public_key().dnskey_rdata(by.flags));
  SignScratch scratch;
  return verify_rrset(*key, name("example."), rrset.view(), rrsig, time, scratch);
}
}  // namespace

TEST_CASE("zone signer: KSKs sign DNSKEY, CDS and CDNSKEY, ZSKs all else [RFC 4035 §2.2, RFC 7344 §4.1]") {
  const SigningKey ksk = key_with(true, false);
  const SigningKey zsk = key_with(false, true);
  const auto signer = ZoneSigner::create(name("Example."), {ksk, zsk}, {}, now);
  REQUIRE(signer);
  auto worker = signer->make_worker();
  REQUIRE(worker);
  RrsigList out;
  const OwnedRrset keys("example.", 300, RrType::DNSKEY, {"257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="});
  const OwnedRrset data("a.example.", 300, RrType::A, {"192.0.2.1", "192.0.2.2"});
  REQUIRE(worker->sign(keys.view(), out));
  REQUIRE(worker->sign(data.view(), out));
  CHECK(tags_of(out) == std::vector{tag_of(ksk), tag_of(zsk)});
  CHECK(check(ksk, keys, out[0], now) == Verdict::Valid);
  CHECK(check(zsk, data, out[1], now) == Verdict::Valid);
  CHECK(check(zsk, data, out[1], now - std::chrono::minutes(59)) == Verdict::Valid);
  CHECK(check(zsk, data, out[1], now + std::chrono::days(13)) == Verdict::Valid);
  CHECK(check(zsk, data, out[1], now + std::chrono::days(15)) == Verdict::Expired);
  CHECK(worker->made() == 2);
}

TEST_CASE("zone signer: a set of keys that leaves something unsigned is refused [RFC 4035 §2.2]") {
  const auto refused = [](std::vector<SigningKey> keys) {
    return !ZoneSigner::create(name("example."), std::move(keys), {}, now);
  };
  CHECK(refused({}));
  CHECK(refused({key_with(true, false)}));
  CHECK(refused({key_with(false, true)}));
  CHECK_FALSE(refused({key_with(true, true)}));
  CHECK(refused({key_with(true, true), key_with(true, false, Algorithm::ECDSAP256SHA256)}));
  const SigningKey twice = key_with(true, true);
  CHECK(refused({twice, twice}));
}

TEST_CASE("zone signer: fresh signatures stay; of a retired key, another TTL or near their end they are made anew") {
  const SigningKey old_key = key_with(true, true);
  const SigningKey new_key = key_with(true, true);
  const OwnedRrset data("a.example.", 300, RrType::A, {"192.0.2.1"});
  RrsigList first;
  const auto before = ZoneSigner::create(name("example."), {old_key}, {}, now);
  REQUIRE(before->make_worker()->sign(data.view(), first));
  std::vector<ByteView> existing;
  first.views(existing);

  const auto refreshed = [&](const SigningKey& key, UnixTime time, const OwnedRrset& rrset) {
    const auto signer = ZoneSigner::create(name("example."), {key}, {}, time);
    auto worker = signer->make_worker();
    RrsigList out;
    const auto changed = worker->refresh(rrset.view(), existing, out);
    REQUIRE(changed);
    CHECK(*changed != worker->is_fresh(rrset.view(), existing));
    CHECK(out.size() == 1);
    CHECK(check(key, rrset, out[0], time) == Verdict::Valid);
    return *changed;
  };
  CHECK_FALSE(refreshed(old_key, now, data));
  CHECK_FALSE(refreshed(old_key, now + std::chrono::days(9), data));
  CHECK(refreshed(old_key, now + std::chrono::days(11), data));
  CHECK(refreshed(old_key, now + std::chrono::days(20), data));
  CHECK(refreshed(old_key, now - std::chrono::hours(2), data));
  CHECK(refreshed(new_key, now, data));
  CHECK(refreshed(old_key, now, {"a.example.", 60, RrType::A, {"192.0.2.1"}}));
}

TEST_CASE("zone signer: postponed signatures are there after settle(), of keys that sign in batches and of others") {
  const SigningKey p256 = key_with(true, true, Algorithm::ECDSAP256SHA256);
  const SigningKey ed25519 = key_with(true, true);
  const auto signer = ZoneSigner::create(name("example."), {p256, ed25519}, {}, now);
  auto worker = signer->make_worker();
  REQUIRE(worker);
  for (const size_t count : {1U, 2U, 20U}) {
    std::deque<OwnedRrset> rrsets;
    std::vector<RrsigList> made(count);
    for (size_t i = 0; i < count; ++i)
      rrsets.push_back({"a" + std::to_string(i) + ".example.", 300, RrType::A, {"192.0.2.1"}});
    worker->postpone();
    for (size_t i = 0; i < count; ++i) REQUIRE(worker->sign(rrsets[i].view(), made[i]));
    REQUIRE(worker->settle());
    for (size_t i = 0; i < count; ++i) {
      REQUIRE(made[i].size() == 2);
      CHECK(check(p256, rrsets[i], made[i][0], now) == Verdict::Valid);
      CHECK(check(ed25519, rrsets[i], made[i][1], now) == Verdict::Valid);
    }
  }
  RrsigList at_once;
  const OwnedRrset data("a.example.", 300, RrType::A, {"192.0.2.1"});
  REQUIRE(worker->sign(data.view(), at_once));
  CHECK(check(p256, data, at_once[0], now) == Verdict::Valid);
}

TEST_CASE("zone signer: two workers sign at the same time") {
  const SigningKey key = key_with(true, true, Algorithm::ECDSAP256SHA256);
  const auto signer = ZoneSigner::create(name("example."), {key}, {}, now);
  const OwnedRrset data("a.example.", 300, RrType::A, {"192.0.2.1"});
  std::array<RrsigList, 2> out;
  std::array<bool, 2> good{true, true};
  const auto work = [&](size_t which) {
    auto worker = signer->make_worker();
    for (int i = 0; i < 100 && good[which]; ++i) good[which] = worker && worker->sign(data.view(), out[which]);
  };
  std::thread first(work, 0);
  std::thread second(work, 1);
  first.join();
  second.join();
  for (size_t which = 0; which < 2; ++which) {
    REQUIRE(good[which]);
    REQUIRE(out[which].size() == 100);
    for (size_t i = 0; i < 100; ++i) CHECK(check(key, data, out[which][i], now) == Verdict::Valid);
  }
}

TEST_CASE("validity: expirations spread over the jitter, the same way each time") {
  const ValidityPolicy policy;
  size_t early = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto owner = name("a" + std::to_string(i) + ".example.");
    const Validity validity = validity_for(owner, RrType::A, 7, now, policy);
    CHECK(validity.inception == now - std::chrono::hours(1));
    CHECK(validity.expiration <= now + policy.lifetime);
    CHECK(validity.expiration >= now + policy.lifetime - policy.jitter);
    if (validity.expiration < now + policy.lifetime - policy.jitter / 2) ++early;
    CHECK(validity_for(name("A" + std::to_string(i) + ".Example."), RrType::A, 7, now, policy).expiration ==
          validity.expiration);
  }
  CHECK(early > 400);
  CHECK(early < 600);
}

TEST_CASE("validity: times past 2038 and 2106 are compared by serial arithmetic [RFC 4034 §3.1.5]") {
  const ValidityPolicy policy;
  for (const int64_t start : {int64_t{0x7fffffff}, int64_t{0xffffffff} - 86400 * 5, int64_t{0x1ffffffff}}) {
    const UnixTime then = unix_time(start);
    RrsigView rrsig;
    rrsig.inception = static_cast<uint32_t>(start - 3600);
    rrsig.expiration = static_cast<uint32_t>(start + 86400 * 14);
    CHECK_FALSE(needs_resign(rrsig, then, policy));
    CHECK(resign_time(rrsig, then, policy) == then + std::chrono::days(11));
    CHECK(needs_resign(rrsig, then + std::chrono::days(11), policy));
    CHECK_FALSE(needs_resign(rrsig, then + std::chrono::days(11) - Seconds(1), policy));
  }
}

TEST_CASE("validity: a policy that cannot work is refused with the rule [RFC 6781 §4.4.2]") {
  const Seconds day = std::chrono::days(1);
  CHECK(check_validity_policy({}, day));
  CHECK_FALSE(check_validity_policy({}, 3 * day));
  ValidityPolicy policy;
  policy.lifetime = 4 * day;
  CHECK_FALSE(check_validity_policy(policy, day));
  policy.lifetime = 4000 * day;
  CHECK_FALSE(check_validity_policy(policy, day));
  policy = {};
  policy.jitter = -day;
  CHECK_FALSE(check_validity_policy(policy, day));
}

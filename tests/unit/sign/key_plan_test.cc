#include "sign/key_plan.hh"

#include <doctest/doctest.h>

#include "key_world.hh"
#include "sign/key_timeline.hh"

using namespace steward;
using namespace steward::sign;
using namespace steward::sign::test;
using std::chrono::days;
using std::chrono::hours;

namespace {
using Tags = std::vector<KeyTag>;
const UnixTime start = unix_time(1'800'000'000);
}  // namespace

TEST_CASE(
    "key plan: a new zone gets a KSK and a ZSK that sign at once, its DS comes when no cache is unsigned [RFC 6781 "
    "§4.4.1]") {
  Ring ring(quick_policy());
  KeyPlan plan = ring.settle(start);
  CHECK(plan.publish == Tags{1, 2});
  CHECK(plan.key_signers == Tags{1});
  CHECK(plan.zone_signers == Tags{2});
  CHECK(plan.cds.empty());
  CHECK(plan.next == start + hours(6));
  plan = ring.settle(start + hours(6));
  CHECK(plan.cds == Tags{1});
  CHECK(plan.waiting.size() == 1);
  CHECK_FALSE(plan.next);
}

TEST_CASE("key plan: a ZSK is rolled by pre-publication, day by day [RFC 7583 §3.2.1]") {
  KeyPolicy policy = quick_policy();
  policy.zsk_lifetime = days(10);
  Ring ring(policy);
  ring.settle(start);
  // Ipub is three hours, Iret six.
  CHECK(ring.settle(start + days(10) - hours(4)).publish == Tags{1, 2});
  KeyPlan plan = ring.settle(start + days(10) - hours(3));
  CHECK(plan.publish == Tags{1, 2, 3});
  CHECK(plan.zone_signers == Tags{2});
  CHECK(plan.next == start + days(10));
  plan = ring.settle(start + days(10));
  CHECK(plan.publish == Tags{1, 2, 3});
  CHECK(plan.zone_signers == Tags{3});
  CHECK(ring.settle(start + days(10) + hours(5)).publish == Tags{1, 2, 3});
  plan = ring.settle(start + days(10) + hours(6));
  CHECK(plan.publish == Tags{1, 3});
  CHECK(plan.next == start + days(20) - hours(3));
}

TEST_CASE(
    "key plan: a KSK is rolled by double signature and never removed before the new DS is seen [RFC 7583 §3.3.1]") {
  Ring ring(quick_policy());
  ring.settle(start);
  ring.settle(start + hours(6));
  CHECK(request_rollover(ring.keys(), ring.policy(), true, start + hours(7)).error().code == Errc::Refused);
  REQUIRE(ring.see_ds(1, start + hours(8)));
  REQUIRE(ring.request(true, start + days(1)));
  KeyPlan plan = ring.settle(start + days(1));
  CHECK(plan.key_signers == Tags{1, 3});
  CHECK(plan.cds == Tags{1});
  CHECK_FALSE(ring.see_ds(3, start + days(1)));
  plan = ring.settle(start + days(1) + hours(3));
  CHECK(plan.key_signers == Tags{1, 3});
  CHECK(plan.cds == Tags{3});
  CHECK(ring.settle(start + days(300)).key_signers == Tags{1, 3});
  REQUIRE(ring.see_ds(3, start + days(300)));
  CHECK(ring.settle(start + days(300) + hours(3)).key_signers == Tags{1, 3});
  plan = ring.settle(start + days(300) + hours(4));
  CHECK(plan.key_signers == Tags{3});
  CHECK(plan.publish == Tags{2, 3});
  CHECK(plan.waiting.empty());
}

TEST_CASE("key plan: a CSK is rolled with both conditions [RFC 6781 §4.1.3]") {
  KeyPolicy policy = quick_policy();
  policy.single = true;
  Ring ring(policy);
  CHECK(ring.settle(start).zone_signers == Tags{1});
  CHECK(ring.settle(start + hours(6)).cds == Tags{1});
  REQUIRE(ring.see_ds(1, start + hours(7)));
  CHECK_FALSE(ring.request(false, start + hours(8)));
  REQUIRE(ring.request(true, start + hours(8)));
  KeyPlan plan = ring.settle(start + hours(8));
  CHECK(plan.publish == Tags{1, 2});
  CHECK(plan.zone_signers == Tags{1});
  plan = ring.settle(start + hours(11));
  CHECK(plan.zone_signers == Tags{2});
  CHECK(plan.key_signers == Tags{1, 2});
  REQUIRE(ring.see_ds(2, start + hours(11)));
  CHECK(ring.settle(start + hours(16)).publish == Tags{1, 2});
  CHECK(ring.settle(start + hours(17)).publish == Tags{2});
}

TEST_CASE("key plan: an algorithm rollover is refused with the reason [RFC 6781 §4.1.4]") {
  Ring ring(quick_policy());
  ring.settle(start);
  KeyPolicy other = quick_policy();
  other.algorithm = crypto::Algorithm::ED25519;
  const auto refused = plan(ring.keys(), other, start + hours(1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::Unsupported);
  CHECK(refused.error().what.find("ECDSAP256SHA256") != std::string::npos);
}

TEST_CASE("key plan: a rollover that is under way, or has nothing to roll, is refused") {
  Ring ring(quick_policy());
  CHECK_FALSE(request_rollover(ring.keys(), ring.policy(), false, start));
  ring.settle(start);
  REQUIRE(ring.request(false, start + hours(1)));
  CHECK_FALSE(request_rollover(ring.keys(), ring.policy(), false, start + hours(1)));
  ring.settle(start + hours(1));
  CHECK_FALSE(request_rollover(ring.keys(), ring.policy(), false, start + hours(1)));
  ring.settle(start + hours(4));
  CHECK_FALSE(request_rollover(ring.keys(), ring.policy(), false, start + hours(4)));
  ring.settle(start + hours(10));
  CHECK(request_rollover(ring.keys(), ring.policy(), false, start + hours(10)));
}

TEST_CASE("key plan: a key that its file calls published, but that was not served, waits its full time") {
  Ring ring(quick_policy());
  ring.settle(start);
  REQUIRE(ring.request(false, start + days(1)));
  // dnssec-settime planned it while the server was down: publication and activation lie in the past.
  auto keys = ring.keys();
  keys[2].times.publish = start + days(1);
  keys[2].times.activate = start + days(2);
  const Tags served{1, 2};
  const auto late = plan(keys, ring.policy(), start + days(3), served);
  REQUIRE(late);
  CHECK(late->publish == Tags{1, 2, 3});
  CHECK(late->zone_signers == Tags{2});
  CHECK(late->next == start + days(3) + hours(3));
}

TEST_CASE("key plan: policies that cannot work are refused [RFC 7583 §3.2.1]") {
  KeyPolicy policy = quick_policy();
  CHECK(check_key_policy(policy));
  policy.zsk_lifetime = hours(9);
  CHECK_FALSE(check_key_policy(policy));
  policy.zsk_lifetime = hours(10);
  CHECK(check_key_policy(policy));
  policy.ksk_lifetime = hours(1);
  CHECK_FALSE(check_key_policy(policy));
  policy = quick_policy();
  policy.dnskey_ttl = -hours(1);
  CHECK_FALSE(check_key_policy(policy));
  policy = quick_policy();
  policy.algorithm = crypto::Algorithm::RSASHA1;
  CHECK_FALSE(check_key_policy(policy));
}

TEST_CASE("key machine: the steps of the picture, and no others") {
  static_assert(is_step(KeyRole::Zsk, KeyState::Published, KeyState::Active));
  static_assert(!is_step(KeyRole::Ksk, KeyState::Published, KeyState::Active));
  static_assert(!is_step(KeyRole::Zsk, KeyState::Generated, KeyState::Active));
  static_assert(!is_step(KeyRole::Zsk, KeyState::Active, KeyState::Removed));
  static_assert(!is_step(KeyRole::Zsk, KeyState::Published, KeyState::Submitted));
  static_assert(!is_step(KeyRole::Csk, KeyState::Removed, KeyState::Published));
}

TEST_CASE("key timeline: what a rollover on command will do, and when") {
  Ring ring(quick_policy());
  ring.settle(start);
  ring.settle(start + hours(6));
  REQUIRE(ring.see_ds(1, start + hours(7)));
  TimelineRequest request;
  request.rollover_ksk = true;
  const UnixTime now = start + days(2);
  const auto events = timeline(ring.keys(), ring.policy(), now, request);
  REQUIRE(events);
  std::vector<std::pair<UnixTime, KeyState>> seen;
  for (const auto& event : *events) seen.emplace_back(event.time, event.to);
  using enum KeyState;
  CHECK(seen == std::vector<std::pair<UnixTime, KeyState>>{{now, Generated},
                                                           {now, Published},
                                                           {now + hours(3), Retired},
                                                           {now + hours(3), Submitted},
                                                           {now + hours(27), Active},
                                                           {now + hours(31), Removed}});
  CHECK((*events)[0].key == "new-1");
  CHECK((*events)[2].key == "1");
  CHECK((*events)[4].assumed);
  CHECK(timeline(ring.keys(), ring.policy(), now)->empty());
  CHECK(ring.keys().size() == 2);
}

TEST_CASE("key timeline: automatic rollovers fill the horizon") {
  KeyPolicy policy = quick_policy();
  policy.zsk_lifetime = days(30);
  policy.ksk_lifetime = days(90);
  TimelineRequest request;
  request.horizon = days(365);
  const auto events = timeline({}, policy, start, request);
  REQUIRE(events);
  const auto count = [&](KeyRole role, KeyState to) {
    return std::count_if(events->begin(), events->end(), [&](const auto& e) { return e.role == role && e.to == to; });
  };
  CHECK(count(KeyRole::Zsk, KeyState::Active) == 13);
  CHECK(count(KeyRole::Ksk, KeyState::Active) == 5);
  CHECK(count(KeyRole::Ksk, KeyState::Removed) == 4);
  CHECK(events->back().time <= start + days(365));
}

// No cache, however old its contents, makes a validator fail at any moment of any rollover.

#include <bitset>

#include "key_world.hh"

using namespace steward;
using namespace steward::sign;
using namespace steward::sign::test;
using std::chrono::days;
using std::chrono::hours;

namespace {

using Keys = std::bitset<512>;
constexpr Seconds tick = std::chrono::minutes(15);

/// What servers and parent publish at one tick.
struct Published {
  Keys dnskeys;
  Keys key_signers;
  Keys zone_signers;  // none: unsigned
  Keys ds;            // none: no DS, the zone is insecure
};

Keys set_of(const std::vector<KeyTag>& tags) {
  Keys keys;
  for (const KeyTag tag : tags) keys.set(tag);
  return keys;
}

/// What may be in some cache, or on a secondary that is late: everything published in the last `window`.
template <class Member>
std::vector<Keys> cached(const std::vector<Published>& history, Seconds window, Member member) {
  const auto ticks = static_cast<size_t>(window / tick);
  const size_t from = history.size() > ticks ? history.size() - ticks : 0;
  std::vector<Keys> seen;
  for (size_t i = from; i < history.size(); ++i) {
    const Keys keys = member(history[i]);
    if (seen.empty() || seen.back() != keys) seen.push_back(keys);
  }
  return seen;
}

/// RFC 4035 §5 for every mixture of what caches may hold.
bool every_validator_succeeds(const std::vector<Published>& history, const KeyPolicy& policy) {
  const auto ds = cached(history, policy.ds_interval(), [](const Published& p) { return p.ds; });
  const auto dnskey = cached(history, policy.publish_interval(), [](const Published& p) { return p.dnskeys; });
  const auto signers = cached(history, policy.publish_interval(), [](const Published& p) { return p.key_signers; });
  const auto data = cached(history, policy.retire_interval(), [](const Published& p) { return p.zone_signers; });
  for (const Keys& trusted : ds) {
    if (trusted.none()) continue;
    for (size_t i = 0; i < std::max(dnskey.size(), signers.size()); ++i) {
      const Keys& keys = dnskey[std::min(i, dnskey.size() - 1)];
      const Keys& by = signers[std::min(i, signers.size() - 1)];
      if ((trusted & keys & by).none()) return false;
    }
    for (const Keys& keys : dnskey) {
      for (const Keys& made : data) {
        if ((made & keys).none()) return false;
      }
    }
  }
  return true;
}

/// A parent that follows CDS some time later, and an operator who notices some time after that.
class Parent {
 public:
  void look(const Keys& cds, UnixTime now, std::mt19937& dice) {
    if (cds.none() || cds == ds_) return;
    if (cds != wanted_) {
      wanted_ = cds;
      changes_ = now + hours(dice() % 60);
      noticed_ = changes_ + hours(dice() % 30);
    }
    if (now >= changes_) ds_ = wanted_;
  }
  [[nodiscard]] const Keys& ds() const { return ds_; }
  [[nodiscard]] bool is_noticed(UnixTime now) const { return ds_.any() && ds_ == wanted_ && now >= noticed_; }

 private:
  Keys ds_;
  Keys wanted_;
  UnixTime changes_{};
  UnixTime noticed_{};
};

struct Story {
  bool single = false;
  bool automatic = false;
  bool commands = false;
  bool switches = false;  ///< between CSK and KSK with ZSK, in the middle of anything
  bool outages = false;   ///< nothing runs for days, and crashes between commit and key files
};

void live_through(const Story& story, unsigned seed) {
  CAPTURE(seed);
  std::mt19937 dice(seed);
  KeyPolicy policy = quick_policy();
  policy.single = story.single;
  if (story.automatic) {
    policy.zsk_lifetime = days(5);
    policy.ksk_lifetime = days(13);
  }
  Ring ring(policy);
  Parent parent;
  std::vector<Published> history(200);
  UnixTime now = unix_time(1'800'000'000);
  UnixTime down_until = now;
  size_t keys_removed = 0;
  for (const UnixTime end = now + days(120); now < end; now += tick) {
    if (story.switches && dice() % 700 == 0) ring.policy().single = !ring.policy().single;
    if (story.commands && dice() % 150 == 0) ring.request(dice() % 2 == 0, now);
    if (story.outages && dice() % 400 == 0) down_until = now + hours(dice() % 100);
    Published published = history.back();
    if (now >= down_until) {
      const KeyPlan plan = ring.settle(now, story.outages && dice() % 4 == 0);
      published.dnskeys = set_of(plan.publish);
      published.key_signers = set_of(plan.key_signers);
      published.zone_signers = set_of(plan.zone_signers);
      parent.look(set_of(plan.cds), now, dice);
      for (const KeyTag tag : plan.cds) {
        if (parent.ds().test(tag) && parent.is_noticed(now)) ring.see_ds(tag, now);
      }
      keys_removed = ring.keys().size() - plan.publish.size();
    }
    published.ds = parent.ds();
    history.push_back(published);
    if (!every_validator_succeeds(history, ring.policy())) {
      FAIL("a validator fails " << (now - unix_time(1'800'000'000)).count() / 3600 << " hours after the start");
    }
  }
  CHECK(parent.ds().any());
  if (story.automatic) CHECK(keys_removed >= 5);
}

}  // namespace

TEST_CASE("caches: automatic rollovers of KSK and ZSK never break a validator [RFC 7583]") {
  for (unsigned seed = 0; seed < 6; ++seed) live_through({.automatic = true}, seed);
}
TEST_CASE("caches: automatic rollovers of a CSK never break a validator [RFC 6781 §4.1.3]") {
  for (unsigned seed = 0; seed < 6; ++seed) live_through({.single = true, .automatic = true}, seed);
}
TEST_CASE("caches: rollovers on command, with outages and crashes, never break a validator") {
  for (unsigned seed = 0; seed < 6; ++seed) {
    live_through({.automatic = true, .commands = true, .outages = true}, seed);
    live_through({.single = true, .commands = true, .outages = true}, seed);
  }
}
TEST_CASE("caches: changing between CSK and KSK with ZSK in the middle of rollovers never breaks a validator") {
  for (unsigned seed = 0; seed < 30; ++seed) {
    live_through({.automatic = true, .commands = true, .switches = true, .outages = seed % 2 == 0}, seed);
  }
}

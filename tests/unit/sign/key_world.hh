#pragma once
// Key files, a parent and caches, with the clock in the test's hand.

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "sign/key_plan.hh"

namespace steward::sign::test {

/// Ipub 3 h, Iret 6 h, DS 4 h.
inline KeyPolicy quick_policy() {
  KeyPolicy policy;
  policy.dnskey_ttl = std::chrono::hours(2);
  policy.max_zone_ttl = std::chrono::hours(4);
  policy.propagation_delay = std::chrono::hours(1);
  policy.signing_delay = std::chrono::hours(1);
  policy.parent_ds_ttl = std::chrono::hours(3);
  policy.parent_propagation_delay = std::chrono::hours(1);
  return policy;
}

/// The key files of a zone, without the keys: tags 1, 2, 3 … in the order of generation.
class Ring {
 public:
  explicit Ring(const KeyPolicy& policy) : policy_(policy) {}

  /// What the caller of plan() does, once. `lose_changes`: a crash after the commit, before the key files are written.
  KeyPlan settle(UnixTime now, bool lose_changes = false) {
    for (;;) {
      auto plan = sign::plan(keys_, policy_, now);
      REQUIRE_MESSAGE(plan, plan.error().what);
      if (plan->generate.empty()) {
        for (const auto& change : plan->changes) {
          if (!lose_changes) find(change.tag).times = change.times;
        }
        return *plan;
      }
      for (const KeyRole role : plan->generate) generate(role, now);
    }
  }
  bool request(bool ksk, UnixTime now) {
    const auto role = request_rollover(keys_, policy_, ksk, now);
    if (role) generate(*role, now);
    return role.has_value();
  }
  bool see_ds(KeyTag tag, UnixTime now) {
    const auto change = ds_seen(keys_, policy_, tag, now);
    if (change) find(tag).times = change->times;
    return change.has_value();
  }
  [[nodiscard]] const std::vector<KeyInfo>& keys() const { return keys_; }
  [[nodiscard]] KeyPolicy& policy() { return policy_; }

 private:
  void generate(KeyRole role, UnixTime now) {
    KeyInfo key{static_cast<KeyTag>(keys_.size() + 1), policy_.algorithm, role != KeyRole::Zsk, {}};
    key.times.created = now;
    keys_.push_back(key);
  }
  KeyInfo& find(KeyTag tag) { return keys_[static_cast<size_t>(tag - 1)]; }

  KeyPolicy policy_;
  std::vector<KeyInfo> keys_;
};

}  // namespace steward::sign::test

#include "sign/key_plan.hh"

#include <fmt/format.h>

#include <algorithm>

#include "sign/key_planner.hh"

namespace steward::sign {

namespace {

KeyRole sep_role(const KeyPolicy& policy) { return policy.single ? KeyRole::Csk : KeyRole::Ksk; }

KeyRole role_of(const KeyInfo& key, const KeyPolicy& policy) { return key.sep ? sep_role(policy) : KeyRole::Zsk; }

/// RFC 6781 §4.1.4: a new algorithm needs its signatures everywhere before its key, and its key everywhere before its
/// DS.
Result<void> check_algorithm(std::span<const KeyInfo> keys, const KeyPolicy& policy, UnixTime now) {
  for (const KeyInfo& key : keys) {
    const KeyState state = state_of(role_of(key, policy), key.times, now);
    if (key.algorithm == policy.algorithm || state == KeyState::Removed || state == KeyState::Generated) continue;
    return fail(
        Errc::Unsupported,
        fmt::format(
            "key {} in use has algorithm {}, the policy says {}: an algorithm rollover (RFC 6781 §4.1.4) is not "
            "done automatically; keep the algorithm, or take the DS away and begin anew",
            key.tag, to_text(key.algorithm), to_text(policy.algorithm)));
  }
  return {};
}

}  // namespace

Result<void> check_key_policy(const KeyPolicy& policy) {
  if (!crypto::may_sign(policy.algorithm)) {
    return fail(Errc::Invalid,
                fmt::format("key policy: {} is not for new keys (RFC 8624 §3.1)", to_text(policy.algorithm)));
  }
  for (const Seconds period :
       {policy.ksk_lifetime, policy.zsk_lifetime, policy.dnskey_ttl, policy.max_zone_ttl, policy.propagation_delay,
        policy.signing_delay, policy.parent_ds_ttl, policy.parent_propagation_delay}) {
    if (period < Seconds(0) || period > std::chrono::days(36500)) {
      return fail(Errc::Invalid, "key policy: a period is negative or over a century");
    }
  }
  const Seconds zsk_least = policy.publish_interval() + policy.retire_interval();
  if (policy.zsk_lifetime != Seconds(0) && policy.zsk_lifetime <= zsk_least) {
    return fail(Errc::Invalid,
                fmt::format("key policy: zsk-lifetime must be longer than a rollover takes, {} s (RFC 7583 §3.2.1)",
                            zsk_least.count()));
  }
  const Seconds ksk_least = policy.publish_interval() + policy.first_ds_interval() + policy.ds_interval();
  if (policy.ksk_lifetime != Seconds(0) && policy.ksk_lifetime <= ksk_least) {
    return fail(Errc::Invalid,
                fmt::format("key policy: ksk-lifetime must be longer than a rollover takes, {} s (RFC 7583 §3.3.1)",
                            ksk_least.count()));
  }
  return {};
}

std::vector<KeyInfo> key_infos(std::span<const crypto::StoredKey> keys) {
  std::vector<KeyInfo> infos;
  infos.reserve(keys.size());
  for (const auto& key : keys) infos.push_back({key.tag(), key.key->algorithm(), key.is_sep(), key.times});
  return infos;
}

Result<KeyPlan> plan(std::span<const KeyInfo> keys, const KeyPolicy& policy, UnixTime now,
                     std::optional<std::span<const KeyTag>> served) {
  if (auto sound = check_key_policy(policy); !sound) return tl::unexpected(sound.error());
  if (auto same = check_algorithm(keys, policy, now); !same) return tl::unexpected(same.error());
  return KeyPlanner(keys, policy, now, served).run();
}

Result<KeyRole> request_rollover(std::span<const KeyInfo> keys, const KeyPolicy& policy, bool ksk, UnixTime now) {
  if (auto same = check_algorithm(keys, policy, now); !same) return tl::unexpected(same.error());
  if (policy.single && !ksk) return fail(Errc::Refused, "the zone has a CSK and no ZSK: roll the ksk");
  const KeyRole role = ksk ? sep_role(policy) : KeyRole::Zsk;
  const KeyInfo* active = nullptr;
  for (const KeyInfo& key : keys) {
    if (key.sep != ksk || key.algorithm != policy.algorithm) continue;
    switch (state_of(role, key.times, now)) {
      case KeyState::Removed: break;
      case KeyState::Active: active = &key; break;
      case KeyState::Submitted:
        return fail(Errc::Refused, fmt::format("{} {} waits for its DS at the parent: confirm it with ds-seen first",
                                               to_text(role), key.tag));
      case KeyState::Generated:
      case KeyState::Published:
      case KeyState::Retired:
        return fail(Errc::Refused, fmt::format("a rollover of the {} is under way: key {} is {}", to_text(role),
                                               key.tag, to_text(state_of(role, key.times, now))));
    }
  }
  if (active == nullptr) return fail(Errc::Refused, fmt::format("there is no active {} to roll", to_text(role)));
  return role;
}

Result<KeyTimesChange> ds_seen(std::span<const KeyInfo> keys, const KeyPolicy& policy, KeyTag tag, UnixTime now) {
  const auto key = std::find_if(keys.begin(), keys.end(), [tag](const KeyInfo& k) { return k.sep && k.tag == tag; });
  if (key == keys.end()) return fail(Errc::NotFound, fmt::format("there is no KSK or CSK with tag {}", tag));
  const KeyState state = state_of(sep_role(policy), key->times, now);
  if (state == KeyState::Active) return KeyTimesChange{tag, key->times};
  if (state != KeyState::Submitted) {
    return fail(Errc::Refused,
                fmt::format("key {} is {}: its DS must not be at the parent yet, or no more", tag, to_text(state)));
  }
  // The step is the same for a KSK.
  return KeyTimesChange{tag, take_step<KeyRole::Csk, KeyState::Submitted, KeyState::Active>(key->times, now)};
}

}  // namespace steward::sign

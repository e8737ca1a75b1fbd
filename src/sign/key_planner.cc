#include "sign/key_planner.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::sign {

KeyPlanner::KeyPlanner(std::span<const KeyInfo> keys, const KeyPolicy& policy, UnixTime now,
                       std::optional<std::span<const KeyTag>> served)
    : policy_(policy), now_(now) {
  for (const KeyInfo& info : keys) {
    // Another algorithm's key is here only where it was never used or is gone (check_algorithm).
    if (info.algorithm != policy.algorithm) continue;
    Work key{info};
    if (state(key) == KeyState::Removed) continue;
    const bool late = served && !served->empty() && has_happened(info.times.publish, now) &&
                      std::find(served->begin(), served->end(), info.tag) == served->end();
    if (late) {
      const KeyTimes planned = key.info.times;
      key.info.times = {};
      key.info.times.created = planned.created;
    }
    keys_.push_back(std::move(key));
  }
}

KeyPlan KeyPlanner::run() {
  plan_sep();
  if (policy_.single) {
    plan_zsk_end();
  } else {
    plan_zsk();
  }
  plan_zsk_removal();
  plan_sep_removal();
  collect();
  return std::move(plan_);
}

void KeyPlanner::note(Work& key, KeyRole role, KeyState to, std::string_view why) {
  key.changed = true;
  plan_.actions.push_back({to, role, key.info.tag, std::string(why)});
}

KeyRole KeyPlanner::role_of(const Work& key) const {
  if (!key.info.sep) return KeyRole::Zsk;
  return policy_.single ? KeyRole::Csk : KeyRole::Ksk;
}

bool KeyPlanner::is_due(UnixTime time) {
  if (time <= now_) return true;
  if (!plan_.next || time < *plan_.next) plan_.next = time;
  return false;
}

std::vector<KeyPlanner::Work*> KeyPlanner::select(bool sep, std::initializer_list<KeyState> states) {
  std::vector<Work*> found;
  for (Work& key : keys_) {
    if (key.info.sep == sep && std::find(states.begin(), states.end(), state(key)) != states.end())
      found.push_back(&key);
  }
  const auto age = [](const Work* key) {
    const KeyTimes& times = key->info.times;
    return std::tuple(!times.publish, times.publish.value_or(UnixTime{}), times.created.value_or(UnixTime{}),
                      key->info.tag);
  };
  std::sort(found.begin(), found.end(), [&](const Work* a, const Work* b) { return age(a) < age(b); });
  return found;
}

bool KeyPlanner::signs_zone(const Work& key) const {
  const KeyTimes& times = key.info.times;
  return has_happened(times.publish, now_) && has_happened(times.activate, now_) &&
         !has_happened(times.inactive, now_) && !has_happened(times.remove, now_);
}

void KeyPlanner::plan_sep() {
  using enum KeyState;
  const auto live = select(true, {Generated, Published, Submitted, Active});
  if (live.empty()) {
    plan_.generate.push_back(policy_.single ? KeyRole::Csk : KeyRole::Ksk);
    return;
  }
  plan_first_sep(*live[0], live.size() == 1);
  if (live.size() > 1) plan_next_sep(*live[0], *live[1]);
}

void KeyPlanner::plan_first_sep(Work& key, bool alone) {
  using enum KeyState;
  if (state(key) == Generated && is_not_before(key.info.times.publish)) {
    sep_step<Generated, Published>(key, "the zone's first key of this kind (RFC 6781 §4.4.1)");
  }
  if (state(key) == Published &&
      std::none_of(keys_.begin(), keys_.end(), [this](const Work& k) { return signs_zone(k); })) {
    // The zone was unsigned, so no cache can miss the key: it signs at once.
    key.info.times.activate = now_;
    key.changed = true;
  }
  const bool inherits = !select(true, {Retired}).empty();
  if (state(key) == Published && !inherits && is_due(*key.info.times.publish + policy_.first_ds_interval()) &&
      is_not_before(key.info.times.sync_publish)) {
    sep_step<Published, Submitted>(key, "signatures are everywhere, the parent may have the DS (RFC 7583 §3.3.4)");
  }
  if (state(key) == Submitted) {
    plan_.waiting.push_back(
        fmt::format("{} {}: the parent's DS has not been seen", to_text(role_of(key)), key.info.tag));
  }
  // A rollover is begun only from a key that the parent is known to trust.
  if (state(key) == Active && alone && !inherits && policy_.ksk_lifetime != Seconds(0) &&
      is_due(*key.info.times.publish + policy_.ksk_lifetime - policy_.publish_interval())) {
    plan_.generate.push_back(role_of(key));
  }
}

void KeyPlanner::plan_next_sep(Work& present, Work& successor) {
  using enum KeyState;
  if (state(successor) == Generated && is_not_before(successor.info.times.publish)) {
    sep_step<Generated, Published>(successor, "rollover: the successor joins the DNSKEY RRset (RFC 7583 §3.3.1)");
  }
  if (state(successor) != Published || !is_known_everywhere(successor) ||
      !is_not_before(successor.info.times.sync_publish)) {
    return;
  }
  const std::string_view why = "every cache knows the successor: the parent is to change the DS (RFC 7583 §3.3.1)";
  switch (state(present)) {
    case Active: sep_step<Active, Retired>(present, why); break;
    case Submitted: sep_step<Submitted, Retired>(present, why); break;
    case Generated:
    case Published:
    case Retired:
    case Removed: return;  // the present key's own DS comes first
  }
  sep_step<Published, Submitted>(successor, why);
  plan_.waiting.push_back(
      fmt::format("{} {}: the parent's DS has not been seen", to_text(role_of(successor)), successor.info.tag));
}

void KeyPlanner::plan_sep_removal() {
  using enum KeyState;
  const auto live = select(true, {Active});
  for (Work* old : select(true, {Retired})) {
    // RFC 6781 §4.1.2: never before the DS of another key has been seen and the old DS has left the caches.
    if (live.empty() || !is_due(*live[0]->info.times.ds_publish + policy_.ds_interval())) continue;
    // It may have signed data, as a CSK or before the zone had a ZSK (RFC 6781 §4.1.3).
    const auto& inactive = old->info.times.inactive;
    if (signs_zone(*old) || (inactive && !is_due(*inactive + policy_.retire_interval()))) continue;
    const auto zsks = select(false, {Active});
    const bool zsk_is_new = std::any_of(zsks.begin(), zsks.end(), [this](const Work* zsk) {
      return !is_due(*zsk->info.times.activate + policy_.retire_interval());
    });
    if (zsk_is_new) continue;
    sep_step<Retired, Removed>(*old, "the old DS is in no cache any more (RFC 7583 §3.3.1)");
  }
}

void KeyPlanner::plan_zsk() {
  const auto active = select(false, {KeyState::Active});
  if (active.empty()) {
    plan_first_zsk();
  } else {
    plan_next_zsk(*active.back());
    for (Work* other : active) {
      // Two that sign at once come from elsewhere; the younger stays once it is known.
      if (other != active.back() && state(*other) == KeyState::Active && is_known_everywhere(*active.back())) {
        step<KeyRole::Zsk, KeyState::Active, KeyState::Retired>(*other, "a younger ZSK signs the zone");
      }
    }
  }
}

void KeyPlanner::plan_first_zsk() {
  using enum KeyState;
  const auto candidates = select(false, {Generated, Published});
  if (candidates.empty()) {
    plan_.generate.push_back(KeyRole::Zsk);
    return;
  }
  Work& key = *candidates[0];
  // Where a key with SEP has been published for a while the zone is signed already, by it: the ZSK must be known before
  // it takes over.
  const auto published = [this](const Work& k) { return k.info.sep && *k.info.times.publish < now_ && signs_zone(k); };
  const bool takes_over = std::any_of(keys_.begin(), keys_.end(),
                                      [&](const Work& k) { return k.info.times.publish.has_value() && published(k); });
  if (state(key) == Generated) step<KeyRole::Zsk, Generated, Published>(key, "the zone's first ZSK (RFC 6781 §4.4.1)");
  if (state(key) == Published && (!takes_over || is_known_everywhere(key))) {
    step<KeyRole::Zsk, Published, Active>(key, "the zone's data is signed by a ZSK from now on");
  }
}

void KeyPlanner::plan_next_zsk(Work& active) {
  using enum KeyState;
  const auto successors = select(false, {Generated, Published});
  if (successors.empty()) {
    const Seconds lifetime = policy_.zsk_lifetime;
    if (lifetime != Seconds(0) && is_due(*active.info.times.activate + lifetime - policy_.publish_interval())) {
      plan_.generate.push_back(KeyRole::Zsk);
    }
    return;
  }
  Work& next = *successors[0];
  if (state(next) == Generated && is_not_before(next.info.times.publish)) {
    step<KeyRole::Zsk, Generated, Published>(next, "rollover: pre-published (RFC 7583 §3.2.1)");
  }
  if (state(next) != Published || !is_known_everywhere(next) || !is_not_before(next.info.times.activate)) return;
  step<KeyRole::Zsk, Published, Active>(next, "every cache knows it: it signs the zone (RFC 7583 §3.2.1)");
  step<KeyRole::Zsk, Active, Retired>(active, "its successor signs the zone (RFC 7583 §3.2.1)");
}

void KeyPlanner::plan_zsk_end() {
  using enum KeyState;
  // The zone had KSK and ZSK, and is to have a CSK: the KSK takes over, since every cache knows it.
  const auto live = select(true, {Published, Submitted, Active, Retired});
  const auto takes_over = std::find_if(live.begin(), live.end(), [this](Work* key) { return signs_zone(*key); });
  if (takes_over == live.end() || !is_known_everywhere(**takes_over)) return;
  for (Work* key : select(false, {Active})) {
    step<KeyRole::Zsk, Active, Retired>(*key, "the zone has a CSK from now on");
  }
  // Its activation may have been committed and then lost in a crash: it leaves as one that has signed.
  for (Work* key : select(false, {Published})) {
    step<KeyRole::Zsk, Published, Retired>(*key, "withdrawn: the zone has a CSK from now on");
  }
}

void KeyPlanner::plan_zsk_removal() {
  using enum KeyState;
  for (Work* key : select(false, {Retired})) {
    if (is_due(*key->info.times.inactive + policy_.retire_interval())) {
      step<KeyRole::Zsk, Retired, Removed>(*key, "no cache has a signature of it any more (RFC 7583 §3.2.1)");
    }
  }
}

void KeyPlanner::collect() {
  const bool has_zsk =
      std::any_of(keys_.begin(), keys_.end(), [this](const Work& k) { return !k.info.sep && signs_zone(k); });
  for (const Work& key : keys_) {
    const KeyTimes& times = key.info.times;
    if (key.changed) plan_.changes.push_back({key.info.tag, times});
    if (!has_happened(times.publish, now_) || has_happened(times.remove, now_)) continue;
    plan_.publish.push_back(key.info.tag);
    if (signs_zone(key) && (!key.info.sep || !has_zsk)) plan_.zone_signers.push_back(key.info.tag);
    if (!key.info.sep) continue;
    plan_.key_signers.push_back(key.info.tag);
    if (has_happened(times.sync_publish, now_) && !has_happened(times.sync_delete, now_))
      plan_.cds.push_back(key.info.tag);
  }
}

}  // namespace steward::sign

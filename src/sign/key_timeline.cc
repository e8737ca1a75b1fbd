#include "sign/key_timeline.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace steward::sign {

namespace {

/// Key files as plan()'s caller would keep them, without the keys.
class Rehearsal {
 public:
  Rehearsal(std::span<const KeyInfo> keys, const KeyPolicy& policy, UnixTime now, const TimelineRequest& request)
      : policy_(policy), request_(request), keys_(keys.begin(), keys.end()), now_(now), end_(now + request.horizon) {}

  Result<std::vector<TimelineEvent>> run() {
    if (request_.rollover_ksk) {
      const auto role = request_rollover(keys_, policy_, *request_.rollover_ksk, now_);
      if (!role) return tl::unexpected(role.error());
      generate(*role);
    }
    while (now_ <= end_ && events_.size() < request_.max_events) {
      const auto next = settle();
      if (!next) return tl::unexpected(next.error());
      std::optional<UnixTime> then = *next;
      if (ds_due_ && (!then || *ds_due_ < *then)) then = ds_due_;
      if (!then) break;
      now_ = *then;
      if (now_ > end_) break;
      if (ds_due_ && now_ == *ds_due_) see_ds();
    }
    return std::move(events_);
  }

 private:
  /// Everything that is due at now_; returns when something is due next.
  Result<std::optional<UnixTime>> settle() {
    for (;;) {
      const auto plan = sign::plan(keys_, policy_, now_);
      if (!plan) return tl::unexpected(plan.error());
      if (!plan->generate.empty()) {
        for (const KeyRole role : plan->generate) generate(role);
        continue;
      }
      for (const KeyAction& action : plan->actions) {
        events_.push_back({now_, action.role, action.to, label(action.tag), action.why, false});
        if (action.to == KeyState::Submitted) submitted_.emplace_back(action.tag, now_ + request_.parent_takes);
      }
      for (const KeyTimesChange& change : plan->changes) find(change.tag).times = change.times;
      note_waiting(*plan);
      return plan->next;
    }
  }

  /// A key that was submitted before now has no moment of its own: the parent is assumed to take it from now on.
  void note_waiting(const KeyPlan& plan) {
    ds_due_.reset();
    for (const KeyTag tag : plan.cds) {
      const KeyInfo& key = find(tag);
      if (key.times.ds_publish) continue;
      const auto known =
          std::find_if(submitted_.begin(), submitted_.end(), [tag](const auto& s) { return s.first == tag; });
      if (known == submitted_.end()) {
        ds_due_ = now_ + request_.parent_takes;
        submitted_.emplace_back(tag, *ds_due_);
      } else {
        ds_due_ = known->second;
      }
      ds_tag_ = tag;
    }
  }

  void see_ds() {
    const auto seen = ds_seen(keys_, policy_, ds_tag_, now_);
    if (!seen) return;
    find(ds_tag_).times = seen->times;
    const KeyRole role = policy_.single ? KeyRole::Csk : KeyRole::Ksk;
    events_.push_back(
        {now_, role, KeyState::Active, label(ds_tag_), "the parent serves its DS, and ds-seen says so", true});
  }

  void generate(KeyRole role) {
    KeyInfo key;
    key.tag = 65535;
    while (std::any_of(keys_.begin(), keys_.end(), [&](const KeyInfo& k) { return k.tag == key.tag; })) --key.tag;
    key.algorithm = policy_.algorithm;
    key.sep = role != KeyRole::Zsk;
    key.times.created = now_;
    keys_.push_back(key);
    made_.emplace(key.tag, made_.size() + 1);
    events_.push_back({now_, role, KeyState::Generated, label(key.tag), "a key is generated", false});
  }

  KeyInfo& find(KeyTag tag) {
    return *std::find_if(keys_.begin(), keys_.end(), [tag](const KeyInfo& key) { return key.tag == tag; });
  }
  [[nodiscard]] std::string label(KeyTag tag) const {
    const auto made = made_.find(tag);
    return made == made_.end() ? std::to_string(tag) : fmt::format("new-{}", made->second);
  }

  const KeyPolicy& policy_;
  const TimelineRequest& request_;
  std::vector<KeyInfo> keys_;
  UnixTime now_;
  UnixTime end_;
  std::vector<TimelineEvent> events_;
  std::map<KeyTag, size_t> made_;
  std::vector<std::pair<KeyTag, UnixTime>> submitted_;
  std::optional<UnixTime> ds_due_;
  KeyTag ds_tag_ = 0;
};

}  // namespace

Result<std::vector<TimelineEvent>> timeline(std::span<const KeyInfo> keys, const KeyPolicy& policy, UnixTime now,
                                            const TimelineRequest& request) {
  return Rehearsal(keys, policy, now, request).run();
}

}  // namespace steward::sign

#pragma once
// The inside of plan(): one object a call. For key_plan.cc only.

#include "sign/key_plan.hh"

namespace steward::sign {

class KeyPlanner {
 public:
  KeyPlanner(std::span<const KeyInfo> keys, const KeyPolicy& policy, UnixTime now,
             std::optional<std::span<const KeyTag>> served);
  KeyPlan run();

 private:
  struct Work {
    KeyInfo info;
    bool changed = false;
  };

  template <KeyRole role, KeyState from, KeyState to>
  void step(Work& key, std::string_view why) {
    key.info.times = take_step<role, from, to>(key.info.times, now_);
    note(key, role, to, why);
  }
  template <KeyState from, KeyState to>
  void sep_step(Work& key, std::string_view why) {
    if (policy_.single) {
      step<KeyRole::Csk, from, to>(key, why);
    } else {
      step<KeyRole::Ksk, from, to>(key, why);
    }
  }
  void note(Work& key, KeyRole role, KeyState to, std::string_view why);
  [[nodiscard]] KeyRole role_of(const Work& key) const;
  [[nodiscard]] KeyState state(const Work& key) const { return state_of(role_of(key), key.info.times, now_); }
  /// Whether this moment has come; if not, it is remembered as the next one.
  bool is_due(UnixTime time);
  /// Whether every cache that has our DNSKEY RRset has this key in it.
  bool is_known_everywhere(const Work& key) { return is_due(*key.info.times.publish + policy_.publish_interval()); }
  /// The time that an operator has planned for a step, which is then not taken earlier.
  bool is_not_before(const std::optional<UnixTime>& planned) { return !planned || is_due(*planned); }
  /// Keys of one kind in one of these states, the one published first in front.
  std::vector<Work*> select(bool sep, std::initializer_list<KeyState> states);
  [[nodiscard]] bool signs_zone(const Work& key) const;

  void plan_sep();
  void plan_first_sep(Work& key, bool alone);
  void plan_next_sep(Work& present, Work& successor);
  void plan_sep_removal();
  void plan_zsk();
  void plan_first_zsk();
  void plan_next_zsk(Work& active);
  void plan_zsk_end();
  void plan_zsk_removal();
  void collect();

  const KeyPolicy& policy_;
  UnixTime now_;
  std::vector<Work> keys_;
  KeyPlan plan_;
};

}  // namespace steward::sign

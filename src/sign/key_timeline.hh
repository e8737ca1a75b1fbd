#pragma once
// What will happen to a zone's keys, and when: `zone keys … --dry-run`, and the table that `zone keys` shows.
//
// plan() itself is run with the clock put forward from one due moment to the next, so that what is shown is what is
// done.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sign/key_plan.hh"

namespace steward::sign {

struct TimelineEvent {
  UnixTime time;
  KeyRole role{};
  KeyState to{};
  std::string key;       ///< its tag, or "new-1", "new-2" … for one that does not exist yet
  std::string text;      ///< one sentence
  bool assumed = false;  ///< not ours to decide: the parent's taking of the DS
};

struct TimelineRequest {
  std::optional<bool> rollover_ksk;  ///< begin a rollover now: true of the KSK or CSK, false of the ZSK
  Seconds horizon = std::chrono::days(400);
  Seconds parent_takes = std::chrono::days(1);  ///< assumed from submission until the DS is seen
  size_t max_events = 200;
};

/// Events in order of time. Errors of plan() and request_rollover().
Result<std::vector<TimelineEvent>> timeline(std::span<const KeyInfo> keys, const KeyPolicy& policy, UnixTime now,
                                            const TimelineRequest& request = {});

}  // namespace steward::sign

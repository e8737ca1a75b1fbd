#pragma once
// What can be decided of a write from the write alone: whether it is sound, wherever it comes from. Replicas, parents
// and grandparents come to the same answer. Signatures are checked last, and as many as the entry's bounds allow.
//
// Pure functions; any thread.

#include <optional>
#include <string>

#include "federation/entry.hh"

namespace steward::federation {

struct EntryRules {
  dns::Name space;          ///< the feed's registry speaks for names below it alone
  UnixTime now{};           ///< for stamps
  Seconds most_ahead{300};  ///< a stamp may be
  /// A fingerprint that the name is known by to who asks, its present one: the chain of keys must lead through it.
  std::optional<std::string> known;
};

/// Invalid, Refused, NotFound or Full with the agent's name and the rule.
Result<void> check_entry(const FeedEntry& entry, const EntryRules& rules);

}  // namespace steward::federation

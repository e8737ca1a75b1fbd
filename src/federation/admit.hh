#pragma once
// Admission: what depends on what else is held. Once, by the replica that accepts a write (change/publish.hh), and by a
// parent at its own door, here. A parent keeps a fetched feed whole, as a secondary does: what is not admitted stays in
// it with a mark beside it, which is counted, logged and listed, and is in no `_find`, no `_ref` and no feed of its
// own.
//
// Pure functions; any thread.

#include <optional>
#include <string>

#include "agent/look_alikes.hh"
#include "federation/merge.hh"

namespace steward::federation {

enum class AdmissionRule : uint8_t {
  FirstCome,     ///< the name is held by another
  LookAlike,     ///< of a name in the same namespace
  Quota,         ///< of the child
  VersionFloor,  ///< below what was accepted
  Clock,         ///< an older write than what was accepted
};
std::string_view to_text(AdmissionRule rule);

/// Stands beside an entry that is not admitted.
struct RefusalMark {
  AdmissionRule rule{};
  std::string reason;  ///< one sentence in ASCII
};

/// What a parent allows a child; from its configuration and its book.
struct ChildPolicy {
  double trust_ceiling = 1;  ///< most that the parent states of trust
  uint32_t agents = 0;       ///< most that it admits; 0: no limit
  bool hosted = false;       ///< it answers for the child's namespace
  std::string handed_to;     ///< replica of the parent whose feed passes on what is admitted: another one is told all of it
};

/// The last write of the name that was accepted.
struct AcceptedWrite {
  std::string version;
  UnixTime modified{};
  std::string statement;  ///< "sha256:…" of its TXT RDATA; empty: it was gone
  std::map<std::string, uint64_t> clock;
};
AcceptedWrite accepted_write(const FeedEntry& entry);

/// What else is held.
struct Holdings {
  std::optional<AcceptedWrite> accepted;           ///< nothing: the name is new
  std::optional<std::string> holder;               ///< who holds the name already, where that is not this child
  uint32_t agents_of_child = 0;                    ///< admitted, tombstones not counted
  bool is_counted = false;                         ///< the name is one of them
  const agent::LookAlikes* look_alikes = nullptr;  ///< of the namespace; null where it refuses none
};

/// Judges the winner of a set that check_entry() found sound. A version below the accepted one will do where the
/// accepted write lost a conflict: it stands in the set as a loser, or the winner's clock dominates it and lists it as
/// lost. A tombstone is never too many, and like no other name.
std::optional<RefusalMark> admit(const WriteSet& set, const ChildPolicy& policy, const Holdings& held);

/// What the parent states of the child's trust in its agent: no more than the ceiling, in whole hundredths.
double stated_trust(const FeedEntry& entry, const ChildPolicy& policy);

}  // namespace steward::federation

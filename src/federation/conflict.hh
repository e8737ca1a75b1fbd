#pragma once
// A conflict that an operator is to see: more than one write of a name stands, and none of them knew of the other
// (steward-records(7), "Conflicts"). Pure, but for the edit; any thread, or the writer's.

#include <string>
#include <vector>

#include "change/edit.hh"
#include "federation/merge.hh"

namespace steward::federation {

/// Writes that a conflict's records tell, those that come first: a message has to carry them all.
constexpr size_t max_told_writes = 8;
constexpr uint32_t conflict_ttl = 60;  ///< seconds

/// TXT RDATA at `_conflict`, one a write, the winner first: `v=steward-conflict1`, `write` (`winner`, or the label below
/// which it stands in the feed), `version`, `status`, `fp`, `statement`, `stamp`, `replica`, `vc`. None where there is
/// one write, or none.
std::vector<Bytes> conflict_rdatas(const WriteSet& set);

/// The labels below which the losers stand in a feed, in their order.
std::vector<std::string> loser_labels(const WriteSet& set);

/// A parent's operator has seen the conflict of an agent below: its records go, until the set of writes is another.
/// NotFound where there is no conflict of it.
Result<void> see_conflict(change::ZoneEdit& edit, zone::OctetTable& referrals, const dns::Name& zone,
                          const dns::Name& agent);

}  // namespace steward::federation

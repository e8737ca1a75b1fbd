#pragma once
// The state of a name is the set of writes that no other write dominates, each with its own vector clock
// (steward-records(7), "Conflicts").
//
// merge_sets() is commutative, associative and idempotent, and the order in which a set stands is a function of the set
// alone: replicas that have seen the same writes, in whatever order and however often, hold the same octets, the same
// winner and the same losers. Nothing here looks at what else is held: what depends on that is admission
// (federation/admit.hh). Pure functions, no I/O, no clock; any thread.

#include <span>
#include <string_view>
#include <vector>

#include "federation/entry.hh"

namespace steward::federation {

/// Writes of one name, normalized, none of which dominates another; the winner first, then the losers in their order.
using WriteSet = std::vector<FeedEntry>;

/// The set of these writes of one name, in any order and with repetitions: those that another dominates are dropped. A
/// write that is there twice is there once, with what its registry stated last of it.
WriteSet set_of(std::vector<FeedEntry> writes);

/// Their union without what is dominated.
WriteSet merge_sets(const WriteSet& a, const WriteSet& b);

/// The same writes, whatever was stated anew of them.
bool same_writes(const WriteSet& a, const WriteSet& b);

/// Whether `a` comes before `b` in a set: revoked first, then the later stamp, then the greater id of the replica, then
/// the greater digest.
bool comes_before(const FeedEntry& a, const FeedEntry& b);

/// Null for a name that has no write.
inline const FeedEntry* winner(const WriteSet& set) { return set.empty() ? nullptr : &set.front(); }

/// Makes `entry` the next write of its name after those that are held: its clock is their join plus one for `replica`,
/// its stamp above all of theirs. It takes over what must not be forgotten of them: signed revocations, with the keys
/// that prove them, and which statements lost the conflict that it ends. Refused where a stamp held is too far ahead,
/// Full where the clock or the revocations have no room.
Result<void> make_next(FeedEntry& entry, const WriteSet& held, std::string_view replica, UnixTime now,
                       Seconds most_ahead);

/// The same write with what its registry states anew: trust and TTL. Its `told` is above the one before.
Result<void> restate_write(FeedEntry& entry, double trust, uint32_t ttl, UnixTime now, Seconds most_ahead);

}  // namespace steward::federation

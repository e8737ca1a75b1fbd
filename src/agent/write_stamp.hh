#pragma once
// Where a write of an agent stands among the writes of replicas (steward-records(7), "The feed"): a vector clock, and a
// stamp that says which counts as later where neither knew of the other. Pure functions, no clock of their own; any
// thread.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hh"
#include "base/result.hh"

namespace steward::agent {

/// Most replicas in a clock.
constexpr size_t max_replicas = 64;

struct WriteStamp {
  std::map<std::string, uint64_t> clock;  ///< by replica: how many of its writes are known
  uint64_t stamp = 0;                     ///< hybrid logical clock of the accepting replica, in Unix seconds
  std::string replica;                    ///< that replica; empty: never stamped
};

/// A hybrid logical clock in seconds: above `seen`, the highest stamp known of the name, and never behind the time.
/// Refused where that is more than `most_ahead` ahead of `now`.
Result<uint64_t> next_stamp(uint64_t seen, UnixTime now, Seconds most_ahead);
/// Refused where a stamp of others is too far ahead.
Result<void> check_stamp(uint64_t stamp, UnixTime now, Seconds most_ahead);

/// The next write of a name, accepted by `replica`. `seen`: the join of the clocks of all writes that are held of it, and
/// the highest of their stamps. Refused as above; Full where the clock has no room for another replica.
Result<WriteStamp> next_write(const WriteStamp& seen, std::string_view replica, UnixTime now, Seconds most_ahead);

}  // namespace steward::agent

#pragma once
// Vector clocks and stamps (steward-records(7), "The feed"): which of two writes of a name knew of the other, and which
// counts as later where neither did. Pure functions, no clock of their own; any thread.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "agent/write_stamp.hh"
#include "base/clock.hh"
#include "base/result.hh"

namespace steward::federation {

/// By replica: how many of its writes are known. As in agent::WriteStamp.
using VectorClock = std::map<std::string, uint64_t>;

using agent::check_stamp;
using agent::max_replicas;
using agent::next_stamp;

/// A count has to fit in what JSON numbers hold exactly.
constexpr uint64_t max_count = (uint64_t{1} << 53) - 1;

enum class ClockOrder : uint8_t {
  Equal,
  Before,      ///< the other knew of it
  After,       ///< it knew of the other
  Concurrent,  ///< neither did
};
ClockOrder compare(const VectorClock& a, const VectorClock& b);

/// The least clock that is not before either.
VectorClock join(const VectorClock& a, const VectorClock& b);

/// `[a-z0-9-]{1,32}`: one label of the feed's name too.
bool is_replica_id(std::string_view text);

/// "eu-4f2a:5,us-91c0:7": sorted by octets, each replica once, counts from 1 without leading zeros, at most
/// max_replicas. Invalid says the rule.
Result<VectorClock> clock_from_text(std::string_view text);
std::string clock_to_text(const VectorClock& clock);

}  // namespace steward::federation

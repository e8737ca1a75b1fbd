#pragma once
// How many signatures this process has made and checked, by algorithm: what a benchmark puts beside the speed of the
// library. Counters that only grow; any thread.

#include <array>
#include <cstdint>

#include "crypto/algorithm.hh"

namespace steward::crypto {

struct OperationCount {
  Algorithm algorithm{};
  uint64_t made = 0;
  uint64_t checked = 0;
};

/// Of the algorithms that sign, in the order of their numbers.
std::array<OperationCount, 5> operation_counts();

/// Inside of the room.
void count_made(Algorithm algorithm, uint64_t signatures = 1);
void count_checked(Algorithm algorithm);

}  // namespace steward::crypto

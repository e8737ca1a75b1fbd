#pragma once
// When a registry that was told of something and did not answer is told again: RFC 1996 §3.6 asks for repetitions, and what is lost over TLS would
// be found out after hours only.

#include <algorithm>
#include <chrono>
#include <optional>

namespace steward::daemon {

/// Before the next attempt, `failures` (1 and on) having failed in a row: 2 s, and twice as long each time, up to 5 minutes. Nothing after the most of an
/// hour: it is given up.
constexpr std::optional<std::chrono::milliseconds> wait_to_tell_again(unsigned failures) {
  constexpr unsigned most_failures = 16;
  constexpr std::chrono::milliseconds most{300'000};
  if (failures == 0 || failures > most_failures) return std::nullopt;
  return std::min(most, std::chrono::milliseconds{1'000} * (1U << failures));
}

}  // namespace steward::daemon

#pragma once
// How fast a piece of work goes on, over its last ten seconds: what a bar says of the time that is left.

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace steward::cli {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  /// `done` so far, of whatever is counted; times do not go back.
  void note(uint64_t done, Clock::time_point now);
  /// Nothing before it has gone on for a second.
  [[nodiscard]] std::optional<double> a_second() const;
  /// Seconds until `total`, at this pace; nothing where there is none.
  [[nodiscard]] std::optional<int64_t> seconds_left(uint64_t total) const;

 private:
  struct Point {
    Clock::time_point when;
    uint64_t done = 0;
  };
  std::deque<Point> points_;  // ascending, some ten a second at most
};

}  // namespace steward::cli

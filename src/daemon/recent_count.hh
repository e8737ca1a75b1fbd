#pragma once
// How often something happened within the last hour, to the minute: for whoever asks whether it still does.

#include <array>
#include <cstdint>

#include "base/clock.hh"

namespace steward::daemon {

class RecentCount {
 public:
  void add(UnixTime now) {
    advance(minute_of(now));
    ++minutes_[slot(latest_)];
  }
  /// In the minute of `now` and the 59 before it.
  [[nodiscard]] uint64_t within_hour(UnixTime now) const {
    RecentCount as_of = *this;
    as_of.advance(minute_of(now));
    uint64_t sum = 0;
    for (const uint32_t count : as_of.minutes_) sum += count;
    return sum;
  }

 private:
  static constexpr int64_t kept = 60;
  static int64_t minute_of(UnixTime time) { return seconds_of(time) / 60; }
  static size_t slot(int64_t minute) { return static_cast<size_t>(minute % kept); }

  // A clock that is set back counts on in the latest minute.
  void advance(int64_t minute) {
    if (minute <= latest_) return;
    if (minute - latest_ >= kept)
      minutes_.fill(0);
    else
      for (int64_t gone = latest_ + 1; gone <= minute; ++gone) minutes_[slot(gone)] = 0;
    latest_ = minute;
  }

  std::array<uint32_t, kept> minutes_{};
  int64_t latest_ = 0;
};

}  // namespace steward::daemon

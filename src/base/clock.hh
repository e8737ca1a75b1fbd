#pragma once
// Time as the server sees it. Only the composition root reads the real clock; every rule that depends on
// the time takes an argument, so that a test holds the clock in its hand.

#include <chrono>
#include <cstdint>

namespace steward {

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds. Signed and 64 bits: no end in 2038 or 2106.
using UnixTime = std::chrono::sys_seconds;
using Seconds = std::chrono::seconds;

inline UnixTime unix_time(int64_t seconds) { return UnixTime{Seconds{seconds}}; }
inline int64_t seconds_of(UnixTime time) { return time.time_since_epoch().count(); }

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time, for signatures, leases and log lines.
  [[nodiscard]] virtual UnixTime now() const = 0;
  /// Nanoseconds from an arbitrary start, never going back, for timers and rates.
  [[nodiscard]] virtual uint64_t monotonic_ns() const = 0;
};

/// The clock of the machine.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixTime now() const override {
    return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] uint64_t monotonic_ns() const override {
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
  }
};

}  // namespace steward

#pragma once
// Serial: the SOA's serial number, with the arithmetic of RFC 1982 on 32 bits.

#include <compare>
#include <cstdint>

namespace steward::dns {

class Serial {
 public:
  constexpr Serial() = default;
  constexpr explicit Serial(uint32_t value) : value_(value) {}

  [[nodiscard]] constexpr uint32_t value() const { return value_; }

  /// The most that may be added at once: 2^31 - 1 (RFC 1982 §3.1).
  static constexpr uint32_t max_increment = 0x7fffffff;

  /// RFC 1982 §3.1; `increment` is at most max_increment, else the result is not after this one (the RFC leaves it
  /// undefined).
  [[nodiscard]] constexpr Serial plus(uint32_t increment) const { return Serial(value_ + increment); }
  [[nodiscard]] constexpr Serial next() const { return plus(1); }

  /// RFC 1982 §3.2. Two serials exactly 2^31 apart are `unordered`: neither is before, after or equal to the other.
  friend constexpr std::partial_ordering operator<=>(Serial a, Serial b) {
    const uint32_t ahead = b.value_ - a.value_;
    if (ahead == 0) return std::partial_ordering::equivalent;
    if (ahead == 0x80000000) return std::partial_ordering::unordered;
    return ahead < 0x80000000 ? std::partial_ordering::less : std::partial_ordering::greater;
  }
  friend constexpr bool operator==(Serial a, Serial b) = default;

 private:
  uint32_t value_ = 0;
};

}  // namespace steward::dns

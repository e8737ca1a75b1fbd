#pragma once
// What following one child's feed may cost: signatures to check. Whoever changes or spoils entries without end has its
// own agents wait, and nobody else's. A first pull is not slowed: agents that are there for the first time bring more
// than they cost. Values, no clock of their own; one thread at a time.

#include <cstdint>

#include "base/clock.hh"

namespace steward::federation {

class FeedBudget {
 public:
  static constexpr uint64_t rate = 1000;       ///< checks a second, about a tenth of a core
  static constexpr uint64_t burst = 100'000;   ///< checks that may come at once
  static constexpr uint64_t of_new_agent = 4;  ///< checks that an agent brings which is there for the first time

  /// Checks that were made: what one step took beyond the budget is waited for after it.
  void spend(uint64_t checks, UnixTime now);
  /// How many of the child's names are held, also those that are out of service.
  void hold(uint64_t names);
  /// Until when the child waits; `now` or before: it does not.
  [[nodiscard]] UnixTime free_at(UnixTime now) const;
  /// Since the start.
  [[nodiscard]] uint64_t checks() const { return checks_; }

 private:
  void refill(UnixTime now);

  uint64_t checks_ = 0;
  uint64_t spent_ = 0;  // of the burst; above it is debt
  uint64_t most_held_ = 0;
  UnixTime at_{};
};

}  // namespace steward::federation

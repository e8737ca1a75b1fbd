#include "federation/feed_budget.hh"

#include <algorithm>

namespace steward::federation {

// A clock that goes back refills nothing.
void FeedBudget::refill(UnixTime now) {
  if (now <= at_) return;
  const auto seconds = static_cast<uint64_t>((now - at_).count());
  spent_ -= std::min(spent_, std::min(seconds, spent_ / rate + 1) * rate);
  at_ = now;
}

void FeedBudget::spend(uint64_t checks, UnixTime now) {
  refill(now);
  checks_ += checks;
  spent_ += checks;
}

void FeedBudget::hold(uint64_t names) {
  if (names <= most_held_) return;
  spent_ -= std::min(spent_, (names - most_held_) * of_new_agent);
  most_held_ = names;
}

UnixTime FeedBudget::free_at(UnixTime now) const {
  FeedBudget then = *this;
  then.refill(now);
  if (then.spent_ <= burst) return now;
  return now + Seconds(static_cast<int64_t>((then.spent_ - burst + rate - 1) / rate));
}

}  // namespace steward::federation

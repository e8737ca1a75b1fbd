#include "cli/pace.hh"

#include <algorithm>
#include <cmath>

namespace steward::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto window = 10s;
constexpr auto between = 100ms;
constexpr auto least = 1s;  // before that there is no telling

}  // namespace

void Pace::note(uint64_t done, Clock::time_point now) {
  // The last point moves on, until it is far enough from the one before.
  if (points_.size() >= 2 && now - points_[points_.size() - 2].when < between) points_.pop_back();
  points_.push_back({now, done});
  while (points_.size() > 2 && now - points_[1].when >= window) points_.pop_front();
}

std::optional<double> Pace::a_second() const {
  if (points_.empty() || points_.back().when - points_.front().when < least) return std::nullopt;
  const std::chrono::duration<double> took = points_.back().when - points_.front().when;
  return static_cast<double>(points_.back().done - points_.front().done) / took.count();
}

std::optional<int64_t> Pace::seconds_left(uint64_t total) const {
  const auto rate = a_second();
  if (!rate || *rate <= 0) return std::nullopt;
  const uint64_t left = total - std::min(total, points_.back().done);
  return std::llround(std::ceil(static_cast<double>(left) / *rate));
}

}  // namespace steward::cli

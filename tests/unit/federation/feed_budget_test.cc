#include "federation/feed_budget.hh"

#include <doctest/doctest.h>

using namespace steward;
using federation::FeedBudget;

namespace {

const UnixTime noon = unix_time(1763726400);

}  // namespace

TEST_CASE("feed budget: a burst is free, what goes beyond it is waited for") {
  FeedBudget budget;
  budget.spend(FeedBudget::burst, noon);
  CHECK(budget.free_at(noon) == noon);
  budget.spend(10 * FeedBudget::rate, noon);
  CHECK(budget.free_at(noon) == noon + Seconds(10));
  CHECK(budget.free_at(noon + Seconds(4)) == noon + Seconds(10));
  CHECK(budget.free_at(noon + Seconds(10)) == noon + Seconds(10));
  CHECK(budget.checks() == FeedBudget::burst + 10 * FeedBudget::rate);
}

TEST_CASE("feed budget: one huge step is paid for in full") {
  FeedBudget budget;
  budget.spend(4'000'000, noon);
  CHECK(budget.free_at(noon) == noon + Seconds(3900));
  CHECK(budget.free_at(noon + Seconds(3899)) == noon + Seconds(3900));
}

TEST_CASE("feed budget: a first pull of a million agents never waits; the same names once more bring nothing") {
  FeedBudget budget;
  for (uint64_t names = 256; names <= 1'000'000; names += 256) {
    budget.spend(3 * 256, noon);
    CHECK(budget.free_at(noon) == noon);
    budget.hold(names);
  }
  budget.hold(0);
  budget.spend(200'000, noon);
  budget.hold(900'000);
  CHECK(budget.free_at(noon) > noon);
}

TEST_CASE("feed budget: a clock that goes back, or comes from long ago, does no harm") {
  FeedBudget budget;
  budget.spend(2 * FeedBudget::burst, noon);
  CHECK(budget.free_at(noon - Seconds(3600)) > noon - Seconds(3600));
  CHECK(budget.free_at(noon + Seconds(int64_t{1} << 40)) == noon + Seconds(int64_t{1} << 40));
}

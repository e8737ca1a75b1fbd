// A client that walks over a term's pages while others publish, withdraw and change trust.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "find_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

double any_trust(std::mt19937& random) { return static_cast<double>(random() % 101) / 100; }

/// Agents of which even ones stay as they are.
void fill(Finder& finder, size_t agents, std::mt19937& random) {
  constexpr size_t step = 1000;
  for (size_t from = 0; from < agents; from += step) {
    std::vector<std::pair<std::string, double>> some;
    for (size_t i = from; i < std::min(from + step, agents); ++i)
      some.emplace_back(fmt::format("agent-{}", i), any_trust(random));
    finder.set_all(some);
  }
}

/// Odd ones come, go, or change their trust.
EditResult disturb(Finder& finder, size_t agents, std::mt19937& random, unsigned leaving) {
  const std::string label = fmt::format("agent-{}", random() % (agents / 2) * 2 + 1);
  return finder.set(label, random() % 100 < leaving ? std::nullopt : std::optional(any_trust(random)));
}

void check_found(const Walk& walk, size_t agents) {
  size_t missed = 0;
  for (size_t i = 0; i < agents; i += 2) missed += walk.found.contains(fmt::format("agent-{}", i)) ? 0U : 1U;
  CHECK(missed == 0);
}

}  // namespace

TEST_CASE("find: a walk never misses an agent that is there throughout, whatever others do between its questions") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    Finder finder;
    constexpr size_t agents = 600;
    fill(finder, agents, random);
    // Bursts of leaving and coming, so that pages are joined and split on the way.
    for (int i = 0; i < 300; ++i) disturb(finder, agents, random, seed % 2 == 0 ? 100 : 0);
    Walk walk(finder, "plan");
    for (bool goes_on = true; goes_on;) {
      const unsigned leaving = walk.questions / 20 % 2 == 0 ? 90 : 10;
      for (auto i = random() % 12; i > 0; --i) disturb(finder, agents, random, leaving);
      goes_on = walk.step();
      REQUIRE(walk.questions < 5000);
    }
    check_found(walk, agents);
    finder.check_complete();
  }
}

TEST_CASE("find: 50,000 agents of one term are walked over while others publish, and a publish touches few records") {
  std::mt19937 random(7);
  Finder finder;
  constexpr size_t agents = 50'000;
  fill(finder, agents, random);
  const size_t pages = finder.pages().size();
  CHECK(pages > 1000);

  uint64_t most = 0;
  uint64_t sum = 0;
  uint64_t publishes = 0;
  Walk walk(finder, "plan");
  for (bool goes_on = true; goes_on; goes_on = walk.step()) {
    if (random() % 2 == 0) continue;
    const EditResult result = disturb(finder, agents, random, 40);
    const uint64_t touched = result.written - (result.changed ? 1 : 0);  // without the apex and its serial
    most = std::max(most, touched);
    sum += touched;
    ++publishes;
  }
  check_found(walk, agents);
  finder.check_complete();
  CHECK(publishes > 2000);
  // Names with their RRsets. At worst an agent leaves a page which is joined to the one before it, and comes to one
  // that splits, and the first counts.
  CHECK(most <= 5);
  CHECK(sum <= 2 * publishes);
  MESSAGE(pages << " pages, " << publishes << " publishes in between, names written: " << sum << ", at most " << most
                << " a publish");
}

#include "daemon/call_turns.hh"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace steward::daemon {
namespace {

struct World {
  std::vector<std::function<void()>> later;
  CallTurns turns{2, [this](std::function<void()> task) { later.push_back(std::move(task)); }};
  std::vector<CallTurns::Turn> held;

  void ask(const std::string& address) {
    turns.ask(address, [this](CallTurns::Turn turn) { held.push_back(std::move(turn)); });
  }
  void run() {
    for (auto& task : std::exchange(later, {})) task();
  }
};

}  // namespace

TEST_CASE("turns: so many at a time for each address, the others in their order") {
  World world;
  for (int i = 0; i < 4; ++i) world.ask("a");
  world.ask("b");
  CHECK(world.held.size() == 3);
  CHECK(world.turns.waiting("a") == 2);
  world.held.erase(world.held.begin());
  CHECK(world.held.size() == 2);
  world.run();
  CHECK(world.held.size() == 3);
  CHECK(world.turns.waiting("a") == 1);
  world.held.clear();
  world.run();
  CHECK(world.held.size() == 1);
  CHECK(world.turns.waiting("a") == 0);
}

TEST_CASE("turns: who is gone passes its turn on") {
  World world;
  world.ask("a");
  world.ask("a");
  int passed = 0;
  world.turns.ask("a", [&](const CallTurns::Turn&) { ++passed; });
  world.ask("a");
  world.held.clear();
  world.run();
  world.run();
  CHECK(passed == 1);
  CHECK(world.held.size() == 1);
}

TEST_CASE("turns: nobody waits in line for a primary that does not answer") {
  World world;
  for (int i = 0; i < 9; ++i) world.ask("a");
  world.turns.unreachable("a");
  world.run();
  CHECK(world.held.size() == 9);
  world.ask("a");
  CHECK(world.turns.waiting("a") == 1);
  // Only when less are under way than there may be.
  world.held.resize(1);
  world.run();
  CHECK(world.turns.waiting("a") == 0);
}

TEST_CASE("turns: a turn may outlive who gave it") {
  std::vector<CallTurns::Turn> held;
  {
    CallTurns turns(1, [](const std::function<void()>&) {});
    turns.ask("a", [&](CallTurns::Turn turn) { held.push_back(std::move(turn)); });
  }
  held.clear();
}

}  // namespace steward::daemon

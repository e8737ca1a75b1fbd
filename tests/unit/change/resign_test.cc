// Re-signing in steps.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "zone_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {
const std::vector<std::string> nothing;
std::string many(size_t count) {
  std::string records;
  for (size_t i = 0; i < count; ++i) records += fmt::format("n{} A 192.0.2.1\n", i);
  return records + "sub NS ns.sub\nns.sub A 192.0.2.9\nx.ent TXT t\n";
}
}  // namespace

TEST_CASE("re-signing: nothing is written while nothing is due") {
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3}) {
    Zone zone;
    zone.load(text(1, many(20)), mode);
    zone.nodes.puts = zone.nsec3.puts = 0;
    auto progress = zone.resign(mode, now + std::chrono::days(5), 1000);
    progress = zone.resign(mode, now + std::chrono::days(5), 1000, progress);
    CHECK(progress.done);
    CHECK(progress.written == 0);
    CHECK(zone.nodes.puts + zone.nsec3.puts == 0);
    CHECK(zone.serial == 1);
  }
}

TEST_CASE("re-signing: step by step everything is fresh again, TTLs and chain as they were") {
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3, Mode::OptOut}) {
    Zone zone;
    zone.load(text(1, many(50)), mode);
    const auto before = shape(zone);
    const UnixTime later = now + std::chrono::hours(24 * 12);
    ResignProgress progress;
    int steps = 0;
    while (!progress.done) {
      const size_t written = progress.written;
      progress = zone.resign(mode, later, 7, progress);
      CHECK(progress.written - written <= 8);  // seven and the apex
      REQUIRE(++steps < 100);
    }
    CHECK(steps > 5);
    CHECK(zone.serial > 1);
    CHECK(shape(zone) == before);
    // All is valid long after the first signatures have expired.
    CHECK(faults(zone, mode, keys(), later + std::chrono::days(9)) == nothing);
  }
}

TEST_CASE("re-signing: with recheck it ends, and a second round writes nothing") {
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3}) {
    Zone zone;
    zone.load(text(1, many(5)), mode);
    ResignProgress progress;
    for (int i = 0; i < 10 && !progress.done; ++i) progress = zone.resign(mode, now, 1000, progress, keys(), true);
    CHECK(progress.done);
    CHECK(progress.written == 0);
    CHECK(zone.serial == 1);
  }
}

#include "daemon/trust_sweep.hh"

#include <doctest/doctest.h>

using namespace steward;
using steward::daemon::TrustSweep;

namespace {

constexpr Seconds day{24 * 3600};
const UnixTime start = unix_time(1'800'000'000);

dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }

struct Walk {
  explicit Walk(uint64_t how_many, Seconds how_long = day) : agents(how_many), interval(how_long) { sweep.resume(now); }

  /// One step, if it is time for one.
  bool look(uint64_t most) {
    const auto due = sweep.due(now, interval);
    if (!due || *due > now) return false;
    const uint64_t looked = std::min(most, agents - sweep.looked());
    const bool ends = sweep.looked() + looked == agents;
    sweep.step(now, interval, looked, agents, ends ? std::nullopt : std::optional(name("bot.example.")));
    return true;
  }
  /// Until a round is over, a look each second, as the server has it; the steps that it took.
  uint64_t round(uint64_t most) {
    uint64_t steps = 0;
    for (const uint32_t before = sweep.rounds(); sweep.rounds() == before; now += Seconds(1))
      while (sweep.rounds() == before && look(most)) ++steps;
    return steps;
  }

  uint64_t agents;
  Seconds interval;
  UnixTime now = start;
  TrustSweep sweep;
};

}  // namespace

TEST_CASE("trust sweep: a round takes about its interval, evenly, however many agents there are") {
  for (const uint64_t agents : {uint64_t{1000}, uint64_t{100'000}, uint64_t{1'000'000}, uint64_t{20'000'000}}) {
    CAPTURE(agents);
    Walk walk(agents);
    const uint64_t steps = walk.round(TrustSweep::most_read);
    CHECK(steps == (agents + TrustSweep::most_read - 1) / TrustSweep::most_read);
    // The next round begins when the interval is over.
    CHECK(*walk.sweep.due(walk.now, day) <= start + day + Seconds(60));
    CHECK(*walk.sweep.due(walk.now, day) >= start + day - Seconds(60));
  }
}

TEST_CASE("trust sweep: a few agents are looked at together, and then not for an interval") {
  Walk walk(3);
  CHECK(walk.look(TrustSweep::most_read));
  CHECK_FALSE(walk.look(TrustSweep::most_read));
  CHECK(*walk.sweep.due(walk.now, day) == start + day);
  Walk nobody(0);
  CHECK(nobody.look(TrustSweep::most_read));
  CHECK(*nobody.sweep.due(nobody.now, day) == start + day);
}

TEST_CASE("trust sweep: who was down for long makes nothing good at once, and goes on at the same pace") {
  Walk walk(100'000);
  CHECK(walk.look(1000));
  walk.now += 10 * day;
  walk.sweep.resume(walk.now);
  CHECK(walk.look(1000));
  CHECK_FALSE(walk.look(1000));
  CHECK(*walk.sweep.due(walk.now, day) == walk.now + day / 100);
  // Without a restart as well: a machine that slept.
  walk.now += 10 * day;
  CHECK(walk.look(1000));
  CHECK_FALSE(walk.look(1000));
}

TEST_CASE("trust sweep: neither a clock that is set back nor a shorter interval stops it") {
  Walk walk(10);
  CHECK(walk.look(100));
  walk.interval = Seconds(60);
  CHECK(walk.look(100));
  CHECK(*walk.sweep.due(walk.now, walk.interval) == start + Seconds(60));
  walk.now -= 30 * day;
  CHECK(walk.look(100));
  CHECK(*walk.sweep.due(walk.now, walk.interval) == walk.now + Seconds(60));
  CHECK_FALSE(walk.sweep.due(walk.now, Seconds(0)));
}

TEST_CASE("trust sweep: what is kept is what was, and octets that are none are refused") {
  TrustSweep sweep;
  sweep.resume(start);
  sweep.step(start, day, 0, 7, std::nullopt);
  sweep.step(start + day, day, 5, 7, name("bot.acme.example."));
  const Bytes octets = sweep.to_octets();
  const auto again = TrustSweep::from_octets(octets);
  REQUIRE(again);
  CHECK(again->after() == sweep.after());
  CHECK(again->looked() == 5);
  CHECK(again->rounds() == 1);
  CHECK(again->due(start, day) == sweep.due(start, day));
  for (size_t size = 0; size < octets.size(); ++size)
    if (size != 21) CHECK_FALSE(TrustSweep::from_octets(ByteView(octets).first(size)));  // there, a round begins
  Bytes other = octets;
  other[0] = 2;
  CHECK_FALSE(TrustSweep::from_octets(other));
}

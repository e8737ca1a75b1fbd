// TTLs that never outlive a lease, by the clock alone.

#include "change/lease.hh"

#include <doctest/doctest.h>

#include "publish_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

constexpr const char* bot = "bot.acme.example.";

struct Leased {
  explicit Leased(uint32_t lease, uint32_t ttl = 300) {
    registry.allow(owner);
    draft.ttl = ttl;
    script = Registry::update(bot, registry.records(draft, owner));
    REQUIRE_DONE(registry.send(script, owner, bot, UpdateLease{lease, 0}));
    end = *registry.entry()->lease_until;
  }
  UnixTime look() {
    UnixTime again;
    registry.zone.edit(registry.mode, [&](ZoneEdit& edit) {
      again = shorten_ttls(name(bot), *registry.entry(), edit, registry.clock);
    });
    return again;
  }
  /// Of all that is the agent's alone.
  uint32_t longest() {
    uint32_t ttl = 0;
    registry.zone.edit(registry.mode, [&](ZoneEdit& edit) {
      for (const char* at : {bot, "_manifest.bot.acme.example.", "_registry.bot.acme.example.",
                             "_trust.bot.acme.example.", "bot._a2a._tcp.acme.example."})
        for (const EditedRrset& rrset : edit.rrsets(name(at))) ttl = std::max(ttl, rrset.ttl);
    });
    return ttl;
  }

  Registry registry{Mode::Nsec};
  Owner owner;
  Draft draft;
  Script script;
  UnixTime end;
};

}  // namespace

TEST_CASE("lease: each look is later than the one before, at or before the end, and few [RFC 9664 §5]") {
  for (const uint32_t seconds : {30U, 31U, 59U, 100U, 600U, 3601U, 86400U, 604800U}) {
    Leased leased(seconds);
    size_t looks = 0;
    for (UnixTime next = leased.look(); next < leased.end; next = leased.look(), ++looks) {
      REQUIRE(next > leased.registry.clock);
      // Whoever asks in the second before the look has forgotten the answer at the end.
      CHECK(next - Seconds(1) + Seconds(leased.longest()) < leased.end);
      leased.registry.clock = next;
    }
    CHECK(looks <= 10);
    CHECK(leased.longest() <= 1);
  }
}

TEST_CASE("lease: a look that came late, as after a standstill, still leaves no TTL beyond the end") {
  for (const int64_t late : {0, 1, 2, 3, 7, 29}) {
    Leased leased(600);
    leased.registry.clock = leased.end - Seconds(late);
    const UnixTime next = leased.look();
    CHECK(Seconds(leased.longest()).count() <= late);
    CHECK(next <= leased.end);
    CHECK((next > leased.registry.clock || late == 0));
  }
}

TEST_CASE("lease: a refresh lengthens what was shortened, to what was asked for or a tenth of the lease") {
  for (const auto& [asked, wanted] : {std::pair(300U, 60U), std::pair(20U, 20U)}) {
    Leased leased(600, asked);
    leased.registry.clock = leased.end - Seconds(5);
    leased.look();
    CHECK(leased.longest() < 5);
    const Bytes wire = leased.script.wire();
    leased.registry.zone.edit(leased.registry.mode, [&](ZoneEdit& edit) {
      lengthen_ttls(name(bot), *parse_update(wire), {600, 0}, edit);
    });
    CHECK(leased.longest() == wanted);
  }
}

TEST_CASE("lease: listings that name several agents keep their TTL") {
  Leased leased(600);
  const auto before = leased.registry.at("_a2a._tcp.acme.example.");
  REQUIRE_FALSE(before.empty());
  leased.registry.clock = leased.end - Seconds(5);
  leased.look();
  CHECK(leased.registry.at("_a2a._tcp.acme.example.") == before);
}

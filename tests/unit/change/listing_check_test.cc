#include <doctest/doctest.h>

#include "change/listing_check.hh"
#include "change/stray_listings.hh"

#include <doctest/doctest.h>

#include "publish_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

constexpr const char* bot = "bot.acme.example.";

struct Published {
  Published() {
    registry.allow(owner);
    REQUIRE_DONE(registry.publish({}, owner));
  }
  std::string fault(const agent::AgentEntry& entry) {
    return listing_fault(name(bot), entry, registry.policy.zone, registry.pages, registry.ranks);
  }
  std::string fault() { return fault(*registry.entry()); }

  Registry registry{Mode::Nsec};
  Owner owner;
};

}  // namespace

TEST_CASE("listing check: what is published, stated anew, suspended, restored and withdrawn is listed as the book has it") {
  Published p;
  CHECK(p.fault().empty());
  CHECK(p.registry.act([&](ZoneEdit& edit, RegistryState& state) -> Result<PublishEffect> {
    if (auto done = restate_trust(name(bot), {{"tests", {1.0, false, p.registry.clock}}}, p.registry.policy, edit, state, p.registry.clock); !done)
      return tl::unexpected<Error>(done.error());
    return PublishEffect{name(bot), p.owner.print, p.owner.print, {}};
  }));
  CHECK(p.registry.entry()->trust > 0);
  CHECK(p.fault().empty());
  for (const auto& reason : {std::optional<std::string>("spam"), std::optional<std::string>()}) {
    CHECK(p.registry.act([&](ZoneEdit& edit, RegistryState& state) {
      return suspend_agent(name(bot), reason, p.registry.policy, edit, state, p.registry.clock);
    }));
    CHECK(p.fault().empty());
  }
  p.registry.pass(Seconds(1));
  Draft gone;
  gone.status = AgentStatus::Withdrawn;
  REQUIRE_DONE(p.registry.publish(gone, p.owner));
  CHECK(p.fault().empty());
}

TEST_CASE("listing check: an entry that says something else than its listings is told, with the term") {
  Published p;
  agent::AgentEntry other = *p.registry.entry();
  other.trust = 0.77;
  CHECK(p.fault(other) == "not found by 'plan'");
  other = *p.registry.entry();
  other.capabilities.push_back("sing");
  CHECK(p.fault(other) == "not found by 'sing'");
  other = *p.registry.entry();
  other.suspended = "spam";
  CHECK(p.fault(other) == "still found by 'plan'");
  other.presence = agent::Presence::Gone;
  CHECK(p.fault(other) == "still found by 'plan'");
}

TEST_CASE("listing check: ranks that do not have it are told") {
  Published p;
  Bytes key;
  while (p.registry.ranks.at_or_after(key)) REQUIRE(p.registry.ranks.put(key, {}));
  CHECK(p.fault() == "not in its namespace's index");
  agent::AgentEntry learned = *p.registry.entry();
  learned.write = {};
  CHECK(p.fault(learned).empty());
}

TEST_CASE("stray listings: of an agent that is there there are none; of one that is not, all its places are taken out with their records") {
  Published p;
  Draft other;
  other.agent = "fox.acme.example.";
  p.registry.policy.look_alikes = false;
  REQUIRE_DONE(p.registry.publish(other, p.owner));
  const auto strays = [&](const dns::Name& gone) {
    std::vector<ListingPlace> found;
    ListingWalk walk;
    for (;;) {
      const auto places = next_places(p.registry.pages, p.registry.ranks, p.registry.policy.zone, walk);
      REQUIRE(places);
      if (!*places) return found;
      for (const ListingPlace& place : **places) {
        const auto entry = p.registry.entry(place.agent.to_text());
        const auto wanted = entry && place.agent != gone ? found_agent(place.agent, *entry) : std::nullopt;
        if (is_stray(place, wanted, p.registry.policy.zone)) found.push_back(place);
      }
    }
  };
  CHECK(strays(name("nobody.example.")).empty());
  const auto found = strays(name(bot));
  CHECK(found.size() == 5);  // two pages, the index, a service and its subtype
  for (const ListingPlace& place : found) CHECK(place.agent == name(bot));
  CHECK(p.registry.act([&](ZoneEdit& edit, RegistryState& state) -> Result<PublishEffect> {
    for (const ListingPlace& stray : found) {
      // Twice: what was mended meanwhile is left alone.
      for (int i = 0; i < 2; ++i)
        if (auto done = strike_stray(edit, state.pages, state.ranks, p.registry.policy.zone, stray, std::nullopt); !done) return tl::unexpected<Error>(done.error());
    }
    return PublishEffect{name(bot), p.owner.print, p.owner.print, {}};
  }));
  CHECK(strays(name(bot)).empty());
  for (const char* owner : {"bot._find._agents.example.", "bot._a2a._tcp.acme.example."}) CHECK(p.registry.at(owner).empty());
  for (const char* owner : {"plan._find._agents.example.", "_a2a._tcp.acme.example.", "_plan._sub._a2a._tcp.acme.example."})
    CHECK(p.registry.rdatas(owner, RrType::PTR).size() == 1);
  CHECK_FALSE(p.registry.at("fox._a2a._tcp.acme.example.").empty());
}

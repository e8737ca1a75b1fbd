// Trust that changes with time alone.

#include "agent/trust.hh"
#include "change/find_pages.hh"
#include "change/listing.hh"
#include "registry_fixture.hh"

using namespace steward;
using namespace steward::daemon;
using namespace steward::daemon::test;

namespace {

constexpr int64_t day = 24 * 3600;

struct Trusting : World {
  Trusting() {
    allow(owner);
    policy.trust.unknown = 0.9;  // so that trust is 0.72 for one that is new, and 0.9 after 30 days
    start();
  }

  static std::string agent(int number) { return "bot" + std::to_string(number) + ".acme.example."; }
  void publish(int agents) {
    policy.look_alikes = false;
    start();
    for (int number = 0; number < agents; ++number)
      REQUIRE(admit(publish_of(owner, "1.0.0", agent(number)), owner).update.done());
  }
  /// One look; whether there was anything to look at.
  bool look() {
    bool told = false;
    const bool looked = registry->look_at_trust(*keeper, [&] { told = true; });
    group->flush();
    REQUIRE(told == looked);
    return looked;
  }
  void look_at_all() {
    for (int looks = 0; look(); ++looks) REQUIRE(looks < 100);
  }
  /// How many agents' entries state this much.
  int stating(int agents, double trust) {
    int count = 0;
    for (int number = 0; number < agents; ++number) count += entry(agent(number))->trust == doctest::Approx(trust);
    return count;
  }
  [[nodiscard]] uint32_t serial() const { return keeper->status().serial; }

  Owner owner;
};

}  // namespace

TEST_CASE_FIXTURE(Trusting, "registry trust: it grows with age by itself, and nothing is written where its two decimals stay") {
  REQUIRE(admit(publish_of(owner), owner).update.done());
  CHECK(entry()->trust == doctest::Approx(0.72));
  const uint32_t published = serial();
  const agent::WriteStamp written = entry()->write;
  uint32_t before = published;
  for (int hours = 0; hours < 40 * 24; ++hours, clock.time += 3600) {
    look_at_all();
    CHECK(serial() - before <= 1);
    const auto now = agent::trust_of(*entry(), policy.trust, clock.now()).trust;
    CHECK(std::abs(entry()->trust - now) < 0.015);  // a day's growth at most
    before = serial();
  }
  CHECK(entry()->trust == doctest::Approx(0.9));
  CHECK(serial() - published == 18);
  CHECK(registry->trust_figures().restated == 18);
  CHECK(registry->trust_figures().rounds >= 39);
  CHECK(registry->trust_figures().rounds <= 41);
  CHECK(registry->trust_figures().error.empty());
  // It is no write of the publisher's, and no event of the agent's history.
  CHECK(entry()->write.clock == written.clock);
  CHECK(entry()->write.stamp == written.stamp);
  CHECK(entry()->history == 1);
}

TEST_CASE_FIXTURE(Trusting, "registry trust: what is stated is what is listed, in the same commit") {
  REQUIRE(admit(publish_of(owner), owner).update.done());
  clock.time += 60 * day;
  look_at_all();
  std::string stated;
  std::string page;
  act([&](change::ZoneEdit& edit, change::RegistryState&) {
    for (const change::EditedRrset& rrset : edit.rrsets(name("_registry.bot.acme.example.")))
      for (const Bytes& rdata : rrset.rdatas) stated += as_text(rdata);
    for (const change::EditedRrset& rrset : edit.rrsets(name("plan._find._agents.example.")))
      for (const Bytes& rdata : rrset.rdatas) page += as_text(rdata);
  });
  CHECK(stated.find("trust=0.90") != std::string::npos);
  CHECK(page.find("bot") != std::string::npos);
}

TEST_CASE_FIXTURE(Trusting, "registry trust: at most 64 agents an edit, and a restart goes on where the walk was") {
  publish(150);
  look_at_all();
  clock.time += 60 * day;
  // The last look is long past: it is time for some, at the pace of an interval.
  REQUIRE(look());
  CHECK(stating(150, 0.9) == 64);
  CHECK_FALSE(look());
  start();
  CHECK(stating(150, 0.9) == 64);
  clock.time += day / 2;
  REQUIRE(look());
  CHECK(stating(150, 0.9) == 128);
  CHECK(registry->trust_figures().looked == 128);
  CHECK(registry->trust_figures().restated == 64);
  clock.time += day / 2;
  REQUIRE(look());
  CHECK(stating(150, 0.9) == 150);
  CHECK(registry->trust_figures().rounds == 2);
  const uint32_t done = serial();
  clock.time += day;
  look_at_all();
  CHECK(serial() == done);
}

TEST_CASE_FIXTURE(Trusting, "registry trust: another policy reaches all agents within an interval, interval 0 none") {
  publish(3);
  look_at_all();
  policy.trust.unknown = 0.5;
  policy.trust_interval = Seconds(0);
  registry->set_policy(std::make_shared<const change::PublishPolicy>(policy));
  clock.time += 2 * day;
  CHECK_FALSE(look());
  CHECK_FALSE(registry->next_trust_look());
  policy.trust_interval = Seconds(3600);
  registry->set_policy(std::make_shared<const change::PublishPolicy>(policy));
  CHECK(registry->next_trust_look() <= clock.now());
  look_at_all();
  CHECK(stating(3, 0.41) == 3);
}

TEST_CASE_FIXTURE(Trusting, "registry trust: one agent that cannot be stated anew holds up nobody else") {
  publish(3);
  look_at_all();
  act([&](change::ZoneEdit&, change::RegistryState& state) {
    auto broken = **state.book.find(name(agent(1)));
    broken.protocols = {"no-service-has-so-long-a-name"};
    REQUIRE(state.book.put(name(agent(1)), broken));
  });
  clock.time += 60 * day;
  look_at_all();
  CHECK(stating(3, 0.9) == 2);
  CHECK(registry->trust_figures().restated == 2);
  CHECK(registry->trust_figures().error.empty());
}

TEST_CASE_FIXTURE(Trusting, "registry trust: who has no statement of the registry gets one, whoever the agent came by") {
  publish(3);
  look_at_all();
  act([&](change::ZoneEdit& edit, change::RegistryState& state) {
    for (int number = 0; number < 2; ++number) edit.remove_rrset(name("_registry." + agent(number)), dns::RrType::TXT);
    auto learned = **state.book.find(name(agent(1)));
    learned.write = {};  // as of a zone file that was learned before there were stamps
    REQUIRE(state.book.put(name(agent(1)), learned));
  });
  const auto statement_of = [&](int number) {
    std::string text;
    act([&](change::ZoneEdit& edit, change::RegistryState&) {
      for (const change::EditedRrset& rrset : edit.rrsets(name("_registry." + agent(number))))
        for (const Bytes& rdata : rrset.rdatas) text += as_text(rdata);
    });
    return text;
  };
  CHECK(statement_of(0).empty());
  clock.time += 60 * day;
  look_at_all();
  for (int number = 0; number < 3; ++number) CHECK(statement_of(number).find("v=steward-registry1") != std::string::npos);
  CHECK(entry(agent(1))->from_file);
  CHECK(entry(agent(1))->write.stamp != 0);
  CHECK(registry->trust_figures().faults == 0);
  const uint32_t before = serial();
  const uint64_t restated = registry->trust_figures().restated;
  clock.time += day;
  look_at_all();
  CHECK(registry->trust_figures().restated == restated);
  CHECK(serial() == before);
}

TEST_CASE_FIXTURE(Trusting, "registry trust: what is listed of nobody is found, counted and taken away, and what is right stays") {
  publish(3);
  look_at_all();
  CHECK(registry->trust_figures().strays == 0);
  const auto ptrs = [&](std::string_view at) {
    size_t count = 0;
    act([&](change::ZoneEdit& edit, change::RegistryState&) {
      for (const change::EditedRrset& rrset : edit.rrsets(name(at)))
        if (rrset.type == dns::RrType::PTR) count += rrset.rdatas.size();
    });
    return count;
  };
  const auto index = [&] {
    std::string text;
    act([&](change::ZoneEdit& edit, change::RegistryState&) {
      for (const change::EditedRrset& rrset : edit.rrsets(name("_index._agents.acme.example.")))
        for (const Bytes& rdata : rrset.rdatas) text += as_text(rdata);
    });
    return text;
  };
  act([&](change::ZoneEdit& edit, change::RegistryState& state) {
    const dns::Name ghost = name("ghost.acme.example.");
    REQUIRE(change::update_found(edit, state.pages, policy.zone, std::nullopt, change::FoundAgent{ghost, 0.5, {"plan", "sing"}}));
    change::ListedAgent listed;
    listed.agent = ghost;
    listed.trust = 0.5;
    REQUIRE(change::list_agent(edit, state.ranks, std::nullopt, listed));
    // One that is there, with another trust: a second place of it.
    REQUIRE(change::update_found(edit, state.pages, policy.zone, std::nullopt, change::FoundAgent{name(agent(1)), 0.11, {"plan"}}));
  });
  CHECK(ptrs("plan._find._agents.example.") == 4);
  CHECK(ptrs("sing._find._agents.example.") == 1);
  CHECK(index().find("ghost") != std::string::npos);
  clock.time += 2 * day;
  look_at_all();
  CHECK(registry->trust_figures().strays == 4);
  CHECK(registry->trust_figures().stray.find("._agents") != std::string::npos);
  CHECK(registry->trust_figures().faults == 0);
  CHECK(ptrs("plan._find._agents.example.") == 3);
  CHECK(ptrs("sing._find._agents.example.") == 0);
  CHECK(index().find("ghost") == std::string::npos);
  CHECK(index().find("bot1") != std::string::npos);
  clock.time += 2 * day;
  look_at_all();
  CHECK(registry->trust_figures().strays == 0);
}

TEST_CASE_FIXTURE(Trusting, "registry trust: what is withdrawn, gone or the zone file's own word is left alone") {
  publish(2);
  act([&](change::ZoneEdit& edit, change::RegistryState& state) {
    auto tombstone = **state.book.find(name(agent(0)));
    REQUIRE(change::update_found(edit, state.pages, policy.zone, change::found_agent(name(agent(0)), tombstone), std::nullopt));
    change::ListedAgent listed;
    listed.agent = name(agent(0));
    listed.trust = tombstone.trust;
    REQUIRE(change::list_agent(edit, state.ranks, listed, std::nullopt));
    tombstone.presence = agent::Presence::Tombstone;
    REQUIRE(state.book.put(name(agent(0)), tombstone));
    auto learned = **state.book.find(name(agent(1)));
    learned.write = {};
    REQUIRE(state.book.put(name(agent(1)), learned));
  });
  const uint32_t before = serial();
  clock.time += 60 * day;
  look_at_all();
  CHECK(serial() == before);
}

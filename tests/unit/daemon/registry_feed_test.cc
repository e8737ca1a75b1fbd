// The feed goes with the registry's zone: in each commit, or in none.

#include <algorithm>
#include <map>

#include "federation/check.hh"
#include "federation/clock.hh"
#include "federation/entry.hh"
#include "registry_fixture.hh"

using namespace steward;
using namespace steward::daemon;
using namespace steward::daemon::test;
using federation::FeedEntry;

namespace {

struct Fed : World {
  explicit Fed(bool with_feed = true) : World(with_feed) { allow(owner); }

  /// What a reader of the feed finds there, by agent.
  [[nodiscard]] std::map<std::string, FeedEntry> entries() {
    std::map<std::string, std::vector<federation::PublishedRecord>> records;
    auto reader = std::move(*store->make_reader());
    REQUIRE(reader->acquire());
    const store::ZoneRecord* record = reader->zone_record(feed_names.feed);
    REQUIRE(record != nullptr);
    for (Bytes key{0}; const zone::NodeView node = reader->node_at_or_after(record->info, key); key.push_back(0)) {
      if (node.rrset_count() == 0) continue;
      const auto place = federation::feed_place(node.owner(), feed_names.feed, feed_names.zone);
      REQUIRE_MESSAGE(place, node.owner().to_text());
      for (size_t i = 0; i < node.rrset_count(); ++i)
        for (zone::StoredRrReader rrs(node.rrset(i).rrs); !rrs.done();) {
          Bytes rdata;
          zone::expand_rdata(node.rrset(i).type, rrs.next().rdata, node.owner(), rdata);
          records[place->agent.to_text()].push_back(
              {dns::Name(node.owner()), node.rrset(i).type, node.rrset(i).ttl(), rdata});
        }
    }
    reader->release();
    std::map<std::string, FeedEntry> found;
    for (const auto& [agent, rows] : records) {
      const auto read = federation::read_feed(rows, feed_names.feed, feed_names.zone);
      REQUIRE_MESSAGE(read, (read ? "" : read.error().what));
      REQUIRE(read->writes.size() == 1);
      const auto sound =
          federation::check_entry(read->writes.front(), {name("acme.example."), clock.now(), policy.clock_skew, {}});
      CHECK_MESSAGE(sound, (sound ? "" : sound.error().what));
      found.emplace(agent, read->writes.front());
    }
    return found;
  }
  [[nodiscard]] uint32_t feed_serial() const { return store->find_zone(feed_names.feed)->serial; }
  [[nodiscard]] uint32_t zone_serial() const { return store->find_zone(feed_names.zone)->serial; }

  /// As many slices as it takes; how many those were.
  int fill() {
    int slices = 0;
    bool more = true;
    while (std::exchange(more, false) && registry->fill_feed(*keeper, [&](bool ok) { more = ok; })) {
      group->flush();
      ++slices;
    }
    return slices;
  }

  Owner owner;
};

struct Unfed : Fed {
  Unfed() : Fed(false) {}
  void publish(int count) {
    policy.agents_per_key = 0;
    for (int i = 0; i < count; ++i) {
      const std::string agent = "bot" + std::to_string(1000 + i) + ".acme.example.";
      const auto outcome = admit(publish_of(owner, "1.0.0", agent), owner);
      REQUIRE(outcome.update.done());
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fed, "feed: a publish is there with its commit, under a serial of the feed's own") {
  CHECK(entries().empty());
  const uint32_t before = feed_serial();
  REQUIRE(admit(publish_of(owner), owner).update.done());
  REQUIRE(entries().size() == 1);
  CHECK(entries().at(std::string(bot)).version() == "1.0.0");
  CHECK(feed_serial() == before + 1);
  CHECK(feed->status().serial == feed_serial());
  clock.time += 10;
  REQUIRE(admit(publish_of(owner, "1.1.0"), owner).update.done());
  CHECK(entries().at(std::string(bot)).version() == "1.1.0");
  CHECK(entries().at(std::string(bot)).write.clock == federation::VectorClock{{"eu-4f2a", 2}});
  CHECK(feed_serial() == before + 2);
}

TEST_CASE_FIXTURE(Fed, "feed: a commit that fails leaves zone and feed as they were, and nothing for the next one") {
  REQUIRE(admit(publish_of(owner), owner).update.done());
  const uint32_t of_feed = feed_serial();
  const uint32_t of_zone = zone_serial();
  clock.time += 10;
  admit(publish_of(owner, "1.1.0"), owner, {}, [] { return fail(Errc::Io, "the disk is full"); });
  CHECK_FALSE(committed);
  CHECK(feed_serial() == of_feed);
  CHECK(zone_serial() == of_zone);
  CHECK(entries().at(std::string(bot)).version() == "1.0.0");
  // An edit of the zone that is about no agent.
  keeper->edit(
      [](change::ZoneEdit& edit, ZoneTables&) -> Result<void> {
        edit.add(name("other.example."), dns::RrType::A, 300, Bytes{192, 0, 2, 7});
        return {};
      },
      false, [](const LoadOutcome& outcome) { CHECK(outcome.ok); });
  group->flush();
  CHECK(zone_serial() != of_zone);
  CHECK(feed_serial() == of_feed);
}

TEST_CASE_FIXTURE(Fed, "feed: where the feed cannot be written the zone is not changed either") {
  REQUIRE(admit(publish_of(owner), owner).update.done());
  const uint32_t of_zone = zone_serial();
  clock.time += 10;
  bool told = false;
  keeper->edit_with(
      *feed,
      [](change::ZoneEdit& edit, ZoneTables&) -> Result<void> {
        edit.add(name("other.example."), dns::RrType::A, 300, Bytes{192, 0, 2, 7});
        return {};
      },
      [](change::ZoneEdit&, ZoneTables&) -> Result<void> { return fail(Errc::Full, "no room"); },
      [&](const LoadOutcome& outcome) {
        told = true;
        CHECK_FALSE(outcome.ok);
        CHECK(outcome.error == "no room");
      });
  group->flush();
  CHECK(told);
  CHECK(zone_serial() == of_zone);
  CHECK(keeper->status().serial == of_zone);
}

TEST_CASE_FIXTURE(Fed, "feed: a takedown and the end of a lease are writes, a shorter TTL is told alone") {
  REQUIRE(admit(publish_of(owner), owner, change::UpdateLease{600, 0}).update.done());
  const FeedEntry first = entries().at(std::string(bot));
  CHECK(first.ttl == 60);
  clock.time += 570;
  REQUIRE(registry->look_at_leases(*keeper, [] {}));
  group->flush();
  const FeedEntry shorter = entries().at(std::string(bot));
  CHECK(shorter.ttl < 60);
  CHECK(shorter.write_octets() == first.write_octets());
  CHECK(shorter.told > first.told);
  clock.time += 30;
  REQUIRE(registry->look_at_leases(*keeper, [] {}));
  group->flush();
  const FeedEntry gone = entries().at(std::string(bot));
  CHECK(gone.gone);
  CHECK(federation::compare(first.write.clock, gone.write.clock) == federation::ClockOrder::Before);
}

TEST_CASE_FIXTURE(Fed, "feed: many imports in one commit leave each stamp at the time") {
  REQUIRE(admit(publish_of(owner), owner).update.done());
  const auto before = entries().at(std::string(bot)).write.stamp;
  for (int i = 0; i < 20; ++i) {
    const std::string agent = "bot" + std::to_string(i) + ".acme.example.";
    REQUIRE(admit(publish_of(owner, "1.0.0", agent), owner).update.done());
  }
  for (const auto& [agent, entry] : entries()) CHECK(entry.write.stamp == before);
}

TEST_CASE_FIXTURE(Unfed, "feed: one that is younger than the agents takes them slice by slice, and a restart goes on") {
  publish(600);
  make_feed();
  start();
  CHECK(entries().empty());
  // One slice, then a stop.
  bool more = false;
  REQUIRE(registry->fill_feed(*keeper, [&](bool ok) { more = ok; }));
  group->flush();
  CHECK(more);
  CHECK(entries().size() == 256);
  make_feed();
  start();
  CHECK(fill() == 2);
  CHECK(entries().size() == 600);
  // There is nothing to do once it has all.
  const uint32_t serial = feed_serial();
  CHECK_FALSE(registry->fill_feed(*keeper, [](bool) {}));
  CHECK(feed_serial() == serial);
}

TEST_CASE_FIXTURE(Unfed, "feed: a slice that fails is taken again, and what changes meanwhile is there as it is now") {
  publish(300);
  make_feed();
  start();
  clock.time += 10;
  const std::string last = "bot1299.acme.example.";
  REQUIRE(admit(publish_of(owner, "2.0.0", last), owner).update.done());
  CHECK(entries().size() == 1);
  CHECK(fill() == 2);
  CHECK(entries().size() == 300);
  CHECK(entries().at(last).version() == "2.0.0");
  CHECK(entries().at(last).write.clock == federation::VectorClock{{"eu-4f2a", 2}});
}

TEST_CASE_FIXTURE(Unfed, "feed: an agent of a time without clocks gets one when the feed takes it") {
  publish(1);
  const std::string agent = "bot1000.acme.example.";
  registry->change(
      *keeper,
      [&](RegistryZone::Changes& changes) -> Result<void> {
        auto entry = changes.book().find(name(agent)).value().value();
        entry.write = {};
        return changes.act([&](change::ZoneEdit&, change::RegistryState& state)
                               -> Result<std::optional<change::PublishEffect>> {
          if (auto put = state.book.put(name(agent), entry); !put) return tl::unexpected<Error>(put.error());
          return std::nullopt;
        });
      },
      [](const LoadOutcome& outcome) { CHECK(outcome.ok); });
  group->flush();
  make_feed();
  start();
  CHECK(fill() == 1);
  CHECK(entries().at(agent).write.clock == federation::VectorClock{{"eu-4f2a", 1}});
  CHECK(entry(agent)->write.replica == "eu-4f2a");
}

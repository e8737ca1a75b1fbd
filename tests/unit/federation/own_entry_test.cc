// The feed of a registry in memory: what is published there is read back from the feed and checked as a parent would.

#include "federation/own_entry.hh"

#include <doctest/doctest.h>

#include <algorithm>

#include "../change/publish_fixture.hh"
#include "change/publish.hh"
#include "federation/check.hh"
#include "federation/clock.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::federation;
using change::test::Draft;
using change::test::Owner;
using change::test::Registry;
using change::test::name;
using change::test::rule_of;
using agent::AgentStatus;

namespace {

constexpr std::string_view bot = "bot.acme.example.";

/// A feed zone in two tables in memory.
struct Feed {
  Feed() {
    auto loaded = zone::load_zone_text(feed_text(41), "feed", names.feed, {});
    REQUIRE(loaded.image);
    change::RewriteRequest request;
    request.apex = names.feed;
    request.image = loaded.image.get();
    REQUIRE(change::rewrite_zone(request, nodes, nsec3, parallel));
  }

  Result<void> put(FeedEntry entry, UnixTime now) {
    return edit_with([&](change::ZoneEdit& edit) { return put_in_feed(std::move(entry), names, edit, now); });
  }
  Result<void> edit_with(const auto& edits) {
    change::EditRequest request;
    request.apex = names.feed;
    request.stored_serial = serial;
    change::ZoneEdit edit(request, nodes, nsec3, nullptr);
    auto done = edits(edit);
    changed = edit.has_changes();
    if (changed) serial = edit.finish(parallel).value().serial;
    return done;
  }

  Result<void> hand_on(HandedOn handed, UnixTime now) {
    return edit_with([&](change::ZoneEdit& edit) { return hand_on_in_feed(std::move(handed), names, edit, now); });
  }

  /// All records but those of the apex.
  [[nodiscard]] std::vector<PublishedRecord> records() const {
    std::vector<PublishedRecord> all;
    for (const auto& [key, blob] : nodes.nodes()) {
      const zone::NodeView node(blob->data());
      if (key.empty()) continue;
      for (size_t i = 0; i < node.rrset_count(); ++i) {
        const auto rrset = node.rrset(i);
        for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
          Bytes rdata;
          zone::expand_rdata(rrset.type, reader.next().rdata, node.owner(), rdata);
          all.push_back({dns::Name(node.owner()), rrset.type, rrset.ttl(), rdata});
        }
      }
    }
    return all;
  }
  /// The one entry that it holds.
  [[nodiscard]] FeedEntry entry() const {
    const auto read = read_feed(records(), names.feed, names.zone);
    REQUIRE_MESSAGE(read, (read ? "" : read.error().what));
    REQUIRE(read->writes.size() == 1);
    REQUIRE(read->refused.empty());
    return read->writes.front();
  }

  FeedNames names{name("example."), feed_name("eu-4f2a", name("example.")).value()};
  steward::test::MemoryTable nodes;
  steward::test::MemoryTable nsec3;
  Parallel parallel{1};
  uint32_t serial = 41;
  bool changed = false;
};

struct World : Registry {
  World() { allow(owner); }

  [[nodiscard]] FeedEntry own() {
    std::optional<FeedEntry> made;
    REQUIRE(act([&](change::ZoneEdit& edit, change::RegistryState& state) -> Result<change::PublishEffect> {
      const auto held = state.book.find(name(bot)).value().value();
      made = own_entry(name(bot), held, change::read_rows(edit, change::AgentNames(name(bot))), policy.registry_id);
      const std::string key = held.presence == agent::Presence::Gone ? "" : held.fingerprint;
      return change::PublishEffect{name(bot), key, key, {}};
    }));
    return *made;
  }
  /// Into the feed, and out of it as who reads it sees it.
  FeedEntry carry() {
    const auto put = feed.put(own(), clock);
    REQUIRE_MESSAGE(put, (put ? "" : put.error().what));
    FeedEntry read = feed.entry();
    const auto sound = check_entry(read, {name("acme.example."), clock, policy.clock_skew, {}});
    REQUIRE_MESSAGE(sound, (sound ? "" : sound.error().what));
    return read;
  }

  Owner owner;
  Feed feed;
};

Draft draft(std::string version, AgentStatus status = AgentStatus::Active) {
  Draft made;
  made.version = std::move(version);
  made.status = status;
  return made;
}

}  // namespace

TEST_CASE("feed: the zone without agents has SOA and NS, and its name the replica's id") {
  const Feed feed;
  CHECK(feed.names.feed == name("eu-4f2a._feed.example."));
  CHECK(feed.records().empty());
  CHECK(feed.nodes.nodes().size() == 1);
  CHECK_FALSE(feed_name("EU", name("example.")));
}

TEST_CASE_FIXTURE(World, "feed: a publish is an entry, sound by itself, with the octets that are served") {
  REQUIRE_DONE(publish({}, owner));
  const FeedEntry read = carry();
  CHECK(read.agent == name(bot));
  REQUIRE(rdatas(bot, dns::RrType::TXT).size() == 1);
  CHECK(std::ranges::equal(read.statement->txt_rdata(), rdatas(bot, dns::RrType::TXT).front()));
  CHECK(read.keys == rdatas(bot, dns::RrType::KEY));
  CHECK(read.srv == rdatas(bot, dns::RrType::SRV));
  CHECK(read.svcb == rdatas(bot, dns::RrType::SVCB));
  CHECK(read.ttl == 300);
  CHECK(read.registry == "example");
  CHECK(read.write.clock == VectorClock{{"eu-4f2a", 1}});
  CHECK(read.write.stamp == static_cast<uint64_t>(seconds_of(clock)));
  CHECK(read.told == read.write.stamp);
  CHECK(read.trust == doctest::Approx(std::round(entry()->trust * 100) / 100));
  // Once more makes no difference.
  carry();
  CHECK_FALSE(feed.changed);
}

TEST_CASE_FIXTURE(World, "feed: each publish, withdrawal and takedown is a write above the one before") {
  REQUIRE_DONE(publish({}, owner));
  FeedEntry last = carry();
  const auto follows = [&] {
    const FeedEntry read = carry();
    CHECK(feed.changed);
    CHECK(compare(last.write.clock, read.write.clock) == ClockOrder::Before);
    CHECK(read.write.stamp > last.write.stamp);
    last = read;
  };
  pass(Seconds(10));
  REQUIRE_DONE(publish(draft("1.1.0"), owner));
  follows();
  CHECK(last.version() == "1.1.0");
  REQUIRE(act([&](change::ZoneEdit& edit, change::RegistryState& state) {
    return change::suspend_agent(name(bot), "asked to", policy, edit, state, clock);
  }));
  follows();
  CHECK(last.suspended);
  CHECK(last.status == AgentStatus::Active);
  pass(Seconds(10));
  REQUIRE_DONE(publish(draft("1.1.0", AgentStatus::Withdrawn), owner));
  follows();
  CHECK(last.is_tombstone());
}

TEST_CASE_FIXTURE(World, "feed: trust and TTL alone are no write, but told anew, also within one second") {
  REQUIRE_DONE(publish({}, owner));
  const FeedEntry first = carry();
  FeedEntry other = own();
  other.trust = first.trust == 0.5 ? 0.6 : 0.5;
  REQUIRE(feed.put(other, clock));
  const FeedEntry second = feed.entry();
  CHECK(second.write_octets() == first.write_octets());
  CHECK(second.trust == other.trust);
  CHECK(second.told == first.told + 1);
  other.ttl = 30;
  REQUIRE(feed.put(other, clock + Seconds(60)));
  CHECK(feed.entry().ttl == 30);
  CHECK(feed.entry().told == static_cast<uint64_t>(seconds_of(clock)) + 60);
}

TEST_CASE_FIXTURE(World, "feed: what is told in a feed that begins is not older than its beginning") {
  REQUIRE_DONE(publish({}, owner));
  FeedEntry old = own();
  REQUIRE(feed.put(old, clock + Seconds(86400)));
  CHECK(feed.entry().told == static_cast<uint64_t>(seconds_of(clock)) + 86400);
}

TEST_CASE_FIXTURE(World, "feed: a lease that ended leaves the name, its last version and its chain of keys") {
  REQUIRE_DONE(publish({}, owner));
  pass(Seconds(10));
  const Owner second;
  REQUIRE_DONE(rotate(draft("1.1.0"), owner, second, 1));
  REQUIRE_DONE(publish(draft("1.1.0"), second, change::UpdateLease{600, 0}));
  pass(Seconds(600));
  REQUIRE(act([&](change::ZoneEdit& edit, change::RegistryState& state) {
    return change::expire_agent(name(bot), policy, edit, state, clock);
  }));
  const FeedEntry read = carry();
  CHECK_FALSE(read.statement);
  REQUIRE(read.gone);
  CHECK(read.gone->version == "1.1.0");
  CHECK(read.fingerprint() == second.print);
  CHECK(read.rotations.size() == 1);
  CHECK(check_entry(read, {name("acme.example."), clock, policy.clock_skew, owner.print}));
}

TEST_CASE_FIXTURE(World, "feed: a chain that began anew carries the revocation that ended the one before, however late it is read") {
  const Owner second;
  const Owner third;
  REQUIRE_DONE(publish({}, owner));
  pass(Seconds(10));
  REQUIRE_DONE(rotate(draft("1.1.0"), owner, second, 1));
  pass(Seconds(10));
  REQUIRE_DONE(publish(draft("1.1.0", AgentStatus::Revoked), second));
  CHECK(carry().is_revoked());
  pass(Seconds(10));
  allow(third);
  REQUIRE_DONE(publish(draft("2.0.0"), third));
  const FeedEntry read = carry();
  CHECK(read.revocations.size() == 1);
  for (const std::string& known : {owner.print, second.print, third.print})
    CHECK_MESSAGE(check_entry(read, {name("acme.example."), clock, policy.clock_skew, known}), known);
  CHECK_FALSE(check_entry(read, {name("acme.example."), clock, policy.clock_skew, Owner().print}));
  // It stays with the name.
  pass(Seconds(10));
  REQUIRE_DONE(publish(draft("2.1.0"), third));
  CHECK(carry().revocations == read.revocations);
}

TEST_CASE_FIXTURE(World, "feed: what no reader would take is not held, and what was held of it goes") {
  REQUIRE_DONE(publish({}, owner));
  carry();
  FeedEntry broken = own();
  broken.status = AgentStatus::Withdrawn;
  const auto put = feed.put(broken, clock);
  REQUIRE_FALSE(put);
  CHECK(put.error().what.find("status") != std::string::npos);
  CHECK(feed.records().empty());
}

TEST_CASE_FIXTURE(World, "feed: all writes of a name that stand are handed on, and a loser that fell goes") {
  REQUIRE_DONE(publish({}, owner));
  FeedEntry first = own();
  FeedEntry second = first;
  second.write.clock = {{"us-91c0", 1}};
  second.write.replica = "us-91c0";
  const WriteSet both = set_of({first, second});
  REQUIRE(both.size() == 2);
  REQUIRE(feed.hand_on({first.agent, both, {}}, clock));
  const auto read = read_feed(feed.records(), feed.names.feed, feed.names.zone);
  REQUIRE(read);
  CHECK(read->refused.empty());
  CHECK(same_writes(set_of(read->writes), both));

  REQUIRE(feed.hand_on({first.agent, both, {write_label(both.back())}}, clock));
  CHECK_FALSE(feed.changed);
  REQUIRE(feed.hand_on({first.agent, {both.front()}, {write_label(both.back())}}, clock));
  CHECK(feed.entry().write.replica == both.front().write.replica);
  REQUIRE(feed.hand_on({first.agent, {}, {}}, clock));
  CHECK(feed.records().empty());
}

// From a child's feed in the store to the registry's zone: which names a slice has, and what is noted of how far it is.

#include "../federation/sample_entries.hh"
#include "daemon/slice_reader.hh"
#include "registry_fixture.hh"

using namespace steward;
using namespace steward::daemon;
using federation::FeedEntry;
using federation::FollowedChild;
using federation::WriteSet;

namespace fed = federation::test;

namespace {

constexpr std::string_view child_text = "vibe.example.";
constexpr std::string_view feed_text = "eu-4f2a._feed.vibe.example.";

dns::Name agent_of(const std::string& label) { return test::name(label + "." + std::string(child_text)); }

/// A registry's zone, and the feed of a child beside it in the same store.
struct Followed : test::World {
  Followed() : World(false) {
    clock.time = fed::noon + 600;
    config::ZoneConfig zone;
    zone.name = test::name(feed_text);
    zone.file = (folder / "feed").string();
    zone.transfer_only = true;
    zone.journal.max_size = uint64_t{1} << 20;
    zone.journal.max_age = Seconds(1'000'000'000);
    std::ofstream(folder / "feed") << "$ORIGIN " << feed_text << "\n@ 60 SOA ns1 hostmaster 1 3600 600 86400 60\n@ 60 NS ns1.example.\n";
    child_feed = std::make_unique<ZoneKeeper>(zone, config::ZoneFileConfig{}, *room);
    child_feed->load(true);
    group->flush();
    terms.policy = std::make_shared<const change::PublishPolicy>(policy);
    terms.feeds = {{test::name(child_text), test::name(feed_text), "eu-4f2a", {.trust_ceiling = 0.9}}};
    terms.pull_interval = Seconds(3600);
    reader = std::move(*store->make_reader());
  }
  ~Followed() {
    child_feed.reset();
    reader.reset();
  }

  /// What the feed says of agents from now on, in one version of it.
  void say(const std::vector<std::pair<std::string, WriteSet>>& agents) {
    const auto edits = [&](change::ZoneEdit& edit, ZoneTables&) -> Result<void> {
      for (const auto& [label, writes] : agents) {
        const dns::Name owner = test::name(label + "." + std::string(feed_text));
        edit.remove_name(owner);
        edit.remove_name(*owner.child(as_bytes(std::string_view("_registry"))));
        if (writes.empty()) continue;
        const auto records = federation::feed_records(writes, test::name(feed_text), test::name(child_text));
        REQUIRE(records);
        for (const auto& record : *records) edit.add(record.owner, record.type, record.ttl, record.rdata);
      }
      return {};
    };
    child_feed->edit(edits, false, [](const LoadOutcome& outcome) { REQUIRE_MESSAGE(outcome.ok, outcome.error); });
    group->flush();
  }
  void say_new(size_t from, size_t to) {
    std::vector<std::pair<std::string, WriteSet>> agents;
    for (size_t i = from; i < to; ++i) {
      const std::string label = "bot" + std::to_string(10'000 + i);
      agents.emplace_back(label, WriteSet{write_of(label)});
    }
    say(agents);
  }
  static FeedEntry write_of(const std::string& label) {
    return fed::written(fed::publication("1.0.0", fed::noon, fed::first_key(), agent::AgentStatus::Active, agent_of(label)), {},
                        "eu-4f2a", fed::noon);
  }

  /// The next slice; null where there is nothing to do.
  std::shared_ptr<FeedSlice> next() {
    REQUIRE(reader->acquire());
    const store::ZoneRecord* home = reader->zone_record(policy.zone);
    SliceReader slices(terms, *reader, *home, clock.now(), parallel);
    auto left = slices.left();
    REQUIRE(left);
    auto slice = left->empty() ? terms.feeds.empty() ? Result<std::shared_ptr<FeedSlice>>(nullptr) : slices.next(terms.feeds.front())
                               : slices.leaving(left->front());
    reader->release();
    REQUIRE_MESSAGE(slice, (slice ? "" : slice.error().what));
    return *slice;
  }
  /// What is behind a slice that is not committed.
  std::shared_ptr<FeedSlice> behind(const FeedSlice& before) {
    REQUIRE(reader->acquire());
    SliceReader slices(terms, *reader, *reader->zone_record(policy.zone), clock.now(), parallel);
    auto slice = slices.behind(terms.feeds.front(), before);
    reader->release();
    REQUIRE_MESSAGE(slice, (slice ? "" : slice.error().what));
    return *slice;
  }
  bool apply(const std::shared_ptr<FeedSlice>& slice, const federation::HandOn& hand_on = {}) {
    bool ok = false;
    keeper->edit([&](change::ZoneEdit& edit, ZoneTables& tables) { return slice->apply(*registry, edit, tables, hand_on, clock.now()); },
                 false, [&](const LoadOutcome& outcome) {
                   ok = outcome.ok;
                   outcome.ok ? registry->referred().keep() : registry->referred().roll_back();
                 });
    group->flush();
    return ok;
  }
  /// Until there is nothing to do; names of each slice.
  std::vector<size_t> follow() {
    std::vector<size_t> sizes;
    while (const auto slice = next()) {
      sizes.push_back(slice->size());
      REQUIRE(apply(slice));
    }
    return sizes;
  }
  std::optional<FollowedChild> followed() {
    REQUIRE(reader->acquire());
    const auto table = reader->table(reader->zone_record(policy.zone)->info, store::ZoneTable::Referrals);
    auto child = federation::Referrals(policy.zone, *table).child(test::name(child_text));
    reader->release();
    REQUIRE(child);
    return *child;
  }
  bool has_ref(const std::string& label) { return ttl_at(label + ".vibe._ref._agents.example.").has_value(); }

  std::unique_ptr<ZoneKeeper> child_feed;
  std::unique_ptr<store::Reader> reader;
  FollowTerms terms;
};

}  // namespace

TEST_CASE_FIXTURE(Followed, "feed slice: a whole feed is taken in slices of 256, then nothing but what changes") {
  say_new(0, 600);
  CHECK(follow() == std::vector<size_t>{256, 256, 88});
  CHECK(followed()->agents == 600);
  CHECK(followed()->reached == child_feed->status().serial);
  CHECK(has_ref("bot10000"));
  CHECK(registry->referred().agents_of_namespace(test::name(child_text)) == 600);
  say_new(600, 603);
  say({{"bot10001", {}}});
  CHECK(follow() == std::vector<size_t>{4});
  CHECK(followed()->agents == 602);
  CHECK_FALSE(has_ref("bot10001"));
  // As after a restart: the index is what it was.
  start();
  CHECK(registry->referred().agents_of_namespace(test::name(child_text)) == 602);
  CHECK(follow().empty());
}

TEST_CASE_FIXTURE(Followed, "feed slice: a walk that was broken off goes on where it was, and another begins behind it") {
  say_new(0, 300);
  REQUIRE(apply(next()));
  CHECK(followed()->walking);
  CHECK_FALSE(followed()->reached);
  start();
  say({{"bot10000", {}}});  // behind the walk
  CHECK(follow() == std::vector<size_t>{44, 1});
  CHECK(followed()->agents == 299);
}

TEST_CASE_FIXTURE(Followed, "feed slice: a walk is read on behind what is not committed yet, and what changes meanwhile is met afterwards") {
  say_new(0, 600);
  const auto first = next();
  const auto second = behind(*first);
  REQUIRE(second);
  CHECK(second->size() == 256);
  REQUIRE(apply(first));
  say({{"bot10000", {}}, {"bot10300", {}}});
  const auto third = behind(*second);
  REQUIRE(third);
  CHECK(third->size() == 88);
  CHECK_FALSE(behind(*third));  // the end of the walk
  REQUIRE(apply(second));
  REQUIRE(apply(third));
  CHECK(followed()->agents == 600);
  const auto difference = next();
  REQUIRE(difference);
  CHECK_FALSE(behind(*difference));
  REQUIRE(apply(difference));
  CHECK(followed()->agents == 598);
  CHECK(followed()->reached == child_feed->status().serial);
  CHECK_FALSE(has_ref("bot10300"));
  terms.feeds.front().replica = "us-91c0";
  const auto other = next();
  terms.feeds.front().policy.trust_ceiling = 0.3;
  CHECK_FALSE(behind(*other));  // other terms
}

TEST_CASE_FIXTURE(Followed, "feed slice: names that are gone are met by a walk over the whole feed too") {
  say_new(0, 5);
  follow();
  say({{"bot10001", {}}, {"bot10004", {}}});
  // Another ceiling: all is judged again.
  terms.feeds.front().policy.trust_ceiling = 0.3;
  CHECK(follow() == std::vector<size_t>{5});
  CHECK(followed()->agents == 3);
  CHECK_FALSE(has_ref("bot10004"));
}

TEST_CASE_FIXTURE(Followed, "feed slice: what fails is halved until the one that spoils it stands alone") {
  say_new(0, 5);
  const auto slice = next();
  const auto hand_on = [](const dns::Name& agent, const WriteSet&, const std::vector<std::string>&) -> Result<void> {
    if (agent == agent_of("bot10003")) return fail(Errc::Full, "no room");
    return {};
  };
  const std::function<void(const std::shared_ptr<FeedSlice>&)> write = [&](const std::shared_ptr<FeedSlice>& some) {
    if (apply(some, hand_on)) return;
    if (some->size() > 1) {
      write(some->split());
      return write(some);
    }
    REQUIRE(some->give_up("no room"));
    CHECK(apply(some, hand_on));
  };
  write(slice);
  CHECK(followed()->agents == 4);
  CHECK(followed()->refused == 1);
  CHECK(followed()->reached == child_feed->status().serial);
  CHECK(has_ref("bot10004"));
  CHECK_FALSE(has_ref("bot10003"));
  CHECK(follow().empty());
}

TEST_CASE_FIXTURE(Followed, "feed slice: what cannot be written at all keeps the feed from counting as followed") {
  say_new(0, 2);
  const auto rest = next();
  const auto first = rest->split();
  first->fail();
  REQUIRE(apply(rest));
  CHECK_FALSE(followed()->reached);
  CHECK(follow() == std::vector<size_t>{1});
  CHECK(followed()->agents == 2);
}

TEST_CASE_FIXTURE(Followed, "feed slice: another replica's feed keeps what is there, a child that leaves takes all along") {
  say_new(0, 300);
  follow();
  terms.feeds.front().replica = "us-91c0";  // of the same content
  CHECK(follow() == std::vector<size_t>{0});
  CHECK(followed()->agents == 300);
  CHECK(followed()->replica == "us-91c0");
  terms.feeds.clear();
  CHECK(follow() == std::vector<size_t>{256, 44});
  CHECK_FALSE(followed());
  CHECK_FALSE(has_ref("bot10000"));
  CHECK(registry->referred().agents_of_namespace(test::name(child_text)) == 0);
}

TEST_CASE_FIXTURE(Followed, "feed slice: an agent of the registry itself keeps its name") {
  policy.namespaces.push_back(test::name(child_text));
  start();
  const test::Owner owner;
  act([&](change::ZoneEdit&, change::RegistryState& state) {
    agent::AgentEntry held;
    held.version = "1.0.0";
    held.fingerprint = owner.print();
    REQUIRE(state.book.put(agent_of("bot10000"), held));
  });
  say_new(0, 2);
  follow();
  CHECK(followed()->agents == 1);
  CHECK(followed()->refused == 1);
  CHECK_FALSE(has_ref("bot10000"));
}

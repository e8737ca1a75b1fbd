// What a parent lacks of a registry's feed: read from one store, and applied to the zone of another.

#include "daemon/push_reader.hh"

#include <map>

#include "registry_fixture.hh"

using namespace steward;
using namespace steward::daemon;
using namespace steward::daemon::test;

namespace {

/// The parent's store, with its zone of the feed.
struct Above : World {
  Above() : World(false) {
    config::ZoneConfig zone;
    zone.name = feed_names.feed;
    zone.transfer_only = true;
    held = std::make_unique<ZoneKeeper>(zone, config::ZoneFileConfig{}, *room);
    held->set_text_maker([](uint32_t serial) -> Result<std::string> { return federation::pushed_feed_text(serial); });
    held->load(false);
    group->flush();
    reader = std::move(*store->make_reader());
  }
  ~Above() {
    reader.reset();
    held.reset();
  }
  federation::PushOutcome take(const dns::Message& message) {
    const auto request = change::parse_update(*message.build());
    REQUIRE_MESSAGE(request, (request ? "" : request.error().why->text));
    federation::PushOutcome outcome;
    held->edit(
        [&](change::ZoneEdit& edit, ZoneTables&) -> Result<void> {
          outcome = federation::apply_push(*request, feed_names, edit);
          return {};
        },
        true, [](const LoadOutcome& told) { CHECK_MESSAGE(told.ok, told.error); });
    group->flush();
    return outcome;
  }
  federation::PushState ask() { return take(federation::push_question(feed_names.feed)).state.value(); }

  std::unique_ptr<ZoneKeeper> held;
  std::unique_ptr<store::Reader> reader;
};

struct Below : World {
  explicit Below(bool hosted = false) : messages(feed_names, hosted) {
    allow(owner);
    reader = std::move(*store->make_reader());
  }
  ~Below() { reader.reset(); }

  std::vector<dns::Message> next(const federation::PushState& held) {
    REQUIRE(reader->acquire());
    auto made = messages.next(*reader, *reader->zone_record(feed_names.feed), held);
    reader->release();
    return made;
  }
  void say(std::string_view version, std::string_view agent = bot) {
    REQUIRE(admit(publish_of(owner, std::string(version), agent), owner).update.done());
    ++clock.time;
  }

  Owner owner;
  PushReader messages;
  std::unique_ptr<store::Reader> reader;
};

/// All that is lacking; how many messages those were.
size_t send(Below& below, Above& above) {
  size_t sent = 0;
  for (auto some = below.next(above.ask()); !some.empty(); some = below.next(above.ask()))
    for (const dns::Message& message : some) {
      const auto outcome = above.take(message);
      REQUIRE_MESSAGE(outcome.rcode == dns::Rcode::NOERROR, outcome.why);
      REQUIRE(++sent < 100);
    }
  return sent;
}

/// Owner, type and RDATA of all below the feed's apex; without manifests, which its own feed has not.
std::multimap<std::string, Bytes> content_of(store::Reader& reader, const dns::Name& feed, size_t* manifests = nullptr) {
  std::multimap<std::string, Bytes> all;
  REQUIRE(reader.acquire());
  const store::ZoneRecord* record = reader.zone_record(feed);
  for (Bytes key{0}; const zone::NodeView node = reader.node_at_or_after(record->info, key); key.push_back(0))
    for (size_t i = 0; i < node.rrset_count(); ++i)
      for (zone::StoredRrReader rrs(node.rrset(i).rrs); !rrs.done();) {
        const std::string owner = dns::Name(node.owner()).to_text();
        Bytes rdata;
        zone::expand_rdata(node.rrset(i).type, rrs.next().rdata, node.owner(), rdata);
        if (owner.starts_with("_manifest.") && manifests != nullptr)
          ++*manifests;
        else
          all.emplace(owner + ' ' + std::string(to_text(node.rrset(i).type)), rdata);
      }
  reader.release();
  return all;
}

bool is_same(Below& below, Above& above) {
  return content_of(*below.reader, below.feed_names.feed) == content_of(*above.reader, above.feed_names.feed);
}

}  // namespace

TEST_CASE("push: the whole feed, then what has changed, then nothing") {
  Below below;
  Above above;
  below.say("1.0.0");
  CHECK(send(below, above) == 2);
  CHECK(is_same(below, above));
  CHECK(send(below, above) == 0);
  below.say("1.1.0");
  below.say("1.0.0", "other.acme.example.");
  CHECK_FALSE(is_same(below, above));
  CHECK(send(below, above) == 1);
  CHECK(is_same(below, above));
  CHECK(above.ask().mark.reached == below.store->find_zone(below.feed_names.feed)->serial);
}

TEST_CASE("push: a parent that lost a difference, or is from before, is sent what it lacks") {
  Below below;
  Above above;
  below.say("1.0.0");
  const auto first = below.next(above.ask());
  REQUIRE(first.size() == 2);
  CHECK(above.take(first[1]).rcode == dns::Rcode::NXRRSET);
  below.messages.forget();
  CHECK(send(below, above) == 2);
  below.say("1.1.0");
  const auto lost = below.next(above.ask());
  REQUIRE(lost.size() == 1);
  below.messages.forget();
  below.say("1.2.0");
  CHECK(send(below, above) == 1);
  CHECK(is_same(below, above));
  CHECK(above.take(lost[0]).rcode == dns::Rcode::NXRRSET);
  CHECK(is_same(below, above));
  // A serial that its journal never had: all of it.
  Above other;
  federation::PushWriter elsewhere(other.feed_names, other.ask(), 7);
  elsewhere.put(name("stranger.acme.example."), std::vector<federation::PublishedRecord>{});
  elsewhere.finish(7);
  for (const dns::Message& message : elsewhere.take(true)) REQUIRE(other.take(message).rcode == dns::Rcode::NOERROR);
  CHECK(send(below, other) == 2);
  CHECK(is_same(below, other));
}

TEST_CASE("push: where the parent hosts, manifests go with their agents") {
  Below below(true);
  Above above;
  below.say("1.0.0");
  send(below, above);
  size_t manifests = 0;
  CHECK(content_of(*above.reader, above.feed_names.feed, &manifests) == content_of(*below.reader, below.feed_names.feed));
  CHECK(manifests == 1);
}

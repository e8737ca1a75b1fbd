// A feed that is sent: the parent's zone in memory, and a child that forgets, repeats and is restored.

#include "federation/pushed_feed.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <random>
#include <set>

#include "change/rewrite.hh"
#include "dns/serial.hh"
#include "memory_table.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::federation;
using dns::Rcode;
using dns::RrType;

namespace {

dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }

const FeedNames names{name("acme.s."), name("eu-4f2a._feed.acme.s.")};

Bytes txt(size_t size, uint8_t fill) {
  Bytes rdata;
  for (size_t left = size; left > 0; left -= std::min<size_t>(left, 255)) {
    rdata.push_back(static_cast<uint8_t>(std::min<size_t>(left, 255)));
    rdata.resize(rdata.size() + rdata.back(), fill);
  }
  return rdata;
}

/// What a feed has of an agent, as far as a message knows it: of `size` octets, in `parts` records, six a write.
std::vector<PublishedRecord> records_of(std::string_view agent, size_t size = 40, uint8_t fill = 'a', size_t parts = 1) {
  const dns::Name owner = feed_owner(name(agent), names.feed, names.zone).value();
  std::vector<PublishedRecord> records{{owner, RrType::TXT, 300, txt(size, fill)}};
  for (size_t i = 0; i < parts; ++i) {
    const std::string write = i < 6 ? "_keys" : fmt::format("_keys._w{:016x}", i / 6);
    records.push_back({dns::Name::from_text(write, owner).value(), RrType::TXT, 300, txt(size, static_cast<uint8_t>('0' + i))});
  }
  return records;
}

/// The parent's zone.
struct Parent {
  Parent() {
    auto loaded = zone::load_zone_text(pushed_feed_text(41), "feed", names.feed, {});
    REQUIRE(loaded.image);
    change::RewriteRequest request;
    request.apex = names.feed;
    request.image = loaded.image.get();
    REQUIRE(change::rewrite_zone(request, nodes, nsec3, parallel));
  }
  PushOutcome take(dns::Message message) {
    const auto octets = message.build();
    REQUIRE(octets);
    CHECK(octets->size() < 64'000);  // SIG(0) of RSA-4096 and a nonce have room
    const auto request = change::parse_update(*octets);
    REQUIRE_MESSAGE(request, (request ? "" : request.error().why->text));
    change::EditRequest edited;
    edited.apex = names.feed;
    edited.stored_serial = serial;
    edited.exact_serial = true;
    change::ZoneEdit edit(edited, nodes, nsec3, nullptr);
    PushOutcome outcome = apply_push(*request, names, edit);
    if (edit.has_changes()) {
      const uint32_t before = serial;
      serial = edit.finish(parallel).value().serial;
      CHECK(serial == dns::Serial(before).next().value());
    }
    return outcome;
  }
  PushState ask() { return take(push_question(names.feed)).state.value(); }
  /// What was kept of another time.
  void restore(const std::map<Bytes, Bytes>& kept, uint32_t serial_then) {
    std::vector<Bytes> gone;
    for (const auto& [key, blob] : nodes.nodes()) gone.push_back(key);
    for (const Bytes& key : gone) REQUIRE(nodes.erase(key));
    for (const auto& [key, blob] : kept) REQUIRE(nodes.put(key, blob));
    serial = serial_then;
  }
  [[nodiscard]] std::map<Bytes, Bytes> kept() const {
    std::map<Bytes, Bytes> all;
    for (const auto& [key, blob] : nodes.nodes()) all.emplace(key, *blob);
    return all;
  }
  /// All but the apex: `owner type rdata`.
  [[nodiscard]] std::set<std::string> content() const {
    std::set<std::string> all;
    for (const auto& [key, blob] : nodes.nodes()) {
      const zone::NodeView node(blob->data());
      for (size_t i = 0; i < node.rrset_count() && !key.empty(); ++i)
        for (zone::StoredRrReader reader(node.rrset(i).rrs); !reader.done();) {
          Bytes rdata;
          zone::expand_rdata(node.rrset(i).type, reader.next().rdata, node.owner(), rdata);
          all.insert(fmt::format("{} {} {}", dns::Name(node.owner()).to_text(), to_text(node.rrset(i).type), as_text(rdata)));
        }
    }
    return all;
  }

  steward::test::MemoryTable nodes;
  steward::test::MemoryTable nsec3;
  Parallel parallel{1};
  uint32_t serial = 41;
};

std::set<std::string> content_of(const std::map<std::string, std::vector<PublishedRecord>>& agents) {
  std::set<std::string> all;
  for (const auto& [agent, records] : agents)
    for (const PublishedRecord& record : records) all.insert(fmt::format("{} {} {}", record.owner.to_text(), to_text(record.type), as_text(record.rdata)));
  return all;
}

using Agents = std::map<std::string, std::vector<PublishedRecord>>;

Bytes key_of(std::string_view agent) {
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(name(agent), names.zone, key.data()));
  return key;
}

/// All messages of a walk that goes on behind the mark's place.
std::vector<dns::Message> walk(const Agents& agents, const PushState& held, uint32_t began) {
  PushWriter writer(names, held, began);
  std::map<Bytes, std::string> in_order;
  for (const auto& [agent, records] : agents) in_order.emplace(key_of(agent), agent);
  const bool goes_on = held.mark.walking == began && held.mark.at;
  const Bytes at = goes_on ? key_of(held.mark.at->to_text()) : Bytes{};
  for (const auto& [key, agent] : in_order)
    if (key > at) writer.put(name(agent), agents.at(agent));
  writer.finish(began);
  return writer.take(true);
}

std::vector<dns::Message> difference(const Agents& agents, const std::set<std::string>& changed, const PushState& held, uint32_t reached) {
  PushWriter writer(names, held, std::nullopt);
  for (const std::string& agent : changed) {
    const auto at = agents.find(agent);
    writer.put(name(agent), at != agents.end() ? at->second : std::vector<PublishedRecord>{});
  }
  writer.finish(reached);
  return writer.take(true);
}

void take_all(Parent& parent, std::vector<dns::Message> messages) {
  for (dns::Message& message : messages) {
    const PushOutcome outcome = parent.take(std::move(message));
    REQUIRE_MESSAGE(outcome.rcode == Rcode::NOERROR, outcome.why);
  }
}

void update(dns::Message& message, std::string_view owner, RrType type, Bytes rdata, dns::RrClass klass = dns::RrClass::IN) {
  message.authority.push_back({name(owner), type, klass, 0, std::move(rdata)});
}

}  // namespace

TEST_CASE("push: a mark comes back from its text, and what is none is told") {
  for (const PushMark& mark : {PushMark{}, PushMark{7, {}, {}}, PushMark{{}, 4'294'967'295U, {}}, PushMark{7, 8, name("b\\.ot.acme.s.")}}) {
    const auto read = mark_from_rdata(mark_rdata(mark));
    REQUIRE(read);
    CHECK(*read == mark);
  }
  for (const std::string_view text : {"v=other", "v=steward-push1\x9reached=x", "v=steward-push1\x8reached="}) {
    Bytes rdata{static_cast<uint8_t>(std::min<size_t>(text.size(), 15))};
    append(rdata, as_bytes(text));
    if (text == "v=other") rdata[0] = 7;
    CHECK_FALSE(mark_from_rdata(rdata));
  }
  const Parent parent;
  CHECK(is_begun(std::vector<Bytes>{mark_rdata({})}));
  CHECK(is_begun(std::vector<Bytes>{mark_rdata({{}, 3, {}})}));
  CHECK_FALSE(is_begun(std::vector<Bytes>{mark_rdata({3, 4, {}})}));
  CHECK_FALSE(is_begun({}));
}

TEST_CASE("push: a whole feed comes by a walk, then what has changed; the parent says how far it is") {
  Parent parent;
  Agents agents{{"a.acme.s.", records_of("a.acme.s.")}, {"b.acme.s.", records_of("b.acme.s.")}};
  CHECK(parent.ask().mark == PushMark{});
  take_all(parent, walk(agents, parent.ask(), 100));
  CHECK(parent.ask().mark == PushMark{100, {}, {}});
  CHECK(parent.content() == content_of(agents));
  agents["b.acme.s."] = records_of("b.acme.s.", 50, 'b', 2);
  agents.erase("a.acme.s.");
  agents["c.acme.s."] = records_of("c.acme.s.");
  take_all(parent, difference(agents, {"a.acme.s.", "b.acme.s.", "c.acme.s."}, parent.ask(), 103));
  CHECK(parent.ask().mark == PushMark{103, {}, {}});
  CHECK(parent.content() == content_of(agents));
}

TEST_CASE("push: a message that is repeated or late changes nothing, and is told what is there") {
  Parent parent;
  Agents agents{{"a.acme.s.", records_of("a.acme.s.")}};
  auto messages = walk(agents, parent.ask(), 100);
  const dns::Message first = messages.front();
  take_all(parent, std::move(messages));
  const auto before = parent.content();
  const uint32_t serial = parent.serial;
  const PushOutcome again = parent.take(first);
  CHECK(again.rcode == Rcode::NXRRSET);
  CHECK_FALSE(again.is_refusal);
  REQUIRE(again.state);
  CHECK(again.state->mark == PushMark{100, {}, {}});
  CHECK(parent.content() == before);
  CHECK(parent.serial == serial);
}

TEST_CASE("push: an answer says what the parent holds, in its additional section") {
  Parent parent;
  const PushState held = parent.ask();
  dns::Message answer;
  answer.additional.push_back({names.feed, RrType::SOA, dns::RrClass::IN, 0, held.soa});
  answer.additional.push_back({names.feed, RrType::TXT, dns::RrClass::IN, 0, *held.mark_txt});
  answer.additional.push_back({name("other."), RrType::TXT, dns::RrClass::IN, 0, txt(9, 'x')});
  CHECK(push_state_of(answer, names.feed) == held);
  answer.additional.erase(answer.additional.begin());
  CHECK_FALSE(push_state_of(answer, names.feed));
}

TEST_CASE("push: messages hold whole agents, and one that fits none is parted, and whole in the end") {
  Parent parent;
  Agents agents;
  for (int i = 0; i < 40; ++i) agents[fmt::format("a{:02}.acme.s.", i)] = records_of(fmt::format("a{:02}.acme.s.", i), 2000, 'a', 2);
  agents["b.acme.s."] = records_of("b.acme.s.", 8000, 'b', 20);
  auto messages = walk(agents, parent.ask(), 100);
  REQUIRE(messages.size() > 6);
  std::optional<size_t> parted;
  for (size_t i = 0; i < messages.size(); ++i) {
    REQUIRE(parent.take(messages[i]).rcode == Rcode::NOERROR);
    const auto here = parent.content();
    const bool has_some = std::ranges::any_of(here, [](const std::string& line) { return line.find("b.eu-4f2a") != std::string::npos; });
    const auto whole = content_of({{"b.acme.s.", agents["b.acme.s."]}});
    const bool has_all = std::ranges::includes(here, whole);
    if (has_some && !has_all && !parted) parted = i;
    // It is behind nothing that is not whole: who is interrupted here begins with it again.
    if (has_some && !has_all) CHECK(parent.ask().mark.at == name("a39.acme.s."));
  }
  CHECK(parted);
  CHECK(parent.content() == content_of(agents));
  SUBCASE("also after it was interrupted in its midst") {
    Parent other;
    auto begun = walk(agents, other.ask(), 100);
    for (size_t i = 0; i <= *parted; ++i) REQUIRE(other.take(begun[i]).rcode == Rcode::NOERROR);
    agents["b.acme.s."] = records_of("b.acme.s.", 8000, 'c', 9);
    take_all(other, walk(agents, other.ask(), 100));
    CHECK(other.content() == content_of(agents));
  }
}

TEST_CASE("push: a walk takes away what the child has no longer, and nothing that it is not behind yet") {
  Parent parent;
  Agents agents;
  for (const char* agent : {"a.acme.s.", "b.acme.s.", "bot.sub.acme.s.", "sub.acme.s.", "z.acme.s."}) agents[agent] = records_of(agent);
  take_all(parent, walk(agents, parent.ask(), 100));
  for (const char* gone : {"a.acme.s.", "sub.acme.s.", "z.acme.s."}) agents.erase(gone);
  agents["b.acme.s."] = records_of("b.acme.s.", 60'000, 'b', 0);
  auto messages = walk(agents, parent.ask(), 200);
  REQUIRE(messages.size() > 2);
  REQUIRE(parent.take(messages[0]).rcode == Rcode::NOERROR);
  CHECK(parent.ask().mark.reached == 100);
  CHECK(std::ranges::any_of(parent.content(), [](const std::string& line) { return line.starts_with("z."); }));
  // The child begins anew, with another walk.
  take_all(parent, walk(agents, parent.ask(), 300));
  CHECK(parent.content() == content_of(agents));
  CHECK(parent.ask().mark == PushMark{300, {}, {}});
}

TEST_CASE("push: an agent that goes leaves what stands below its name and is another's") {
  Parent parent;
  Agents agents{{"sub.acme.s.", records_of("sub.acme.s.")}, {"bot.sub.acme.s.", records_of("bot.sub.acme.s.")}};
  take_all(parent, walk(agents, parent.ask(), 100));
  agents.erase("sub.acme.s.");
  take_all(parent, difference(agents, {"sub.acme.s."}, parent.ask(), 101));
  CHECK(parent.content() == content_of(agents));
}

TEST_CASE("push: so much that is to be removed goes in turns") {
  Parent parent;
  Agents agents;
  for (int i = 0; i < 3000; ++i) agents[fmt::format("a{}.acme.s.", i)] = records_of(fmt::format("a{}.acme.s.", i), 10);
  take_all(parent, walk(agents, parent.ask(), 100));
  const Agents few{{"z.acme.s.", records_of("z.acme.s.")}};
  size_t turns = 0;
  while (parent.ask().mark != PushMark{200, {}, {}} && turns < 10) {
    ++turns;
    for (dns::Message& message : walk(few, parent.ask(), 200)) {
      const PushOutcome outcome = parent.take(std::move(message));
      if (outcome.rcode == Rcode::NOERROR) continue;
      CHECK(outcome.rcode == Rcode::SERVFAIL);
      break;
    }
  }
  CHECK(turns == 2);
  CHECK(parent.content() == content_of(few));
}

TEST_CASE("push: what is no message of a feed is refused, and leaves nothing") {
  Parent parent;
  take_all(parent, walk({{"a.acme.s.", records_of("a.acme.s.")}}, parent.ask(), 100));
  const auto before = parent.content();
  const PushState held = parent.ask();
  const auto message_with = [&](const auto& change) {
    auto made = difference({}, {}, held, 101);
    change(made.front());
    return made.front();
  };
  const auto refused = [&](const auto& change) {
    const PushOutcome outcome = parent.take(message_with(change));
    CHECK(outcome.is_refusal);
    CHECK_FALSE(outcome.why.empty());
    CHECK(outcome.rcode == Rcode::FORMERR);
    CHECK(parent.ask() == held);
  };
  refused([](dns::Message& message) { message.answer.clear(); });
  refused([](dns::Message& message) { message.authority.erase(message.authority.begin()); });  // SOA
  refused([](dns::Message& message) { update(message, "b.eu-4f2a._feed.acme.s.", RrType::A, Bytes(4, 1)); });
  refused([](dns::Message& message) { update(message, "_keys.b.eu-4f2a._feed.acme.s.", RrType::KEY, Bytes{2, 0, 3, 15, 1}); });
  refused([](dns::Message& message) { update(message, "b.acme.s.", RrType::TXT, txt(9, 'x')); });
  refused([](dns::Message& message) { update(message, "_other.b.eu-4f2a._feed.acme.s.", RrType::TXT, txt(9, 'x')); });
  refused([](dns::Message& message) { update(message, "eu-4f2a._feed.acme.s.", RrType::NS, {1, 'x', 0}); });
  refused([](dns::Message& message) { update(message, "eu-4f2a._feed.acme.s.", RrType::SOA, {}, dns::RrClass::ANY); });
  refused([](dns::Message& message) { update(message, "eu-4f2a._feed.acme.s.", RrType::TXT, txt(9, 'x')); });
  refused([](dns::Message& message) { update(message, "eu-4f2a._feed.acme.s.", RrType::ANY, {}, dns::RrClass::ANY); });
  refused([](dns::Message& message) { message.authority.front().rdata.at(message.authority.front().rdata.size() - 17) += 1; });  // a serial further on
  refused([&](dns::Message& message) { message.authority[2].rdata = mark_rdata({7, 8, {}}); });                    // it has not reached that
  refused([&](dns::Message& message) { message.authority[2].rdata = mark_rdata({100, 8, name("other.")}); });
  CHECK(parent.content() == before);
  SUBCASE("nor does a walk end at another serial, or go back") {
    Agents agents;
    for (int i = 10; i < 60; ++i) agents[fmt::format("a{}.acme.s.", i)] = records_of(fmt::format("a{}.acme.s.", i), 2000);
    auto messages = walk(agents, held, 200);
    REQUIRE(parent.take(messages[0]).rcode == Rcode::NOERROR);
    const PushState walking = parent.ask();
    auto ended = difference({}, {}, walking, 201);
    CHECK(parent.take(ended.front()).is_refusal);
    PushWriter back(names, {walking.soa, walking.mark_txt, {100, 200, {}}}, 200);
    back.put(name("a10.acme.s."), records_of("a10.acme.s.", 60'000));
    back.put(name("a10.acme.s."), records_of("a10.acme.s.", 60'000));
    auto behind = back.take(true);
    CHECK(parent.take(behind.front()).rcode != Rcode::NOERROR);
  }
}

TEST_CASE("push: whatever is lost, repeated, restored or changed meanwhile, the parent has in the end what the child has") {
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto below = [&](uint32_t most) { return std::uniform_int_distribution<uint32_t>(0, most - 1)(random); };
    Parent parent;
    Agents agents;
    uint32_t serial = 100;
    std::map<uint32_t, std::set<std::string>> journal;  // what a change to that serial touched
    std::vector<dns::Message> old;
    const auto change = [&] {
      std::set<std::string> touched;
      for (uint32_t i = 0; i <= below(6); ++i) {
        const std::string agent = fmt::format("{}a{}.acme.s.", below(3) == 0 ? "x.a1" : "", below(12));
        touched.insert(agent);
        if (below(4) == 0)
          agents.erase(agent);
        else
          agents[agent] = records_of(agent, 1 + below(5000), static_cast<uint8_t>('a' + below(20)), below(12));
      }
      journal[++serial] = touched;
      if (below(10) == 0) journal.clear();  // it does not reach back any more
    };
    const auto step = [&](bool is_lossy) {
      const PushState held = parent.ask();
      std::set<std::string> touched;
      bool reaches = held.mark.reached.has_value();
      for (uint32_t at = held.mark.reached.value_or(0) + 1; reaches && at <= serial; ++at) {
        reaches = journal.contains(at);
        if (reaches) touched.insert(journal[at].begin(), journal[at].end());
      }
      if (!held.mark.walking && held.mark.reached == serial) return true;
      auto messages = held.mark.walking ? walk(agents, held, *held.mark.walking)
                      : reaches         ? difference(agents, touched, held, serial)
                                        : walk(agents, held, serial);
      for (dns::Message& message : messages) {
        if (is_lossy && below(4) == 0) continue;  // lost on its way
        parent.take(message);
        old.push_back(message);
        if (is_lossy && below(4) == 0) parent.take(old[below(static_cast<uint32_t>(old.size()))]);
        if (is_lossy && below(8) == 0) change();
      }
      return false;
    };
    auto backup = parent.kept();
    uint32_t serial_then = parent.serial;
    for (int i = 0; i < 40; ++i) {
      change();
      step(true);
      if (below(10) == 0) parent.restore(backup, serial_then);
      if (below(10) != 0) continue;
      backup = parent.kept();
      serial_then = parent.serial;
    }
    int left = 20;
    while (!step(false) && --left > 0) {
    }
    REQUIRE(left > 0);
    REQUIRE(parent.content() == content_of(agents));
  }
}

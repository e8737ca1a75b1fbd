#include <doctest/doctest.h>

#include "dns/rdata.hh"
#include "publish_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

constexpr const char* bot = "bot.acme.example.";

bool has_line(const std::vector<std::string>& lines, std::string_view part) {
  for (const std::string& line : lines)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

Draft draft(std::string version, AgentStatus status = AgentStatus::Active) {
  Draft made;
  made.version = std::move(version);
  made.status = status;
  return made;
}

}  // namespace

TEST_CASE("publish: a first publish stands with all that is derived from it, in every kind of zone") {
  for (const Mode mode : {Mode::Unsigned, Mode::Nsec, Mode::Nsec3}) {
    Registry registry(mode);
    const Owner owner;
    registry.allow(owner);
    const auto outcome = registry.publish({}, owner);
    REQUIRE_DONE(outcome);
    REQUIRE(outcome.effect);
    CHECK(outcome.effect->key_before.empty());
    CHECK(outcome.effect->key_after == owner.print);
    CHECK_FALSE(outcome.granted);
    const auto lines = registry.at(bot);
    CHECK(has_line(lines, "300 TXT \"v=steward1\" \"version=1.0.0\""));
    CHECK(has_line(lines, "300 SRV 0 0 443 agents.acme.com."));
    CHECK(has_line(lines, "300 SVCB 1 agents.acme.com."));
    CHECK(has_line(lines, "300 KEY 512 3 15"));
    CHECK(registry.at("_manifest.bot.acme.example.").size() == 1);
    const auto registered = registry.at("_registry.bot.acme.example.");
    REQUIRE(registered.size() == 1);
    CHECK(has_line(registered, "\"registry=example\""));
    CHECK(has_line(registered, "\"vc=eu-4f2a:1\""));
    CHECK(has_line(registered, "\"status=active\""));
    CHECK(registry.at("_trust.bot.acme.example.").size() == 1);
    CHECK(has_line(registry.at("_a2a._tcp.acme.example."), "PTR bot._a2a._tcp.acme.example."));
    CHECK(has_line(registry.at("_plan._sub._a2a._tcp.acme.example."), "PTR bot._a2a._tcp.acme.example."));
    const auto entry = registry.entry();
    REQUIRE(entry);
    CHECK(entry->version == "1.0.0");
    CHECK(entry->fingerprint == owner.print);
    CHECK(entry->modified == now);
    CHECK(entry->first_published == now);
    CHECK(entry->presence == agent::Presence::Live);
    CHECK(entry->protocols == std::vector<std::string>{"a2a"});
    CHECK(entry->capabilities == std::vector<std::string>{"plan"});
    CHECK(entry->write.clock == std::map<std::string, uint64_t>{{"eu-4f2a", 1}});
    CHECK(entry->write.stamp == 1'800'000'000);
    const auto history = registry.book.history(name(bot));
    REQUIRE(history);
    REQUIRE(history->size() == 1);
    CHECK((*history)[0].action == "publish");
    CHECK((*history)[0].by == owner.print);
    CHECK((*history)[0].digest == agent::sha256_text(registry.rdatas(bot, RrType::TXT).front()));
  }
}

TEST_CASE("publish: an update supersedes, and the prerequisite on the statement as read is compare-and-swap") {
  Registry registry;
  const Owner owner;
  registry.allow(owner);
  REQUIRE_DONE(registry.publish({}, owner));
  const Bytes first = registry.rdatas(bot, RrType::TXT).front();
  registry.pass(Seconds(10));
  auto script = Registry::update(bot, registry.records(draft("1.1.0"), owner));
  script.prerequisite({name(bot), RrType::TXT, RrClass::IN, 0, first});
  REQUIRE_DONE(registry.send(script, owner));
  const auto entry = registry.entry();
  CHECK(entry->version == "1.1.0");
  CHECK(entry->write.clock.at("eu-4f2a") == 2);
  CHECK(registry.book.history(name(bot))->back().action == "update");
  registry.pass(Seconds(10));
  auto late = Registry::update(bot, registry.records(draft("1.2.0"), owner));
  late.prerequisite({name(bot), RrType::TXT, RrClass::IN, 0, first});
  CHECK(registry.send(late, owner).update.rcode == Rcode::NXRRSET);
  CHECK(registry.entry()->version == "1.1.0");
}

TEST_CASE(
    "publish: the first needs a key on the namespace's allow-list, of the configuration or of the book, or an open "
    "one") {
  const Owner owner;
  {
    Registry registry;
    CHECK_REFUSED(registry.publish({}, owner), "not on its allow-list");
    registry.allow(owner, "example.");
    CHECK_REFUSED(registry.publish({}, owner), "may not publish in acme.example.");
    registry.policy.publishers.push_back({name("Acme.example."), owner.print, "", {}});
    REQUIRE_DONE(registry.publish({}, owner));
  }
  Registry open;
  open.policy.open = true;
  REQUIRE_DONE(open.publish({}, owner));
  // From then on it is the name's key that counts.
  open.policy.open = false;
  open.pass(Seconds(1));
  REQUIRE_DONE(open.publish(draft("1.1.0"), owner));
}

TEST_CASE("publish: a name that was never published has nothing to withdraw, to revoke or to rotate") {
  Registry registry;
  const Owner owner;
  const Owner other;
  registry.allow(owner);
  CHECK_REFUSED(registry.publish(draft("1.0.0", AgentStatus::Withdrawn), owner), "not published");
  CHECK_REFUSED(registry.publish(draft("1.0.0", AgentStatus::Revoked), owner), "not published");
  registry.allow(other);
  CHECK_REFUSED(registry.rotate({}, owner, other, 1), "has no key before");
}

TEST_CASE("publish: a replay and an old version change nothing, an equal version with another status does") {
  Registry registry;
  const Owner owner;
  registry.allow(owner);
  const auto first = Registry::update(bot, registry.records({}, owner));
  REQUIRE_DONE(registry.send(first, owner));
  // The same message once more is the state that it asks for.
  auto again = registry.send(first, owner);
  CHECK(again.update.done());
  CHECK_FALSE(again.update.changed);
  CHECK_FALSE(again.effect);
  CHECK_REFUSED(registry.publish(draft("2.0.0"), owner), "is not after");
  registry.pass(Seconds(10));
  CHECK_REFUSED(registry.publish(draft("1.0.0"), owner), "not above 1.0.0");
  CHECK_REFUSED(registry.publish(draft("0.9.9"), owner), "not above 1.0.0");
  CHECK_REFUSED(registry.publish(draft("1.0.0+build7"), owner), "not above 1.0.0");
  CHECK_REFUSED(registry.publish(draft("1.0.0-rc.1"), owner), "not above 1.0.0");
  REQUIRE_DONE(registry.publish(draft("1.0.0", AgentStatus::Deprecated), owner));
  CHECK(registry.entry()->status == AgentStatus::Deprecated);
  CHECK(has_line(registry.at("_registry.bot.acme.example."), "status=deprecated"));
  registry.pass(Seconds(10));
  REQUIRE_DONE(registry.publish(draft("1.0.1"), owner));
  CHECK_REFUSED(registry.send(first, owner), "is not after");
  registry.pass(Seconds(400));
  CHECK_REFUSED(registry.send(first, owner), "is not within");
}

TEST_CASE("publish: another key is refused, whatever it is allowed, until a rotation leads to it") {
  Registry registry(Mode::Nsec);
  const Owner first;
  const Owner second;
  const Owner third;
  for (const Owner* owner : {&first, &second}) registry.allow(*owner);
  REQUIRE_DONE(registry.publish({}, first));
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.publish(draft("1.1.0"), second), "a rotation in _keys leads from one to the other");
  CHECK_REFUSED(registry.rotate(draft("1.1.0"), second, third, 1), "leads not from the name's key");
  CHECK_REFUSED(registry.rotate(draft("1.1.0"), first, second, 2), "n is 2, not 1");
  // Signed by the new key alone: sig-old is empty.
  CHECK_REFUSED(registry.claim(draft("1.1.0"), first.print, second, 1), "sig-old is missing");
  CHECK_REFUSED(registry.rotate(draft("1.0.0", AgentStatus::Withdrawn), first, second, 1), "active or deprecated");
  REQUIRE_DONE(registry.rotate(draft("1.0.0"), first, third, 1));
  auto entry = registry.entry();
  CHECK(entry->fingerprint == third.print);
  CHECK(entry->rotations == 1);
  CHECK(registry.book.history(name(bot))->back().action == "rotate");
  // The key before stays beside it: the chain is checked with it.
  CHECK(registry.rdatas(bot, RrType::KEY).size() == 2);
  CHECK(registry.rdatas("_keys.bot.acme.example.", RrType::TXT).size() == 1);
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.publish(draft("1.2.0"), first), "a rotation in _keys leads");
  REQUIRE_DONE(registry.publish(draft("1.2.0"), third));
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.rotate(draft("1.3.0"), third, second, 1), "n is 1, not 2");
  REQUIRE_DONE(registry.rotate(draft("1.3.0"), third, second, 2));
  std::vector<agent::Rotation> chain;
  for (const Bytes& rdata : registry.rdatas("_keys.bot.acme.example.", RrType::TXT)) {
    chain.push_back(*agent::Rotation::from_txt(rdata));
    const auto keys = registry.rdatas(bot, RrType::KEY);
    const std::vector<ByteView> views(keys.begin(), keys.end());
    CHECK(chain.back().verify(name(bot), views));
  }
  CHECK(agent::check_rotation_chain(chain, first.print, second.print));
}

TEST_CASE("publish: a rotation may be sent with either of its two keys, and each of its octets counts") {
  const Owner first;
  const Owner second;
  Registry registry;
  registry.allow(first);
  REQUIRE_DONE(registry.publish({}, first));
  registry.pass(Seconds(1));
  registry.examine = false;
  const auto rotation = agent::Rotation::make(name(bot), 1, *first.pair, *second.pair, registry.clock);
  const auto records = registry.records(draft("1.1.0"), second);
  for (size_t i = 0; i < rotation->txt_rdata().size(); ++i) {
    Bytes bad(rotation->txt_rdata().begin(), rotation->txt_rdata().end());
    bad[i] ^= 1;
    if (!agent::fields_from_txt(bad)) continue;
    const auto outcome = registry.send(Registry::update(bot, records, bad), first);
    INFO("octet ", i, " ", rule_of(outcome));
    CHECK_FALSE(outcome.update.done());
  }
  const Owner third;
  CHECK_REFUSED(registry.send(Registry::update(bot, records, rotation->txt_rdata()), third),
                "not with the statement's key");
  // A rotation to another key than the statement's.
  const auto astray = agent::Rotation::make(name(bot), 1, *first.pair, *third.pair, registry.clock);
  CHECK_REFUSED(registry.send(Registry::update(bot, records, astray->txt_rdata()), second), "_keys: what is added");
  // Of another name.
  const auto others = agent::Rotation::make(name("b.acme.example."), 1, *first.pair, *second.pair, registry.clock);
  CHECK_REFUSED(registry.send(Registry::update(bot, records, others->txt_rdata()), second), "does not verify");
  const auto old = agent::Rotation::make(name(bot), 1, *first.pair, *second.pair, registry.clock - Seconds(1000));
  CHECK_REFUSED(registry.send(Registry::update(bot, records, old->txt_rdata()), second), "is not within");
  REQUIRE_DONE(registry.send(Registry::update(bot, records, rotation->txt_rdata()), second));
}

TEST_CASE("publish: records of _keys stay for the life of the name, and come one with each rotation") {
  const Owner first;
  const Owner second;
  const Owner third;
  Registry registry;
  registry.allow(first);
  REQUIRE_DONE(registry.publish({}, first));
  registry.pass(Seconds(1));
  REQUIRE_DONE(registry.rotate(draft("1.1.0"), first, second, 1));
  registry.pass(Seconds(1));
  const std::string keys = "_keys.bot.acme.example.";
  const Bytes one = registry.rdatas(keys, RrType::TXT).front();
  auto script = Registry::update(bot, registry.records(draft("1.2.0"), second));
  script.remove(keys, RrType::TXT);
  CHECK_REFUSED(registry.send(script, second), "stay for the life of the name");
  script.update(record(keys, RrType::TXT, RrClass::IN, 300, one));  // deleted, and there again
  const auto next = agent::Rotation::make(name(bot), 2, *second.pair, *third.pair, registry.clock);
  CHECK_REFUSED(
      registry.send(Registry::update(bot, registry.records(draft("1.2.0"), second), next->txt_rdata()), second),
      "_keys: what is added");
  REQUIRE_DONE(registry.send(script, second));
  registry.pass(Seconds(1));
  auto two = Registry::update(bot, registry.records(draft("1.3.0"), third), next->txt_rdata());
  const auto extra = agent::Rotation::make(name(bot), 3, *first.pair, *third.pair, registry.clock);
  two.update(record(keys, RrType::TXT, RrClass::IN, 300, Bytes(extra->txt_rdata().begin(), extra->txt_rdata().end())));
  CHECK_REFUSED(registry.send(two, third), "_keys");
  CHECK(registry.rdatas(keys, RrType::TXT).size() == 1);
}

TEST_CASE("publish: a withdrawal is a signed tombstone without endpoints, from which the owner returns") {
  Registry registry(Mode::Nsec3);
  const Owner owner;
  registry.allow(owner);
  REQUIRE_DONE(registry.publish({}, owner));
  registry.pass(Seconds(1));
  auto records = registry.records(draft("1.0.0", AgentStatus::Withdrawn), owner);
  // Without the form of a tombstone it is none.
  auto without = records;
  std::erase_if(without, [](const auto& one) { return one.type == RrType::SVCB; });
  state_anew(without, owner, [&](Fields& fields) {
    const Bytes srv = rdata_of(RrType::SRV, "0 0 0 .");
    put_field(fields, "ep", agent::endpoint_digest(std::vector<agent::Endpoint>{{RrType::SRV, srv}}));
  });
  CHECK_REFUSED(registry.send(Registry::update(bot, without), owner), "comes with SVCB 0 . and SRV 0 0 0 . alone");
  auto with = records;
  with.push_back({name("_manifest.bot.acme.example."), RrType::TXT, 300, rdata_of(RrType::TXT, "{}")});
  state_anew(with, owner, [&](Fields& fields) { put_field(fields, "digest", agent::sha256_text(as_bytes("{}"))); });
  CHECK_REFUSED(registry.send(Registry::update(bot, with), owner), "comes without _manifest");
  auto outcome = registry.publish(draft("1.0.0", AgentStatus::Withdrawn), owner);
  REQUIRE_DONE(outcome);
  CHECK(outcome.effect->key_after == owner.print);
  CHECK(registry.entry()->presence == agent::Presence::Tombstone);
  CHECK(has_line(registry.at(bot), "SRV 0 0 0 ."));
  CHECK(has_line(registry.at(bot), "SVCB 0 ."));
  CHECK(registry.at("_manifest.bot.acme.example.").empty());
  CHECK(registry.at("_trust.bot.acme.example.").empty());
  CHECK(has_line(registry.at("_registry.bot.acme.example."), "status=withdrawn"));
  CHECK(registry.at("_a2a._tcp.acme.example.").empty());
  CHECK(registry.book.history(name(bot))->back().action == "withdraw");
  // The name stays the owner's.
  const Owner other;
  registry.allow(other);
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.publish(draft("2.0.0"), other), "a rotation in _keys leads");
  CHECK_REFUSED(registry.publish(draft("0.9.0"), owner), "not above");
  REQUIRE_DONE(registry.publish(draft("1.0.0"), owner));
  CHECK(registry.entry()->presence == agent::Presence::Live);
  CHECK(registry.book.history(name(bot))->back().action == "publish");
  CHECK_FALSE(registry.at("_a2a._tcp.acme.example.").empty());
}

TEST_CASE("publish: a revocation is never undone; the name comes back by another key that the namespace lists") {
  Registry registry;
  const Owner owner;
  const Owner heir;
  registry.policy.open = true;
  REQUIRE_DONE(registry.publish({}, owner));
  registry.pass(Seconds(1));
  REQUIRE_DONE(registry.publish(draft("1.0.0", AgentStatus::Revoked), owner));
  auto entry = registry.entry();
  CHECK(entry->revoked == std::vector<std::string>{owner.print});
  CHECK(entry->presence == agent::Presence::Tombstone);
  CHECK(registry.book.history(name(bot))->back().action == "revoke");
  CHECK(registry.book.history(name(bot))->back().reason == "lost");
  registry.pass(Seconds(1));
  for (const auto status : {AgentStatus::Active, AgentStatus::Deprecated, AgentStatus::Withdrawn, AgentStatus::Revoked})
    CHECK_REFUSED(registry.publish(draft("9.0.0", status), owner), "never signs for this name again");
  CHECK_REFUSED(registry.rotate(draft("9.0.0"), owner, heir, 1), "leads to no other");
  CHECK_REFUSED(registry.publish(draft("9.0.0"), heir), "takes a key on the allow-list");
  registry.allow(heir);
  CHECK_REFUSED(registry.publish(draft("0.9.0"), heir), "not above");
  CHECK_REFUSED(registry.publish(draft("1.0.0", AgentStatus::Revoked), heir), "revoked already");
  const auto outcome = registry.publish(draft("1.0.0"), heir);
  REQUIRE_DONE(outcome);
  CHECK(outcome.effect->key_before == owner.print);
  CHECK(registry.rdatas(bot, RrType::KEY) == std::vector<Bytes>{heir.rdata});
  entry = registry.entry();
  CHECK(entry->revoked == std::vector<std::string>{owner.print});
  CHECK(entry->first_published == registry.clock);
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.publish(draft("2.0.0"), owner), "never signs");
  CHECK_REFUSED(registry.rotate(draft("2.0.0"), heir, owner, 1), "never signs");
  REQUIRE_DONE(registry.publish(draft("2.0.0"), heir));
}

TEST_CASE(
    "publish: look-alikes are refused with their neighbour and the rule, in one namespace and of another publisher") {
  Registry registry;
  const Owner owner;
  const Owner other;
  registry.policy.open = true;
  Draft draft;
  draft.agent = "orchestrator.acme.example.";
  REQUIRE_DONE(registry.publish(draft, owner));
  draft.agent = "orchestratar.acme.example.";
  CHECK_REFUSED(registry.publish(draft, other), "could be taken for orchestrator of another publisher: ");
  REQUIRE_DONE(registry.publish(draft, owner));
  draft.agent = "orchestratur.example.";
  REQUIRE_DONE(registry.publish(draft, other));
  registry.policy.look_alikes = false;
  draft.agent = "orchestratir.acme.example.";
  REQUIRE_DONE(registry.publish(draft, other));
  CHECK(registry.entry(draft.agent)->looks_alike);
  CHECK_FALSE(registry.entry("orchestrator.acme.example.")->looks_alike);
  // What stands is not judged again.
  registry.policy.look_alikes = true;
  registry.pass(Seconds(1));
  draft.version = "1.1.0";
  REQUIRE_DONE(registry.publish(draft, other));
}

TEST_CASE("publish: quotas of a key and of a namespace count what is not gone") {
  Registry registry;
  const Owner owner;
  const Owner other;
  registry.policy.open = true;
  registry.policy.look_alikes = false;
  registry.policy.agents_per_key = 2;
  registry.policy.agents_per_namespace = 3;
  const auto named = [](std::string_view agent, std::string version = "1.0.0") {
    Draft made;
    made.agent = agent;
    made.version = std::move(version);
    return made;
  };
  REQUIRE_DONE(registry.publish(named("one.acme.example."), owner));
  REQUIRE_DONE(registry.publish(named("two.acme.example."), owner));
  CHECK_REFUSED(registry.publish(named("three.acme.example."), owner), "agents-per-key");
  registry.pass(Seconds(1));
  REQUIRE_DONE(registry.publish(named("two.acme.example.", "1.0.1"), owner));
  REQUIRE_DONE(registry.publish(named("three.acme.example."), other));
  CHECK_REFUSED(registry.publish(named("four.acme.example."), other), "agents-per-namespace: acme.example.");
  REQUIRE_DONE(registry.publish(named("four.example."), other));
  // A rotation does not get around it.
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.rotate(named("three.acme.example.", "1.1.0"), other, owner, 1), "agents-per-key");
}

TEST_CASE("publish: no agent where a cut, a child registry, a namespace or somebody else's records are") {
  Registry registry(Mode::Unsigned,
                    "sub NS ns.sub\n_x A 192.0.2.1\ndn DNAME x.org.\nhost.acme A 192.0.2.2\ntext.acme TXT "
                    "hello\nkid._registries._agents KEY 512 3 15 "
                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nalias.acme CNAME x\nkeyed.acme KEY 512 3 15 "
                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
  const Owner owner;
  registry.policy.open = true;
  registry.policy.namespaces.push_back(name("sub.example."));
  registry.policy.namespaces.push_back(name("dn.example."));
  const auto on = [&](std::string_view agent) {
    Draft made;
    made.agent = agent;
    return registry.publish(made, owner);
  };
  CHECK_REFUSED(on("sub.example."), "is delegated");
  CHECK_REFUSED(on("bot.sub.example."), "sub.example. is delegated");
  CHECK_REFUSED(on("bot.dn.example."), "dn.example. is delegated");
  CHECK_REFUSED(on("kid.example."), "name of a child registry");
  CHECK_REFUSED(on("acme.example."), "name of a namespace");
  CHECK_REFUSED(on("host.acme.example."), "has A records");
  CHECK_REFUSED(on("alias.acme.example."), "has CNAME records");
  CHECK_REFUSED(on("text.acme.example."), "has records that are no agent's");
  CHECK_REFUSED(on("keyed.acme.example."), "has records that are no agent's");
  REQUIRE_DONE(on("bot.user/kim.github.example."));
  CHECK_REFUSED(on("bot.org/kim.github.example."), "user/ and org/ of one name are one namespace");
  REQUIRE_DONE(on("bot.org/lee.github.example."));
  CHECK_REFUSED(on("bot.user/lee.github.example."), "org/lee.github.example. has agents");
}

TEST_CASE("publish: records of others at an agent's name are not deleted with it") {
  Registry registry;
  const Owner owner;
  registry.allow(owner);
  REQUIRE_DONE(registry.publish({}, owner));
  registry.zone.add_dynamic(bot, RrType::HTTPS, "1 .");
  registry.pass(Seconds(1));
  Script whole;
  whole.remove(bot);
  for (const auto& one : registry.records(draft("1.1.0"), owner))
    whole.update({one.owner, one.type, RrClass::IN, one.ttl, one.rdata});
  CHECK_REFUSED(registry.send(whole, owner), "has HTTPS records");
  REQUIRE_DONE(registry.publish(draft("1.1.0"), owner));
  CHECK(has_line(registry.at(bot), "HTTPS"));
}

TEST_CASE("publish: an agent that came with the zone file is its key's, and goes on from its statement") {
  const Owner owner;
  const Owner other;
  Registry source;
  std::string rest;
  for (const auto& one : source.records(draft("1.4.0"), owner))
    rest +=
        one.owner.to_text() + " 300 " + dns::to_text(one.type) + " " + dns::rdata_to_text(one.type, one.rdata) + "\n";
  Registry registry(Mode::Unsigned, rest);
  registry.policy.open = true;
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.publish(draft("1.5.0"), other), "a rotation in _keys leads");
  CHECK_REFUSED(registry.publish(draft("1.3.0"), owner), "not above 1.4.0");
  registry.policy.open = false;
  const auto outcome = registry.publish(draft("1.5.0"), owner);
  REQUIRE_DONE(outcome);
  CHECK(outcome.effect->key_before.empty());
  CHECK(registry.entry()->history == 1);
}

TEST_CASE("publish: what one message changed is taken back alone, others of the transaction stay") {
  Registry registry(Mode::Nsec);
  const Owner owner;
  registry.allow(owner);
  Draft second;
  second.agent = "two.acme.example.";
  const Bytes good = Registry::update(bot, registry.records({}, owner)).wire();
  auto records = registry.records(second, owner);
  std::erase_if(records, [](const auto& one) { return one.type == RrType::SRV; });
  const Bytes bad = Registry::update(second.agent, records).wire();
  steward::test::MemoryOctets ranks;
  steward::test::MemoryOctets pages;
  agent::LookAlikes likes;
  registry.zone.edit(registry.mode, [&](ZoneEdit& edit) {
    RegistryState state{registry.book, ranks, pages, [&](const dns::Name&) -> agent::LookAlikes& { return likes; }, {}, {},
                        nullptr};
    for (const auto* wire : {&good, &bad}) {
      const auto request = parse_update(*wire);
      const dns::Name agent = name(wire == &good ? bot : second.agent);
      const auto checked = check_publish(*request, agent, owner.rdata, {}, {}, registry.policy, registry.clock);
      REQUIRE(checked);
      const auto outcome =
          admit_publish(*request, *checked, registry.policy, registry.limits, edit, state, registry.clock);
      CHECK(outcome.update.done() == (wire == &good));
    }
  });
  CHECK(faults(registry.zone, registry.mode).empty());
  CHECK(registry.entry());
  CHECK_FALSE(registry.entry(second.agent));
  CHECK(registry.at(second.agent).empty());
  CHECK_FALSE(registry.at("_a2a._tcp.acme.example.").empty());
}

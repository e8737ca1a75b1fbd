#include <doctest/doctest.h>

#include <algorithm>

#include "publish_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

constexpr const char* bot = "bot.acme.example.";

bool has_line(const std::vector<std::string>& lines, std::string_view part) {
  return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

Draft draft(std::string version, AgentStatus status = AgentStatus::Active) {
  Draft made;
  made.version = std::move(version);
  made.status = status;
  return made;
}

Result<PublishEffect> expire(Registry& registry, std::string_view agent = bot) {
  return registry.act([&](ZoneEdit& edit, RegistryState& state) {
    return expire_agent(name(agent), registry.policy, edit, state, registry.clock);
  });
}

Result<PublishEffect> suspend(Registry& registry, std::optional<std::string> reason) {
  return registry.act([&](ZoneEdit& edit, RegistryState& state) {
    return suspend_agent(name(bot), reason, registry.policy, edit, state, registry.clock);
  });
}

Result<void> restate(Registry& registry, const std::map<std::string, agent::TrustFact>& facts) {
  Result<void> done;
  registry.act([&](ZoneEdit& edit, RegistryState& state) -> Result<PublishEffect> {
    done = restate_trust(name(bot), facts, registry.policy, edit, state, registry.clock);
    if (!done) return tl::unexpected(done.error());
    const std::string print = registry.entry()->fingerprint;
    return PublishEffect{name(bot), print, print, {}};
  });
  return done;
}

std::vector<std::string> actions(Registry& registry) {
  std::vector<std::string> all;
  const auto history = registry.book.history(name(bot));
  REQUIRE_MESSAGE(history, (history ? "" : history.error().what));
  for (const auto& one : *history) all.push_back(one.action);
  return all;
}

struct Published {
  Published() {
    registry.allow(owner);
    REQUIRE_DONE(registry.publish({}, owner));
    registry.pass(Seconds(1));
  }
  Registry registry{Mode::Nsec};
  Owner owner;
};

}  // namespace

TEST_CASE("lease: what is granted lies within the policy, TTLs are at most a tenth of it [RFC 9664 §4]") {
  const auto granted = [](UpdateLease wanted) {
    Registry registry;
    const Owner owner;
    registry.allow(owner);
    const auto outcome = registry.publish({}, owner, wanted);
    REQUIRE_DONE(outcome);
    REQUIRE(outcome.granted);
    CHECK(outcome.effect->lease_until == registry.clock + Seconds(outcome.granted->lease));
    CHECK(registry.entry()->lease_until == outcome.effect->lease_until);
    const uint32_t most = std::min(outcome.granted->lease / 10, 300U);
    for (const char* owner_name : {bot, "_manifest.bot.acme.example.", "_registry.bot.acme.example.",
                                   "_trust.bot.acme.example.", "bot._a2a._tcp.acme.example."})
      for (const std::string& line : registry.at(owner_name)) CHECK(line.starts_with(std::to_string(most) + " "));
    return std::pair(outcome.granted->lease, outcome.granted->key_lease);
  };
  CHECK(granted({600, 0}) == std::pair(600U, 0U));
  CHECK(granted({60, 86400}) == std::pair(60U, 86400U));
  CHECK(granted({0, 0}) == std::pair(30U, 0U));
  CHECK(granted({1, 1}) == std::pair(30U, 30U));
  CHECK(granted({0xffffffff, 0xffffffff}) == std::pair(7U * 24 * 3600, 365U * 24 * 3600));
  CHECK(granted({7200, 3600}) == std::pair(7200U, 7200U));
}

TEST_CASE("lease: a refresh repeats the update, extends the lease and changes nothing of the zone [RFC 9664 §4]") {
  Registry registry(Mode::Nsec);
  const Owner owner;
  registry.allow(owner);
  const auto script = Registry::update(bot, registry.records({}, owner));
  const UpdateLease lease{600, 3600};
  REQUIRE_DONE(registry.send(script, owner, bot, lease));
  const uint32_t serial = registry.zone.serial;
  // An hour on, long after `modified`.
  registry.pass(Seconds(590));
  const auto refresh = registry.send(script, owner, bot, lease);
  REQUIRE_DONE(refresh);
  CHECK_FALSE(refresh.update.changed);
  CHECK(refresh.granted->lease == 600);
  CHECK(refresh.granted->key_lease == 3600);
  CHECK(refresh.effect->lease_until == registry.clock + Seconds(600));
  CHECK(registry.entry()->lease_until == registry.clock + Seconds(600));
  CHECK(registry.entry()->key_lease_until == registry.clock + Seconds(3600));
  CHECK(registry.zone.serial == serial);
  CHECK(actions(registry) == std::vector<std::string>{"publish"});
  // Another key does not refresh it, and without the option the repetition is too old to be anything.
  const Owner other;
  CHECK_REFUSED(registry.send(script, other, bot, lease), "not with the statement's key");
  CHECK_REFUSED(registry.send(script, owner, bot), "is not within");
  // A shorter lease asks for shorter TTLs.
  const auto shorter = registry.send(script, owner, bot, UpdateLease{100, 0});
  REQUIRE_DONE(shorter);
  CHECK(shorter.update.changed);
  CHECK(has_line(registry.at(bot), "10 TXT"));
  CHECK(registry.zone.serial != serial);
}

TEST_CASE("lease: a publish without the option leaves it as it runs, a tombstone has none") {
  Registry registry;
  const Owner owner;
  registry.allow(owner);
  REQUIRE_DONE(registry.publish({}, owner, UpdateLease{600, 0}));
  const auto until = registry.entry()->lease_until;
  registry.pass(Seconds(10));
  const auto outcome = registry.publish(draft("1.1.0"), owner);
  REQUIRE_DONE(outcome);
  CHECK_FALSE(outcome.granted);
  CHECK(registry.entry()->lease_until == until);
  CHECK(has_line(registry.at(bot), "60 TXT"));
  registry.pass(Seconds(10));
  const auto gone = registry.publish(draft("1.1.0", AgentStatus::Withdrawn), owner, UpdateLease{600, 0});
  REQUIRE_DONE(gone);
  CHECK_FALSE(gone.granted);
  CHECK_FALSE(registry.entry()->lease_until);
  CHECK_FALSE(expire(registry));
}

TEST_CASE("lease: an expired agent is gone with all that was derived, its name stays its key's") {
  Registry registry(Mode::Nsec3);
  registry.policy.history_records = 2;
  const Owner owner;
  const Owner second;
  const Owner other;
  registry.policy.open = true;
  const size_t names = registry.zone.nodes.nodes().size();
  CHECK(expire(registry).error().code == Errc::NotFound);
  REQUIRE_DONE(registry.publish({}, owner, UpdateLease{600, 0}));
  registry.pass(Seconds(1));
  REQUIRE_DONE(registry.rotate(draft("1.1.0"), owner, second, 1));
  CHECK(expire(registry).error().what.find("runs until") != std::string::npos);
  registry.pass(Seconds(600));
  const auto effect = expire(registry);
  REQUIRE(effect);
  CHECK(effect->key_before == second.print);
  CHECK(effect->key_after.empty());
  CHECK(registry.zone.nodes.nodes().size() == names);
  CHECK(registry.entry()->presence == agent::Presence::Gone);
  CHECK(actions(registry) == std::vector<std::string>{"publish", "rotate", "expire"});
  CHECK_FALSE(expire(registry));
  CHECK_FALSE(suspend(registry, "spam"));
  CHECK_FALSE(restate(registry, {}));
  CHECK_REFUSED(registry.publish(draft("2.0.0"), other), "a rotation in _keys leads");
  CHECK_REFUSED(registry.publish(draft("2.0.0"), owner), "a rotation in _keys leads");
  CHECK_REFUSED(registry.publish(draft("1.0.0"), second), "not above 1.1.0");
  // The same version will do: it was not there any more. The chain of its keys is back as well.
  const auto back = registry.publish(draft("1.1.0"), second, UpdateLease{600, 0});
  REQUIRE_DONE(back);
  CHECK(back.effect->key_before.empty());
  CHECK(registry.rdatas("_keys.bot.acme.example.", RrType::TXT).size() == 1);
  CHECK(registry.rdatas(bot, RrType::KEY).size() == 2);
  CHECK(registry.entry()->kept_rotations.empty());
  CHECK(registry.entry()->rotations == 1);
  CHECK(actions(registry).back() == "publish");
}

TEST_CASE("lease: an old statement is no way back after its agent is gone") {
  Registry registry;
  const Owner owner;
  registry.allow(owner);
  const auto first = Registry::update(bot, registry.records({}, owner));
  REQUIRE_DONE(registry.send(first, owner, bot, UpdateLease{30, 0}));
  registry.pass(Seconds(31));
  REQUIRE(expire(registry));
  CHECK_REFUSED(registry.send(first, owner, bot, UpdateLease{30, 0}), "is not after");
  CHECK_REFUSED(registry.send(first, owner, bot), "is not after");
}

TEST_CASE(
    "suspension: the registry's statement says so and listings go; the publisher goes on, and is back with its end") {
  Published p;
  CHECK(suspend(p.registry, std::nullopt).error().code == Errc::Refused);
  const auto effect = suspend(p.registry, "spam");
  REQUIRE(effect);
  CHECK(effect->key_after == p.owner.print);
  CHECK(has_line(p.registry.at("_registry.bot.acme.example."), "status=suspended"));
  CHECK(p.registry.at("_a2a._tcp.acme.example.").empty());
  CHECK(has_line(p.registry.at(bot), "status=active"));
  CHECK_FALSE(suspend(p.registry, "spam"));
  p.registry.pass(Seconds(1));
  REQUIRE_DONE(p.registry.publish(draft("1.1.0"), p.owner));
  CHECK(p.registry.entry()->suspended == "spam");
  CHECK(has_line(p.registry.at("_registry.bot.acme.example."), "status=suspended"));
  CHECK(p.registry.at("_a2a._tcp.acme.example.").empty());
  REQUIRE(suspend(p.registry, std::nullopt));
  CHECK(has_line(p.registry.at("_registry.bot.acme.example."), "status=active"));
  CHECK(has_line(p.registry.at("_a2a._tcp.acme.example."), "PTR bot._a2a._tcp.acme.example."));
  CHECK(actions(p.registry) == std::vector<std::string>{"publish", "suspend", "update", "restore"});
  const auto history = *p.registry.book.history(name(bot));
  CHECK(history[1].by == "registry");
  CHECK(history[1].reason == "spam");
}

TEST_CASE(
    "trust: facts that were attested change the registry's statement and the order of listings, not the agent's "
    "clock") {
  Published p;
  const Bytes statement = p.registry.rdatas(bot, RrType::TXT).front();
  const double before = p.registry.entry()->trust;
  REQUIRE(restate(p.registry, {{"tests", {1.0, false, p.registry.clock}}, {"uptime", {1.0, false, p.registry.clock}}}));
  const auto entry = p.registry.entry();
  CHECK(entry->trust > before);
  CHECK(has_line(p.registry.at("_registry.bot.acme.example."), "\"trust=" + agent::trust_text(entry->trust) + "\""));
  CHECK(has_line(p.registry.at("_registry.bot.acme.example."), "\"vc=eu-4f2a:1\""));
  CHECK(p.registry.rdatas(bot, RrType::TXT).front() == statement);
  CHECK(actions(p.registry) == std::vector<std::string>{"publish"});
  const uint32_t serial = p.registry.zone.serial;
  REQUIRE(restate(p.registry, {}));
  CHECK(p.registry.zone.serial == serial);
}

TEST_CASE(
    "import: an agent without a key is signed by the registry, listed, marked as in custody, and updated when it "
    "supersedes") {
  Registry registry(Mode::Nsec);
  const auto effect = registry.import({}, {{"tests", {0.9, true, now}}});
  REQUIRE_MESSAGE(effect, (effect ? "" : effect.error().what));
  CHECK(effect->key_before.empty());
  CHECK(effect->key_after == registry.custody.print);
  CHECK(has_line(registry.at(bot), "custody=example"));
  auto entry = registry.entry();
  CHECK(entry->custodial);
  CHECK(entry->facts.at("tests").claimed);
  CHECK(entry->protocols == std::vector<std::string>{"a2a"});
  CHECK_FALSE(registry.at("_a2a._tcp.acme.example.").empty());
  registry.pass(Seconds(1));
  CHECK(registry.import({}).error().what.find("not above") != std::string::npos);
  REQUIRE(registry.import(draft("1.1.0")));
  CHECK(registry.entry()->version == "1.1.0");
  CHECK_FALSE(registry.entry()->facts.contains("tests"));
  CHECK(registry.rdatas(bot, RrType::KEY).size() == 1);
  CHECK(actions(registry) == std::vector<std::string>{"import", "import"});
  Draft elsewhere;
  elsewhere.agent = "bot.other.example.";
  CHECK(registry.import(elsewhere).error().what.find("in no namespace") != std::string::npos);
  // Nobody publishes with the custodial key by UPDATE.
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.publish(draft("1.2.0"), registry.custody), "in the registry's custody");
}

TEST_CASE("import: a publisher's agent, and a name that stays reserved for one, is not taken into custody") {
  Registry registry;
  const Owner owner;
  registry.allow(owner);
  REQUIRE_DONE(registry.publish({}, owner, UpdateLease{30, 0}));
  registry.pass(Seconds(31));
  CHECK(registry.import(draft("2.0.0")).error().what.find("is its publisher's") != std::string::npos);
  REQUIRE(expire(registry));
  CHECK(registry.import(draft("2.0.0")).error().what.find("is reserved for its publisher") != std::string::npos);
}

TEST_CASE("import: what is not signed with the custodial key, or is of another name, is refused") {
  Registry registry;
  const Owner other;
  const auto import = [&](const std::vector<PublishedRecord>& records) {
    return registry.act([&](ZoneEdit& edit, RegistryState& state) {
      return import_agent(name(bot), records, {}, registry.policy, edit, state, registry.clock);
    });
  };
  CHECK(import(registry.records({}, other)).error().what.find("not signed with the custodial key") !=
        std::string::npos);
  CHECK(import({}).error().what.find("no statement") != std::string::npos);
  auto records = registry.records({}, registry.custody);
  records.front().owner = name("b.acme.example.");
  CHECK(import(records).error().what.find("of the agent and of its _manifest alone") != std::string::npos);
  records = registry.records({}, registry.custody);
  std::erase_if(records, [](const auto& one) { return one.type == RrType::SRV; });
  CHECK(import(records).error().what.find("ep is") != std::string::npos);
  registry.custody.pair = nullptr;
  CHECK(import(records).error().what.find("no custodial key") != std::string::npos);
}

TEST_CASE("import: a look-alike of another publisher is let in and marked") {
  Registry registry;
  const Owner owner;
  registry.allow(owner);
  Draft one;
  one.agent = "orchestrator.acme.example.";
  REQUIRE_DONE(registry.publish(one, owner));
  one.agent = "orchestratar.acme.example.";
  REQUIRE(registry.import(one));
  CHECK(registry.entry(one.agent)->looks_alike);
  one.agent = "orchestratas.acme.example.";
  REQUIRE(registry.import(one));
  one.agent = "planner.acme.example.";
  REQUIRE(registry.import(one));
  CHECK_FALSE(registry.entry(one.agent)->looks_alike);
}

TEST_CASE(
    "claim: the owner takes the agent over once, with a key that the namespace lists; the registry adds its "
    "signature") {
  Registry registry;
  registry.policy.open = true;
  REQUIRE(registry.import({}));
  registry.pass(Seconds(1));
  const Owner owner;
  const Owner other;
  CHECK_REFUSED(registry.claim(draft("1.0.0"), registry.custody.print, owner, 1),
                "a claim takes a key on the allow-list");
  registry.allow(owner);
  registry.allow(other);
  CHECK_REFUSED(registry.publish(draft("1.1.0"), owner), "a rotation in _keys leads");
  CHECK_REFUSED(registry.claim(draft("1.0.0"), registry.custody.print, owner, 2), "n is 2, not 1");
  CHECK_REFUSED(registry.claim(draft("1.0.0"), other.print, owner, 1), "rotation: old is");
  const auto pair = std::exchange(registry.custody.pair, nullptr);
  CHECK_REFUSED(registry.claim(draft("1.0.0"), registry.custody.print, owner, 1), "no custodial key at hand");
  registry.custody.pair = pair;
  const auto outcome = registry.claim(draft("1.0.0"), registry.custody.print, owner, 1);
  REQUIRE_DONE(outcome);
  CHECK(outcome.effect->key_before == registry.custody.print);
  CHECK(outcome.effect->key_after == owner.print);
  const auto entry = registry.entry();
  CHECK_FALSE(entry->custodial);
  CHECK(entry->rotations == 1);
  CHECK(actions(registry) == std::vector<std::string>{"import", "claim"});
  CHECK_FALSE(has_line(registry.at(bot), "custody="));
  const auto rotations = registry.rdatas("_keys.bot.acme.example.", RrType::TXT);
  REQUIRE(rotations.size() == 1);
  const auto keys = registry.rdatas(bot, RrType::KEY);
  const std::vector<ByteView> views(keys.begin(), keys.end());
  CHECK(agent::Rotation::from_txt(rotations.front())->verify(name(bot), views));
  // Once: from now on it is the owner's.
  registry.pass(Seconds(1));
  CHECK_REFUSED(registry.claim(draft("1.2.0"), owner.print, other, 2), "sig-old is missing");
  CHECK(registry.import(draft("2.0.0")).error().what.find("is its publisher's") != std::string::npos);
  REQUIRE_DONE(registry.publish(draft("1.2.0"), owner));
}

TEST_CASE("claim: as nsupdate sends it, with no string sig-old at all") {
  Registry registry;
  REQUIRE(registry.import({}));
  registry.pass(Seconds(1));
  const Owner owner;
  registry.allow(owner);
  const auto claim = agent::Rotation::make_claim(name(bot), 1, registry.custody.print, *owner.pair, registry.clock);
  Bytes sent;
  const Fields fields = *agent::fields_from_txt(claim->txt_rdata());
  for (const auto& field : fields)
    if (field.key != "sig-old") agent::append_field(sent, field.key, field.value);
  REQUIRE_DONE(registry.send(Registry::update(bot, registry.records(draft("1.1.0"), owner), sent), owner));
  const auto rotations = registry.rdatas("_keys.bot.acme.example.", RrType::TXT);
  REQUIRE(rotations.size() == 1);
  CHECK_FALSE(agent::Rotation::from_txt(rotations.front())->is_claim());
}

TEST_CASE("history: as many records as the configuration asks for, each with the hash of the one before") {
  Registry registry(Mode::Nsec);
  registry.policy.history_records = 3;
  const Owner owner;
  registry.allow(owner);
  for (const char* version : {"1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"}) {
    REQUIRE_DONE(registry.publish(draft(version), owner));
    registry.pass(Seconds(1));
  }
  const auto record_of = [](int number) { return "_r" + std::to_string(number) + "._log.bot.acme.example."; };
  for (const int gone : {1, 2, 6}) CHECK(registry.at(record_of(gone)).empty());
  for (const int kept : {3, 4, 5}) {
    const auto rdatas = registry.rdatas(record_of(kept), RrType::TXT);
    REQUIRE(rdatas.size() == 1);
    const auto entry = agent::HistoryEntry::from_octets(rdatas.front());
    REQUIRE(entry);
    CHECK(entry->number == static_cast<uint32_t>(kept));
    if (kept > 3) CHECK(entry->previous == (*registry.book.history(name(bot)))[static_cast<size_t>(kept) - 2].hash());
  }
  registry.policy.history_records = 1;
  REQUIRE_DONE(registry.publish(draft("1.5.0"), owner));
  CHECK(registry.at(record_of(5)).empty());
  CHECK(registry.at(record_of(3)).empty());
  CHECK(registry.at(record_of(6)).size() == 1);
  registry.policy.history_records = 0;
  registry.pass(Seconds(1));
  REQUIRE_DONE(registry.publish(draft("1.6.0"), owner));
  CHECK(registry.at(record_of(6)).empty());
}

TEST_CASE("learned: an agent of the zone file gets the registry's statement, unless the file has one") {
  Published p;
  const auto learn = [&](const std::optional<agent::AgentEntry>& before, uint64_t stamp) {
    agent::AgentEntry entry = *p.registry.entry();
    entry.write.stamp = stamp;
    REQUIRE(p.registry.act([&](ZoneEdit& edit, RegistryState& state) -> Result<PublishEffect> {
      state_learned(name(bot), entry, before, p.registry.policy, edit, state, p.registry.clock);
      if (auto put = state.book.put(name(bot), entry); !put) return tl::unexpected(put.error());
      return PublishEffect{name(bot), entry.fingerprint, entry.fingerprint, {}};
    }));
    return entry;
  };
  constexpr const char* stated = "_registry.bot.acme.example.";
  const auto set = [&](const Bytes& rdata) {
    REQUIRE(p.registry.act([&](ZoneEdit& edit, RegistryState&) -> Result<PublishEffect> {
      edit.remove_rrset(name(stated), RrType::TXT);
      if (!rdata.empty()) edit.add(name(stated), RrType::TXT, 300, rdata);
      return PublishEffect{name(bot), p.owner.print, p.owner.print, {}};
    }));
  };
  const auto is_ours = [&](const agent::AgentEntry& entry) {
    return p.registry.rdatas(stated, RrType::TXT) ==
           std::vector<Bytes>{agent::registry_statement(p.registry.policy.registry_id, entry)};
  };
  set({});
  const auto first = learn(std::nullopt, 10);
  CHECK(is_ours(first));
  // What it said itself is said anew, what somebody else wrote there stands.
  const auto second = learn(first, 20);
  CHECK(is_ours(second));
  const Bytes others{3, 'h', 'i', '!'};
  set(others);
  learn(second, 30);
  CHECK(p.registry.rdatas(stated, RrType::TXT) == std::vector<Bytes>{others});
}

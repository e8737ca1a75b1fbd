#include <doctest/doctest.h>

#include "dns/rdata.hh"
#include "publish_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

constexpr const char* bot = "bot.acme.example.";

/// A registry, and a publisher whom it knows.
struct Scene {
  Scene() {
    registry.allow(owner);
    registry.examine = false;
  }
  PublishOutcome with(std::string_view key, std::string_view value) {
    auto records = registry.records({}, owner);
    state_anew(records, owner, [&](Fields& fields) { put_field(fields, key, value); });
    return registry.send(Registry::update(bot, records), owner);
  }
  PublishOutcome more(dns::Record record) {
    auto script = Registry::update(bot, registry.records({}, owner));
    return registry.send(script.update(std::move(record)), owner);
  }

  Registry registry;
  Owner owner;
};

dns::Record add(std::string_view owner, RrType type, std::string_view rdata, uint32_t ttl = 300) {
  return record(owner, type, RrClass::IN, ttl, rdata_of(type, rdata));
}

}  // namespace

TEST_CASE("publish: only the statement, keys and endpoints of the agent, its manifest and rotations may be named") {
  Scene s;
  for (auto& extra :
       {add(bot, RrType::A, "192.0.2.1"), add(bot, RrType::CNAME, "x.example."), add(bot, RrType::NS, "ns1"),
        add("_registry.bot.acme", RrType::TXT, "v=steward-registry1"), add("_trust.bot.acme", RrType::TXT, "x=1"),
        add("_r1._log.bot.acme", RrType::TXT, "x=1"), add("_manifest.bot.acme", RrType::SRV, "0 0 1 x"),
        add("_keys.bot.acme", RrType::KEY, "512 3 15 AAAA"), add("other.acme", RrType::TXT, "x=1"),
        add("@", RrType::TXT, "x"), add("bot._a2a._tcp.acme", RrType::SRV, "0 0 1 x"),
        add("_agent-policy.bot.acme", RrType::TXT, "x")})
    CHECK_REFUSED(s.more(extra), "all else is derived");
  for (const RrType type : {RrType::A, RrType::DNSKEY, RrType::RRSIG, RrType::NSEC})
    CHECK_REFUSED(s.more(record(bot, type, RrClass::ANY)), "all else is derived");
  CHECK_REFUSED(s.more(record("_registry.bot.acme", RrType::ANY, RrClass::ANY)), "all else is derived");
  CHECK(s.more(record("bot.acme.org.", RrType::TXT, RrClass::ANY)).update.rcode == Rcode::NOTZONE);
  CHECK(s.more(record(bot, RrType::ANY, RrClass::IN)).update.rcode == Rcode::FORMERR);
  CHECK_FALSE(s.registry.entry());
}

TEST_CASE("publish: nsupdate's own ways of saying it are taken, a deletion by value and of the whole name as well") {
  Scene s;
  REQUIRE_DONE(s.registry.publish({}, s.owner));
  s.registry.pass(Seconds(1));
  Draft next;
  next.version = "1.0.1";
  // RFC 2136 §2.5.4: each old record by its value, the others stand as they were.
  const auto records = s.registry.records(next, s.owner);
  Script script;
  const Bytes old = s.registry.rdatas(bot, RrType::TXT).front();
  script.update(record(bot, RrType::TXT, RrClass::NONE, 0, old));
  for (const RrType type : {RrType::SRV, RrType::SVCB})
    script.update(record(bot, type, RrClass::NONE, 0, s.registry.rdatas(bot, type).front()));
  script.update(record("_manifest.bot.acme", RrType::TXT, RrClass::ANY));
  for (const auto& one : records) script.update({one.owner, one.type, RrClass::IN, one.ttl, one.rdata});
  REQUIRE_DONE(s.registry.send(script, s.owner));
  s.registry.pass(Seconds(1));
  next.version = "1.0.2";
  // RFC 2136 §2.5.3.
  Script whole;
  whole.remove(bot).remove("_manifest.bot.acme");
  for (const auto& one : s.registry.records(next, s.owner))
    whole.update({one.owner, one.type, RrClass::IN, one.ttl, one.rdata});
  REQUIRE_DONE(s.registry.send(whole, s.owner));
  CHECK(s.registry.entry()->version == "1.0.2");
  CHECK(s.registry.rdatas(bot, RrType::TXT).size() == 1);
  CHECK(s.registry.rdatas(bot, RrType::KEY).size() == 1);
}

TEST_CASE("publish: exactly one statement, well-formed, in a message") {
  Scene s;
  Script none;
  none.add(bot, RrType::SRV, "0 0 443 x.example.");
  CHECK_REFUSED(s.registry.send(none, s.owner), "exactly one statement");
  CHECK_REFUSED(s.more(add(bot, RrType::TXT, "v=spf1")), "exactly one statement");
  auto records = s.registry.records({}, s.owner);
  records.front().rdata = rdata_of(RrType::TXT, "v=steward2");
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "v=steward1 must be the first");
  records.front().rdata = rdata_of(RrType::TXT, "\"\\255\\000\"");
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "statement: string 1");
  // The statement before has to go in the same message.
  REQUIRE_DONE(s.registry.publish({}, s.owner));
  s.registry.pass(Seconds(1));
  Draft next;
  next.version = "2.0.0";
  Script only_adds;
  for (const auto& one : s.registry.records(next, s.owner))
    only_adds.update({one.owner, one.type, RrClass::IN, one.ttl, one.rdata});
  CHECK_REFUSED(s.registry.send(only_adds, s.owner), "exactly one TXT record");
}

TEST_CASE("publish: every octet of a statement is covered, a bit flipped in any of its fields is refused") {
  Scene s;
  const auto good = s.registry.records({}, s.owner);
  const Bytes statement = good.front().rdata;
  REQUIRE(good.front().type == RrType::TXT);
  for (size_t i = 0; i < statement.size(); ++i) {
    for (const int bit : {0x01, 0x20, 0x80}) {
      auto records = good;
      records.front().rdata[i] = static_cast<uint8_t>(statement[i] ^ bit);
      if (!dns::check_rdata(RrType::TXT, records.front().rdata)) continue;
      const auto outcome = s.registry.send(Registry::update(bot, records), s.owner);
      INFO("octet ", i, " bit ", bit, ": ", rule_of(outcome));
      CHECK_FALSE(outcome.update.done());
    }
  }
  CHECK_FALSE(s.registry.entry());
  REQUIRE_DONE(s.registry.send(Registry::update(bot, good), s.owner));
}

TEST_CASE("publish: rows that are not those that were signed are refused, each of their octets") {
  Scene s;
  const auto good = s.registry.records({}, s.owner);
  for (size_t index = 0; index < good.size(); ++index) {
    if (good[index].type == RrType::TXT && index == 0) continue;
    for (size_t i = 0; i < good[index].rdata.size(); ++i) {
      auto records = good;
      records[index].rdata[i] ^= 1;
      if (!dns::check_rdata(records[index].type, records[index].rdata)) continue;
      const auto outcome = s.registry.send(Registry::update(bot, records), s.owner);
      INFO(dns::to_text(records[index].type), " octet ", i, ": ", rule_of(outcome));
      // KEY flags 513 are what SRP clients send.
      const bool is_flag = records[index].type == RrType::KEY && i == 1;
      CHECK((is_flag || !outcome.update.done()));
      if (is_flag) return;
    }
  }
}

TEST_CASE("publish: a statement of another agent, of another namespace, or by another key is none of this name's") {
  Scene s;
  const Owner other;
  auto records = s.registry.records({}, s.owner);
  state_anew(
      records, s.owner, [](Fields&) {}, "bot.other.example.");
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "sig does not verify");
  records = s.registry.records({}, other);
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "not with the statement's key");
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), other), "not on its allow-list");
  // The owner's statement, sent by somebody else.
  CHECK_REFUSED(s.registry.send(Registry::update(bot, s.registry.records({}, s.owner)), other),
                "not with the statement's key");
  // With a KEY that is not the one that signed.
  records = s.registry.records({}, s.owner);
  for (auto& one : records)
    if (one.type == RrType::KEY) one.rdata = other.rdata;
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "KEY");
  std::erase_if(records, [](const auto& one) { return one.type == RrType::KEY; });
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "is missing");
  // Another key beside it.
  CHECK_REFUSED(s.more(record(bot, RrType::KEY, RrClass::IN, 300, other.rdata)), "neither the statement's");
  CHECK_REFUSED(s.more(add(bot, RrType::KEY, "0 3 15 AAAA")), "KEY:");
}

TEST_CASE("publish: modified lies within five minutes of the registry's clock") {
  Scene s;
  for (const int apart : {-301, 301, -86400, 86400}) {
    Draft draft;
    draft.modified = s.registry.clock + Seconds(apart);
    CHECK_REFUSED(s.registry.publish(draft, s.owner), "is not within 300 s");
    // With a lease it is not the message alone that tells a refresh from a new statement.
    CHECK_REFUSED(s.registry.publish(draft, s.owner, UpdateLease{3600, 0}), "is not within 300 s");
  }
  Draft draft;
  draft.modified = s.registry.clock - Seconds(300);
  REQUIRE_DONE(s.registry.publish(draft, s.owner));
}

TEST_CASE("publish: what people are shown holds no control characters, and is UTF-8") {
  Scene s;
  for (const char* bad :
       {"a\nb", "a\x1b[31mb", "\x7f", "caf\xe9", "\xc2\x9b", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80",
        "abc\xe2\x80\xae"
        "cba",
        "\xe2\x81\xa7x", "\xe2\x80"})
    CHECK_REFUSED(s.with("desc", bad), "desc: UTF-8 without control characters");
  CHECK_REFUSED(s.with("desc", std::string_view("a\0b", 3)), "control characters");
  CHECK_REFUSED(s.with("capabilities", "plan\t"), "control characters");
  CHECK_REFUSED(s.with("x-new", "\x01"), "x-new: UTF-8");
  REQUIRE_DONE(s.with("desc",
                      "Gr\xc3\xbc\xc3\x9f"
                      "e, \xf0\x9f\xa4\x96"));
}

TEST_CASE("publish: capabilities are terms, each once, at most 64") {
  Scene s;
  for (const char* bad : {"Plan", "plan, act", "plan,,act", ",plan", "plan,", "a.b", "a/b", "pl\xc3\xa4n"})
    CHECK_REFUSED(s.with("capabilities", bad), "capabilities");
  CHECK_REFUSED(s.with("capabilities", std::string(63, 'a')), "1 to 62");
  CHECK_REFUSED(s.with("capabilities", "plan,act,plan"), "plan stands there twice");
  std::string many = "c0";
  for (int i = 1; i < 65; ++i) many += ",c" + std::to_string(i);
  CHECK_REFUSED(s.with("capabilities", many), "65 capabilities, at most 64");
  REQUIRE_DONE(s.with("capabilities", many.substr(0, many.rfind(','))));
  CHECK(s.registry.entry()->capabilities.size() == 64);
}

TEST_CASE("publish: oversize is refused: the statement, the manifest, TTLs, the number of records") {
  Scene s;
  CHECK_REFUSED(s.with("desc", std::string(9000, 'x')), "octets, at most 8192");
  for (const uint32_t ttl : {3601U, 86400U, 0xffffffffU}) {
    Draft draft;
    draft.ttl = ttl;
    CHECK_REFUSED(s.registry.publish(draft, s.owner), "is over 3600");
  }
  auto records = s.registry.records({}, s.owner);
  Bytes large;
  for (int i = 0; i < 129; ++i) {
    large.push_back(255);
    large.insert(large.end(), 255, 'x');
  }
  records.back().rdata = large;
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "_manifest: 32895 octets, at most 32768");
  CHECK_REFUSED(s.more(add("_manifest.bot.acme", RrType::TXT, "two")), "one TXT record");
  s.registry.limits.message_records = 5;
  CHECK_REFUSED(s.registry.publish({}, s.owner), "message-records");
  s.registry.limits.message_records = 0;
  s.registry.limits.name_rrsets = 3;
  CHECK_REFUSED(s.registry.publish({}, s.owner), "name-rrsets");
}

TEST_CASE("publish: the digest is that of the manifest's exact octets, whether the message has it or it stands") {
  Scene s;
  auto records = s.registry.records({}, s.owner);
  REQUIRE(records.back().owner == name("_manifest.bot.acme.example."));
  records.back().rdata = rdata_of(RrType::TXT, "{}");
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "digest is not that of _manifest");
  records.pop_back();
  CHECK_REFUSED(s.registry.send(Registry::update(bot, records), s.owner), "names _manifest, which is not there");
  REQUIRE_DONE(s.registry.publish({}, s.owner));
  s.registry.pass(Seconds(1));
  // The next statement with the digest of another manifest, while the old one stays.
  Draft next;
  next.version = "1.1.0";
  Script script;
  script.remove(bot, RrType::TXT).remove(bot, RrType::SRV).remove(bot, RrType::SVCB);
  for (const auto& one : s.registry.records(next, s.owner))
    if (one.owner == name(bot)) script.update({one.owner, one.type, RrClass::IN, one.ttl, one.rdata});
  CHECK_REFUSED(s.registry.send(script, s.owner), "digest is not that of _manifest");
  // Elsewhere than here, the digest is the client's to check.
  next.has_manifest = false;
  REQUIRE_DONE(s.registry.publish(next, s.owner));
  CHECK(s.registry.at("_manifest.bot.acme.example.").empty());
}

TEST_CASE("publish: a target is a host, and not none while the agent is active") {
  Scene s;
  const auto with_row = [&](RrType type, std::string_view rdata) {
    auto records = s.registry.records({}, s.owner);
    for (auto& one : records)
      if (one.type == type) one.rdata = rdata_of(type, rdata);
    std::vector<agent::Endpoint> rows;
    for (const auto& one : records)
      if (one.type == RrType::SRV || one.type == RrType::SVCB) rows.push_back({one.type, one.rdata});
    const std::string digest = agent::endpoint_digest(rows);
    state_anew(records, s.owner, [&](Fields& fields) { put_field(fields, "ep", digest); });
    return s.registry.send(Registry::update(bot, records), s.owner);
  };
  CHECK_REFUSED(with_row(RrType::SRV, "0 0 443 user/x.github.example."), "holds no slash");
  CHECK_REFUSED(with_row(RrType::SVCB, "1 a.user/x.github.example. alpn=h2"), "holds no slash");
  CHECK_REFUSED(with_row(RrType::SRV, "0 0 0 ."), "target .");
  CHECK_REFUSED(with_row(RrType::SVCB, "0 ."), "target .");
  REQUIRE_DONE(with_row(RrType::SVCB, "1 a.example. alpn=h2 key65402=mcp"));
  CHECK(s.registry.entry()->protocols == std::vector<std::string>{"mcp"});
}

TEST_CASE("publish: no publisher says that the registry has his agent in custody") {
  Scene s;
  CHECK_REFUSED(s.with("custody", "example"), "custody is the registry's to say");
}

TEST_CASE("publish: trust is nothing that a publisher sets; what his manifest claims is marked as claimed") {
  Scene s;
  REQUIRE_DONE(s.with("trust", "1.00"));
  CHECK(s.registry.entry()->trust == 0.0);
}

TEST_CASE("publish: whose UPDATE it is, by the signer's name alone") {
  Registry registry;
  UpdateSender sender;
  const auto of = [&](std::string_view text) {
    sender.sig0_signer = name(text);
    return publisher_of(sender, registry.policy);
  };
  CHECK_FALSE(publisher_of({}, registry.policy));
  CHECK(of("bot.example.") == name("bot.example."));
  CHECK(of("BOT.Acme.Example.") == name("bot.acme.example."));
  CHECK(of("bot.user/kim.github.example."));
  CHECK(of("bot.org/x-y.github.example."));
  CHECK(of("bot.kim.github.example."));
  CHECK_FALSE(of("bot.team/x.github.example."));
  CHECK_FALSE(of("bot.user/x/y.github.example."));
  CHECK_FALSE(of("bot._agents.github.example."));
  CHECK_FALSE(of("bot.www.github.example."));
  CHECK_FALSE(of("bot.other.example."));
  CHECK_FALSE(of("a.bot.acme.example."));
  CHECK_FALSE(of("example."));
  CHECK_FALSE(of("bot.acme.org."));
  // Services, and the reserved names that hosts have.
  CHECK_FALSE(of("_dns.example."));
  CHECK_FALSE(of("*.example."));
  CHECK_FALSE(of("ns1.acme.example."));
  CHECK_FALSE(of("www.example."));
  // These are told why.
  CHECK(of("a_b.acme.example."));
  CHECK(of("user/kim.example."));
  const auto rule = [&](std::string_view text) {
    sender.sig0_signer = name(text);
    return rule_against_name(sender, registry.policy).value_or("");
  };
  CHECK(rule("WWW.acme.example.") == "label \"www\": is reserved, no agent can have it");
  CHECK(rule("ns1.example.").find("is reserved") != std::string::npos);
  for (const char* other : {"bot.acme.example.", "_dns.example.", "*.example.", "www.other.example.", "www.acme.org."}) CHECK(rule(other).empty());
  CHECK_FALSE(rule_against_name({}, registry.policy));
}

TEST_CASE("publish: a label that cannot be an agent's is refused with the reason, homographs and long names too") {
  Registry registry;
  const Owner owner;
  registry.allow(owner);
  const auto of = [&](std::string_view agent) {
    auto script = Registry::update(bot, registry.records({}, owner));
    return registry.send(script, owner, agent);
  };
  CHECK_REFUSED(of("a_b.acme.example."), "label");
  CHECK_REFUSED(of("user/kim.acme.example."), "label");
  CHECK_REFUSED(of("-bot.acme.example."), "label");
  CHECK_REFUSED(of("bot\\.x.acme.example."), "label");
  CHECK_REFUSED(of("b\\195\\182t.acme.example."), "label");
  CHECK_REFUSED(of("xn--a.acme.example."), "label");
  registry.policy.namespaces.push_back(name(std::string(60, 'a') + "." + std::string(60, 'b') + ".example."));
  CHECK_REFUSED(of(std::string(60, 'c') + "." + std::string(60, 'a') + "." + std::string(60, 'b') + ".example."),
                "at most 180 octets");
}

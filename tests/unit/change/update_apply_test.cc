// Prescan and changes: RFC 2136 §2.5 and §3.4; quotas.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "update_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {
constexpr std::string_view content =
    "a A 192.0.2.1\na A 192.0.2.2\na TXT old\nalias CNAME a\nx.ent TXT here\n@ TXT apex\n@ NS ns2\nns2 A 192.0.2.2\n";
const Lines apex_ns{"300 NS ns1.example.", "300 NS ns2.example."};
}  // namespace

TEST_CASE("update: a record is added to a new and to an old RRset [RFC 2136 §2.5.1, §3.4.2.2]") {
  Trial trial(content);
  const auto outcome = trial.run(Script().add("b", RrType::A, "192.0.2.9").add("a", RrType::A, "192.0.2.3"));
  CHECK(outcome.done());
  CHECK(outcome.changed);
  CHECK(outcome.added == 2);
  CHECK(trial.at("b") == Lines{"300 A 192.0.2.9"});
  CHECK(trial.at("a").size() == 4);
  CHECK(trial.zone.serial == 8);
}

TEST_CASE(
    "update: a repeat is silently ignored and the serial stays; a new TTL is for the whole RRset [RFC 2136 §3.4.2.2, "
    "RFC 2181 §5.2]") {
  Trial trial(content);
  auto outcome = trial.run(Script().add("A", RrType::A, "192.0.2.1"));
  CHECK(outcome.done());
  CHECK(!outcome.changed);
  CHECK(outcome.ignored == 1);
  CHECK(trial.zone.serial == 7);
  CHECK(trial.run(Script().add("a", RrType::A, "192.0.2.1", 60)).changed);
  CHECK(trial.at("a") == Lines{"60 A 192.0.2.1", "60 A 192.0.2.2", "300 TXT \"old\""});
}

TEST_CASE("update: a TTL with its first bit set is 0 [RFC 2181 §8]") {
  Trial trial;
  CHECK(trial.rcode(Script().add("a", RrType::A, "192.0.2.1", 0x80000001)) == Rcode::NOERROR);
  CHECK(trial.at("a") == Lines{"0 A 192.0.2.1"});
}

TEST_CASE("update: CNAME and other data keep each other out, silently [RFC 2136 §3.4.2.2]") {
  Trial trial(content);
  const auto outcome = trial.run(Script().add("a", RrType::CNAME, "b").add("alias", RrType::A, "192.0.2.1"));
  CHECK(outcome.done());
  CHECK(!outcome.changed);
  CHECK(outcome.ignored == 2);
  CHECK(trial.rcode(Script().add("@", RrType::CNAME, "b")) == Rcode::NOERROR);
  CHECK(trial.at("@").size() == 4);
}

TEST_CASE("update: a CNAME with TTL 0 is held to the same rule [PowerDNS issue 17155]") {
  Trial trial(content);
  CHECK(!trial.run(Script().add("a", RrType::CNAME, "b", 0)).changed);
}

TEST_CASE("update: a second CNAME takes the place of the first [RFC 2136 §3.4.2.2]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().add("alias", RrType::CNAME, "b")) == Rcode::NOERROR);
  CHECK(trial.at("alias") == Lines{"300 CNAME b.example."});
}

TEST_CASE("update: a CNAME may stand at an empty non-terminal [PowerDNS issue 7776]") {
  Trial trial(content);
  CHECK(trial.run(Script().add("ent", RrType::CNAME, "a")).changed);
  CHECK(trial.at("ent") == Lines{"300 CNAME a.example."});
}

TEST_CASE("update: a name changes from CNAME to data and back within one message, by its order [RFC 2136 §3.4.2.7]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().remove("alias").add("alias", RrType::A, "192.0.2.9")) == Rcode::NOERROR);
  CHECK(trial.at("alias") == Lines{"300 A 192.0.2.9"});
  CHECK(trial.rcode(Script().remove("alias", RrType::A).add("alias", RrType::CNAME, "a")) == Rcode::NOERROR);
  CHECK(trial.at("alias") == Lines{"300 CNAME a.example."});
  CHECK(trial.rcode(Script().add("alias", RrType::A, "192.0.2.9").remove("alias")) == Rcode::NOERROR);
  CHECK(trial.at("alias").empty());
}

TEST_CASE("update: KEY may stand beside CNAME [RFC 3007 §3, RFC 3755 §3]") {
  Trial trial(content);
  CHECK(trial.run(Script().add("alias", RrType::KEY, "512 3 15 AAAA")).changed);
  CHECK(trial.run(Script().add("k", RrType::KEY, "512 3 15 AAAA").add("k", RrType::CNAME, "a")).added == 2);
}

TEST_CASE("update: a DNAME is added, replaced and removed; names below it may come and stay hidden [RFC 6672 §5.2]") {
  Trial trial(content);
  CHECK(trial.run(Script().add("d", RrType::DNAME, "one.").add("d", RrType::DNAME, "two.")).done());
  CHECK(trial.at("d") == Lines{"300 DNAME two."});
  CHECK(trial.run(Script().add("x.d", RrType::A, "192.0.2.1")).changed);
  CHECK(!trial.run(Script().add("d", RrType::CNAME, "a").add("alias", RrType::DNAME, "a")).changed);
  CHECK(trial.run(Script().remove("d", RrType::DNAME)).changed);
}

TEST_CASE("update: DNAME and NS beside each other are refused below the apex [RFC 6672 §2.3]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().add("cut", RrType::NS, "ns1").add("cut", RrType::DNAME, "other.")) == Rcode::REFUSED);
  CHECK(trial.rcode(Script().add("d", RrType::DNAME, "other.").add("d", RrType::NS, "ns1")) == Rcode::REFUSED);
  CHECK(trial.at("cut").empty());
  CHECK(trial.run(Script().add("@", RrType::DNAME, "other.")).changed);
}

TEST_CASE("update: a SOA takes the place of the zone's where its serial is ahead [RFC 2136 §3.4.2.2, RFC 1982 §3.2]") {
  const auto soa = [](uint32_t serial) { return fmt::format("ns1 other {} 1 2 3 60", serial); };
  Trial trial(content);
  for (const uint32_t serial : {7U, 6U, 0U, 7U + 0x80000000U, 7U + 0x80000001U}) {
    CAPTURE(serial);
    CHECK(!trial.run(Script().add("@", RrType::SOA, soa(serial))).changed);
  }
  CHECK(trial.run(Script().add("@", RrType::SOA, soa(7U + 0x7fffffffU))).changed);
  CHECK(trial.zone.serial == 7U + 0x7fffffffU);
  CHECK(!trial.run(Script().add("a", RrType::SOA, soa(0xfffffff0))).changed);
}

TEST_CASE("update: a WKS takes the place of the one with its address and protocol [RFC 2136 §3.4.2.2]") {
  Trial trial;
  CHECK(trial.rcode(Script().add("h", RrType::WKS, "192.0.2.1 6 25").add("h", RrType::WKS, "192.0.2.1 17 53")) ==
        Rcode::NOERROR);
  CHECK(trial.rcode(Script().add("h", RrType::WKS, "192.0.2.1 6 80")) == Rcode::NOERROR);
  CHECK(trial.at("h") == Lines{"300 WKS 192.0.2.1 6 80", "300 WKS 192.0.2.1 17 53"});
}

TEST_CASE("update: an RRset is deleted; one that is not there is no error [RFC 2136 §2.5.2, §3.4.2.3]") {
  Trial trial(content);
  const auto outcome = trial.run(Script().remove("a", RrType::A).remove("a", RrType::AAAA).remove("nobody", RrType::A));
  CHECK(outcome.done());
  CHECK(outcome.removed == 2);
  CHECK(outcome.ignored == 2);
  CHECK(trial.at("a") == Lines{"300 TXT \"old\""});
}

TEST_CASE("update: the zone's SOA and NS RRsets are not deleted, other NS are [RFC 2136 §3.4.2.3]") {
  Trial trial(std::string(content) + "sub NS ns1\n");
  CHECK(!trial.run(Script().remove("@", RrType::SOA).remove("@", RrType::NS)).changed);
  CHECK(trial.run(Script().remove("sub", RrType::NS)).changed);
  CHECK(trial.at("sub").empty());
}

TEST_CASE("update: all RRsets of a name are deleted; the apex keeps SOA and NS [RFC 2136 §2.5.3, §3.4.2.3]") {
  Trial trial(content);
  CHECK(trial.run(Script().remove("a")).removed == 3);
  CHECK(trial.at("a").empty());
  CHECK(trial.run(Script().remove("@")).removed == 1);
  CHECK(trial.at("@").size() == 3);
  CHECK(!trial.run(Script().remove("@").remove("ent").remove("nobody")).changed);
  CHECK(trial.at("x.ent").size() == 1);
}

TEST_CASE("update: a record is deleted by its value, whatever the case of its names [RFC 2136 §2.5.4, §3.4.2.4]") {
  Trial trial(content);
  CHECK(trial.run(Script().remove("A", RrType::A, "192.0.2.1").remove("alias", RrType::CNAME, "A.Example.")).removed ==
        2);
  CHECK(trial.at("a") == Lines{"300 A 192.0.2.2", "300 TXT \"old\""});
  CHECK(!trial.run(Script().remove("a", RrType::A, "192.0.2.9").remove("nobody", RrType::A, "192.0.2.1")).changed);
}

TEST_CASE("update: the SOA is never deleted, the zone's last NS neither [RFC 2136 §3.4.2.4]") {
  Trial trial(content);
  CHECK(!trial.run(Script().remove("@", RrType::SOA, "ns1 hostmaster 7 3600 600 1209600 60")).changed);
  const auto outcome = trial.run(Script().remove("@", RrType::NS, "ns1").remove("@", RrType::NS, "ns2"));
  CHECK(outcome.removed == 1);
  CHECK(outcome.ignored == 1);
  CHECK(trial.at("@").at(0) == "300 NS ns2.example.");
  // Changing the last one: the new comes before the old goes.
  CHECK(trial.run(Script().add("@", RrType::NS, "ns3").remove("@", RrType::NS, "ns2")).removed == 1);
  CHECK(trial.at("@").at(0) == "300 NS ns3.example.");
}

TEST_CASE("update: an update outside of the zone is NOTZONE [RFC 2136 §3.4.1.3]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().add("a", RrType::A, "192.0.2.9").add("other.", RrType::A, "192.0.2.9")) == Rcode::NOTZONE);
  CHECK(trial.rcode(Script().remove("other.")) == Rcode::NOTZONE);
  CHECK(trial.rcode(Script().add("notexample.", RrType::A, "192.0.2.9")) == Rcode::NOTZONE);
  CHECK(trial.rcode(Script().add(".", RrType::A, "192.0.2.9")) == Rcode::NOTZONE);
}

TEST_CASE(
    "update: classes, types, TTL and RDATA are as the forms of an update have them [RFC 2136 §3.4.1.2, §3.4.1.3]") {
  Trial trial(content);
  const auto try_record = [&](RrType type, RrClass klass, uint32_t ttl = 0, Bytes rdata = {}) {
    return trial.rcode(Script().update(record("b", type, klass, ttl, std::move(rdata))));
  };
  for (const RrType type : {RrType::AXFR, RrType::IXFR, RrType::MAILA, RrType::MAILB, RrType::TKEY, RrType::NXNAME,
                            static_cast<RrType>(0), static_cast<RrType>(200), static_cast<RrType>(65535)}) {
    CAPTURE(dns::to_text(type));
    for (const RrClass klass : {RrClass::IN, RrClass::ANY, RrClass::NONE})
      CHECK(try_record(type, klass) == Rcode::FORMERR);
  }
  CHECK(try_record(RrType::ANY, RrClass::IN) == Rcode::FORMERR);
  CHECK(try_record(RrType::ANY, RrClass::NONE) == Rcode::FORMERR);
  CHECK(try_record(RrType::ANY, RrClass::ANY) == Rcode::NOERROR);
  CHECK(try_record(RrType::A, RrClass::ANY, 1) == Rcode::FORMERR);
  CHECK(try_record(RrType::A, RrClass::NONE, 1, {192, 0, 2, 1}) == Rcode::FORMERR);
  CHECK(try_record(RrType::A, RrClass::ANY, 0, {192, 0, 2, 1}) == Rcode::FORMERR);
  CHECK(try_record(RrType::A, RrClass::CH, 0, {192, 0, 2, 1}) == Rcode::FORMERR);
  CHECK(try_record(RrType::A, RrClass::NONE, 0, {192, 0, 2, 1}) == Rcode::NOERROR);
}

TEST_CASE("update: a zone of another class is not ours [RFC 2136 §3.1.2]") {
  Trial trial(content);
  Script script;
  script.message.question[0].klass = RrClass::CH;
  CHECK(trial.rcode(script) == Rcode::NOTAUTH);
}

TEST_CASE("update: an error in the last record leaves nothing of those before [RFC 2136 §3.4.2, §3.5]") {
  Trial trial(content, Mode::Nsec);
  trial.limits.rrset_records = 2;
  CHECK(trial.rcode(Script()
                        .add("b", RrType::A, "192.0.2.1")
                        .remove("a")
                        .add("c", RrType::A, "192.0.2.1")
                        .add("c", RrType::A, "192.0.2.2")
                        .add("c", RrType::A, "192.0.2.3")) == Rcode::REFUSED);
  CHECK(trial.at("b").empty());
  CHECK(trial.at("a").size() == 3);
}

TEST_CASE("update: one that fails takes nothing from the one before in the same transaction") {
  Trial trial(content);
  const UpdatePolicy policy(trial.rules, false);
  trial.limits.rrset_records = 2;
  const auto good = parse_update(Script().add("b", RrType::A, "192.0.2.1").wire());
  const auto bad = parse_update(Script().remove("b").add("a", RrType::A, "192.0.2.3").wire());
  REQUIRE((good && bad));
  const auto result = trial.zone.edit(Mode::Unsigned, [&](ZoneEdit& edit) {
    CHECK(evaluate_update(*good, policy, trial.sender, trial.limits, edit).done());
    CHECK(evaluate_update(*bad, policy, trial.sender, trial.limits, edit).rcode == Rcode::REFUSED);
  });
  CHECK(result.changed);
  CHECK(trial.at("b") == Lines{"300 A 192.0.2.1"});
}

TEST_CASE("update: limits are named, and hold for growth only [CVE-2024-1737]") {
  Trial trial("a A 192.0.2.1\na A 192.0.2.2\na A 192.0.2.3\na A 192.0.2.4\n");
  const auto text_of = [&](const Script& script) {
    const auto outcome = trial.run(script);
    return outcome.done() ? std::string() : fmt::format("{} {}", dns::to_text(outcome.rcode), outcome.why->text);
  };
  trial.limits = {3, 2, 5, 6};
  CHECK(text_of(Script().add("a", RrType::A, "192.0.2.5")) == "REFUSED update 1, a.example. A: rrset-records: over 3");
  CHECK(text_of(Script().add("a", RrType::A, "192.0.2.1", 60)).empty());
  CHECK(text_of(Script().remove("a", RrType::A, "192.0.2.1")).empty());
  CHECK(text_of(Script().remove("a", RrType::A, "192.0.2.2").add("a", RrType::A, "192.0.2.9")).empty());
  CHECK(text_of(Script().add("a", RrType::TXT, "1").add("a", RrType::AAAA, "::1")) ==
        "REFUSED update 2, a.example. AAAA: name-rrsets: over 2");
  CHECK(text_of(Script().add("a", RrType::TXT, "1").add("a", RrType::TXT, "2").add("a", RrType::TXT, "3")) ==
        "REFUSED update 3, a.example. TXT: name-records: over 5");
  Script many;
  for (int i = 0; i < 7; ++i) many.remove("a", RrType::TXT);
  CHECK(text_of(many) == "REFUSED message-records: 7 records in one message, over 6");
  trial.limits = {};
  CHECK(text_of(many).empty());
}

TEST_CASE("update: an RRset that no message can carry is refused, before it fails others with it [RFC 1035 §4.2.2]") {
  Trial trial("", Mode::Nsec);
  trial.limits = {};
  const std::string half(200, 'x');
  std::string strings;
  for (int i = 0; i < 120; ++i) strings += (i == 0 ? "" : " ") + half;
  CHECK(trial.rcode(Script().add("t", RrType::TXT, strings + " 1").add("t", RrType::TXT, strings + " 2")) ==
        Rcode::NOERROR);
  CHECK(trial.rcode(Script().add("t", RrType::TXT, strings + " 3")) == Rcode::REFUSED);
  CHECK(trial.at("t").size() == 2);
}

TEST_CASE("update: what the signer makes is not changed, and is not lost with its name") {
  Trial trial(content, Mode::Nsec);
  for (const RrType type :
       {RrType::RRSIG, RrType::NSEC, RrType::NSEC3, RrType::NSEC3PARAM, RrType::DNSKEY, RrType::CDS, RrType::CDNSKEY}) {
    CAPTURE(dns::to_text(type));
    const auto outcome = trial.run(Script().remove("@", type));
    CHECK(outcome.rcode == Rcode::REFUSED);
    CHECK(outcome.why->code == UpdateEde::Prohibited);
  }
  CHECK(trial.rcode(Script().add("@", RrType::NSEC3PARAM, "1 0 0 -")) == Rcode::REFUSED);
  CHECK(trial.rcode(Script().remove("a").remove("@")) == Rcode::NOERROR);
}

TEST_CASE("update: where we do not sign, DNSKEY and CDS are data; RRSIG and NSEC stay a signer's") {
  Trial trial(content);
  CHECK(trial.run(Script().add("@", RrType::CDS, "0 0 0 00")).changed);
  CHECK(trial.rcode(Script().remove("a", RrType::NSEC)) == Rcode::REFUSED);
  CHECK(trial.rcode(Script().remove("a", RrType::RRSIG)) == Rcode::REFUSED);
}

TEST_CASE("update: a zone stays well signed through additions and deletions of every kind") {
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3, Mode::OptOut}) {
    Trial trial(content, mode);
    CHECK(
        trial
            .run(
                Script().add("deep.below.new", RrType::A, "192.0.2.1").remove("x.ent").add("sub", RrType::NS, "ns.sub"))
            .changed);
    CHECK(trial.run(Script().add("ns.sub", RrType::A, "192.0.2.1").add("*", RrType::TXT, "wild").remove("a")).changed);
    CHECK(trial.run(Script().remove("sub").remove("deep.below.new").remove("*", RrType::TXT, "wild")).changed);
    CHECK(trial.at("@").size() == 4);
  }
}

TEST_CASE("update: a message that asks for nothing changes nothing [RFC 2136 §3.4]") {
  Trial trial(content);
  const auto outcome = trial.run(Script());
  CHECK(outcome.done());
  CHECK(!outcome.changed);
}

TEST_CASE("update: thousands of records of one RRset go out and in, in any order") {
  std::string file;
  for (int i = 0; i < 3000; ++i) file += fmt::format("big A 10.0.{}.{}\n", i / 250, i % 250);
  Trial trial(file);
  trial.limits = {};
  Script remove;
  Script add;
  for (int i = 2999; i > 0; --i) remove.remove("big", RrType::A, fmt::format("10.0.{}.{}", i / 250, i % 250));
  for (int i = 2999; i > 0; --i) add.add("big", RrType::A, fmt::format("10.0.{}.{}", i / 250, (i * 7) % 250));
  CHECK(trial.run(remove).removed == 2999);
  CHECK(trial.at("big") == Lines{"300 A 10.0.0.0"});
  CHECK(trial.run(add).added == 2999);
  CHECK(trial.at("big").size() == 3000);
}

// Prerequisites: RFC 2136 §2.4 and §3.2.

#include <doctest/doctest.h>

#include "update_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {
constexpr std::string_view content =
    "a A 192.0.2.1\na A 192.0.2.2\na MX 10 Mail\nx.ent TXT here\n*.w TXT wild\nsub NS ns.sub\nns.sub A 192.0.2.3\n";
}

TEST_CASE("update: NXDOMAIN where a name is to be in use and is not [RFC 2136 §2.4.4, §3.2.1]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().exists("a")) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("A")) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("@")) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("nobody")) == Rcode::NXDOMAIN);
}

TEST_CASE("update: an empty non-terminal is not in use [RFC 2136 §2.4.4]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().exists("ent")) == Rcode::NXDOMAIN);
  CHECK(trial.rcode(Script().absent("ent")) == Rcode::NOERROR);
}

TEST_CASE("update: a wildcard is a name like others, and stands for none [RFC 2136 §2.4]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().exists("*.w", RrType::TXT)) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("b.w", RrType::TXT)) == Rcode::NXRRSET);
  CHECK(trial.rcode(Script().absent("b.w")) == Rcode::NOERROR);
}

TEST_CASE("update: names at and below a cut are the zone's own [RFC 2136 §3.1, PowerDNS issue 1840]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().exists("sub", RrType::NS)) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("ns.sub", RrType::A, "192.0.2.3")) == Rcode::NOERROR);
}

TEST_CASE("update: YXDOMAIN where a name is not to be in use and is [RFC 2136 §2.4.5, §3.2.2]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().absent("a")) == Rcode::YXDOMAIN);
  CHECK(trial.rcode(Script().absent("@")) == Rcode::YXDOMAIN);
  CHECK(trial.rcode(Script().absent("nobody")) == Rcode::NOERROR);
}

TEST_CASE("update: NXRRSET where an RRset is to exist and does not [RFC 2136 §2.4.1, §3.2.1]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().exists("a", RrType::A)) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("a", RrType::AAAA)) == Rcode::NXRRSET);
  CHECK(trial.rcode(Script().exists("nobody", RrType::A)) == Rcode::NXRRSET);
}

TEST_CASE("update: YXRRSET where an RRset is not to exist and does [RFC 2136 §2.4.3, §3.2.2]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().absent("a", RrType::A)) == Rcode::YXRRSET);
  CHECK(trial.rcode(Script().absent("a", RrType::AAAA)) == Rcode::NOERROR);
}

TEST_CASE("update: an RRset with values is to be the zone's, no record less and none more [RFC 2136 §2.4.2, §3.2.3]") {
  Trial trial(content);
  const auto both = Script().exists("a", RrType::A, "192.0.2.2").exists("a", RrType::A, "192.0.2.1");
  CHECK(trial.rcode(both) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("a", RrType::A, "192.0.2.1")) == Rcode::NXRRSET);
  CHECK(trial.rcode(Script(both).exists("a", RrType::A, "192.0.2.3")) == Rcode::NXRRSET);
  CHECK(trial.rcode(Script(both).exists("a", RrType::A, "192.0.2.1")) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("a", RrType::A, "192.0.2.3").exists("a", RrType::A, "192.0.2.4")) ==
        Rcode::NXRRSET);
  CHECK(trial.rcode(Script().exists("a", RrType::AAAA, "2001:db8::1")) == Rcode::NXRRSET);
}

TEST_CASE("update: values of several RRsets may be mixed, owners in any case [RFC 2136 §3.2.3]") {
  Trial trial(content);
  Script script;
  script.exists("A", RrType::A, "192.0.2.1").exists("a", RrType::MX, "10 mail").exists("a", RrType::A, "192.0.2.2");
  script.exists("@", RrType::NS, "NS1");
  CHECK(trial.rcode(script) == Rcode::NOERROR);
  CHECK(trial.rcode(script.exists("nobody", RrType::TXT, "x")) == Rcode::NXRRSET);
}

TEST_CASE("update: a prerequisite's TTL is 0 [RFC 2136 §2.4, §3.2.4]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().prerequisite(record("a", RrType::A, RrClass::ANY, 1))) == Rcode::FORMERR);
  CHECK(trial.rcode(Script().prerequisite(record("b", RrType::A, RrClass::NONE, 1))) == Rcode::FORMERR);
  CHECK(trial.rcode(Script().prerequisite(record("a", RrType::A, RrClass::IN, 300, {192, 0, 2, 1}))) == Rcode::FORMERR);
}

TEST_CASE("update: a prerequisite outside of the zone is NOTZONE [RFC 2136 §3.2.4]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().absent("other.")) == Rcode::NOTZONE);
  CHECK(trial.rcode(Script().absent("notexample.", RrType::A)) == Rcode::NOTZONE);
  CHECK(trial.rcode(Script().exists("other.", RrType::A, "192.0.2.1")) == Rcode::NOTZONE);
  CHECK(trial.rcode(Script().exists(".")) == Rcode::NOTZONE);
}

TEST_CASE("update: RDATA with class ANY or NONE, and other classes, are FORMERR [RFC 2136 §3.2.1, §3.2.2, §3.2.4]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().prerequisite(record("a", RrType::A, RrClass::ANY, 0, {192, 0, 2, 1}))) == Rcode::FORMERR);
  CHECK(trial.rcode(Script().prerequisite(record("b", RrType::A, RrClass::NONE, 0, {192, 0, 2, 1}))) == Rcode::FORMERR);
  CHECK(trial.rcode(Script().prerequisite(record("a", RrType::A, RrClass::CH))) == Rcode::FORMERR);
  CHECK(trial.rcode(Script().prerequisite(record("a", RrType::A, static_cast<RrClass>(0)))) == Rcode::FORMERR);
}

TEST_CASE(
    "update: type ANY with the zone's class, at a name that has RRsets, is FORMERR and nothing worse [CVE-2009-0696]") {
  Trial trial(content);
  for (const RrType type : {RrType::ANY, RrType::AXFR, RrType::TSIG, RrType::OPT, RrType::MAILB}) {
    CAPTURE(dns::to_text(type));
    Bytes wire = Script().prerequisite(record("a", static_cast<RrType>(65280), RrClass::IN)).wire();
    // The type stands behind the zone section and the owner, which is `a` and a pointer.
    store_u16(&wire[12 + 9 + 4 + 4], dns::value(type));
    CHECK(trial.rcode(Script().add("a", RrType::TXT, "x")) == Rcode::NOERROR);
    CHECK(trial.run(wire).rcode == Rcode::FORMERR);
  }
}

TEST_CASE("update: the first prerequisite that fails says how, those by value come last [RFC 2136 §3.2.5]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().exists("nobody").absent("a")) == Rcode::NXDOMAIN);
  CHECK(trial.rcode(Script().absent("a").exists("nobody")) == Rcode::YXDOMAIN);
  CHECK(trial.rcode(Script().exists("a", RrType::A, "192.0.2.9").absent("a")) == Rcode::YXDOMAIN);
  const auto outcome = trial.run(Script().absent("other", RrType::A).exists("nobody"));
  CHECK(outcome.why->text == "prerequisite 2, nobody.example. ANY: name is not in use (RFC 2136 §3.2.1)");
}

TEST_CASE("update: a prerequisite that fails keeps the updates out [RFC 2136 §3.2]") {
  Trial trial(content);
  CHECK(trial.rcode(Script().exists("nobody").add("new", RrType::A, "192.0.2.9")) == Rcode::NXDOMAIN);
  CHECK(trial.at("new").empty());
}

TEST_CASE(
    "update: prerequisites are of the zone before the update, updates in their order behind [RFC 2136 §3.4.2.7]") {
  Trial trial(content);
  CHECK(trial.rcode(
            Script().absent("new").add("new", RrType::A, "192.0.2.9").remove("new").add("new", RrType::TXT, "last")) ==
        Rcode::NOERROR);
  CHECK(trial.at("new") == Lines{"300 TXT \"last\""});
}

TEST_CASE("update: what the signer made is no content that a prerequisite sees") {
  Trial trial(content, Mode::Nsec);
  CHECK(trial.rcode(Script().absent("a", RrType::NSEC).absent("a", RrType::RRSIG)) == Rcode::NOERROR);
  CHECK(trial.rcode(Script().exists("ent")) == Rcode::NXDOMAIN);
}

TEST_CASE("update: thousands of prerequisites by value are sorted, not compared each with each") {
  Trial trial(content);
  trial.limits = {};
  Script script;
  for (unsigned i = 0; i < 2000; ++i)
    script.prerequisite(
        record("a", RrType::A, RrClass::IN, 0, {10, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}));
  CHECK(trial.rcode(script) == Rcode::NXRRSET);
}

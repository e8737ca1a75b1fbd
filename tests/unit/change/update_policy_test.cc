// Who may change what: RFC 2136 §3.3, RFC 3007 §3, BIND's update-policy.

#include <doctest/doctest.h>

#include "update_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;
using config::UpdateRule;

namespace {

UpdateRule rule_for_key(std::string_view key, const std::vector<std::string_view>& names = {},
                        std::vector<RrType> types = {}, bool deny = false) {
  UpdateRule rule;
  rule.key = name(key).folded();
  for (const std::string_view text : names) rule.names.push_back(*config::parse_name_pattern(text));
  rule.types = std::move(types);
  rule.deny = deny;
  return rule;
}

UpdateRule rule_for_sig0(std::string_view signer, const std::vector<std::string_view>& names) {
  UpdateRule rule = rule_for_key(signer, names);
  rule.sig0.swap(rule.key);
  return rule;
}

UpdateSender with_key(std::string_view key) {
  UpdateSender sender;
  sender.address = *SocketAddress::from_text("192.0.2.7@5300");
  sender.tsig_key = name(key);
  return sender;
}

UpdateSender with_sig0(std::string_view signer) {
  UpdateSender sender = with_key(signer);
  sender.tsig_key.swap(sender.sig0_signer);
  return sender;
}

bool may(const std::vector<UpdateRule>& rules, const UpdateSender& sender, std::string_view owner, RrType type) {
  return UpdatePolicy(rules, false).allows(sender, name(owner), type);
}

}  // namespace

TEST_CASE("update policy: nobody may do anything by default") {
  CHECK(!UpdatePolicy({}, false).admits(with_key("k.")));
  CHECK(!may({}, with_key("k."), "a.example.", RrType::A));
  CHECK(!may({UpdateRule{}}, with_key("k."), "a.example.", RrType::A));
}

TEST_CASE("update policy: a plain row gives a key all but what a signer makes") {
  const std::vector rules{rule_for_key("update.")};
  CHECK(may(rules, with_key("Update."), "a.example.", RrType::NS));
  CHECK(may(rules, with_key("update."), "example.", RrType::SOA));
  CHECK(!may(rules, with_key("other."), "a.example.", RrType::A));
  CHECK(!may(rules, with_sig0("update."), "a.example.", RrType::A));
  CHECK(!may(rules, UpdateSender{}, "a.example.", RrType::A));
}

TEST_CASE("update policy: a row may ask for an address, and for a key from there") {
  UpdateRule here;
  here.block = *AddressBlock::from_text("192.0.2.0/24");
  UpdateSender sender;
  sender.address = *SocketAddress::from_text("192.0.2.7@5300");
  CHECK(may({here}, sender, "a.example.", RrType::A));
  here.key = name("k.");
  CHECK(!may({here}, sender, "a.example.", RrType::A));
  CHECK(may({here}, with_key("k."), "a.example.", RrType::A));
  sender = with_key("k.");
  sender.address = *SocketAddress::from_text("198.51.100.7@5300");
  CHECK(!may({here}, sender, "a.example.", RrType::A));
}

TEST_CASE(
    "update policy: with names and no types SOA, NS, DNAME, KEY and DNSSEC's are not among them [BIND update-policy]") {
  const std::vector rules{rule_for_key("k.", {"*.example"})};
  for (const RrType type : {RrType::A, RrType::TXT, RrType::SVCB, RrType::CNAME, RrType::TLSA})
    CHECK(may(rules, with_key("k."), "a.example.", type));
  for (const RrType type :
       {RrType::SOA, RrType::NS, RrType::DNAME, RrType::KEY, RrType::DS, RrType::DNSKEY, RrType::CDS})
    CHECK(!may(rules, with_key("k."), "a.example.", type));
  CHECK(may({rule_for_key("k.", {"*.example"}, {RrType::ANY})}, with_key("k."), "a.example.", RrType::NS));
  CHECK(may({rule_for_key("k.", {"*.example"}, {RrType::NS})}, with_key("k."), "a.example.", RrType::NS));
  CHECK(!may({rule_for_key("k.", {"*.example"}, {RrType::NS})}, with_key("k."), "a.example.", RrType::A));
}

TEST_CASE("update policy: names are exact, below, at and below [CVE-2020-8624: subdomain is not the whole zone]") {
  const auto allowed = [](std::string_view pattern, std::string_view owner) {
    return may({rule_for_key("k.", {pattern})}, with_key("k."), owner, RrType::A);
  };
  CHECK(allowed("host.example", "HOST.example."));
  CHECK(!allowed("host.example", "a.host.example."));
  CHECK(!allowed("host.example", "host2.example."));
  CHECK(allowed("*.lab.example", "a.b.lab.example."));
  CHECK(allowed("*.lab.example", "*.lab.example."));
  CHECK(!allowed("*.lab.example", "lab.example."));
  CHECK(!allowed("*.lab.example", "xlab.example."));
  CHECK(allowed("subdomain lab.example", "lab.example."));
  CHECK(allowed("subdomain lab.example", "a.lab.example."));
  CHECK(!allowed("subdomain lab.example", "a.example."));
  CHECK(!allowed("subdomain lab.example", "example."));
}

TEST_CASE("update policy: self is the key's own name, selfsub what is below as well [RFC 3007 §3]") {
  CHECK(may({rule_for_sig0("*", {"self"})}, with_sig0("h.example."), "H.example.", RrType::A));
  CHECK(!may({rule_for_sig0("*", {"self"})}, with_sig0("h.example."), "a.h.example.", RrType::A));
  CHECK(!may({rule_for_sig0("*", {"self"})}, with_key("h.example."), "h.example.", RrType::A));
  CHECK(may({rule_for_key("*", {"selfsub"})}, with_key("h.example."), "a.h.example.", RrType::A));
  CHECK(!may({rule_for_key("*", {"selfsub"})}, with_key("h.example."), "b.example.", RrType::A));
  CHECK(may({rule_for_key("*.example", {"self"})}, with_key("h.example."), "h.example.", RrType::A));
  CHECK(!may({rule_for_key("*.other", {"self"})}, with_key("h.example."), "h.example.", RrType::A));
}

TEST_CASE("update policy: the first row that matches decides; a denial without types is of all") {
  const std::vector rules{rule_for_key("k.", {"www.example"}, {}, true), rule_for_key("k.")};
  CHECK(!may(rules, with_key("k."), "www.example.", RrType::A));
  CHECK(!may(rules, with_key("k."), "www.example.", RrType::NS));
  CHECK(may(rules, with_key("k."), "a.example.", RrType::A));
  CHECK(!UpdatePolicy({rules[0]}, false).admits(with_key("k.")));
}

TEST_CASE("update: who has no right learns nothing of the zone [RFC 2136 §3.3]") {
  Trial trial("a A 192.0.2.1\n");
  trial.sender = {};
  CHECK(trial.rcode(Script().exists("a")) == Rcode::REFUSED);
  CHECK(trial.rcode(Script().absent("a")) == Rcode::REFUSED);
  CHECK(trial.rcode(Script().add("other.", RrType::A, "192.0.2.1")) == Rcode::REFUSED);
}

TEST_CASE("update: one record without a right refuses all of them [RFC 2136 §3.3]") {
  Trial trial("a A 192.0.2.1\n");
  trial.rules = {rule_for_key("update.", {"*.dyn.example"}, {RrType::A})};
  CHECK(trial.rcode(Script().add("h.dyn", RrType::A, "192.0.2.1")) == Rcode::NOERROR);
  const auto outcome = trial.run(Script().add("i.dyn", RrType::A, "192.0.2.1").add("i.dyn", RrType::TXT, "x"));
  CHECK(outcome.rcode == Rcode::REFUSED);
  CHECK(outcome.why->code == UpdateEde::Prohibited);
  CHECK(outcome.why->text == "update 2, i.dyn.example. TXT: no right to change it");
  CHECK(trial.at("i.dyn").empty());
  CHECK(trial.rcode(Script().remove("a", RrType::A)) == Rcode::REFUSED);
  CHECK(trial.rcode(Script().remove("a", RrType::A, "192.0.2.1")) == Rcode::REFUSED);
}

TEST_CASE("update: to delete a name is to delete each of its types [BIND update-policy]") {
  Trial trial("h A 192.0.2.1\nh TXT x\ni A 192.0.2.1\n");
  trial.rules = {rule_for_key("update.", {"*.example", "example"}, {RrType::A})};
  CHECK(trial.rcode(Script().remove("i")) == Rcode::NOERROR);
  const auto outcome = trial.run(Script().remove("h"));
  CHECK(outcome.rcode == Rcode::REFUSED);
  CHECK(outcome.why->text == "update 1, h.example. ANY: no right to delete the TXT records of this name");
  // SOA and NS stay there in any case.
  CHECK(trial.rcode(Script().remove("@")) == Rcode::NOERROR);
}

TEST_CASE("update policy: a zone that comes signed is not changed, and keeps every signature [RFC 3007 §4]") {
  Trial trial;
  trial.zone.load(text(2, "a A 192.0.2.1\n@ RRSIG SOA 13 1 300 20300101000000 20200101000000 1 example. AAAA\n"));
  const auto before = shape(trial.zone);
  for (const Script& script : {Script().add("b", RrType::A, "192.0.2.2"), Script().remove("a")}) {
    const auto request = parse_update(script.wire());
    REQUIRE(request);
    UpdateOutcome outcome;
    trial.zone.edit(Mode::Unsigned, [&](ZoneEdit& edit) {
      outcome = evaluate_update(*request, UpdatePolicy(trial.rules, false), trial.sender, {}, edit);
    });
    CHECK(outcome.rcode == Rcode::REFUSED);
    REQUIRE(outcome.why);
    CHECK(outcome.why->text.starts_with("the zone comes signed"));
    CHECK(shape(trial.zone) == before);
  }
}

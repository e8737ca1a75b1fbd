// Whether a child may be delegated to, and when its DS follows its CDS [RFC 7344, RFC 8078].

#include "daemon/child_check.hh"

#include "signed_world.hh"

using namespace steward;
using namespace steward::daemon;
using client::SignedRrset;
using client::test::Zone;
using client::test::name;
using client::test::now;
using dns::RrType;

namespace {

Bytes soa_rdata() {
  Bytes rdata;
  append(rdata, name("ns.acme.com.s.").view().wire());
  append(rdata, name("hostmaster.acme.com.s.").view().wire());
  for (const uint32_t number : {1U, 3600U, 600U, 604800U, 60U}) append_u32(rdata, number);
  return rdata;
}

dns::Message answer_of(const std::vector<SignedRrset>& rrsets) {
  dns::Message message;
  message.header.qr = message.header.aa = true;
  for (const SignedRrset& rrset : rrsets) {
    for (const Bytes& rdata : rrset.rdatas) message.answer.push_back({rrset.owner, rrset.type, dns::RrClass::IN, rrset.ttl, rdata});
    for (const Bytes& rdata : rrset.rrsigs) message.answer.push_back({rrset.owner, RrType::RRSIG, dns::RrClass::IN, rrset.ttl, rdata});
  }
  return message;
}

/// The child, and what each of its servers answers.
struct Child {
  Zone zone{name("acme.com.s.")};
  Zone next{name("acme.com.s.")};  // its key after a roll

  [[nodiscard]] std::vector<Bytes> ds() const { return {zone.ds()}; }
  [[nodiscard]] ServerAnswers server(const std::vector<Bytes>& cds, const std::string& at = "ns1", bool with_next = false) const {
    std::vector<Bytes> keys{zone.dnskey()};
    if (with_next) keys.push_back(next.dnskey());
    SignedRrset dnskeys = zone.sign(zone.apex, RrType::DNSKEY, keys, 3600);
    if (with_next) dnskeys.rrsigs.push_back(next.sign(zone.apex, RrType::DNSKEY, keys, 3600).rrsigs.front());
    ServerAnswers answers{at, {answer_of({zone.sign(zone.apex, RrType::SOA, {soa_rdata()})}), answer_of({dnskeys}), answer_of({})}};
    if (!cds.empty()) answers.answers[2] = answer_of({zone.sign(zone.apex, RrType::CDS, cds)});
    return answers;
  }
  Result<std::optional<std::vector<Bytes>>> wanted(const std::vector<ServerAnswers>& servers) const {
    const auto findings = check_servers(zone.apex, ds(), servers, now);
    REQUIRE_MESSAGE(findings, findings.error().what);
    return ds_wanted(zone.apex, ds(), *findings, servers, now);
  }
};

}  // namespace

TEST_CASE("child check: every server has to answer, with authority, and validate under the DS") {
  const Child child;
  const ServerAnswers good = child.server({});
  CHECK(check_servers(child.zone.apex, child.ds(), {{good, good}}, now));
  CHECK_FALSE(check_servers(child.zone.apex, child.ds(), {}, now));
  for (size_t i = 0; i < 3; ++i) {
    ServerAnswers lame = child.server({}, "ns2");
    lame.answers[i].header.aa = false;
    const auto refused = check_servers(child.zone.apex, child.ds(), {{good, lame}}, now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what.find("ns2") == 0);
  }
  const Child other;
  CHECK_FALSE(check_servers(child.zone.apex, other.ds(), {{good}}, now));
  CHECK_FALSE(check_servers(child.zone.apex, child.ds(), {{good}}, now + Seconds(7200)));
  ServerAnswers forged = good;
  forged.answers[0].answer[0].rdata.back() ^= 1;
  CHECK_FALSE(check_servers(child.zone.apex, child.ds(), {{forged}}, now));
  // Without a DS nothing validates, and a SOA is enough.
  CHECK(check_servers(child.zone.apex, {}, {{forged}}, now));
}

TEST_CASE("child check: servers that differ are not acted upon [RFC 7344 §6.1]") {
  const Child child;
  const std::vector<ServerAnswers> servers{child.server(child.ds(), "ns1"), child.server({child.next.ds()}, "ns2")};
  const auto refused = check_servers(child.zone.apex, child.ds(), servers, now);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.find("ns2") == 0);
  CHECK(refused.error().what.find("ns1") != std::string::npos);
}

TEST_CASE("child check: the DS follows the CDS where the chain holds under it [RFC 7344 §4.1]") {
  const Child child;
  // What is there already, or nothing, is no change.
  CHECK_FALSE(child.wanted({child.server(child.ds())}).value());
  CHECK_FALSE(child.wanted({child.server({})}).value());
  // A key that signs DNSKEY may take the old one's place, or stand beside it.
  const auto roll = child.wanted({child.server({child.next.ds()}, "ns1", true)});
  REQUIRE(roll);
  REQUIRE(*roll);
  CHECK(**roll == std::vector<Bytes>{child.next.ds()});
  std::vector<Bytes> both{child.zone.ds(), child.next.ds()};
  std::sort(both.begin(), both.end());
  const auto beside = child.wanted({child.server(both, "ns1", true)});
  REQUIRE(beside);
  CHECK(*beside == both);
  // One that is not there would break the chain.
  CHECK_FALSE(child.wanted({child.server({child.next.ds()})}));
}

TEST_CASE("child check: SHA-1 is not taken, and a delete record ends the chain [RFC 8078 §4, RFC 8624 §3.3]") {
  const Child child;
  Bytes weak = child.zone.ds();
  weak[3] = 1;
  weak.resize(24);
  CHECK_FALSE(child.wanted({child.server({weak})}));
  const auto end = child.wanted({child.server({sign::cds_delete_rdata()})});
  REQUIRE(end);
  REQUIRE(*end);
  CHECK((*end)->empty());
}

TEST_CASE("child check: the first DS of a zone that never validated is not taken from it [RFC 8078 §3]") {
  const Child child;
  const ServerAnswers server = child.server(child.ds());
  const auto findings = check_servers(child.zone.apex, {}, {{server}}, now);
  REQUIRE(findings);
  CHECK_FALSE(ds_wanted(child.zone.apex, {}, *findings, {{server}}, now).value());
}

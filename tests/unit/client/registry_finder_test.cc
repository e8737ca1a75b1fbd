#include "client/registry_finder.hh"

#include "publisher_fixture.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;

namespace {

dns::Record soa(std::string_view owner, std::string_view server) {
  Bytes rdata;
  append(rdata, name(server).view().wire());
  append(rdata, name("hostmaster.acme.example.").view().wire());
  rdata.resize(rdata.size() + 20);
  return {name(owner), dns::RrType::SOA, dns::RrClass::IN, 60, std::move(rdata)};
}

}  // namespace

TEST_CASE("registry: an UPDATE goes to the MNAME of the zone that the agent lies in [RFC 2136 §4.1, RFC 2308 §3]") {
  dns::Message answer;
  CHECK_FALSE(zone_server_of(answer, agent_name));
  answer.authority.push_back(soa("other.example.", "ns.other.example."));
  CHECK_FALSE(zone_server_of(answer, agent_name));
  answer.authority.push_back(soa("ACME.example.", "ns1.acme.example."));
  const auto found = zone_server_of(answer, agent_name);
  REQUIRE(found);
  CHECK(found->zone == zone);
  CHECK(found->server == name("ns1.acme.example."));
  answer.answer.push_back(soa("helper.acme.example.", "ns1.helper.acme.example."));
  CHECK(zone_server_of(answer, agent_name)->server == name("ns1.helper.acme.example."));
}

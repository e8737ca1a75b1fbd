// What a parent keeps of agents below it.

#include <doctest/doctest.h>

#include "find_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

ReferredAgent referred(std::string_view agent) {
  ReferredAgent made;
  made.agent = name(agent);
  made.statement = rdata_of(RrType::TXT, "v=steward1 version=1.0.0");
  made.registry_statement = rdata_of(RrType::TXT, "v=steward-registry1 trust=0.94");
  made.keys = {rdata_of(RrType::KEY, "512 3 15 L2WoKgZlHCwzo3En+zdBPMSqNgaMWvLpr1QmWdhzMkQ=")};
  made.srv = {rdata_of(RrType::SRV, "0 0 443 agents.vibe.example.")};
  return made;
}

EditResult refer(Zone& zone, std::string_view agent, const std::optional<ReferredAgent>& after) {
  return zone.edit(Mode::Nsec, [&](ZoneEdit& edit) {
    const auto done = update_ref(edit, name("example."), name(agent), after);
    REQUIRE_MESSAGE(done, done.error().what);
  });
}

size_t records(Zone& zone, std::string_view owner, RrType type) {
  const zone::NodeView node = zone.node(owner);
  const auto rrset = node ? node.find(type) : std::nullopt;
  return rrset ? rrset->rr_count : 0;
}

}  // namespace

TEST_CASE("ref: an agent below a child registry stands at one name with both statements") {
  Zone zone;
  zone.load(text(1), Mode::Nsec);
  const auto empty = shape(zone);
  refer(zone, "Coder.vibe.example.", referred("coder.vibe.example."));
  CHECK(records(zone, "coder.vibe._ref._agents", RrType::TXT) == 2);
  CHECK(records(zone, "coder.vibe._ref._agents", RrType::KEY) == 1);
  CHECK(records(zone, "coder.vibe._ref._agents", RrType::SRV) == 1);
  CHECK(records(zone, "coder.vibe._ref._agents", RrType::SVCB) == 0);
  CHECK(zone.node("coder.vibe._ref._agents").find(RrType::TXT)->ttl() == 300);
  CHECK(faults(zone, Mode::Nsec).empty());
  refer(zone, "coder.vibe.example.", std::nullopt);
  CHECK(shape(zone) == empty);
}

TEST_CASE("ref: a change touches the RRsets that differ and no other") {
  Zone zone;
  zone.load(text(1), Mode::Nsec);
  ReferredAgent agent = referred("coder.vibe.example.");
  refer(zone, "coder.vibe.example.", agent);
  CHECK_FALSE(refer(zone, "coder.vibe.example.", agent).changed);
  agent.registry_statement = rdata_of(RrType::TXT, "v=steward-registry1 trust=0.10");
  CHECK(refer(zone, "coder.vibe.example.", agent).signatures == 2);  // the TXT RRset, and the SOA
  agent.srv.clear();
  agent.svcb = {rdata_of(RrType::SVCB, "0 agents.vibe.example.")};
  agent.ttl = 60;
  refer(zone, "coder.vibe.example.", agent);
  CHECK(records(zone, "coder.vibe._ref._agents", RrType::SRV) == 0);
  CHECK(records(zone, "coder.vibe._ref._agents", RrType::SVCB) == 1);
  CHECK(zone.node("coder.vibe._ref._agents").find(RrType::KEY)->ttl() == 60);
  CHECK(faults(zone, Mode::Nsec).empty());
}

TEST_CASE("ref: another agent's facts, or a name that is not below the zone, are refused") {
  Zone zone;
  zone.load(text(1), Mode::Unsigned);
  zone.edit(Mode::Unsigned, [&](ZoneEdit& edit) {
    CHECK(update_ref(edit, name("example."), name("a.vibe.example."), referred("b.vibe.example.")).error().code ==
          Errc::Invalid);
    CHECK(update_ref(edit, name("example."), name("a.example.org."), std::nullopt).error().code == Errc::Invalid);
  });
}

#include <doctest/doctest.h>

#include <vector>

#include "agent/statement.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::agent;

// The zone is written by tools/make_sample_zone.py, an implementation of the same rules that shares nothing with ours.
TEST_CASE("statement: those of the sample zone verify, with their endpoints [steward-records(7)]") {
  const dns::Name apex = *dns::Name::from_text("vibe-agency.com.steward-registry.org.");
  auto loaded = zone::load_zone_file(SAMPLE_ZONE, apex);
  REQUIRE(loaded.image);
  size_t agents = 0;
  for (zone::ZoneImage::Node node; loaded.image->next(node);) {
    const zone::RrsetInput* txt = nullptr;
    const zone::RrsetInput* key = nullptr;
    std::vector<Endpoint> rows;
    for (const zone::RrsetInput& rrset : node.rrsets) {
      if (rrset.type == dns::RrType::TXT) txt = &rrset;
      if (rrset.type == dns::RrType::KEY) key = &rrset;
      if (rrset.type == dns::RrType::SRV || rrset.type == dns::RrType::SVCB)
        for (const ByteView rdata : rrset.rdatas) rows.push_back({rrset.type, rdata});
    }
    if (txt == nullptr || key == nullptr) continue;
    CAPTURE(node.owner.to_text());
    const auto statement = Statement::from_txt(txt->rdatas.front());
    REQUIRE(statement);
    CHECK(statement->verify(node.owner, key->rdatas));
    CHECK(statement->verify_endpoints(rows));
    ++agents;
  }
  CHECK(agents == 3);
}

// What is recorded of a change leads from the zone before to the zone after.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "change/recorder.hh"
#include "dns/rdata.hh"
#include "zone_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

std::string text_of(NameView owner, RrType type, uint32_t ttl, ByteView rdata) {
  return fmt::format("{} {} {} {}", owner.to_text(), ttl, dns::to_text(type), dns::rdata_to_text(type, rdata));
}

std::set<std::string> records_of(Zone& zone) {
  std::set<std::string> records;
  for (auto* table : {&zone.nodes, &zone.nsec3})
    for (const auto& [key, blob] : table->nodes()) {
      const zone::NodeView node(blob->data());
      for (size_t i = 0; i < node.rrset_count(); ++i) {
        const auto rrset = node.rrset(i);
        for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
          const zone::StoredRr rr = reader.next();
          Bytes rdata;
          zone::expand_rdata(rrset.type, rr.rdata, node.owner(), rdata);
          records.insert(text_of(node.owner(), rrset.type, rr.ttl, rdata));
        }
        for (zone::StoredRrReader sigs(rrset.sigs()); !sigs.done();) {
          const zone::StoredRr rr = sigs.next();
          records.insert(text_of(node.owner(), RrType::RRSIG, rr.ttl, rr.rdata));
        }
      }
    }
  return records;
}

}  // namespace

TEST_CASE("recorder: the difference applied to the zone before is the zone after, in every mode [RFC 1995 §4]") {
  for (const Mode mode : {Mode::Unsigned, Mode::Nsec, Mode::Nsec3}) {
    Zone zone;
    zone.load(text(1, "a A 192.0.2.1\nb TXT x\ndeep.er.c A 192.0.2.3\n"), mode);
    std::set<std::string> records = records_of(zone);
    const std::string files[] = {"a A 192.0.2.1\nb TXT x\nnew A 192.0.2.9\n", "a 77 A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.4\n", ""};
    uint32_t serial = 1;
    for (const std::string& file : files) {
      zone.record = true;
      zone.load(text(++serial, file), mode);
      REQUIRE(zone.recorded);
      CHECK(zone.recorded->from == serial - 1);
      CHECK(zone.recorded->to == serial);
      zone::DifferenceReader reader(zone.recorded->records);
      size_t number = 0;
      uint64_t removed = 0;
      while (const auto record = reader.next()) {
        const std::string line = text_of(record->owner, record->type, record->ttl, record->rdata);
        if (number++ == 0) CHECK(record->type == RrType::SOA);
        removed += record->added ? uint64_t{0} : uint64_t{1};
        CHECK_MESSAGE((record->added ? records.insert(line).second : records.erase(line) == 1), line);
      }
      CHECK(reader.ok());
      CHECK(removed == zone.recorded->removed);
      CHECK(number == zone.recorded->removed + zone.recorded->added);
      CHECK(records == records_of(zone));
    }
  }
}

TEST_CASE("recorder: a change of more names than it may keep has no difference, nor has one that leaves the SOA as it was") {
  Zone zone;
  zone.load(text(1, "a A 192.0.2.1\n"));
  zone.record = true;
  zone.load(text(1, "a A 192.0.2.1\n"));
  CHECK_FALSE(zone.recorded);
  zone.record_most = 3;
  zone.load(text(2, "a A 192.0.2.2\nb A 192.0.2.2\nc A 192.0.2.2\nd A 192.0.2.2\n"));
  CHECK_FALSE(zone.recorded);
}

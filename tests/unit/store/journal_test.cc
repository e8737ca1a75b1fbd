// The journal, the attic and copies of zones.

#include <fmt/format.h>

#include "fixture.hh"

using namespace steward;
using namespace steward::store;
using namespace steward::store::test;

namespace {

zone::Difference difference(uint32_t from, uint32_t to, size_t records = 1, size_t rdata = 20) {
  zone::Difference made;
  made.from = from;
  made.to = to;
  made.added = records;
  const Bytes octets(rdata, static_cast<uint8_t>(to));
  for (size_t i = 0; i < records; ++i)
    zone::append_difference_record(made.records, {true, name(fmt::format("n{}.example.", i)), dns::RrType::TXT, 300, octets});
  return made;
}

const UnixTime start = unix_time(1'800'000'000);

void append(Store& store, uint32_t zone, const zone::Difference& made, const JournalLimits& limits = {}, UnixTime now = start) {
  auto write = begin(store);
  good(write->append_journal(zone, made, limits, now));
  write->zone(zone).serial = made.to;
  good(write->commit());
}

// The serials that IXFR would go through, and how many records on the way; nothing where the journal does not reach back.
std::string path(Store& store, uint32_t from) {
  auto reader = *store.make_reader();
  good(reader->acquire());
  const auto* zone = reader->find_zone(name("example."));
  std::string text;
  size_t records = 0;
  JournalPlace place{from, 0};
  while (const auto part = reader->read_journal(*zone, place)) {
    zone::DifferenceReader each(part->records);
    while (each.next()) ++records;
    CHECK(each.ok());
    if (part->first) text += fmt::format("{}>", part->from);
    if (part->last) text += fmt::format("{} ", part->to);
  }
  if (!text.empty()) text += fmt::format("{}", records);
  const auto extent = reader->journal_extent(*zone, from);
  CHECK(extent.has_value() == !text.empty());
  reader->release();
  return text;
}

}  // namespace

TEST_CASE("journal: differences are read one after the other from any serial it holds, also after a restart and across 2^32 [RFC 1982]") {
  const Folder folder;
  uint32_t zone = 0;
  {
    auto store = open_store(folder.options());
    zone = add_zone(*store, "example.");
    append(*store, zone, difference(4294967290, 4294967295));
    append(*store, zone, difference(4294967295, 3));
    append(*store, zone, difference(3, 4));
  }
  auto store = open_store(folder.options());
  CHECK(path(*store, 4294967290) == "4294967290>4294967295 4294967295>3 3>4 3");
  CHECK(path(*store, 3) == "3>4 1");
  CHECK(path(*store, 4) == "");
  CHECK(path(*store, 4294967291) == "");
  CHECK(path(*store, 5) == "");
  good(store->verify());
}

TEST_CASE("journal: a difference that does not follow on the last starts it anew") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  append(*store, zone, difference(1, 2));
  append(*store, zone, difference(5, 6));
  CHECK(path(*store, 1) == "");
  CHECK(path(*store, 5) == "5>6 1");
}

TEST_CASE("journal: what is over its limits in octets, count or age goes, oldest first") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  JournalLimits limits;
  limits.differences = 3;
  for (uint32_t serial = 1; serial < 8; ++serial) append(*store, zone, difference(serial, serial + 1), limits);
  CHECK(path(*store, 4) == "");
  CHECK(path(*store, 5) == "5>6 6>7 7>8 3");
  limits.octets = 2 * difference(8, 9).records.size();
  append(*store, zone, difference(8, 9), limits);
  CHECK(path(*store, 6) == "");
  CHECK(path(*store, 7) == "7>8 8>9 2");
  limits.age = Seconds(60);
  append(*store, zone, difference(9, 10), limits, start + Seconds(61));
  CHECK(path(*store, 9) == "9>10 1");
  CHECK(path(*store, 8) == "");
  // One that is too large by itself: whoever is behind takes the whole zone.
  append(*store, zone, difference(10, 11, 10), limits);
  CHECK(path(*store, 9) == "");
  CHECK(path(*store, 10) == "");
}

TEST_CASE("journal: a large difference comes in parts of whole records") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  append(*store, zone, difference(1, 2, 5000, 100));
  append(*store, zone, difference(2, 3, 2, 65535));
  CHECK(path(*store, 1) == "1>2 2>3 5002");
}

TEST_CASE("attic, state and journal: kept with their zone, gone with it, and not committed with what is not committed") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  const Bytes key{'a', 0};
  const Bytes value{1, 2, 3};
  {
    auto write = begin(*store);
    good(write->attic(zone).put(key, value));
    good(write->put_state(zone, value));
    CHECK(write->attic(zone).find(key) == value);
  }
  {
    auto write = begin(*store);
    CHECK(write->attic(zone).find(key).empty());
    good(write->attic(zone).put(key, value));
    good(write->put_state(zone, value));
    good(write->append_journal(zone, difference(1, 2), {}, start));
    good(write->commit());
  }
  CHECK(store->state_of(zone) == value);
  {
    auto write = begin(*store);
    CHECK(write->attic(zone).find(key) == value);
    CHECK(write->attic(zone + 1).find(key).empty());
    good(write->remove_zone(zone));
    good(write->commit());
  }
  CHECK(store->state_of(zone).empty());
  const uint32_t other = add_zone(*store, "example.");
  auto write = begin(*store);
  CHECK(write->attic(zone).find(key).empty());
  CHECK(write->attic(other).find(key).empty());
}

TEST_CASE("copy: a zone is held as it was, whatever is written, compacted and released meanwhile") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  {
    auto write = begin(*store);
    for (int i = 0; i < 100; ++i) put(*write, zone, "example.", fmt::format("n{:02}", i), "before");
    write->zone(zone).serial = 7;
    good(write->commit());
  }
  auto reader = *store->make_reader();
  good(reader->acquire());
  auto copy = *reader->copy_zone(*reader->find_zone(name("example.")));
  reader->release();
  for (int round = 0; round < 3; ++round) {
    auto write = begin(*store);
    for (int i = 0; i < 100; ++i) put(*write, zone, "example.", fmt::format("n{:02}", i), "after");
    good(write->commit());
    good(store->compact());
  }
  REQUIRE(copy->nodes().size() == 101);
  CHECK(copy->serial() == 7);
  CHECK(copy->nodes()[0].is(zone::node_apex));
  for (size_t i = 1; i < copy->nodes().size(); ++i) CHECK(content_of(copy->nodes()[i]) == "before");
}

// Octets taken as the records of one agent in a feed: each record is a place (the part in two bits, the write in two),
// type, TTL, length and RDATA. What is read and written again reads the same, whatever else stood beside it.

#include <algorithm>
#include <map>
#include <string>

#include "dns/rdata.hh"
#include "federation/entry.hh"
#include "require.hh"

using namespace steward;
using namespace steward::federation;
using fuzz::is_plain;
using fuzz::require;

namespace {

const dns::Name& own_zone() {
  static const auto name = *dns::Name::from_text("acme-corp.com.steward-registry.org.");
  return name;
}

const dns::Name& own_feed() {
  static const auto name = *dns::Name::from_text("eu-4f2a._feed.acme-corp.com.steward-registry.org.");
  return name;
}

std::optional<dns::Name> owner_of(uint8_t place) {
  static constexpr std::string_view parts[] = {"", "_registry.", "_keys.", "_revoked."};
  static constexpr std::string_view writes[] = {"", "_w0123456789abcdef.", "_w0000000000000000.", "_w12."};
  const auto name = dns::Name::from_text(std::string(parts[place & 3]).append(writes[place >> 2 & 3]) + "planner." + own_feed().to_text());
  return name ? std::optional(*name) : std::nullopt;
}

std::vector<PublishedRecord> records_from(ByteReader in) {
  std::vector<PublishedRecord> records;
  while (in.left() != 0) {
    const auto owner = owner_of(in.u8());
    const auto type = static_cast<dns::RrType>(in.u8());
    const uint32_t ttl = in.u16();
    const ByteView rdata = in.bytes(in.u16());
    // A transfer has checked RDATA before anything reads a feed.
    if (!in.ok() || !dns::check_rdata(type, rdata)) break;
    records.push_back({*owner, type, ttl, Bytes(rdata.begin(), rdata.end())});
  }
  return records;
}

void check_again(const ReadWrites& read) {
  std::map<std::array<uint8_t, 32>, const FeedEntry*> each;  // a write that stands there twice is one
  std::vector<FeedEntry> writes;
  for (const FeedEntry& entry : read.writes) {
    require(entry.agent == read.agent, "a write is the agent's");
    require(check_form(entry).has_value(), "a write that is taken has its form");
    if (each.emplace(entry.digest(), nullptr).second) writes.push_back(entry);
  }
  for (const FeedEntry& entry : writes) each[entry.digest()] = &entry;
  if (writes.empty()) return;
  const auto records = feed_records(writes, own_feed(), own_zone());
  require(records.has_value(), "what was read can be written");
  for (const PublishedRecord& record : *records)
    require(dns::check_rdata(record.type, record.rdata).has_value(), "what is written is sound");
  const auto again = read_feed(*records, own_feed(), own_zone());
  require(again && again->refused.empty() && again->agent == read.agent, "what was written can be read");
  require(again->writes.size() == writes.size(), "no write is lost");
  for (const FeedEntry& entry : again->writes) {
    const auto found = each.find(entry.digest());
    require(found != each.end() && found->second->write_octets() == entry.write_octets(), "a write reads the same");
    require(feed_statement(entry) == feed_statement(*found->second), "the registry's word reads the same");
    require(entry.ttl == found->second->ttl, "the TTL reads the same");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto records = records_from(ByteReader(ByteView(data, size)));
  const auto read = read_feed(records, own_feed(), own_zone());
  require(read || is_plain(read.error().what), "a refusal is one line");
  if (!read) return 0;
  for (const Error& refused : read->refused) require(is_plain(refused.what), "a refusal is one line");
  check_again(*read);
  return 0;
}

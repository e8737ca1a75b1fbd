#include "federation/own_entry.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "federation/clock.hh"
#include "federation/feed_words.hh"

namespace steward::federation {
namespace {

using dns::RrType;

constexpr std::string_view feed_label = "_feed";
// Refresh is what a lost NOTIFY costs, expire as for zones that change slowly; TTLs are nobody's but the reader's.
constexpr std::string_view soa_times = "300 60 1209600 60";
constexpr uint32_t apex_ttl = 60;  // seconds

/// Where an agent's records stand in the feed, and which types.
struct FeedOwners {
  dns::Name entry;
  dns::Name registry;
  dns::Name keys;
  dns::Name revoked;
};

/// `write`: the label of one that is not the winner; empty: the winner.
Result<FeedOwners> owners_of(const dns::Name& agent, const FeedNames& names, std::string_view write = {}) {
  auto entry = feed_owner(agent, names.feed, names.zone);
  if (entry && !write.empty()) entry = entry->child(as_bytes(write));
  if (!entry) return tl::unexpected(entry.error());
  FeedOwners owners{*entry, {}, {}, {}};
  for (const auto& [name, label] : {std::pair(&owners.registry, std::string_view("_registry")),
                                    {&owners.keys, "_keys"},
                                    {&owners.revoked, "_revoked"}}) {
    const auto child = entry->child(as_bytes(label));
    if (!child) return fail(agent.to_text(), child.error());
    *name = *child;
  }
  return owners;
}

/// The one that stands among other TXT records of a zone file; nothing where it is not one.
std::optional<agent::Statement> statement_of(const change::AgentRows& rows) {
  std::optional<agent::Statement> found;
  for (const Bytes& txt : rows.txt) {
    auto statement = agent::Statement::from_txt(txt);
    if (statement && found) return std::nullopt;
    if (statement) found = *std::move(statement);
  }
  return found;
}

void set_rrset(change::ZoneEdit& feed, const dns::Name& owner, RrType type, std::span<const PublishedRecord> records) {
  std::vector<const PublishedRecord*> wanted;
  for (const PublishedRecord& record : records)
    if (record.type == type && record.owner == owner) wanted.push_back(&record);
  const change::EditedRrset* held = feed.find(owner, type);
  if (held == nullptr && wanted.empty()) return;
  const auto is_held = [&](const PublishedRecord* record) {
    return held->ttl == record->ttl && std::ranges::find(held->rdatas, record->rdata) != held->rdatas.end();
  };
  if (held != nullptr && held->rdatas.size() == wanted.size() && std::ranges::all_of(wanted, is_held)) return;
  feed.remove_rrset(owner, type);
  for (const PublishedRecord* record : wanted) feed.add(owner, type, record->ttl, record->rdata);
}

void set_records(change::ZoneEdit& feed, const FeedOwners& owners, std::span<const PublishedRecord> records) {
  for (const RrType type : {RrType::TXT, RrType::KEY, RrType::SRV, RrType::SVCB})
    set_rrset(feed, owners.entry, type, records);
  for (const dns::Name* owner : {&owners.registry, &owners.keys, &owners.revoked})
    set_rrset(feed, *owner, RrType::TXT, records);
}

bool is_same_write(const agent::WriteStamp& a, const agent::WriteStamp& b) {
  return a.stamp == b.stamp && a.replica == b.replica && a.clock == b.clock;
}

// What the registry states anew is above what it stated before, and a feed that begins does not stand behind one that was.
uint64_t told_of(const FeedEntry& entry, const change::EditedRrset* held, UnixTime now) {
  const auto time = static_cast<uint64_t>(std::max<int64_t>(seconds_of(now), 0));
  const uint64_t first = std::max(entry.write.stamp, time);
  FeedEntry before;
  if (held == nullptr || held->rdatas.size() != 1 || !read_feed_statement(held->rdatas.front(), before)) return first;
  if (!is_same_write(before.write, entry.write)) return first;
  const bool is_same = before.trust == entry.trust && held->ttl == entry.ttl;
  return is_same ? before.told : std::max(before.told + 1, first);
}

}  // namespace

Result<dns::Name> feed_name(std::string_view replica, NameView zone) {
  if (!is_replica_id(replica))
    return fail(Errc::Invalid, fmt::format("replica {}: 1 to 32 of a-z, 0-9 and the hyphen wanted", replica));
  auto feeds = dns::Name(zone).child(as_bytes(feed_label));
  if (!feeds) return feeds;
  const auto name = feeds->child(as_bytes(replica));
  return name ? Result<dns::Name>(name->folded()) : name;
}

std::string feed_text(uint32_t serial) {
  return fmt::format("@ {0} SOA invalid. invalid. {1} {2}\n@ {0} NS invalid.\n", apex_ttl, serial, soa_times);
}

FeedEntry own_entry(const dns::Name& agent, const agent::AgentEntry& entry, const change::AgentRows& rows,
                    std::string_view registry) {
  FeedEntry made;
  made.agent = agent;
  made.registry = registry;
  made.status = entry.status;
  made.suspended = entry.suspended.has_value();
  made.write = entry.write;
  made.trust = entry.trust;
  made.revocations = entry.revocations;
  if (entry.presence == agent::Presence::Gone) {
    made.gone = GoneName{entry.version, entry.modified, entry.fingerprint};
    made.keys = entry.kept_keys;
    made.rotations = entry.kept_rotations;
  } else {
    made.statement = statement_of(rows);
    made.keys = rows.key;
    made.rotations = rows.rotations;
    made.srv = rows.srv;
    made.svcb = rows.svcb;
    made.ttl = std::min(rows.ttl, max_feed_ttl);
  }
  made.keys.insert(made.keys.end(), entry.revoked_keys.begin(), entry.revoked_keys.end());
  made.normalize();
  return made;
}

Result<void> put_in_feed(FeedEntry entry, const FeedNames& names, change::ZoneEdit& feed, UnixTime now) {
  const auto owners = owners_of(entry.agent, names);
  if (!owners) return tl::unexpected(owners.error());
  entry.told = told_of(entry, feed.find(owners->registry, RrType::TXT), now);
  const auto records = feed_records(std::span(&entry, 1), names.feed, names.zone);
  set_records(feed, *owners, records ? *records : std::vector<PublishedRecord>{});
  if (!records) return tl::unexpected(records.error());
  return {};
}

Result<void> hand_on_in_feed(HandedOn handed, const FeedNames& names, change::ZoneEdit& feed, UnixTime now) {
  std::vector<FeedOwners> places;
  std::vector<std::string> labels{""};  // the winner's place is emptied too where nothing takes it
  for (size_t i = 1; i < handed.writes.size(); ++i) labels.push_back(write_label(handed.writes[i]));
  for (std::string& label : handed.losers_before)
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(std::move(label));
  for (const std::string& label : labels) {
    auto owners = owners_of(handed.agent, names, label);
    if (!owners) return tl::unexpected(owners.error());
    places.push_back(*std::move(owners));
  }
  for (size_t i = 0; i < handed.writes.size(); ++i)
    handed.writes[i].told = told_of(handed.writes[i], feed.find(places[i].registry, RrType::TXT), now);
  const auto records = feed_records(handed.writes, names.feed, names.zone);
  for (const FeedOwners& owners : places) set_records(feed, owners, records ? *records : std::vector<PublishedRecord>{});
  if (!records) return tl::unexpected(records.error());
  return {};
}

}  // namespace steward::federation

#include "daemon/feed_reader.hh"

#include <algorithm>

#include "zone/difference.hh"

namespace steward::daemon {
namespace {

using dns::RrType;
using federation::PublishedRecord;

constexpr size_t most_steps = 4096;           // nodes that are looked at for one agent
constexpr size_t most_nodes = 1024;           // of one agent: an honest set of writes has no more
constexpr size_t most_changed = 4096;         // agents of one Changed
constexpr uint64_t most_octets = 16U << 20U;  // of one difference

bool starts_with(const Bytes& key, const Bytes& start) {
  return key.size() >= start.size() && std::equal(start.begin(), start.end(), key.begin());
}

void take_node(zone::NodeView node, std::vector<PublishedRecord>& records) {
  const dns::Name owner(node.owner());
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const zone::StoredRrset rrset = node.rrset(i);
    if (rrset.type == RrType::NSEC) continue;  // a feed that comes signed says no more by it
    for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
      PublishedRecord record{owner, rrset.type, rrset.ttl(), {}};
      zone::expand_rdata(rrset.type, reader.next().rdata, owner, record.rdata);
      records.push_back(std::move(record));
    }
  }
}

}  // namespace

Bytes FeedReader::key_of(dns::NameView agent) const {
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(agent, child_, key.data()));
  return key;
}

FeedReader::Step FeedReader::next(const Bytes& at) const {
  Bytes key = at;
  key.push_back(0);
  for (size_t steps = 0; steps < most_steps; ++steps, key.push_back(0)) {
    const zone::NodeView node = reader_.node_at_or_after(feed_, key);
    if (!node) return {{}, {}, true};
    const auto place = federation::feed_place(node.owner(), feed_.apex, child_);
    if (!place) continue;
    // What stands below an agent's own name comes behind it, and was read with it.
    if (Bytes agent = key_of(place->agent); agent > at) return {place->agent, std::move(agent), false};
  }
  return {{}, std::move(key), false};
}

federation::FeedName FeedReader::read(const dns::Name& agent) const {
  federation::FeedName name{agent, {}, false};
  const auto owner = federation::feed_owner(agent, feed_.apex, child_);
  if (!owner) return name;
  if (const zone::NodeView node = reader_.find(feed_, *owner)) take_node(node, name.records);
  // Its other records stand below labels that begin with `_`.
  Bytes start = key_of(agent);
  start.push_back('_');
  Bytes key = start;
  for (size_t nodes = 0; true; ++nodes, key.push_back(0)) {
    const zone::NodeView node = reader_.node_at_or_after(feed_, key);
    if (!node || !starts_with(key, start)) return name;
    name.is_cut = nodes == most_nodes || name.records.size() > federation::max_feed_records;
    if (name.is_cut) return name;
    const auto place = federation::feed_place(node.owner(), feed_.apex, child_);
    if (place && place->agent == agent) take_node(node, name.records);
  }
}

std::optional<FeedReader::Changed> FeedReader::changed_since(uint32_t serial) const {
  const auto extent = reader_.journal_extent(feed_, serial);
  if (!extent) return std::nullopt;
  Changed changed{{}, serial};
  store::JournalPlace place{serial, 0};
  uint64_t octets = 0;
  while (changed.agents.size() < most_changed) {
    std::map<Bytes, dns::Name> agents;
    // A difference counts as a whole or not at all.
    for (bool is_whole = false; !is_whole;) {
      const auto part = reader_.read_journal(feed_, place);
      if (!part) return changed.serial != serial || extent->differences == 0 ? std::optional(changed) : std::nullopt;
      octets += part->records.size();
      if (octets > most_octets) return changed.serial != serial ? std::optional(changed) : std::nullopt;
      zone::DifferenceReader records(part->records);
      while (const auto record = records.next())
        if (const auto at = federation::feed_place(record->owner, feed_.apex, child_)) agents.emplace(key_of(at->agent), at->agent);
      if (!records.ok()) return std::nullopt;
      is_whole = part->last;
      if (is_whole) changed.serial = part->to;
    }
    changed.agents.merge(agents);
  }
  return changed;
}

}  // namespace steward::daemon

#include "daemon/push_reader.hh"

#include "change/publish_rows.hh"
#include "zone/node.hh"

namespace steward::daemon {
namespace {

constexpr size_t messages_at_once = 8;

}  // namespace

std::vector<dns::Message> PushReader::next(const store::Reader& reader, const store::ZoneRecord& feed, const federation::PushState& held) {
  const Zones zones{reader, FeedReader(reader, feed.info, names_.zone)};
  if (held.mark.walking) return walk(zones, held, *held.mark.walking);
  if (!held.mark.reached) return walk(zones, held, feed.serial);
  const uint32_t reached = *held.mark.reached;
  if (difference_ && difference_->from == reached) return difference(zones, held);
  difference_.reset();
  if (reached == feed.serial) return {};
  auto changed = zones.agents.changed_since(reached);
  if (!changed) return walk(zones, held, feed.serial);
  difference_ = Difference{reached, *std::move(changed)};
  return difference(zones, held);
}

// The feed has no manifest: it is the zone's, where the agent is the registry's own.
std::vector<federation::PublishedRecord> PushReader::records_of(const Zones& zones, const dns::Name& agent) const {
  auto records = zones.agents.read(agent).records;
  const store::ZoneRecord* const home = hosted_ && !records.empty() ? zones.reader.zone_record(names_.zone) : nullptr;
  const auto owner = federation::feed_manifest_owner(agent, names_.feed, names_.zone);
  if (home == nullptr || !owner) return records;
  const zone::NodeView node = zones.reader.find(home->info, change::AgentNames(agent).manifest);
  const auto rrset = node ? node.find(dns::RrType::TXT) : std::nullopt;
  if (!rrset || rrset->rr_count != 1) return records;
  const ByteView rdata = zone::StoredRrReader(rrset->rrs).next().rdata;
  records.push_back({*owner, dns::RrType::TXT, records.front().ttl, Bytes(rdata.begin(), rdata.end())});
  return records;
}

// Each agent as it is now: that it may have changed again since is sent again, with the next difference.
std::vector<dns::Message> PushReader::difference(const Zones& zones, const federation::PushState& held) {
  federation::PushWriter writer(names_, held, std::nullopt);
  auto& left = difference_->left.agents;
  while (!left.empty() && writer.full() < messages_at_once) {
    const dns::Name agent = left.begin()->second;
    writer.put(agent, records_of(zones, agent));
    left.erase(left.begin());
  }
  if (!left.empty()) return writer.take(true);
  writer.finish(difference_->left.serial);
  difference_.reset();
  return writer.take(true);
}

std::vector<dns::Message> PushReader::walk(const Zones& zones, const federation::PushState& held, uint32_t began) {
  federation::PushWriter writer(names_, held, began);
  Bytes at;
  if (held.mark.walking == began && held.mark.at) {
    at.resize(dns::max_canonical_key_size);
    at.resize(dns::canonical_key(*held.mark.at, names_.zone, at.data()));
  }
  while (writer.full() < messages_at_once) {
    const FeedReader::Step step = zones.agents.next(at);
    at = step.at;
    if (step.agent) writer.put(*step.agent, records_of(zones, *step.agent));
    if (!step.is_end) continue;
    writer.finish(began);
    break;
  }
  return writer.take(true);
}

}  // namespace steward::daemon

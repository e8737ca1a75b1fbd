#pragma once
// Listings: the records by which others find an agent (DNS-SD, RFC 6763; DNS-AID's index), derived from what is published, kept with each change.
//
// Browse RRsets hold at most 64 PTR, the highest trust first, and `_index._agents` one string of 255 octets: which agents they are follows from
// ranks, a table of the zone. A change touches the RRsets of its own agent alone. Writer thread.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "change/edit.hh"

namespace steward::change {

constexpr size_t max_browse_records = 64;

/// What of an agent is listed.
struct ListedAgent {
  dns::Name agent;                        ///< fully qualified; its parent is the namespace
  std::vector<std::string> protocols;     ///< "a2a", "mcp"; empty: `_agent._tcp`
  std::vector<std::string> capabilities;
  double trust = 0;
  std::string version;
  /// SRV RDATA (uncompressed) of its first endpoint; empty: no network endpoint, then it stands in the index alone.
  Bytes srv;
  /// Of a protocol whose endpoint is another: its own.
  std::map<std::string, Bytes> srv_of;
  uint32_t ttl = 300;
};

/// `before` is what list_agent() was given last, nothing for a new agent; `after` nothing takes it out of all listings.
Result<void> list_agent(ZoneEdit& edit, zone::OctetTable& ranks, const std::optional<ListedAgent>& before, const std::optional<ListedAgent>& after);

}  // namespace steward::change

#pragma once
// Agents of a registry below that has no servers of its own: this zone hosts its namespace, and answers them at their own names
// as it does its own (steward-records(7), "Names of an agent"), from what the registry's feed says. `_trust` and `_log`,
// which no feed carries, are not there. Writer thread.

#include <optional>
#include <string>
#include <vector>

#include "change/edit.hh"

namespace steward::change {

/// RDATA.
struct HostedAgent {
  Bytes statement;
  Bytes registry_statement;
  std::vector<Bytes> keys;
  std::vector<Bytes> srv;
  std::vector<Bytes> svcb;
  std::vector<Bytes> rotations;
  Bytes manifest;  ///< empty: there is none
  uint32_t ttl = 300;  ///< seconds
};

/// By which it is listed below its namespace, with its rows in the zone.
struct HostedListing {
  double trust = 0;
  std::string version;
  std::vector<std::string> capabilities;
};

/// Brings what stands at the agent's name to `after`, nothing takes it away, and the listings with it. `listed`: as given last,
/// nothing where it was not; `lists` is the same from now on. `ranks`: of the zone. Invalid where an alias stands in the way.
Result<void> update_hosted(ZoneEdit& edit, zone::OctetTable& ranks, const dns::Name& agent, const std::optional<HostedListing>& listed,
                           const std::optional<HostedAgent>& after, const std::optional<HostedListing>& lists);

}  // namespace steward::change

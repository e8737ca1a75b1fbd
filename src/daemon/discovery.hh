#pragma once
// What the zone `_discover._agents` of a registry takes from the registry's own zone, and what that has of it: pure,
// but for the edit.
//
// The zone has no file: its apex is made of the SOA and NS of the registry's zone, which in turn delegates to it. All
// else in it is answered as it is asked for (serve/discover.hh).

#include <optional>
#include <string>
#include <vector>

#include "change/edit.hh"
#include "config/config.hh"
#include "daemon/zone_keys.hh"
#include "serve/online_signer.hh"
#include "zone/node.hh"

namespace steward::daemon {

/// Where the zone is served, and by whom.
struct DiscoverHome {
  std::vector<dns::Name> servers;  ///< in the order of the registry's NS RRset, or of the configuration
  dns::Name contact;               ///< RNAME of the SOA
  friend bool operator==(const DiscoverHome&, const DiscoverHome&) = default;
};

/// From the apex of the registry's zone: the servers that are configured; else its primary (MNAME) where that is among
/// its name servers, since others may be stock secondaries, which cannot answer the zone; else all of them. Invalid
/// without SOA and NS.
[[nodiscard]] Result<DiscoverHome> discover_home(zone::NodeView apex, const config::RegistryConfig& registry);

/// The zone's text.
[[nodiscard]] std::string discover_text(const DiscoverHome& home, uint32_t serial);

/// NS and DS of the zone, as they stand in the registry's. RDATA in canonical order.
struct Delegation {
  std::vector<Bytes> ns;
  std::vector<Bytes> ds;
  friend bool operator==(const Delegation&, const Delegation&) = default;
};

/// What the registry's zone is to have. `keys`: of the zone; null where it is unsigned.
[[nodiscard]] Delegation wanted_delegation(const DiscoverHome& home, const dns::Name& zone, const ZoneKeys* keys);
/// What it has. No node: nothing.
[[nodiscard]] Delegation stored_delegation(zone::NodeView node);
/// Makes it so.
void delegate(change::ZoneEdit& edit, const dns::Name& zone, const Delegation& delegation, Seconds ds_ttl);

/// Whether some key's DS is what the parent is waited for to show.
[[nodiscard]] bool waits_for_ds(const ZoneKeys& keys, UnixTime now);

/// What workers answer and sign with.
[[nodiscard]] std::shared_ptr<const serve::DiscoverZone> discover_answers(const config::RegistryConfig& registry,
                                                                          const dns::Name& zone, const ZoneKeys* keys);
/// Whether both make the same answers.
[[nodiscard]] bool is_same(const serve::DiscoverZone& a, const serve::DiscoverZone& b);

}  // namespace steward::daemon

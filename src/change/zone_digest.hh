#pragma once
// ZONEMD in a zone that we write (RFC 8976 §3): a placeholder from the start, so that NSEC and NSEC3 show the type, and
// the digest once everything else of the zone stands, signatures and the SOA with its serial included.
//
// The digest is over the whole zone: whatever changes a zone that has one pays a walk over it, however small the
// change. Writer thread only.

#include "change/finisher.hh"
#include "sign/zonemd.hh"
#include "zone/node_table.hh"

namespace steward::change {

/// Whether the ZONEMD of this apex (which may be none) is one that we made.
[[nodiscard]] bool has_made_zonemd(zone::NodeView apex);

/// Takes away what `draft` has of ZONEMD, ours or the file's.
void remove_zonemd(NodeDraft& draft);

/// Puts a ZONEMD into the draft of an apex, its TTL that of the SOA (§3.1): the one that `stored` has, if we made it
/// with this hash for the serial that is served, since it is right as long as nothing else changes; a placeholder
/// otherwise.
void draft_zonemd(NodeDraft& draft, zone::NodeView stored, uint32_t served_serial, sign::ZonemdHash hash);

/// Gives a finished apex task, not yet written, the digest of the zone as it is with it and these tables (§3.3, §3.4),
/// and a new RRSIG over that where the zone is signed. What the table has at the apex does not matter. Nothing happens
/// without a hash, or where the apex has no ZONEMD of ours.
Result<void> digest_zone(Finisher& finisher, Task& apex, std::optional<sign::ZonemdHash> hash, zone::NodeTable& nodes,
                         zone::NodeTable& nsec3);

}  // namespace steward::change

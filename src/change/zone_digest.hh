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

/// The same apex with the digest of the zone as it is with this apex and these tables (§3.3, §3.4), and a new RRSIG
/// over it where the zone is signed. The apex in the table does not matter: it is not written yet. The blob as it was
/// where `apex` has no ZONEMD of ours.
Result<Bytes> with_zonemd(Finisher& finisher, zone::NodeView apex, sign::ZonemdHash hash, zone::NodeTable& nodes,
                          zone::NodeTable& nsec3);

}  // namespace steward::change

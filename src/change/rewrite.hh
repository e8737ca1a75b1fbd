#pragma once
// Rewriting a zone: what the zone file says now, merged with what is stored, signed, chained, and written as one change.
//
// One pass over both in canonical order: the file's nodes and the stored ones side by side. On the way come empty non-terminals, what a
// cut hides, the NSEC chain; a second pass makes the NSEC3 chain. Nodes that come out as they were are not written. Tasks go through
// all cores in batches, so memory is bounded by the batch, not by the zone (NSEC3 keeps 28 octets and a bitmap a name).
//
// Called by the writer thread. No I/O of its own, no clock: the tables are the transaction's, the time is the signer's.

#include <string>
#include <vector>

#include "base/parallel.hh"
#include "change/finisher.hh"
#include "sign/zonemd.hh"
#include "zone/octet_table.hh"
#include "zone/image.hh"
#include "zone/node_table.hh"

namespace steward::change {

/// An RRset that the signer publishes at the apex: DNSKEY, CDS, CDNSKEY, NSEC3PARAM.
struct ApexRecords {
  RrType type{};
  uint32_t ttl = 0;
  std::vector<Bytes> rdatas;
};

struct RewriteRequest {
  uint32_t zone = 0;
  dns::Name apex;
  zone::ZoneImage* image = nullptr;      ///< null: what is stored is the content; only keys, chain or signatures change
  Signing signing;
  std::vector<ApexRecords> apex_records;
  std::optional<sign::ZonemdHash> zonemd;  ///< a ZONEMD of ours at the apex; the file's own is left out then, and wherever we sign
  uint32_t stored_serial = 0;            ///< as served; without meaning where nothing is stored
  bool exact_serial = false;             ///< the image's SOA is served as it is: a zone that is transferred from its primary
  zone::OctetTable* attic = nullptr;          ///< null: updates never changed this zone
};

struct RewriteResult {
  bool changed = false;
  uint32_t serial = 0;         ///< as served from now on
  uint32_t file_serial = 0;    ///< of the image's SOA
  uint64_t nodes = 0;          ///< with empty non-terminals
  uint64_t records = 0;        ///< with RRSIG and NSEC, without NSEC3
  uint64_t signatures = 0;     ///< made now
  uint64_t written = 0;        ///< nodes that changed
  zone::Denial denial = zone::Denial::None;
  uint16_t nsec3_iterations = 0;
  Bytes nsec3_salt;
};

/// Io and Full from the tables; Full where an RRset does not fit a message; Invalid where the apex has no SOA, or a ZONEMD is to be made for a zone that
/// comes signed. After an error the transaction
/// must not be committed.
Result<RewriteResult> rewrite_zone(const RewriteRequest& request, zone::NodeTable& nodes, zone::NodeTable& nsec3, Parallel& parallel);

/// What the signer publishes at this apex already.
std::vector<ApexRecords> stored_apex_records(zone::NodeView apex);

/// The next serial after a change: the file's where it is ahead of what is served (RFC 1982), else one more.
uint32_t next_serial(uint32_t served, uint32_t in_file);

/// Makes signatures anew that come near their end (or all that keys no longer make, with signing.recheck) at up to `limit` nodes from `key` on.
struct ResignProgress {
  Bytes key;                   ///< where to go on
  bool in_nsec3 = false;       ///< which table `key` is of
  bool done = false;
  uint64_t looked_at = 0;
  uint64_t written = 0;
  uint64_t signatures = 0;
};
/// One step; the apex with its new serial is written with every step that wrote anything, and its ZONEMD anew, which takes a walk over the zone. `request.image` is not looked at.
Result<void> resign_step(const RewriteRequest& request, zone::NodeTable& nodes, zone::NodeTable& nsec3, Parallel& parallel, size_t limit,
                         ResignProgress& progress, uint32_t& serial);

}  // namespace steward::change

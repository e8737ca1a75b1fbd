#pragma once
// All that is committed, node by node, each checked before it is handed on: what verification and backups have in
// common.
//
// Reads one snapshot and nothing of the writer's, so that it runs on any thread that has a Reader while the writer
// works.

#include <functional>
#include <map>
#include <string>

#include "store/store.hh"

namespace steward::store {

/// What a walk has seen.
struct Census {
  uint64_t zones = 0;
  uint64_t names = 0;    ///< nodes in `tree`, with empty non-terminals
  uint64_t hashes = 0;   ///< nodes in `nsec3`
  uint64_t records = 0;  ///< RRs of both, with RRSIGs
  uint64_t entries = 0;  ///< in the tables beside the nodes (ZoneTable)
  uint64_t octets = 0;   ///< of the nodes
  friend bool operator==(const Census&, const Census&) = default;
};

/// How far long work is; `total` is 0 where that is not known. Called every few thousand nodes.
using Progress = std::function<void(uint64_t done, uint64_t total)>;

/// What a walk hands over, in this order: a zone, its names in canonical order, its NSEC3 chain by hash; the next zone.
class WalkVisitor {
 public:
  virtual ~WalkVisitor() = default;
  virtual Result<void> zone(const ZoneRecord& zone) = 0;
  virtual Result<void> node(zone::NodeView node) = 0;
  /// Behind the nodes of a zone: what updates withdrew, by canonical key (zone/octet_table.hh).
  virtual Result<void> withdrawn(ByteView key, ByteView provenance) = 0;
  /// Behind these, table by table, keys in order.
  virtual Result<void> entry(ZoneTable table, ByteView key, ByteView octets) = 0;
  /// Last of a zone: what its keeper stores with it.
  virtual Result<void> state(ByteView octets) = 0;
};

/// Goes over the snapshot that `reader` has acquired: every key has a zone, every node holds together, stands under its
/// own key and is counted in its segment. Corrupt, naming zone and name, with the first that does not; or what the
/// visitor failed with. Takes as long as reading the whole store.
Result<Census> walk(const Reader& reader, WalkVisitor& visitor, const Progress& progress = {});
/// The same, and nothing but the checks.
Result<Census> verify(const Reader& reader, const Progress& progress = {});
/// What updates withdrew of a zone's names that are not served since, by canonical key (zone/octet_table.hh), of the snapshot that
/// `reader` has acquired. Io, or what `take` failed with.
Result<void> walk_withdrawn(const Reader& reader, const ZoneRecord& zone,
                            const std::function<Result<void>(ByteView key, ByteView provenance)>& take);

struct SnapshotFigures {
  uint64_t format = 0;
  uint64_t zones = 0;
  uint64_t zones_served = 0;
  uint64_t names = 0;
  uint64_t hashes = 0;
  uint64_t tree_pages = 0;   ///< of 4 KiB, in LMDB's file
  uint64_t map_size = 0;     ///< what that file may grow to, octets
  uint64_t segments = 0;     ///< of the node log
  uint64_t log_octets = 0;   ///< in them
  uint64_t live_octets = 0;  ///< of the nodes that the tree points at
};

/// Sizes as of the snapshot that `reader` has acquired; quick. Io, Corrupt.
Result<SnapshotFigures> figures_of(const Reader& reader);

}  // namespace steward::store

#pragma once
// What a transfer is made from: a zone's contents as of one moment, and its journal. The composition root implements it
// over the store, tests over a map.
//
// One per worker, whose thread alone calls it: from within Responder::answer(), and from the worker's later turns, when
// no snapshot is held; an implementation takes one for as long as the call needs. It outlives the transfers of its
// worker.

#include <functional>
#include <memory>
#include <optional>

#include "base/bytes.hh"
#include "zone/difference.hh"
#include "zone/node.hh"
#include "zone/snapshot.hh"

namespace steward::serve {

/// All nodes of a zone as of one moment, for as long as it lives.
class ZoneContents {
 public:
  virtual ~ZoneContents() = default;
  /// Nodes: the apex first, canonical order, then the NSEC3 nodes.
  [[nodiscard]] virtual size_t size() const = 0;
  [[nodiscard]] virtual zone::NodeView node(size_t index) const = 0;
};

using zone::JournalExtent;
using zone::JournalPart;
using zone::JournalPlace;

class TransferSource {
 public:
  virtual ~TransferSource() = default;
  /// Calls `take` once, at once or in a later turn of this thread; with null where no copy can be had (too many are
  /// held). Destroying `take` uncalled ends the transfer.
  virtual void copy_zone(const zone::ZoneInfo& zone, std::function<void(std::unique_ptr<ZoneContents>)> take) = 0;
  /// Of the differences from `serial` to the present; nothing where the journal does not reach back to it.
  [[nodiscard]] virtual std::optional<JournalExtent> journal_extent(const zone::ZoneInfo& zone, uint32_t serial) = 0;
  /// The part at `place`, which then is the next one's; nothing where the journal does not hold it, or no longer.
  [[nodiscard]] virtual std::optional<JournalPart> read_journal(const zone::ZoneInfo& zone, JournalPlace& place) = 0;
  /// About what the zone's records take in an AXFR; 0 where that is not known: then an IXFR is never too large.
  [[nodiscard]] virtual uint64_t zone_octets(const zone::ZoneInfo& zone) = 0;
};

}  // namespace steward::serve

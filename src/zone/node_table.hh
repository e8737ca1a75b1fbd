#pragma once
// The nodes of one zone inside one write transaction, in order of their keys.
//
// A zone has two: its names, keyed by canonical key relative to the apex (dns/name.hh), and its NSEC3 chain, keyed by hash. The
// store implements it; tests implement it over a std::map. Used by the writer thread only. Reads see what the same
// transaction has written. A NodeView stays valid, and what it shows the same, until the transaction ends, also when its name
// gets another node or goes.

#include "base/bytes.hh"
#include "base/result.hh"
#include "zone/node.hh"

namespace steward::zone {

class NodeTable {
 public:
  virtual ~NodeTable() = default;

  /// No node where there is none with exactly this key.
  [[nodiscard]] virtual NodeView find(ByteView key) = 0;
  /// The node with the lowest key that is not below `key`, which then becomes that key; no node past the last.
  [[nodiscard]] virtual NodeView at_or_after(Bytes& key) = 0;
  /// The node with the greatest key that is below `key`, which then becomes that key; no node before the first.
  [[nodiscard]] virtual NodeView before(Bytes& key) = 0;
  /// `blob` is what build_node made. Replaces what stood there. Full, Io.
  virtual Result<void> put(ByteView key, ByteView blob) = 0;
  /// Nothing happens where there is no such node.
  virtual Result<void> erase(ByteView key) = 0;
};

}  // namespace steward::zone

#pragma once
// A table of octets that belongs to one zone and is written in the same transaction as its nodes: the attic (provenance of names that are
// not served, since updates withdrew all that the zone file says there), and what a registry keeps of its agents beside their records.
//
// The store implements it within a write transaction; tests over a std::map. Reads see what the same transaction has written. Writer
// thread. Keys sort by memcmp.

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward::zone {

/// Longest key of an OctetTable, in octets.
constexpr size_t max_table_key = 400;

class OctetTable {
 public:
  virtual ~OctetTable() = default;
  /// Empty where there is nothing.
  [[nodiscard]] virtual Bytes find(ByteView key) = 0;
  /// Moves `key` to the lowest one that is not below it; false where there is none.
  [[nodiscard]] virtual bool at_or_after(Bytes& key) = 0;
  /// Empty octets remove. Full, Io.
  virtual Result<void> put(ByteView key, ByteView octets) = 0;
  /// The same, of octets that the caller needs no more.
  virtual Result<void> take(Bytes&& key, Bytes&& octets) { return put(key, octets); }
};

}  // namespace steward::zone

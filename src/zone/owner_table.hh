#pragma once
// Owner names of a zone file, found by name while it is loaded and checked: an open-addressed table over names in an
// arena.
//
// A name at or below the apex is stored without the apex where it ends in the apex to the octet, as nearly all do. Used
// by one thread. Nodes are numbered from 0 in the order in which they were added.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dns/name.hh"
#include "zone/arena.hh"

namespace steward::zone {

using dns::NameView;
using NodeIndex = uint32_t;

class OwnerTable {
 public:
  /// `most`: octets of names. `file`: where the names lie, as Arena takes it.
  explicit OwnerTable(NameView apex, size_t most = Arena::most_octets, int file = Arena::no_file);

  [[nodiscard]] NameView apex() const { return apex_; }
  [[nodiscard]] size_t size() const { return names_.size(); }

  /// The node of `owner`, which is at or below the apex; nothing where it is not there.
  [[nodiscard]] std::optional<NodeIndex> find(NameView owner) const;
  /// As find(), but adds it. Nothing where memory runs out.
  std::optional<NodeIndex> find_or_add(NameView owner);

  /// The name as it was first added. Valid until the next call.
  NameView name(NodeIndex node);
  /// The labels left of the apex, in wire form without a final zero octet.
  [[nodiscard]] ByteView labels(NodeIndex node) const;
  /// Drops what only find() and find_or_add() need.
  void forget_index();
  [[nodiscard]] bool has_index() const { return !slots_.empty(); }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t node = 0;  // its number and 1; 0: free
  };
  [[nodiscard]] uint32_t hash_of(ByteView labels) const;
  [[nodiscard]] size_t find_slot(ByteView labels, uint32_t hash) const;
  void grow();
  ArenaRef store(NameView owner);

  dns::Name apex_;
  Arena arena_;
  std::vector<ArenaRef> names_;  // by node: two octets (size, whether the apex is left out), then the name
  std::vector<Slot> slots_;
  unsigned bits_;  // slots_.size() is 1 << bits_
  std::array<uint8_t, dns::max_name_size> scratch_;
};

}  // namespace steward::zone

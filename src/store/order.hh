#pragma once
// The order: from a name to the last one at or before it that has an NSEC, which is the one that denies it (RFC 4035
// §3.1.3).
//
// Beside LMDB's tree, as the index is: a B+ tree in memory, keys as in the tree, of names that have an NSEC. Its nodes
// never change. A commit makes those on the way to what it touches anew and publishes a new root with the id of its
// transaction, so that a reader holds one version of the whole, without locks or checks; one with another snapshot
// looks into LMDB's tree. One thread writes; any number read.
//
// A node of the order holds what its keys have in common once, then of each the next eight octets as a number, which
// nearly always decide. Searches go down in step, level by level, so that a batch of them waits for memory at the same
// time. About 30 octets a name.

#include <atomic>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "base/bytes.hh"
#include "store/epochs.hh"
#include "store/node_log.hh"

namespace steward::store {

class Order {
 public:
  struct Node;
  struct Version {
    uint64_t transaction = 0;    ///< which it mirrors; 0: none
    const Node* root = nullptr;  ///< null where no name has an NSEC
  };
  static constexpr NodePosition none = UINT64_MAX;
  /// So many zeros stand behind a key that is looked for.
  static constexpr size_t padding = 8;

  explicit Order(Epochs& epochs) : epochs_(epochs), version_(new Version) {}
  ~Order();
  Order(const Order&) = delete;
  Order& operator=(const Order&) = delete;

  // Readers, between Epochs::enter and leave.
  [[nodiscard]] const Version& version() const { return *version_.load(std::memory_order_seq_cst); }
  struct Search {
    const uint8_t* key = nullptr;
    size_t size = 0;
    const Node* node = nullptr;       ///< the search's own
    const uint64_t* place = nullptr;  ///< the search's own
    NodePosition found = none;        ///< of the last key that is not above `key`
  };
  static void at_or_before(const Version& version, std::span<Search> searches);

  // The writer.
  class Edit;
  /// Octets of its nodes.
  [[nodiscard]] uint64_t memory() const { return memory_; }

 private:
  Epochs& epochs_;
  std::atomic<const Version*> version_;
  uint64_t edits_ = 0;
  uint64_t memory_ = 0;
};

/// The changes that one transaction makes. They are merged into the nodes some thousands at a time, so that what they
/// take is bound; what was not published goes with the edit.
class Order::Edit {
 public:
  /// Onto the version that there is; or, `anew`, onto nothing.
  explicit Edit(Order& order, bool anew = false);
  ~Edit();
  Edit(const Edit&) = delete;
  Edit& operator=(const Edit&) = delete;

  /// The node of this key has an NSEC and lies at `position`; none: there is no such node. The last word on a key
  /// holds.
  void set(ByteView key, NodePosition position);
  /// All of it becomes the version of this transaction. The edit is used up.
  void publish(uint64_t transaction);

 private:
  struct Change {
    size_t at;  // in keys_
    size_t size;
    NodePosition position;
  };
  struct Entry {
    ByteView key;  // empty: the one that the node began with that this one replaces
    uint64_t value;
  };
  using Entries = std::vector<Entry>;
  using Changes = std::span<const Change>;

  void merge();
  void sort_changes();
  void apply(const Node& node, Changes changes, Entries& out);
  void apply_leaf(const Node& leaf, Changes changes, Entries& out);
  void merge_leaf(const Node& leaf, Changes changes, Entries& out);
  void apply_inner(const Node& inner, Changes changes, Entries& out);
  void make_nodes(uint8_t level, std::span<const Entry> entries, Entries& out);
  Node* make_node(uint8_t level, std::span<const Entry> entries);
  Node* clone(const Node& node);
  void replaced(const Node& node);
  void replaced_with_all_below(const Node& node);
  void discard(const Node& node);
  [[nodiscard]] ByteView key_of(const Change& change) const { return {keys_.data() + change.at, change.size}; }
  ByteView decode(const Node& node, size_t entry);

  Order& order_;
  uint64_t number_;
  const Node* root_;
  std::vector<const Node*> dead_;  // of the version before, not in this one
  uint64_t memory_;
  bool published_ = false;
  Bytes keys_;
  std::vector<Change> changes_;
  std::pmr::monotonic_buffer_resource decoded_;  // keys, during a merge
};

}  // namespace steward::store

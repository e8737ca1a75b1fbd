#pragma once
// The index: from the hash of a name to its node's position, 8 octets a name, one or two misses of the cache.
//
// Beside LMDB's tree, which is the truth, not instead of it: it is built from the tree after a start, and it mirrors the tree as of
// exactly one committed transaction, whose id it carries. A reader whose snapshot has another id looks into the tree
// instead, so that the index needs neither locks nor versions. One thread writes; any number read while it does, and find out afterwards
// (unchanged()) whether what they read holds.
//
// Zones for transfer alone (feeds) are not in it: nobody asks for their names but who reads the feed, from the tree.
//
// Slot: 0 is empty; otherwise 24 bits of the hash above 40 bits of position / 8, which is never 0. Open addressing, linear, at most 3/5 full.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.hh"
#include "dns/name.hh"
#include "store/epochs.hh"
#include "store/node_log.hh"

namespace steward::store {

/// Hashes of names, keyed by a secret of this process so that nobody can choose names that collide.
class NameHash {
 public:
  explicit NameHash(uint64_t secret) : secret_(secret | 1) {}
  /// Of a folded name in the zone `zone`.
  [[nodiscard]] uint64_t operator()(uint32_t zone, dns::NameView folded) const;

 private:
  uint64_t secret_;
};

class Index {
 public:
  struct Table {
    uint64_t mask;
    std::unique_ptr<std::atomic<uint64_t>[]> slots;
  };

  explicit Index(Epochs& epochs);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // Readers, between Epochs::enter and leave.
  /// The id of the transaction that the index mirrors; 0 while it changes or is not built.
  [[nodiscard]] uint64_t transaction() const { return transaction_.load(std::memory_order_acquire); }
  /// After load(): whether what it gave was of this transaction.
  [[nodiscard]] bool unchanged(uint64_t transaction) const {
    return transaction_.load(std::memory_order_relaxed) == transaction;
  }
  [[nodiscard]] const Table& table() const { return *table_.load(std::memory_order_seq_cst); }
  // Slots are stored with release after transaction_ was set to 0: who loads one that changed sees that 0 too.
  static uint64_t load(const Table& table, uint64_t at) { return table.slots[at].load(std::memory_order_acquire); }
  static uint64_t tag_of(uint64_t hash) { return hash >> 40 << 40; }
  static NodePosition position_of(uint64_t slot) { return (slot & 0xff'ffff'ffff) * 8; }

  // The writer.
  struct Change {
    uint64_t hash;
    NodePosition before;  ///< no_node: the name is new
    NodePosition after;   ///< no_node: the name is gone
  };
  static constexpr NodePosition no_node = UINT64_MAX;
  /// Where a name was: search goes on behind it. Making the table anew drops these marks.
  static constexpr uint64_t gone = UINT64_MAX;
  void begin_change() { transaction_.store(0, std::memory_order_seq_cst); }
  /// An empty table with room for so many names.
  void start(uint64_t names);
  /// `hash_of(position)` is asked when the table grows.
  template <class HashOf>
  void apply(const std::vector<Change>& changes, HashOf hash_of) {
    grow(changes, hash_of);
    for (const Change& change : changes) apply_one(*table_.load(std::memory_order_relaxed), change);
  }
  void end_change(uint64_t transaction) { transaction_.store(transaction, std::memory_order_seq_cst); }
  [[nodiscard]] uint64_t names() const { return names_; }
  [[nodiscard]] uint64_t memory() const { return (table_.load()->mask + 1) * 8; }

 private:
  template <class HashOf>
  void grow(const std::vector<Change>& changes, HashOf hash_of) {
    uint64_t added = 0;
    for (const Change& change : changes) added += change.before == no_node ? 1 : 0;
    const Table& old = *table_.load(std::memory_order_relaxed);
    if ((filled_ + added) * 5 <= (old.mask + 1) * 3) return;
    // Sized by the names that there are, so that marks of names gone do not make it grow.
    Table* bigger = new_table(names_ + added);
    for (uint64_t i = 0; i <= old.mask; ++i)
      if (const uint64_t slot = old.slots[i].load(std::memory_order_relaxed); slot != 0 && slot != gone)
        insert(*bigger, hash_of(position_of(slot)), position_of(slot));
    filled_ = names_;
    publish(bigger);
  }
  static Table* new_table(uint64_t names);
  static void insert(Table& table, uint64_t hash, NodePosition position);
  void publish(Table* table);
  void apply_one(Table& table, const Change& change);

  Epochs& epochs_;
  std::atomic<Table*> table_;
  std::atomic<uint64_t> transaction_{0};
  uint64_t names_ = 0;
  uint64_t filled_ = 0;  // slots that are not 0: names, and marks of names gone
};

}  // namespace steward::store

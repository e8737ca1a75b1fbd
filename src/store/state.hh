#pragma once
// What Store, Reader and WriteTransaction share. Private to this room.

#include <array>
#include <atomic>
#include <bit>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "store/epochs.hh"
#include "store/index.hh"
#include "store/lmdb.hh"
#include "store/node_log.hh"
#include "store/order.hh"
#include "store/store.hh"

namespace steward::store {

/// All zones as of one transaction: immutable, replaced as a whole.
struct ZoneView {
  uint64_t transaction = 0;  // the last that changed a zone record, as `zones-at` says
  std::vector<std::shared_ptr<const ZoneRecord>> zones;  ///< ascending id
  bool has_unserved = false;

  /// From the hash of an apex to its zone; open addressing, at most half full.
  std::vector<const ZoneRecord*> table;
  size_t most_labels = 0;

  void index(const NameHash& hash);
  /// Puts a record in the place of the one with its id, which has the same apex and is served or not as this one is.
  void replace(const NameHash& hash, std::shared_ptr<const ZoneRecord> fresh);
  /// zones.size() where there is none.
  [[nodiscard]] size_t place_of(uint32_t id) const;
  /// The zone with the longest apex at or above `name`, which is folded.
  [[nodiscard]] const ZoneRecord* find_longest(const NameHash& hash, dns::NameView name) const;
  [[nodiscard]] const ZoneRecord* find_exact(const NameHash& hash, dns::NameView folded_apex) const;
};

// Values of the tree: the node's position, and what the search for an NSEC wants to know without touching the node.
constexpr uint64_t tree_has_nsec = uint64_t{1} << 63;
constexpr uint64_t tree_occluded = uint64_t{1} << 62;
constexpr uint64_t tree_position = (uint64_t{1} << 48) - 1;
uint64_t tree_value(NodePosition position, zone::NodeView node);

constexpr size_t zone_prefix_size = 4;
/// What the keys of a zone's entries begin with, in all databases but `meta` and `segments`.
Bytes zone_prefix(uint32_t zone);
/// The same in `tables`.
Bytes table_prefix(uint32_t zone, ZoneTable kind);
/// Key of a name in the tree: zone id, big-endian, then its canonical key relative to the apex. With room for what the order wants behind it.
using TreeKey = std::array<uint8_t, zone_prefix_size + dns::max_canonical_key_size + Order::padding>;
size_t tree_key(const zone::ZoneInfo& zone, dns::NameView name, TreeKey& key);
/// Under which key of its table a node belongs, told by its owner.
Bytes key_of(zone::NodeView node, dns::NameView apex);

/// One snapshot, for as long as its transaction is open and its reader has not left.
struct Committed {
  const Store::State& s;
  MDB_txn* txn;
  const ZoneView& view;
};

struct Store::State {
  explicit State(StoreOptions given);

  StoreOptions options;
  int lock_file = -1;
  EnvHandle env;
  Databases dbs{};
  std::unique_ptr<NodeLog> log;
  Epochs epochs;
  NameHash hash;
  Index index{epochs};
  // Of its own: each commit replaces nodes of the order, and those who hold an epoch for long, as a transfer does, never look at them.
  Epochs order_epochs;
  Order order{order_epochs};
  bool index_built = false;  // index and order; the writer's

  std::atomic<const ZoneView*> view{nullptr};

  // The writer's: octets of live nodes by segment.
  std::map<uint64_t, uint64_t> live;
  uint32_t next_zone_id = 1;
  uint64_t dead_readers = 0;
  uint64_t incarnation = 0;
  int tree_file = -1;          // of LMDB, beside LMDB's own
  uint64_t tree_room_end = 0;  // octets of it that have blocks

  ~State();
  void make_room_in_tree();
  void publish_view(std::unique_ptr<ZoneView> fresh);
  [[nodiscard]] uint64_t hash_of(NodePosition position) const;
};

}  // namespace steward::store

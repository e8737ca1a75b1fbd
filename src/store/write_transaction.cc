#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "store/entries.hh"
#include "store/journal.hh"
#include "store/state.hh"
#include "store/store.hh"

namespace steward::store {
namespace {

uint64_t number_of(const MDB_val& value) {
  uint64_t number = 0;
  if (value.mv_size == sizeof number) std::memcpy(&number, value.mv_data, sizeof number);
  return number;
}

}  // namespace

struct WriteTransaction::Implementation {
  explicit Implementation(Store::State& state) : s(state), log_before(state.log->end()) {
    MDB_txn* begun = nullptr;
    if (const int code = mdb_txn_begin(s.env.get(), nullptr, 0, &begun); code != 0)
      throw std::runtime_error(std::string("write transaction: ") + mdb_strerror(code));
    txn.reset(begun);
    next_zone_id = s.next_zone_id;
    base = s.view.load();
  }

  class Table;

  Store::State& s;
  TxnHandle txn;
  NodePosition log_before;
  uint32_t next_zone_id;
  // What a transaction says of zones lies over the view of the last one, which stays as long as this thread publishes no other: a change of one
  // zone costs nothing for the others.
  const ZoneView* base = nullptr;
  std::map<uint32_t, std::shared_ptr<ZoneRecord>> changed_zones;
  std::set<uint32_t> removed_zones;
  bool has_writes = false;
  std::map<std::pair<uint32_t, bool>, std::unique_ptr<Table>> tables;
  std::map<std::pair<MDB_dbi, Bytes>, std::unique_ptr<Entries>> entries;  // by what their keys begin with
  std::vector<Index::Change> index_changes;
  std::optional<Order::Edit> order_edit;
  std::map<uint64_t, int64_t> live_changes;
  bool committed = false;
  std::optional<Error> failure;  // of a read, which has no way to say so: keeps the transaction from being committed

  void fail_with(const Error& error) {
    if (!failure) failure = error;
  }
  /// What the tree's value for a name was and is; 0: there was, there is none.
  void note_order(ByteView key, uint64_t before, uint64_t after) {
    if (!s.index_built || ((before | after) & tree_has_nsec) == 0) return;
    if (!order_edit) order_edit.emplace(s.order);
    order_edit->set(key, (after & tree_has_nsec) != 0 ? after & tree_position : Order::none);
  }
  void count_live(NodePosition position, int64_t sign) {
    const zone::NodeView node(s.log->at(position));
    live_changes[NodeLog::segment_of(position)] += sign * static_cast<int64_t>(node.size());
  }
  Result<void> put_number(MDB_dbi dbi, ByteView key, uint64_t number) {
    MDB_val k = to_val(key);
    MDB_val v{sizeof number, &number};
    if (const int code = mdb_put(txn.get(), dbi, &k, &v, 0); code != 0) return lmdb_error("commit", code);
    return {};
  }
  /// As of the last commit; null where there was none, or it is removed now.
  [[nodiscard]] const ZoneRecord* base_zone(uint32_t id) const {
    const auto at = base->place_of(id);
    return at == base->zones.size() || removed_zones.contains(id) ? nullptr : base->zones[at].get();
  }
  /// Whether names of the zone are found by the index: not where it is for transfer alone (store/index.hh).
  [[nodiscard]] bool is_indexed(uint32_t zone) const {
    if (const auto changed = changed_zones.find(zone); changed != changed_zones.end()) return !changed->second->info.transfer_only;
    const ZoneRecord* const before = base_zone(zone);
    return before == nullptr || !before->info.transfer_only;
  }
  /// A zone that holds names became one that is indexed, or none any more: the index has too few, or too many.
  [[nodiscard]] bool has_turned() const {
    return std::ranges::any_of(changed_zones, [this](const auto& changed) {
      const ZoneRecord* const before = base_zone(changed.first);
      return before != nullptr && before->nodes > 0 && before->info.transfer_only != changed.second->info.transfer_only;
    });
  }
  [[nodiscard]] bool has_new_view() const { return !removed_zones.empty() || !changed_zones.empty(); }
  std::unique_ptr<ZoneView> make_view(uint64_t id);
  zone::OctetTable& table(MDB_dbi dbi, std::string_view name, Bytes prefix);
  /// Entries whose key begins with this zone's id.
  Result<void> remove_all(MDB_dbi dbi, uint32_t zone);
  Result<void> write_zones();
  Result<void> write_segments(std::map<uint64_t, uint64_t>& live);
  void after_commit(uint64_t id, std::map<uint64_t, uint64_t> live);
};

/// One zone's names or NSEC3 chain.
class WriteTransaction::Implementation::Table final : public zone::NodeTable {
 public:
  Table(Implementation& transaction, uint32_t zone, bool nsec3)
      : t_(transaction), dbi_(nsec3 ? t_.s.dbs.nsec3 : t_.s.dbs.tree), zone_(zone), indexed_(!nsec3 && transaction.is_indexed(zone)) {
    MDB_cursor* cursor = nullptr;
    mdb_cursor_open(t_.txn.get(), dbi_, &cursor);
    writing_.reset(cursor);
    cursor = nullptr;
    mdb_cursor_open(t_.txn.get(), dbi_, &cursor);
    reading_.reset(cursor);
  }

  zone::NodeView find(ByteView key) override {
    MDB_val k = to_val(full(key));
    MDB_val v;
    // By the cursor: who has just looked at a neighbour, as an update does, is on the right page already.
    return found(mdb_cursor_get(reading_.get(), &k, &v, MDB_SET)) ? view(number_of(v) & tree_position) : zone::NodeView{};
  }

  zone::NodeView at_or_after(Bytes& key) override {
    MDB_val k = to_val(full(key));
    MDB_val v;
    if (!found(mdb_cursor_get(reading_.get(), &k, &v, MDB_SET_RANGE))) return {};
    const ByteView stored = to_view(k);
    if (stored.size() < zone_prefix_size || load_u32(stored.data()) != zone_) return {};
    key.assign(stored.begin() + zone_prefix_size, stored.end());
    return view(number_of(v) & tree_position);
  }

  zone::NodeView before(Bytes& key) override {
    MDB_val k = to_val(full(key));
    MDB_val v;
    int code = mdb_cursor_get(reading_.get(), &k, &v, MDB_SET_RANGE);
    if (code != 0 && code != MDB_NOTFOUND) t_.fail_with(lmdb_error("tree", code).value());
    code = mdb_cursor_get(reading_.get(), &k, &v, code == 0 ? MDB_PREV : MDB_LAST);
    if (!found(code)) return {};
    const ByteView stored = to_view(k);
    if (stored.size() < zone_prefix_size || load_u32(stored.data()) != zone_) return {};
    key.assign(stored.begin() + zone_prefix_size, stored.end());
    return view(number_of(v) & tree_position);
  }

  Result<void> put(ByteView key, ByteView blob) override {
    const zone::NodeView node(blob.data());
    const uint64_t hash = indexed_ && t_.s.index_built ? t_.s.hash(zone_, dns::Name(node.owner()).folded()) : 0;
    t_.has_writes = true;
    const auto position = t_.s.log->append(blob);
    if (!position) return tl::unexpected<Error>(position.error());
    t_.live_changes[NodeLog::segment_of(*position)] += static_cast<int64_t>(blob.size());

    uint64_t value = tree_value(*position, node);
    MDB_val k = to_val(full(key));
    MDB_val v{sizeof value, &value};
    int code = MDB_KEYEXIST;
    if (appending_) {
      // A first load comes in the order of the keys: past the last one nothing is looked for, and pages are left full.
      code = mdb_cursor_put(writing_.get(), &k, &v, MDB_APPEND);
      appending_ = code == 0;
    }
    // NOOVERWRITE gives back what stood there, and leaves the cursor at it: one descent for both cases.
    if (code == MDB_KEYEXIST) {
      k = to_val(full(key));
      v = {sizeof value, &value};
      code = mdb_cursor_put(writing_.get(), &k, &v, MDB_NOOVERWRITE);
    }
    NodePosition before = Index::no_node;
    uint64_t value_before = 0;
    if (code == MDB_KEYEXIST) {
      value_before = number_of(v);
      before = value_before & tree_position;
      k = to_val(full(key));
      v = {sizeof value, &value};
      code = mdb_cursor_put(writing_.get(), &k, &v, MDB_CURRENT);
    }
    if (code != 0) return lmdb_error("tree", code);
    if (before != Index::no_node) {
      if (auto flushed = flush_for(before); !flushed) return flushed;
      t_.count_live(before, -1);
    }
    if (!indexed_) return {};
    t_.index_changes.push_back({hash, before, *position});
    t_.note_order(full(key), value_before, tree_value(*position, node));
    return {};
  }

  Result<void> erase(ByteView key) override {
    MDB_val k = to_val(full(key));
    MDB_val v;
    int code = mdb_cursor_get(writing_.get(), &k, &v, MDB_SET);
    if (code == MDB_NOTFOUND) return {};
    if (code != 0) return lmdb_error("tree", code);
    const uint64_t value_before = number_of(v);
    const NodePosition before = value_before & tree_position;
    if (auto flushed = flush_for(before); !flushed) return flushed;
    const uint64_t hash = indexed_ && t_.s.index_built ? t_.s.hash_of(before) : 0;
    t_.has_writes = true;
    code = mdb_cursor_del(writing_.get(), 0);
    if (code != 0) return lmdb_error("tree", code);
    t_.count_live(before, -1);
    if (!indexed_) return {};
    t_.index_changes.push_back({hash, before, Index::no_node});
    t_.note_order(full(key), value_before, 0);
    return {};
  }

 private:
  ByteView full(ByteView key) {
    store_u32(key_.data(), zone_);
    if (!key.empty()) std::memcpy(key_.data() + zone_prefix_size, key.data(), key.size());
    return {key_.data(), zone_prefix_size + key.size()};
  }
  Result<void> flush_for(NodePosition position) {
    return position >= t_.s.log->flushed_end() ? t_.s.log->flush() : Result<void>{};
  }
  bool found(int code) {
    if (code != 0 && code != MDB_NOTFOUND) t_.fail_with(lmdb_error("tree", code).value());
    return code == 0;
  }
  zone::NodeView view(NodePosition position) {
    // A full disk shows here too.
    if (auto flushed = flush_for(position); !flushed) {
      t_.fail_with(flushed.error());
      return {};
    }
    return zone::NodeView(t_.s.log->at(position));
  }

  Implementation& t_;
  MDB_dbi dbi_;
  uint32_t zone_;
  bool indexed_;
  bool appending_ = true;  // until a key comes that is not the last of the database
  CursorHandle writing_;
  CursorHandle reading_;
  TreeKey key_;
};

WriteTransaction::WriteTransaction(Store::State& store) : impl_(std::make_unique<Implementation>(store)) {}

WriteTransaction::~WriteTransaction() {
  // LMDB frees the cursors of a write transaction with it only if they were closed before.
  impl_->tables.clear();
  impl_->entries.clear();
  if (!impl_->committed) impl_->s.log->rewind(impl_->log_before);
}

const ZoneRecord* WriteTransaction::find_zone(dns::NameView apex) const {
  for (const auto& [id, zone] : impl_->changed_zones)
    if (zone->info.apex == apex) return zone.get();
  const ZoneRecord* found = impl_->base->find_exact(impl_->s.hash, dns::Name(apex).folded());
  if (found == nullptr && impl_->base->has_unserved) {
    const auto& zones = impl_->base->zones;
    const auto at = std::find_if(zones.begin(), zones.end(), [&](const auto& zone) { return !zone->served && zone->info.apex == apex; });
    if (at != zones.end()) found = at->get();
  }
  return found != nullptr && !impl_->removed_zones.contains(found->info.id) ? found : nullptr;
}

ZoneRecord& WriteTransaction::add_zone(dns::NameView apex) {
  auto record = std::make_shared<ZoneRecord>();
  record->info.id = impl_->next_zone_id++;
  record->info.apex = dns::Name(apex);
  impl_->changed_zones[record->info.id] = record;
  return *record;
}

ZoneRecord& WriteTransaction::zone(uint32_t id) {
  auto& changed = impl_->changed_zones[id];
  if (!changed) changed = std::make_shared<ZoneRecord>(*impl_->base_zone(id));
  return *changed;
}

Result<void> WriteTransaction::remove_zone(uint32_t id) {
  for (const bool chain : {false, true}) {
    zone::NodeTable& table = chain ? nsec3(id) : nodes(id);
    Bytes key;
    while (table.at_or_after(key))
      if (auto erased = table.erase(key); !erased) return erased;
  }
  if (auto cleared = clear_journal(id); !cleared) return cleared;
  for (const MDB_dbi dbi : {impl_->s.dbs.attic, impl_->s.dbs.state, impl_->s.dbs.tables})
    if (auto removed = impl_->remove_all(dbi, id); !removed) return removed;
  impl_->changed_zones.erase(id);
  impl_->removed_zones.insert(id);
  Bytes key;
  append_u32(key, id);
  MDB_val k = to_val(key);
  if (const int code = mdb_del(impl_->txn.get(), impl_->s.dbs.zones, &k, nullptr); code != 0 && code != MDB_NOTFOUND)
    return lmdb_error("zones", code);
  return {};
}

zone::NodeTable& WriteTransaction::nodes(uint32_t zone) {
  auto& table = impl_->tables[{zone, false}];
  if (!table) table = std::make_unique<Implementation::Table>(*impl_, zone, false);
  return *table;
}

zone::NodeTable& WriteTransaction::nsec3(uint32_t zone) {
  auto& table = impl_->tables[{zone, true}];
  if (!table) table = std::make_unique<Implementation::Table>(*impl_, zone, true);
  return *table;
}

zone::OctetTable& WriteTransaction::Implementation::table(MDB_dbi dbi, std::string_view name, Bytes prefix) {
  auto& table = entries[{dbi, prefix}];
  if (!table)
    table = std::make_unique<Entries>(
        txn.get(), dbi, name, std::move(prefix), [this](const Error& error) { fail_with(error); }, [this] { has_writes = true; });
  return *table;
}

zone::OctetTable& WriteTransaction::attic(uint32_t zone) { return impl_->table(impl_->s.dbs.attic, "attic", zone_prefix(zone)); }

zone::OctetTable& WriteTransaction::table(uint32_t zone, ZoneTable kind) {
  return impl_->table(impl_->s.dbs.tables, "tables", table_prefix(zone, kind));
}

Result<void> WriteTransaction::append_journal(uint32_t zone, const zone::Difference& difference, const JournalLimits& limits, UnixTime now) {
  ZoneRecord& record = this->zone(zone);
  return Journal(impl_->txn.get(), impl_->s.dbs.journal, record).append(record, difference, limits, now);
}

Result<void> WriteTransaction::clear_journal(uint32_t zone) {
  ZoneRecord& record = this->zone(zone);
  return Journal(impl_->txn.get(), impl_->s.dbs.journal, record).clear(record);
}

Result<void> WriteTransaction::put_state(uint32_t zone, ByteView octets) {
  impl_->has_writes = true;
  Bytes key;
  append_u32(key, zone);
  MDB_val k = to_val(key);
  MDB_val v = to_val(octets);
  const int code = octets.empty() ? mdb_del(impl_->txn.get(), impl_->s.dbs.state, &k, nullptr)
                                  : mdb_put(impl_->txn.get(), impl_->s.dbs.state, &k, &v, 0);
  if (code != 0 && code != MDB_NOTFOUND) return lmdb_error("state", code);
  return {};
}

Result<void> WriteTransaction::Implementation::remove_all(MDB_dbi dbi, uint32_t zone) {
  MDB_cursor* opened = nullptr;
  if (const int code = mdb_cursor_open(txn.get(), dbi, &opened); code != 0) return lmdb_error("zones", code);
  const CursorHandle cursor(opened);
  Bytes key;
  append_u32(key, zone);
  MDB_val k = to_val(key);
  MDB_val v;
  int code = mdb_cursor_get(cursor.get(), &k, &v, MDB_SET_RANGE);
  for (; code == 0 && k.mv_size >= zone_prefix_size && load_u32(to_view(k).data()) == zone; code = mdb_cursor_get(cursor.get(), &k, &v, MDB_NEXT))
    if (const int removed = mdb_cursor_del(cursor.get(), 0); removed != 0) return lmdb_error("zones", removed);
  return code == 0 || code == MDB_NOTFOUND ? Result<void>{} : lmdb_error("zones", code);
}

Result<void> WriteTransaction::Implementation::write_zones() {
  for (const auto& [id, zone] : changed_zones) {
    Bytes key;
    append_u32(key, id);
    const std::string json = zone->to_json();
    MDB_val k = to_val(key);
    MDB_val v = to_val(as_bytes(json));
    if (const int code = mdb_put(txn.get(), s.dbs.zones, &k, &v, 0); code != 0) return lmdb_error("zones", code);
  }
  return {};
}

Result<void> WriteTransaction::Implementation::write_segments(std::map<uint64_t, uint64_t>& live) {
  for (const auto& [segment, change] : live_changes) {
    uint64_t& octets = live[segment];
    octets = static_cast<uint64_t>(static_cast<int64_t>(octets) + change);
    Bytes key;
    append_u32(key, static_cast<uint32_t>(segment));
    if (auto put = put_number(s.dbs.segments, key, octets); !put) return put;
  }
  // Segments with nothing left and nothing to come go with this commit.
  for (auto at = live.begin(); at != live.end();) {
    if (at->second != 0 || at->first >= NodeLog::segment_of(s.log->end())) {
      ++at;
      continue;
    }
    Bytes key;
    append_u32(key, static_cast<uint32_t>(at->first));
    MDB_val k = to_val(key);
    if (const int code = mdb_del(txn.get(), s.dbs.segments, &k, nullptr); code != 0 && code != MDB_NOTFOUND)
      return lmdb_error("segments", code);
    at = live.erase(at);
  }
  return {};
}

Result<void> WriteTransaction::commit() {
  Implementation& t = *impl_;
  Store::State& s = t.s;
  t.tables.clear();
  t.entries.clear();
  if (t.failure) return tl::unexpected<Error>(*t.failure);
  if (!t.has_writes && !t.has_new_view()) return {};
  // The nodes first: what the tree points at is on disk before the tree is.
  if (auto synced = s.log->sync(); !synced) return synced;
  if (auto written = t.write_zones(); !written) return written;
  auto live = s.live;
  if (auto written = t.write_segments(live); !written) return written;
  if (auto put = t.put_number(s.dbs.meta, as_bytes("log-end"), s.log->end()); !put) return put;
  if (auto put = t.put_number(s.dbs.meta, as_bytes("next-zone"), t.next_zone_id); !put) return put;

  const uint64_t id = mdb_txn_id(t.txn.get());
  if (t.has_new_view())
    if (auto put = t.put_number(s.dbs.meta, as_bytes("zones-at"), id); !put) return put;
  if (const int code = mdb_txn_commit(t.txn.release()); code != 0) return lmdb_error("commit", code);
  t.committed = true;
  t.after_commit(id, std::move(live));
  return {};
}

std::unique_ptr<ZoneView> WriteTransaction::Implementation::make_view(uint64_t id) {
  const bool same_zones = removed_zones.empty() && std::all_of(changed_zones.begin(), changed_zones.end(), [&](const auto& changed) {
    const auto* before = base_zone(changed.first);
    return before != nullptr && before->served == changed.second->served;
  });
  auto view = std::make_unique<ZoneView>();
  if (same_zones) {
    // As nearly always: the same table with other records in their places, for hashing ten thousand apexes takes longer than the commit.
    *view = *base;
    for (const auto& [zone_id, zone] : changed_zones) view->replace(s.hash, zone);
  } else {
    std::map<uint32_t, std::shared_ptr<const ZoneRecord>> zones;
    for (const auto& zone : base->zones)
      if (!removed_zones.contains(zone->info.id)) zones.emplace_hint(zones.end(), zone->info.id, zone);
    for (const auto& [zone_id, zone] : changed_zones) zones[zone_id] = zone;
    for (const auto& [zone_id, zone] : zones) view->zones.push_back(zone);
    view->index(s.hash);
  }
  view->transaction = id;
  return view;
}

void WriteTransaction::Implementation::after_commit(uint64_t id, std::map<uint64_t, uint64_t> live) {
  // Readers wait for the view, so it comes first; they look into the tree until the index has followed.
  if (has_new_view()) s.publish_view(make_view(id));
  s.next_zone_id = next_zone_id;
  if (s.index_built && has_turned()) {
    // deviates: all look into the tree from here on, until the next start. An operator made an ordinary zone of a feed, or the other way round.
    s.index.begin_change();
    s.index_built = false;
  }
  if (s.index_built) {
    s.index.begin_change();
    s.index.apply(index_changes, [&](NodePosition position) { return s.hash_of(position); });
    s.index.end_change(id);
    if (!order_edit) order_edit.emplace(s.order);
    order_edit->publish(id);
    s.order_epochs.collect();
  }
  for (const auto& [segment, octets] : s.live)
    if (!live.contains(segment)) s.epochs.retire([this_log = s.log.get(), segment = segment] { this_log->drop(segment); });
  s.live = std::move(live);
  s.epochs.collect();
  s.make_room_in_tree();
}

}  // namespace steward::store

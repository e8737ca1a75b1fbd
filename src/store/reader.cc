#include <atomic>
#include <vector>

#include "store/entries.hh"
#include "store/journal.hh"
#include "store/state.hh"
#include "store/store.hh"

namespace steward::store {
namespace {

bool same_folded(dns::NameView stored, dns::NameView folded) {
  if (stored.size() != folded.size()) return false;
  for (size_t i = 0; i < folded.size(); ++i)
    if (dns::fold(stored.data()[i]) != folded.data()[i]) return false;
  return true;
}

// Header, directory, owner and the first records: what an answer of usual size reads.
void prefetch_node(const uint8_t* node, size_t lines = 8) {
  for (size_t line = 0; line < lines; ++line) __builtin_prefetch(node + line * 64);
}
// Header and directory, and the owner behind them.
constexpr size_t lines_of_directory = 3;
constexpr size_t most_searches = 32;  // at once
// NSEC comes behind an agent's TXT and SRV.
constexpr size_t lines_to_nsec = 16;

/// What denies the wildcard below an encloser, in one snapshot.
struct WildcardDenial {
  uint64_t snapshot = 0;
  const uint8_t* encloser = nullptr;
  const uint8_t* nsec = nullptr;
};
constexpr size_t remembered_wildcards = 1 << 14;
size_t place_of(const uint8_t* encloser) {
  const auto mixed = reinterpret_cast<uintptr_t>(encloser) * uint64_t{0x9e37'79b9'7f4a'7c15};
  return static_cast<size_t>(mixed >> 50);
}
static_assert(remembered_wildcards == size_t{1} << (64 - 50));

}  // namespace

struct Reader::Implementation {
  Implementation(Store::State& state, Epochs::Slot& place, Epochs::Slot& order_place) : s(state), slot(place), order_slot(order_place) {}

  Store::State& s;
  Epochs::Slot& slot;
  Epochs::Slot& order_slot;
  TxnHandle txn;
  CursorHandle tree_cursor;
  CursorHandle nsec3_cursor;
  bool tree_cursor_fresh = false;  // bound to the present snapshot
  bool nsec3_cursor_fresh = false;
  const ZoneView* view = nullptr;
  uint64_t id = 0;      // of the snapshot
  bool fast = false;    // the index mirrors it
  bool order_entered = false;
  const Order::Version* order = nullptr;  // that mirrors the snapshot; null: none, or not yet asked for

  std::vector<WildcardDenial> wildcards = std::vector<WildcardDenial>(remembered_wildcards);  // direct-mapped by the encloser's place

  int begin_snapshot();
  bool take_view();
  MDB_cursor* cursor(CursorHandle& handle, bool& fresh, MDB_dbi dbi) const {
    if (!handle) {
      MDB_cursor* opened = nullptr;
      if (mdb_cursor_open(txn.get(), dbi, &opened) != 0) return nullptr;
      handle.reset(opened);
    } else if (!fresh && mdb_cursor_renew(txn.get(), handle.get()) != 0) {
      return nullptr;
    }
    fresh = true;
    return handle.get();
  }

  [[nodiscard]] zone::NodeView find_in_tree(const zone::ZoneInfo& zone, dns::NameView name) const {
    TreeKey key;
    MDB_val k{tree_key(zone, name, key), key.data()};
    MDB_val v;
    if (mdb_get(txn.get(), s.dbs.tree, &k, &v) != 0) return {};
    return at(v);
  }
  // Most batches deny nothing, and walks of a whole store never do.
  const Order::Version* order_version() {
    if (order_entered) return order;
    s.order_epochs.enter(order_slot);
    order_entered = true;
    const Order::Version& version = s.order.version();
    return order = version.transaction == id ? &version : nullptr;
  }
  void leave_order() {
    if (order_entered) Epochs::leave(order_slot);
    order_entered = false;
    order = nullptr;
  }
  void find_in_order(std::span<zone::NsecProbe> probes);
  std::array<TreeKey, most_searches> order_keys;

  [[nodiscard]] zone::NodeView at(const MDB_val& value) const {
    uint64_t number = 0;
    std::memcpy(&number, value.mv_data, sizeof number);
    return zone::NodeView(s.log->at(number & tree_position));
  }
};

Reader::Reader(Store::State& store, Epochs::Slot& slot, Epochs::Slot& order_slot)
    : impl_(std::make_unique<Implementation>(store, slot, order_slot)) {}

Reader::~Reader() {
  // Cursors of a read transaction outlive it and are closed by us (LMDB), before the transaction.
  impl_->tree_cursor.reset();
  impl_->nsec3_cursor.reset();
  impl_->txn.reset();
  Epochs::remove_reader(impl_->slot);
  Epochs::remove_reader(impl_->order_slot);
}

int Reader::Implementation::begin_snapshot() {
  if (txn) return mdb_txn_renew(txn.get());
  MDB_txn* begun = nullptr;
  const int code = mdb_txn_begin(s.env.get(), nullptr, MDB_RDONLY, &begun);
  txn.reset(begun);
  return code;
}

bool Reader::Implementation::take_view() {
  // The snapshot says itself which view it goes with. Its id would not do: LMDB 0.9 takes the id first and the roots
  // after it, so that two commits in between give the roots of a later one.
  MDB_val k = to_val(as_bytes("zones-at"));
  MDB_val v;
  uint64_t wanted = 0;
  if (mdb_get(txn.get(), s.dbs.meta, &k, &v) == 0 && v.mv_size == sizeof wanted) std::memcpy(&wanted, v.mv_data, sizeof wanted);
  // A commit is visible a moment before its view is.
  do view = s.view.load(std::memory_order_seq_cst);
  while (view->transaction < wanted);
  return view->transaction == wanted;
}

Result<void> Reader::acquire() {
  Implementation& r = *impl_;
  r.s.epochs.enter(r.slot);
  while (true) {
    if (const int code = r.begin_snapshot(); code != 0) {
      Epochs::leave(r.slot);
      return lmdb_error("read transaction", code);
    }
    r.id = mdb_txn_id(r.txn.get());
    if (r.take_view()) break;
    // A commit came between the snapshot and the view: a zone may be in one and not in the other.
    mdb_txn_reset(r.txn.get());
  }
  r.tree_cursor_fresh = r.nsec3_cursor_fresh = false;
  r.fast = r.s.index.transaction() == r.id;
  return {};
}

void Reader::release() {
  impl_->leave_order();
  mdb_txn_reset(impl_->txn.get());
  Epochs::leave(impl_->slot);
}

const zone::ZoneInfo* Reader::find_zone(dns::NameView name) const {
  const ZoneRecord* record = impl_->view->find_longest(impl_->s.hash, name);
  return record != nullptr ? &record->info : nullptr;
}

const ZoneRecord* Reader::zone_record(dns::NameView apex) const {
  return impl_->view->find_exact(impl_->s.hash, dns::Name(apex).folded());
}

std::vector<std::shared_ptr<const ZoneRecord>> Reader::zones() const { return impl_->view->zones; }

Committed Reader::committed() const { return {impl_->s, impl_->txn.get(), *impl_->view}; }

void Reader::begin(zone::Probe& probe, const zone::ZoneInfo& zone, dns::NameView name) const {
  probe = {&zone, name, 0, 0, nullptr};
  if (!impl_->fast || zone.transfer_only) return;
  probe.hash = impl_->s.hash(zone.id, name);
  const Index::Table& table = impl_->s.index.table();
  __builtin_prefetch(&table.slots[probe.hash & table.mask]);
}

void Reader::fetch(zone::Probe& probe) const {
  if (!impl_->fast || probe.zone->transfer_only) return;
  const Index::Table& table = impl_->s.index.table();
  const uint64_t tag = Index::tag_of(probe.hash);
  for (uint64_t at = probe.hash & table.mask;; at = (at + 1) & table.mask) {
    const uint64_t slot = Index::load(table, at);
    probe.slot = at;
    if (slot == 0) return;
    if (Index::tag_of(slot) != tag || slot == Index::gone) continue;
    // Not looked at before the table is known to be unchanged: a slot seen amid a change may be stale.
    if (!impl_->s.index.unchanged(impl_->id)) return;
    probe.node = impl_->s.log->at(Index::position_of(slot));
    prefetch_node(probe.node);
    return;
  }
}

zone::NodeView Reader::finish(const zone::Probe& probe) const {
  const Implementation& r = *impl_;
  if (!r.fast || probe.zone->transfer_only || !r.s.index.unchanged(r.id)) return r.find_in_tree(*probe.zone, probe.name);
  if (probe.node == nullptr) return {};
  const auto matches = [&](const uint8_t* node) {
    const zone::NodeView view(node);
    return view.zone() == probe.zone->id && same_folded(view.owner(), probe.name);
  };
  if (matches(probe.node)) return zone::NodeView(probe.node);

  // Another name with the same 24 bits: go on behind it.
  const Index::Table& table = r.s.index.table();
  const uint64_t tag = Index::tag_of(probe.hash);
  for (uint64_t at = (probe.slot + 1) & table.mask;; at = (at + 1) & table.mask) {
    const uint64_t slot = Index::load(table, at);
    if (!r.s.index.unchanged(r.id)) return r.find_in_tree(*probe.zone, probe.name);
    if (slot == 0) return {};
    if (Index::tag_of(slot) != tag || slot == Index::gone) continue;
    const uint8_t* node = r.s.log->at(Index::position_of(slot));
    if (matches(node)) return zone::NodeView(node);
  }
}

zone::NodeView Reader::find(const zone::ZoneInfo& zone, dns::NameView name) const {
  zone::Probe probe;
  begin(probe, zone, name);
  fetch(probe);
  return finish(probe);
}

void Reader::Implementation::find_in_order(std::span<zone::NsecProbe> probes) {
  std::array<Order::Search, most_searches> room;
  for (size_t i = 0; i < probes.size(); ++i) {
    TreeKey& key = order_keys[i];
    const size_t size = tree_key(*probes[i].zone, probes[i].name, key);
    std::memset(key.data() + size, 0, Order::padding);
    room[i] = {key.data(), size};
  }
  const std::span<Order::Search> searches(room.data(), probes.size());
  Order::at_or_before(*order, searches);
  for (size_t i = 0; i < probes.size(); ++i) {
    probes[i].node = searches[i].found != Order::none ? s.log->at(searches[i].found) : nullptr;
    if (probes[i].node != nullptr) prefetch_node(probes[i].node, lines_of_directory);
  }
  // Where the NSEC stands, the node itself says.
  for (zone::NsecProbe& probe : probes) {
    const zone::NodeView node(probe.node);
    const auto nsec = node && node.zone() == probe.zone->id ? node.find(dns::RrType::NSEC) : std::nullopt;
    if (!nsec) {
      probe.node = nullptr;
      continue;
    }
    for (size_t at = 0; at < nsec->rrs_with_sigs.size(); at += 64) __builtin_prefetch(nsec->rrs_with_sigs.data() + at);
  }
}

void Reader::fetch_nsec(std::span<zone::NsecProbe> probes) const {
  if (impl_->order_version() == nullptr) return;
  for (; probes.size() > most_searches; probes = probes.subspan(most_searches)) impl_->find_in_order(probes.first(most_searches));
  impl_->find_in_order(probes);
}

zone::NodeView Reader::nsec_at_or_before(const zone::ZoneInfo& zone, dns::NameView name) const {
  const Implementation& r = *impl_;
  if (impl_->order_version() != nullptr) {
    zone::NsecProbe probe{&zone, name};
    impl_->find_in_order({&probe, 1});
    return zone::NodeView(probe.node);
  }
  MDB_cursor* cursor = r.cursor(impl_->tree_cursor, impl_->tree_cursor_fresh, r.s.dbs.tree);
  if (cursor == nullptr) return {};
  TreeKey key;
  const size_t size = tree_key(zone, name, key);
  MDB_val k{size, key.data()};
  MDB_val v;
  int code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
  const bool exact = code == 0 && k.mv_size == size && std::memcmp(k.mv_data, key.data(), size) == 0;
  if (code == MDB_NOTFOUND)
    code = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
  else if (code == 0 && !exact)
    code = mdb_cursor_get(cursor, &k, &v, MDB_PREV);

  constexpr int patience = 8;
  for (int steps = 0; code == 0; ++steps, code = mdb_cursor_get(cursor, &k, &v, MDB_PREV)) {
    if (k.mv_size < zone_prefix_size || std::memcmp(k.mv_data, key.data(), zone_prefix_size) != 0) return {};
    uint64_t value = 0;
    std::memcpy(&value, v.mv_data, sizeof value);
    if ((value & tree_has_nsec) != 0) {
      const zone::NodeView node = r.at(v);
      prefetch_node(node.data(), lines_to_nsec);
      return node;
    }
    if ((value & tree_occluded) == 0 || steps < patience) continue;
    // Deep inside what a cut hides: the last name with an NSEC is the cut itself.
    for (dns::NameView up = r.at(v).owner(); up.size() > zone.apex.size(); up = up.parent())
      if (const zone::NodeView node = find(zone, dns::Name(up).folded()); node && !node.is(zone::node_occluded) && node.find(dns::RrType::NSEC))
        return node;
  }
  return {};
}

// Names that do not exist are asked for in any number, but below few enclosers.
zone::NodeView Reader::nsec_of_wildcard(const zone::ZoneInfo& zone, zone::NodeView encloser, dns::NameView wildcard) const {
  if (!encloser) return nsec_at_or_before(zone, wildcard);
  WildcardDenial& known = impl_->wildcards[place_of(encloser.data())];
  if (known.snapshot != impl_->id || known.encloser != encloser.data())
    known = {impl_->id, encloser.data(), nsec_at_or_before(zone, wildcard).data()};
  else
    prefetch_node(known.nsec, lines_to_nsec);
  return zone::NodeView(known.nsec);
}

zone::NodeView Reader::nsec3_at_or_before(const zone::ZoneInfo& zone, const zone::Nsec3Hash& hash, bool& exact) const {
  const Implementation& r = *impl_;
  exact = false;
  MDB_cursor* cursor = r.cursor(impl_->nsec3_cursor, impl_->nsec3_cursor_fresh, r.s.dbs.nsec3);
  if (cursor == nullptr) return {};
  std::array<uint8_t, zone_prefix_size + zone::nsec3_hash_size> key;
  store_u32(key.data(), zone.id);
  std::memcpy(key.data() + zone_prefix_size, hash.data(), hash.size());
  MDB_val k{key.size(), key.data()};
  MDB_val v;
  int code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
  if (code == 0 && k.mv_size == key.size() && std::memcmp(k.mv_data, key.data(), key.size()) == 0) {
    exact = true;
    return r.at(v);
  }
  const auto in_zone = [&] { return code == 0 && k.mv_size == key.size() && std::memcmp(k.mv_data, key.data(), zone_prefix_size) == 0; };
  code = mdb_cursor_get(cursor, &k, &v, code == 0 ? MDB_PREV : MDB_LAST);
  if (in_zone()) return r.at(v);
  // Before the first: the circle closes at the last of the zone (RFC 5155 §3.1.7).
  store_u32(key.data(), zone.id + 1);
  k = {zone_prefix_size, key.data()};
  code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
  code = mdb_cursor_get(cursor, &k, &v, code == 0 ? MDB_PREV : MDB_LAST);
  store_u32(key.data(), zone.id);
  return in_zone() ? r.at(v) : zone::NodeView{};
}

zone::NodeView Reader::node_at_or_after(const zone::ZoneInfo& zone, Bytes& key) const {
  const Implementation& r = *impl_;
  MDB_cursor* cursor = r.cursor(impl_->tree_cursor, impl_->tree_cursor_fresh, r.s.dbs.tree);
  if (cursor == nullptr) return {};
  Bytes full;
  append_u32(full, zone.id);
  append(full, key);
  MDB_val k = to_val(full);
  MDB_val v;
  if (mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE) != 0) return {};
  const ByteView found = to_view(k);
  if (found.size() < zone_prefix_size || load_u32(found.data()) != zone.id) return {};
  key.assign(found.begin() + zone_prefix_size, found.end());
  return r.at(v);
}

zone::NodeView Reader::nsec3_at_or_after(const zone::ZoneInfo& zone, Bytes& hash) const {
  const Implementation& r = *impl_;
  MDB_cursor* cursor = r.cursor(impl_->nsec3_cursor, impl_->nsec3_cursor_fresh, r.s.dbs.nsec3);
  if (cursor == nullptr) return {};
  Bytes full;
  append_u32(full, zone.id);
  append(full, hash);
  MDB_val k = to_val(full);
  MDB_val v;
  if (mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE) != 0) return {};
  const ByteView found = to_view(k);
  if (found.size() < zone_prefix_size || load_u32(found.data()) != zone.id) return {};
  hash.assign(found.begin() + zone_prefix_size, found.end());
  return r.at(v);
}

std::optional<JournalPart> Reader::read_journal(const zone::ZoneInfo& zone, JournalPlace& place) const {
  const ZoneRecord* record = zone_record(zone.apex);
  if (record == nullptr) return std::nullopt;
  return Journal(impl_->txn.get(), impl_->s.dbs.journal, *record).read(place);
}

std::optional<JournalExtent> Reader::journal_extent(const zone::ZoneInfo& zone, uint32_t serial) const {
  const ZoneRecord* record = zone_record(zone.apex);
  if (record == nullptr) return std::nullopt;
  return Journal(impl_->txn.get(), impl_->s.dbs.journal, *record).extent(serial);
}

Result<std::unique_ptr<ZoneCopy>> Reader::copy_zone(const zone::ZoneInfo& zone) const {
  const Implementation& r = *impl_;
  const ZoneRecord* record = zone_record(zone.apex);
  if (record == nullptr) return fail(Errc::NotFound, zone.apex.to_text() + ": no such zone");
  Epochs::Slot* slot = r.s.epochs.add_reader();
  if (slot == nullptr) return fail(Errc::Full, "too many zones are held for transfers");
  auto copy = std::unique_ptr<ZoneCopy>(new ZoneCopy(*slot));
  // What this snapshot sees stays as long as the copy does: it joins the reader's own epoch.
  slot->entered.store(r.slot.entered.load(std::memory_order_relaxed), std::memory_order_seq_cst);
  copy->info_ = record->info;
  copy->serial_ = record->serial;
  copy->nodes_.reserve(record->nodes);
  for (const MDB_dbi dbi : {r.s.dbs.tree, r.s.dbs.nsec3}) {
    MDB_cursor* opened = nullptr;
    if (const int code = mdb_cursor_open(r.txn.get(), dbi, &opened); code != 0) return lmdb_error("tree", code);
    const CursorHandle cursor(opened);
    std::array<uint8_t, zone_prefix_size> key;
    store_u32(key.data(), zone.id);
    MDB_val k{key.size(), key.data()};
    MDB_val v;
    int code = mdb_cursor_get(cursor.get(), &k, &v, MDB_SET_RANGE);
    for (; code == 0 && std::memcmp(k.mv_data, key.data(), key.size()) == 0; code = mdb_cursor_get(cursor.get(), &k, &v, MDB_NEXT))
      copy->nodes_.push_back(r.at(v));
    if (code != 0 && code != MDB_NOTFOUND) return lmdb_error("tree", code);
  }
  return copy;
}

std::unique_ptr<zone::OctetTable> Reader::table(const zone::ZoneInfo& zone, ZoneTable kind) const {
  return std::make_unique<Entries>(impl_->txn.get(), impl_->s.dbs.tables, "tables", table_prefix(zone.id, kind), [](const Error&) {},
                                   std::function<void()>());
}

ZoneCopy::~ZoneCopy() { Epochs::remove_reader(slot_); }

}  // namespace steward::store

#include "store/store.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "store/state.hh"

namespace steward::store {
namespace {

constexpr NodePosition log_start = 8;  // position 0 is no node

uint64_t little_u64(ByteView value) {
  uint64_t number = 0;
  if (value.size() == sizeof number) std::memcpy(&number, value.data(), sizeof number);
  return number;
}

Result<uint64_t> get_meta(MDB_txn* txn, MDB_dbi dbi, std::string_view key, uint64_t otherwise) {
  MDB_val k = to_val(as_bytes(key));
  MDB_val v;
  const int code = mdb_get(txn, dbi, &k, &v);
  if (code == MDB_NOTFOUND) return otherwise;
  if (code != 0) return lmdb_error(key, code);
  return little_u64(to_view(v));
}

Result<int> lock_folder(const std::string& folder) {
  const std::string path = folder + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::Io, path + ": " + std::strerror(errno));
  // The folder may have been exchanged for a restored one in between: then this is the old one's lock.
  struct stat locked {};
  struct stat there {};
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 || ::fstat(fd, &locked) != 0 || ::stat(path.c_str(), &there) != 0 ||
      locked.st_ino != there.st_ino || locked.st_dev != there.st_dev) {
    ::close(fd);
    return fail(Errc::Refused, folder + ": in use by another process");
  }
  return fd;
}

Result<void> open_environment(Store::State& s) {
  MDB_env* env = nullptr;
  if (const int code = mdb_env_create(&env); code != 0) return lmdb_error("LMDB", code);
  s.env.reset(env);
  mdb_env_set_maxdbs(env, 16);
  mdb_env_set_mapsize(env, s.options.map_size);
  const std::string path = s.options.folder + "/data.mdb";
  // NOTLS: a reader belongs to its Reader, not to a thread. NORDAHEAD: look-ups are random.
  if (const int code = mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD, 0600); code != 0)
    return lmdb_error(path, code);
  s.tree_file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  int dead = 0;
  if (const int code = mdb_reader_check(env, &dead); code != 0) return lmdb_error(path, code);
  s.dead_readers = static_cast<uint64_t>(dead);

  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env, nullptr, 0, &txn); code != 0) return lmdb_error(path, code);
  TxnHandle guard(txn);
  const std::pair<const char*, MDB_dbi*> names[] = {{"meta", &s.dbs.meta}, {"zones", &s.dbs.zones}, {"tree", &s.dbs.tree},
                                                    {"nsec3", &s.dbs.nsec3}, {"segments", &s.dbs.segments},
                                                    {"journal", &s.dbs.journal}, {"attic", &s.dbs.attic}, {"state", &s.dbs.state},
                                                    {"tables", &s.dbs.tables}};
  for (const auto& [name, dbi] : names)
    if (const int code = mdb_dbi_open(txn, name, MDB_CREATE, dbi); code != 0) return lmdb_error(path, code);

  const auto incarnation = get_meta(txn, s.dbs.meta, "incarnation", 0);
  if (!incarnation) return tl::unexpected<Error>(incarnation.error());
  s.incarnation = *incarnation;
  if (s.incarnation == 0) {
    s.incarnation = uint64_t{std::random_device{}()} << 32 | std::random_device{}() | 1U;
    MDB_val k = to_val(as_bytes("incarnation"));
    MDB_val v{sizeof s.incarnation, &s.incarnation};
    if (const int code = mdb_put(txn, s.dbs.meta, &k, &v, 0); code != 0) return lmdb_error(path, code);
  }
  const auto version = get_meta(txn, s.dbs.meta, "format", 0);
  if (!version) return tl::unexpected<Error>(version.error());
  if (*version == 0) {
    const uint64_t number = format_version;
    MDB_val k = to_val(as_bytes("format"));
    MDB_val v{sizeof number, const_cast<uint64_t*>(&number)};
    if (const int code = mdb_put(txn, s.dbs.meta, &k, &v, 0); code != 0) return lmdb_error(path, code);
  } else if (*version != format_version) {
    return fail(Errc::Unsupported, path + ": format " + std::to_string(*version) + ", this program reads format " +
                                       std::to_string(format_version) +
                                       "; export it with the version that wrote it (steward-registry backup FILE) and import it with this one (steward-registry "
                                       "restore FILE --replace)");
  }
  if (const int code = mdb_txn_commit(guard.release()); code != 0) return lmdb_error(path, code);
  return {};
}

Result<NodePosition> read_committed(Store::State& s, std::unique_ptr<ZoneView>& view) {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(s.env.get(), nullptr, MDB_RDONLY, &txn); code != 0) return lmdb_error("LMDB", code);
  const TxnHandle guard(txn);
  const auto end = get_meta(txn, s.dbs.meta, "log-end", log_start);
  if (!end) return tl::unexpected<Error>(end.error());
  const auto next_id = get_meta(txn, s.dbs.meta, "next-zone", 1);
  if (!next_id) return tl::unexpected<Error>(next_id.error());
  s.next_zone_id = static_cast<uint32_t>(*next_id);

  view = std::make_unique<ZoneView>();
  const auto zones_at = get_meta(txn, s.dbs.meta, "zones-at", 0);
  if (!zones_at) return tl::unexpected<Error>(zones_at.error());
  view->transaction = *zones_at;
  const auto for_each = [&](MDB_dbi dbi, auto use) -> Result<void> {
    MDB_cursor* cursor = nullptr;
    if (const int code = mdb_cursor_open(txn, dbi, &cursor); code != 0) return lmdb_error("LMDB", code);
    const CursorHandle closer(cursor);
    MDB_val k;
    MDB_val v;
    int code = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (; code == 0; code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
      if (auto used = use(to_view(k), to_view(v)); !used) return used;
    if (code != MDB_NOTFOUND) return lmdb_error("LMDB", code);
    return {};
  };
  auto read = for_each(s.dbs.zones, [&](ByteView key, ByteView value) -> Result<void> {
    auto record = ZoneRecord::from_json(key.size() == 4 ? load_u32(key.data()) : 0, as_text(value));
    if (!record) return tl::unexpected<Error>(record.error());
    view->zones.push_back(std::make_shared<const ZoneRecord>(std::move(*record)));
    return {};
  });
  if (!read) return tl::unexpected<Error>(read.error());
  read = for_each(s.dbs.segments, [&](ByteView key, ByteView value) -> Result<void> {
    if (key.size() == 4) s.live[load_u32(key.data())] = little_u64(value);
    return {};
  });
  if (!read) return tl::unexpected<Error>(read.error());
  return *end;
}

}  // namespace

uint64_t tree_value(NodePosition position, zone::NodeView node) {
  uint64_t value = position;
  if (node.is(zone::node_occluded))
    value |= tree_occluded;
  else if (node.find(dns::RrType::NSEC))
    value |= tree_has_nsec;
  return value;
}

size_t tree_key(const zone::ZoneInfo& zone, dns::NameView name, TreeKey& key) {
  store_u32(key.data(), zone.id);
  return zone_prefix_size + dns::canonical_key(name, zone.apex, key.data() + zone_prefix_size);
}

Bytes zone_prefix(uint32_t zone) {
  Bytes prefix;
  append_u32(prefix, zone);
  return prefix;
}

Bytes table_prefix(uint32_t zone, ZoneTable kind) {
  Bytes prefix = zone_prefix(zone);
  append_u8(prefix, static_cast<uint8_t>(kind));
  return prefix;
}

void ZoneView::index(const NameHash& hash) {
  table.assign(std::bit_ceil(zones.size() * 2 + 1), nullptr);
  most_labels = 0;
  has_unserved = false;
  for (const auto& zone : zones) {
    if (!zone->served) {
      has_unserved = true;
      continue;
    }
    const dns::Name apex = zone->info.apex.folded();
    most_labels = std::max(most_labels, apex.view().label_count());
    size_t at = hash(0, apex) & (table.size() - 1);
    while (table[at] != nullptr) at = (at + 1) & (table.size() - 1);
    table[at] = zone.get();
  }
}

size_t ZoneView::place_of(uint32_t id) const {
  const auto at = std::lower_bound(zones.begin(), zones.end(), id, [](const auto& zone, uint32_t wanted) { return zone->info.id < wanted; });
  return at != zones.end() && (*at)->info.id == id ? static_cast<size_t>(at - zones.begin()) : zones.size();
}

void ZoneView::replace(const NameHash& hash, std::shared_ptr<const ZoneRecord> fresh) {
  auto& place = zones[place_of(fresh->info.id)];
  if (fresh->served) {
    size_t at = hash(0, fresh->info.apex.folded()) & (table.size() - 1);
    while (table[at] != place.get()) at = (at + 1) & (table.size() - 1);
    table[at] = fresh.get();
  }
  place = std::move(fresh);
}

const ZoneRecord* ZoneView::find_exact(const NameHash& hash, dns::NameView folded_apex) const {
  for (size_t at = hash(0, folded_apex) & (table.size() - 1); table[at] != nullptr; at = (at + 1) & (table.size() - 1))
    if (table[at]->info.apex.view() == folded_apex) return table[at];
  return nullptr;
}

const ZoneRecord* ZoneView::find_longest(const NameHash& hash, dns::NameView name) const {
  if (zones.empty()) return nullptr;
  for (name = name.suffix(most_labels);; name = name.parent()) {
    if (const ZoneRecord* found = find_exact(hash, name)) return found;
    if (name.is_root()) return nullptr;
  }
}

Store::State::State(StoreOptions given)
    : options(std::move(given)), hash((uint64_t{std::random_device{}()} << 32) | std::random_device{}()) {}

Store::State::~State() {
  delete view.load();
  if (tree_file >= 0) ::close(tree_file);
  if (lock_file >= 0) ::close(lock_file);
}

// A commit that lengthens the file waits for the file's own records too, and each UPDATE does, for its journal's sake. So the file is lengthened
// ahead, behind the last page that LMDB has ever used, where it neither reads nor writes before a transaction of ours does.
void Store::State::make_room_in_tree() {
  constexpr uint64_t margin = uint64_t{256} << 10;
  constexpr uint64_t step = uint64_t{1} << 20;
  MDB_envinfo info;
  MDB_stat stat;
  if (tree_file < 0 || mdb_env_info(env.get(), &info) != 0 || mdb_env_stat(env.get(), &stat) != 0) return;
  const uint64_t used = (uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
  if (used + margin <= tree_room_end || used + step > info.me_mapsize) return;
  static const Bytes zeros(step);
  const uint64_t from = std::max(used, tree_room_end);
  const ssize_t written = ::pwrite(tree_file, zeros.data(), step, static_cast<off_t>(from));
  // Of a full disk the next commit tells.
  if (written > 0) tree_room_end = from + static_cast<uint64_t>(written);
}

void Store::State::publish_view(std::unique_ptr<ZoneView> fresh) {
  const ZoneView* old = view.exchange(fresh.release(), std::memory_order_seq_cst);
  if (old != nullptr) epochs.retire([old] { delete old; });
}

uint64_t Store::State::hash_of(NodePosition position) const {
  const zone::NodeView node(log->at(position));
  return hash(node.zone(), dns::Name(node.owner()).folded());
}

uint64_t Store::incarnation() const { return state_->incarnation; }

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) return fail(Errc::Io, options.folder + ": " + error.message());
  auto state = std::make_unique<State>(options);
  const auto lock = lock_folder(options.folder);
  if (!lock) return tl::unexpected<Error>(lock.error());
  state->lock_file = *lock;
  if (auto opened = open_environment(*state); !opened) return tl::unexpected<Error>(opened.error());
  std::unique_ptr<ZoneView> view;
  const auto end = read_committed(*state, view);
  if (!end) return tl::unexpected<Error>(end.error());
  auto log = NodeLog::open(options.folder + "/nodes", *end, options.log_size);
  if (!log) return tl::unexpected<Error>(log.error());
  state->log = std::move(*log);
  for (const auto& [segment, octets] : state->live)
    if (octets > 0)
      if (auto held = state->log->check_segment(segment); !held) return tl::unexpected<Error>(held.error());
  // Segments that a crash kept from being dropped, and those of a transaction that was not committed.
  for (uint64_t segment = 0; segment < state->log->segments(); ++segment)
    if (segment > NodeLog::segment_of(*end) || (segment < NodeLog::segment_of(*end) && !state->live.contains(segment)))
      state->log->drop(segment);
  view->index(state->hash);
  state->publish_view(std::move(view));
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

std::vector<ZoneRecord> Store::zones() const {
  std::vector<ZoneRecord> records;
  for (const auto& zone : state_->view.load()->zones) records.push_back(*zone);
  return records;
}

std::optional<ZoneRecord> Store::find_zone(dns::NameView apex) const {
  const ZoneRecord* found = state_->view.load()->find_exact(state_->hash, dns::Name(apex).folded());
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

Bytes Store::state_of(uint32_t zone) const {
  MDB_txn* txn = nullptr;
  if (mdb_txn_begin(state_->env.get(), nullptr, MDB_RDONLY, &txn) != 0) return {};
  const TxnHandle guard(txn);
  Bytes key;
  append_u32(key, zone);
  MDB_val k = to_val(key);
  MDB_val v;
  if (mdb_get(txn, state_->dbs.state, &k, &v) != 0) return {};
  const ByteView found = to_view(v);
  return {found.begin(), found.end()};
}

Result<std::unique_ptr<Reader>> Store::make_reader() {
  Epochs::Slot* slot = state_->epochs.add_reader();
  Epochs::Slot* order_slot = slot != nullptr ? state_->order_epochs.add_reader() : nullptr;
  if (order_slot == nullptr) {
    if (slot != nullptr) Epochs::remove_reader(*slot);
    return fail(Errc::Full, "more reader threads than the store has places for");
  }
  return std::make_unique<Reader>(*state_, *slot, *order_slot);
}

Result<std::unique_ptr<WriteTransaction>> Store::begin_write() {
  try {
    return std::make_unique<WriteTransaction>(*state_);
  } catch (const std::runtime_error& error) {
    return fail(Errc::Io, error.what());
  }
}

Result<void> Store::build_index() {
  State& s = *state_;
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(s.env.get(), nullptr, MDB_RDONLY, &txn); code != 0) return lmdb_error("LMDB", code);
  const TxnHandle guard(txn);
  MDB_stat stat;
  mdb_stat(txn, s.dbs.tree, &stat);
  s.index.begin_change();
  s.index_built = false;
  std::unordered_map<uint32_t, dns::Name> apexes;
  std::unordered_set<uint32_t> unindexed;
  uint64_t names = stat.ms_entries;
  for (const auto& zone : s.view.load()->zones) {
    apexes.emplace(zone->info.id, zone->info.apex.folded());
    if (!zone->info.transfer_only) continue;
    unindexed.insert(zone->info.id);
    names -= std::min(names, zone->nodes);
  }
  s.index.start(names);

  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(txn, s.dbs.tree, &cursor); code != 0) return lmdb_error("LMDB", code);
  const CursorHandle closer(cursor);
  Order::Edit order(s.order, true);
  std::vector<Index::Change> changes;
  const auto apply = [&] {
    s.index.apply(changes, [&](NodePosition position) { return s.hash_of(position); });
    changes.clear();
  };
  MDB_val k;
  MDB_val v;
  int code = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
  for (; code == 0; code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
    const ByteView key = to_view(k);
    if (key.size() < zone_prefix_size) return fail(Errc::Corrupt, "tree: key without a zone");
    const uint32_t zone = load_u32(key.data());
    const auto apex = apexes.find(zone);
    if (apex == apexes.end()) return fail(Errc::Corrupt, "tree: node of zone " + std::to_string(zone) + ", which there is not");
    if (unindexed.contains(zone)) continue;
    // From the key, not from the node: so that a start does not read every node.
    const auto name = dns::name_of_canonical_key(key.subspan(zone_prefix_size), apex->second);
    if (!name) return tl::unexpected<Error>(name.error());
    const uint64_t value = little_u64(to_view(v));
    changes.push_back({s.hash(zone, *name), Index::no_node, value & tree_position});
    if ((value & tree_has_nsec) != 0) order.set(key, value & tree_position);
    if (changes.size() == 4096) apply();
  }
  if (code != MDB_NOTFOUND) return lmdb_error("tree", code);
  apply();
  s.index_built = true;
  s.index.end_change(mdb_txn_id(txn));
  order.publish(mdb_txn_id(txn));
  s.epochs.collect();
  s.order_epochs.collect();
  return {};
}

uint64_t Store::log_end() const { return state_->log->flushed_end(); }
void Store::warm(uint64_t log_end) const { state_->log->warm(log_end); }

StoreFigures Store::figures() const {
  const State& s = *state_;
  StoreFigures figures;
  MDB_envinfo info;
  mdb_env_info(s.env.get(), &info);
  figures.tree_pages = info.me_last_pgno + 1;
  figures.map_size = info.me_mapsize;
  for (const auto& [segment, octets] : s.live) {
    figures.log_octets += NodeLog::segment_size;
    figures.live_octets += octets;
  }
  figures.index_names = s.index.names();
  figures.index_octets = s.index.memory();
  figures.order_octets = s.order.memory();
  figures.dead_readers = s.dead_readers;
  return figures;
}

}  // namespace steward::store

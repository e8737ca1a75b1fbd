#include "store/walk.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "dns/encoding.hh"
#include "store/state.hh"

namespace steward::store {
namespace {

constexpr uint64_t progress_step = 4096;  // nodes

Result<uint64_t> number_of(const MDB_val& value, std::string_view what) {
  uint64_t number = 0;
  if (value.mv_size != sizeof number)
    return fail(Errc::Corrupt, fmt::format("{}: a number of {} octets", what, value.mv_size));
  std::memcpy(&number, value.mv_data, sizeof number);
  return number;
}

Result<uint64_t> meta_number(MDB_txn* txn, MDB_dbi dbi, std::string_view key, uint64_t otherwise) {
  MDB_val k = to_val(as_bytes(key));
  MDB_val v;
  const int code = mdb_get(txn, dbi, &k, &v);
  if (code == MDB_NOTFOUND) return otherwise;
  if (code != 0) return lmdb_error(key, code);
  return number_of(v, key);
}

uint64_t entries_of(MDB_txn* txn, MDB_dbi dbi) {
  MDB_stat stat{};
  mdb_stat(txn, dbi, &stat);
  return stat.ms_entries;
}

/// f(key, value) for the entries from `from` on, until it says false.
template <class F>
Result<void> for_each_entry(MDB_txn* txn, MDB_dbi dbi, std::string_view name, ByteView from, F f) {
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(txn, dbi, &cursor); code != 0) return lmdb_error(name, code);
  const CursorHandle closer(cursor);
  MDB_val k = to_val(from);
  MDB_val v;
  int code = mdb_cursor_get(cursor, &k, &v, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
  for (; code == 0; code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
    const Result<bool> more = f(to_view(k), v);
    if (!more) return tl::unexpected<Error>(more.error());
    if (!*more) return {};
  }
  if (code != MDB_NOTFOUND) return lmdb_error(name, code);
  return {};
}

Result<std::map<uint64_t, uint64_t>> read_segments(const Committed& at) {
  std::map<uint64_t, uint64_t> segments;
  const auto take = [&](ByteView key, const MDB_val& value) -> Result<bool> {
    if (key.size() != sizeof(uint32_t))
      return fail(Errc::Corrupt, fmt::format("segments: a key of {} octets", key.size()));
    const auto octets = number_of(value, "segments");
    if (!octets) return tl::unexpected<Error>(octets.error());
    segments[load_u32(key.data())] = *octets;
    return true;
  };
  if (auto read = for_each_entry(at.txn, at.s.dbs.segments, "segments", {}, take); !read)
    return tl::unexpected<Error>(read.error());
  return segments;
}

class Walk {
 public:
  Walk(const Committed& at, WalkVisitor& visitor, const Progress& progress)
      : at_(at),
        visitor_(visitor),
        progress_(progress),
        total_(entries_of(at.txn, at.s.dbs.tree) + entries_of(at.txn, at.s.dbs.nsec3)) {}

  Result<Census> run();

 private:
  Result<void> zone(const ZoneRecord& zone, bool nsec3);
  Result<void> entry(const ZoneRecord& zone, ByteView key, const MDB_val& value, bool nsec3);
  Result<void> beside(const ZoneRecord& zone);
  Result<zone::NodeView> node_at(uint64_t value);
  Result<void> check_place(const ZoneRecord& zone, ByteView key, uint64_t value, zone::NodeView node, bool nsec3) const;
  Result<void> check_totals() const;

  const Committed at_;
  WalkVisitor& visitor_;
  const Progress& progress_;
  const uint64_t total_;
  NodePosition log_end_ = 0;
  std::map<uint64_t, uint64_t> segments_;  // octets in use, as counted by the writer
  std::map<uint64_t, uint64_t> seen_;      // and as found
  Census census_;
};

Result<Census> Walk::run() {
  const auto end = meta_number(at_.txn, at_.s.dbs.meta, "log-end", 8);
  if (!end) return tl::unexpected<Error>(end.error());
  log_end_ = *end;
  auto segments = read_segments(at_);
  if (!segments) return tl::unexpected<Error>(segments.error());
  segments_ = std::move(*segments);
  for (const auto& record : at_.view.zones) {
    if (auto taken = visitor_.zone(*record); !taken) return tl::unexpected<Error>(taken.error());
    ++census_.zones;
    for (const bool nsec3 : {false, true})
      if (auto walked = zone(*record, nsec3); !walked) return tl::unexpected<Error>(walked.error());
    if (auto walked = beside(*record); !walked) return tl::unexpected<Error>(walked.error());
  }
  if (auto equal = check_totals(); !equal) return tl::unexpected<Error>(equal.error());
  if (progress_) progress_(total_, total_);
  return census_;
}

Result<void> Walk::zone(const ZoneRecord& zone, bool nsec3) {
  Bytes prefix;
  append_u32(prefix, zone.info.id);
  const auto take = [&](ByteView key, const MDB_val& value) -> Result<bool> {
    if (key.size() < zone_prefix_size || !std::equal(prefix.begin(), prefix.end(), key.begin())) return false;
    if (auto done = entry(zone, key.subspan(zone_prefix_size), value, nsec3); !done)
      return tl::unexpected<Error>(done.error());
    return true;
  };
  return for_each_entry(at_.txn, nsec3 ? at_.s.dbs.nsec3 : at_.s.dbs.tree, zone.info.apex.to_text(), prefix, take);
}

// The entries of one zone in a table that holds something beside its nodes.
Result<void> for_each_of_zone(const Committed& at, MDB_dbi dbi, const ZoneRecord& zone,
                              const std::function<Result<void>(ByteView key, ByteView value)>& take) {
  Bytes prefix;
  append_u32(prefix, zone.info.id);
  const auto one = [&](ByteView key, const MDB_val& value) -> Result<bool> {
    if (key.size() < zone_prefix_size || !std::equal(prefix.begin(), prefix.end(), key.begin())) return false;
    if (const auto taken = take(key.subspan(zone_prefix_size), to_view(value)); !taken) return tl::unexpected<Error>(taken.error());
    return true;
  };
  return for_each_entry(at.txn, dbi, zone.info.apex.to_text(), prefix, one);
}

// What is stored of a zone beside its nodes.
Result<void> Walk::beside(const ZoneRecord& zone) {
  if (auto walked = for_each_of_zone(at_, at_.s.dbs.attic, zone, [this](ByteView key, ByteView value) { return visitor_.withdrawn(key, value); });
      !walked)
    return walked;
  const auto table_entry = [&](ByteView key, ByteView value) -> Result<void> {
    const auto* kind = key.empty() ? std::end(zone_tables) : std::find(std::begin(zone_tables), std::end(zone_tables), static_cast<ZoneTable>(key[0]));
    if (kind == std::end(zone_tables))
      return fail(Errc::Corrupt, fmt::format("zone {}: an entry of a table that there is not", zone.info.apex.to_text()));
    ++census_.entries;
    return visitor_.entry(*kind, key.subspan(1), value);
  };
  if (auto walked = for_each_of_zone(at_, at_.s.dbs.tables, zone, table_entry); !walked) return walked;
  return for_each_of_zone(at_, at_.s.dbs.state, zone, [this](ByteView, ByteView value) { return visitor_.state(value); });
}

// For people: the name that the key stands for, or the hash.
std::string name_of(const ZoneRecord& zone, ByteView key, bool nsec3) {
  if (nsec3) return fmt::format("NSEC3 {}", dns::encode(dns::base32hex, key));
  const auto name = dns::name_of_canonical_key(key, zone.info.apex);
  return name ? name->to_text() : fmt::format("key {}", dns::encode(dns::hex_lower, key));
}

Result<void> Walk::entry(const ZoneRecord& zone, ByteView key, const MDB_val& value, bool nsec3) {
  const auto wrong = [&](const Error& error) {
    return fail(fmt::format("zone {}: {}", zone.info.apex.to_text(), name_of(zone, key, nsec3)), error);
  };
  const auto number = number_of(value, "place");
  if (!number) return wrong(number.error());
  const auto node = node_at(*number);
  if (!node) return wrong(node.error());
  if (auto right = check_place(zone, key, *number, *node, nsec3); !right) return wrong(right.error());
  ++(nsec3 ? census_.hashes : census_.names);
  census_.octets += node->size();
  for (size_t i = 0; i < node->rrset_count(); ++i) {
    const zone::StoredRrset rrset = node->rrset(i);
    census_.records += uint64_t{rrset.rr_count} + rrset.sig_count;
  }
  const uint64_t done = census_.names + census_.hashes;
  if (progress_ && done % progress_step == 0) progress_(done, total_);
  return visitor_.node(*node);
}

Result<zone::NodeView> Walk::node_at(uint64_t value) {
  const NodePosition position = value & tree_position;
  const uint64_t segment = NodeLog::segment_of(position);
  if (position == 0 || position % 8 != 0 || position >= log_end_)
    return fail(Errc::Corrupt, fmt::format("position {}: outside the node log", position));
  // Not touched where it is not counted: there may be no file behind it.
  const auto counted = segments_.find(segment);
  if (counted == segments_.end())
    return fail(Errc::Corrupt, fmt::format("position {}: segment {:08x} is not in use", position, segment));
  const NodePosition border = std::min((segment + 1) * NodeLog::segment_size, log_end_);
  const auto node = zone::NodeView::check({at_.s.log->at(position), static_cast<size_t>(border - position)});
  if (!node) return fail(fmt::format("position {}", position), node.error());
  seen_[segment] += node->size();
  return node;
}

Result<void> Walk::check_place(const ZoneRecord& zone, ByteView key, uint64_t value, zone::NodeView node,
                               bool nsec3) const {
  const NodePosition position = value & tree_position;
  if (node.zone() != zone.info.id)
    return fail(Errc::Corrupt, fmt::format("position {}: a node of zone {}", position, node.zone()));
  if (node.is(zone::node_nsec3) != nsec3 || !node.owner().is_at_or_below(zone.info.apex))
    return fail(Errc::Corrupt, fmt::format("position {}: {} does not belong there", position, node.owner().to_text()));
  const Bytes own = key_of(node, zone.info.apex);
  if (!std::equal(own.begin(), own.end(), key.begin(), key.end()) || value != tree_value(position, node))
    return fail(Errc::Corrupt,
                fmt::format("position {}: {} stands under another key", position, node.owner().to_text()));
  return {};
}

Result<void> Walk::check_totals() const {
  if (const uint64_t seen = census_.names + census_.hashes; seen != total_)
    return fail(Errc::Corrupt, fmt::format("{} nodes belong to no zone", total_ - seen));
  if (const uint64_t all = entries_of(at_.txn, at_.s.dbs.tables); all != census_.entries)
    return fail(Errc::Corrupt, fmt::format("{} entries of tables belong to no zone", all - census_.entries));
  for (const auto& [segment, octets] : segments_) {
    const auto seen = seen_.find(segment);
    const uint64_t used = seen == seen_.end() ? 0 : seen->second;
    if (used != octets)
      return fail(Errc::Corrupt,
                  fmt::format("segment {:08x}: {} octets are in use, {} are counted", segment, used, octets));
  }
  return {};
}

class NoVisitor final : public WalkVisitor {
 public:
  Result<void> zone(const ZoneRecord&) override { return {}; }
  Result<void> node(zone::NodeView) override { return {}; }
  Result<void> withdrawn(ByteView, ByteView) override { return {}; }
  Result<void> entry(ZoneTable, ByteView, ByteView) override { return {}; }
  Result<void> state(ByteView) override { return {}; }
};

}  // namespace

Result<Census> walk(const Reader& reader, WalkVisitor& visitor, const Progress& progress) {
  return Walk(reader.committed(), visitor, progress).run();
}

Result<Census> verify(const Reader& reader, const Progress& progress) {
  NoVisitor none;
  return walk(reader, none, progress);
}

Result<SnapshotFigures> figures_of(const Reader& reader) {
  const Committed at = reader.committed();
  SnapshotFigures figures;
  const auto format = meta_number(at.txn, at.s.dbs.meta, "format", 0);
  if (!format) return tl::unexpected<Error>(format.error());
  figures.format = *format;
  figures.zones = at.view.zones.size();
  for (const auto& zone : at.view.zones) figures.zones_served += zone->served ? 1U : 0U;
  figures.names = entries_of(at.txn, at.s.dbs.tree);
  figures.hashes = entries_of(at.txn, at.s.dbs.nsec3);
  MDB_envinfo info;
  mdb_env_info(at.s.env.get(), &info);
  figures.tree_pages = info.me_last_pgno + 1;
  figures.map_size = info.me_mapsize;
  const auto segments = read_segments(at);
  if (!segments) return tl::unexpected<Error>(segments.error());
  figures.segments = segments->size();
  figures.log_octets = segments->size() * NodeLog::segment_size;
  for (const auto& [segment, octets] : *segments) figures.live_octets += octets;
  return figures;
}

Result<void> walk_withdrawn(const Reader& reader, const ZoneRecord& zone,
                            const std::function<Result<void>(ByteView key, ByteView provenance)>& take) {
  const Committed at = reader.committed();
  return for_each_of_zone(at, at.s.dbs.attic, zone, take);
}

}  // namespace steward::store

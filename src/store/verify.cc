// Whether all that is committed holds together.

#include <fmt/format.h>

#include "store/state.hh"
#include "store/store.hh"

namespace steward::store {
namespace {

class Verification {
 public:
  Verification(Store::State& state, MDB_txn* txn) : s_(state), txn_(txn) {
    for (const auto& zone : s_.view.load()->zones) apexes_.emplace(zone->info.id, zone->info.apex);
  }

  Result<void> run() {
    if (auto walked = walk(s_.dbs.tree, "tree", false); !walked) return walked;
    if (auto walked = walk(s_.dbs.nsec3, "nsec3", true); !walked) return walked;
    for (const auto& [segment, octets] : s_.live)
      if (octets != live_[segment])
        return fail(Errc::Corrupt, fmt::format("segment {:08x}: {} octets are in use, {} are counted", segment,
                                               live_[segment], octets));
    return {};
  }

 private:
  Result<void> walk(MDB_dbi dbi, std::string_view name, bool nsec3);
  Result<void> check(ByteView key, uint64_t value, bool nsec3);

  Store::State& s_;
  MDB_txn* txn_;
  std::map<uint32_t, dns::Name> apexes_;
  std::map<uint64_t, uint64_t> live_;
};

Result<void> Verification::walk(MDB_dbi dbi, std::string_view name, bool nsec3) {
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(txn_, dbi, &cursor); code != 0) return lmdb_error(name, code);
  const CursorHandle closer(cursor);
  MDB_val k;
  MDB_val v;
  int code = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
  for (; code == 0; code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
    if (k.mv_size < zone_prefix_size || v.mv_size != sizeof(uint64_t))
      return fail(Errc::Corrupt, fmt::format("{}: an entry of {} and {} octets", name, k.mv_size, v.mv_size));
    uint64_t value = 0;
    std::memcpy(&value, v.mv_data, sizeof value);
    if (auto checked = check(to_view(k), value, nsec3); !checked) return fail(name, checked.error());
  }
  if (code != MDB_NOTFOUND) return lmdb_error(name, code);
  return {};
}

Result<void> Verification::check(ByteView key, uint64_t value, bool nsec3) {
  const uint32_t zone = load_u32(key.data());
  const auto apex = apexes_.find(zone);
  if (apex == apexes_.end()) return fail(Errc::Corrupt, fmt::format("a node of zone {}, which there is not", zone));
  const NodePosition position = value & tree_position;
  const uint64_t segment = NodeLog::segment_of(position);
  const auto here = [&] { return fmt::format("{} at position {}", apex->second.to_text(), position); };
  if (position == 0 || position % 8 != 0 || position >= s_.log->end())
    return fail(Errc::Corrupt, here() + ": outside the node log");
  if (auto held = s_.log->check_segment(segment); !held) return held;
  const NodePosition border = std::min((segment + 1) * NodeLog::segment_size, s_.log->end());
  const auto node = zone::NodeView::check({s_.log->at(position), static_cast<size_t>(border - position)});
  if (!node) return fail(here(), node.error());
  live_[segment] += node->size();
  if (node->zone() != zone) return fail(Errc::Corrupt, fmt::format("{}: a node of zone {}", here(), node->zone()));
  if (node->is(zone::node_nsec3) != nsec3 || !node->owner().is_at_or_below(apex->second))
    return fail(Errc::Corrupt, fmt::format("{}: {} does not belong there", here(), node->owner().to_text()));
  const Bytes own = key_of(*node, apex->second);
  const ByteView rest = key.subspan(zone_prefix_size);
  if (!std::equal(own.begin(), own.end(), rest.begin(), rest.end()) || value != tree_value(position, *node))
    return fail(Errc::Corrupt, fmt::format("{}: {} stands under another key", here(), node->owner().to_text()));
  return {};
}

}  // namespace

Result<void> Store::verify() {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(state_->env.get(), nullptr, MDB_RDONLY, &txn); code != 0)
    return lmdb_error("LMDB", code);
  const TxnHandle guard(txn);
  return Verification(*state_, txn).run();
}

}  // namespace steward::store

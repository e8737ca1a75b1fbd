#include "zone/table_overlay.hh"

#include <string>

namespace steward::zone {
namespace {

Result<void> check(ByteView key) {
  if (key.size() <= max_table_key) return {};
  return fail(Errc::Invalid, "a key of " + std::to_string(key.size()) + " octets in a table");
}

}  // namespace

Bytes TableOverlay::find(ByteView key) {
  const auto at = rows_.find(key);
  return at != rows_.end() ? at->second.octets : below_.find(key);
}

bool TableOverlay::at_or_after(Bytes& key) {
  while (true) {
    const auto at = rows_.lower_bound(key);
    if (at == rows_.end()) return below_.at_or_after(key);
    Bytes stored = key;
    if (below_.at_or_after(stored) && KeyOrder()(stored, at->first)) {
      key = std::move(stored);
      return true;
    }
    key = at->first;
    if (!at->second.octets.empty()) return true;
    // Removed here: on to the next.
    key.push_back(0);
  }
}

// Before it is changed.
void TableOverlay::note(Rows::iterator row, bool is_new) {
  if (row->second.is_noted) return;
  row->second.is_noted = true;
  undo_.push_back({row, is_new ? std::nullopt : std::optional(std::move(row->second.octets))});
}

Result<void> TableOverlay::put(ByteView key, ByteView octets) {
  if (auto sound = check(key); !sound) return sound;
  auto at = rows_.lower_bound(key);
  const bool is_new = at == rows_.end() || KeyOrder()(key, at->first);
  if (is_new) at = rows_.emplace_hint(at, Bytes(key.begin(), key.end()), Row());
  note(at, is_new);
  at->second.octets.assign(octets.begin(), octets.end());
  return {};
}

Result<void> TableOverlay::take(Bytes&& key, Bytes&& octets) {
  if (auto sound = check(key); !sound) return sound;
  const auto [at, is_new] = rows_.try_emplace(std::move(key));
  note(at, is_new);
  at->second.octets = std::move(octets);
  return {};
}

std::vector<ByteView> TableOverlay::keys() const {
  std::vector<ByteView> keys;
  for (const Undo& undo : undo_) keys.emplace_back(undo.row->first);
  return keys;
}

void TableOverlay::drop() {
  for (Undo& undo : undo_) {
    if (!undo.octets) {
      rows_.erase(undo.row);
      continue;
    }
    undo.row->second = {std::move(*undo.octets), false};
  }
  undo_.clear();
}

void TableOverlay::keep() {
  for (const Undo& undo : undo_) undo.row->second.is_noted = false;
  undo_.clear();
}

Result<void> TableOverlay::write_down() {
  undo_.clear();
  while (!rows_.empty()) {
    auto row = rows_.extract(rows_.begin());
    if (auto put = below_.take(std::move(row.key()), std::move(row.mapped().octets)); !put) return put;
  }
  return {};
}

}  // namespace steward::zone

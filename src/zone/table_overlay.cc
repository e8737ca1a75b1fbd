#include "zone/table_overlay.hh"

#include <string>

namespace steward::zone {

Bytes TableOverlay::find(ByteView key) {
  const auto at = puts_.find(key);
  return at != puts_.end() ? at->second : below_.find(key);
}

bool TableOverlay::at_or_after(Bytes& key) {
  Bytes from = key;
  while (true) {
    Bytes stored = from;
    const bool is_stored = below_.at_or_after(stored);
    const auto at = puts_.lower_bound(from);
    const bool is_put = at != puts_.end() && (!is_stored || at->first <= stored);
    if (!is_put && !is_stored) return false;
    const Bytes& lowest = is_put ? at->first : stored;
    if (!is_put || !at->second.empty()) {
      key = lowest;
      return true;
    }
    // Removed here: on to the next.
    from = lowest;
    from.push_back(0);
  }
}

Result<void> TableOverlay::put(ByteView key, ByteView octets) {
  if (key.size() > max_table_key)
    return fail(Errc::Invalid, "a key of " + std::to_string(key.size()) + " octets in a table");
  auto at = puts_.find(key);
  if (at == puts_.end()) at = puts_.emplace(Bytes(key.begin(), key.end()), Bytes()).first;
  at->second.assign(octets.begin(), octets.end());
  return {};
}

Result<void> TableOverlay::write_down() {
  for (const auto& [key, octets] : puts_)
    if (auto put = below_.put(key, octets); !put) return put;
  puts_.clear();
  return {};
}

std::vector<Bytes> TableOverlay::keys() const {
  std::vector<Bytes> keys;
  for (const auto& [key, octets] : puts_) keys.push_back(key);
  return keys;
}

}  // namespace steward::zone

#pragma once
// An OctetTable whose writes wait: seen by whoever reads through it, and written only when told. What a publish does to
// tables is taken back by dropping it, since the savepoint of an edit does not know them. Private to this room.

#include <map>

#include "zone/octet_table.hh"

namespace steward::change {

class BufferedTable final : public zone::OctetTable {
 public:
  explicit BufferedTable(zone::OctetTable& table) : table_(table) {}

  [[nodiscard]] Bytes find(ByteView key) override {
    const auto at = pending_.find(Bytes(key.begin(), key.end()));
    return at != pending_.end() ? at->second : table_.find(key);
  }
  [[nodiscard]] bool at_or_after(Bytes& key) override {
    while (true) {
      Bytes stored = key;
      const bool is_stored = table_.at_or_after(stored);
      const auto waiting = pending_.lower_bound(key);
      if (waiting == pending_.end() || (is_stored && stored < waiting->first)) {
        if (is_stored) key = std::move(stored);
        return is_stored;
      }
      key = waiting->first;
      if (!waiting->second.empty()) return true;
      key.push_back(0);  // removed: on to the next
    }
  }
  Result<void> put(ByteView key, ByteView octets) override {
    pending_[Bytes(key.begin(), key.end())].assign(octets.begin(), octets.end());
    return {};
  }

  Result<void> write() {
    for (const auto& [key, octets] : pending_)
      if (auto put = table_.put(key, octets); !put) return put;
    pending_.clear();
    return {};
  }

 private:
  zone::OctetTable& table_;
  std::map<Bytes, Bytes> pending_;
};

}  // namespace steward::change

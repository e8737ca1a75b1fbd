#pragma once
// A zone::NodeTable in memory: what changes are tested on without a store. Counts what is written.

#include <map>
#include <memory>
#include <vector>

#include "zone/node_table.hh"

namespace steward::test {

class MemoryTable final : public zone::NodeTable {
 public:
  [[nodiscard]] zone::NodeView find(ByteView key) override {
    const auto at = nodes_.find(Bytes(key.begin(), key.end()));
    return at == nodes_.end() ? zone::NodeView() : zone::NodeView(at->second->data());
  }
  [[nodiscard]] zone::NodeView at_or_after(Bytes& key) override {
    const auto at = nodes_.lower_bound(key);
    if (at == nodes_.end()) return {};
    key = at->first;
    return zone::NodeView(at->second->data());
  }
  [[nodiscard]] zone::NodeView before(Bytes& key) override {
    auto at = nodes_.lower_bound(key);
    if (at == nodes_.begin()) return {};
    key = (--at)->first;
    return zone::NodeView(at->second->data());
  }
  Result<void> put(ByteView key, ByteView blob) override {
    auto& place = nodes_[Bytes(key.begin(), key.end())];
    if (place) old_.push_back(std::move(place));
    place = std::make_unique<Bytes>(blob.begin(), blob.end());
    ++puts;
    return {};
  }
  Result<void> erase(ByteView key) override {
    const auto at = nodes_.find(Bytes(key.begin(), key.end()));
    if (at == nodes_.end()) return {};
    old_.push_back(std::move(at->second));
    nodes_.erase(at);
    ++erases;
    return {};
  }

  [[nodiscard]] const std::map<Bytes, std::unique_ptr<Bytes>>& nodes() const { return nodes_; }
  void end_transaction() { old_.clear(); }

  size_t puts = 0;
  size_t erases = 0;

 private:
  std::map<Bytes, std::unique_ptr<Bytes>> nodes_;
  std::vector<std::unique_ptr<Bytes>> old_;  // views into them are valid until the transaction ends
};

}  // namespace steward::test

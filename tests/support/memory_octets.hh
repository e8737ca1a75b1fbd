#pragma once
// A zone::OctetTable in memory.

#include <map>

#include "zone/octet_table.hh"

namespace steward::test {

class MemoryOctets final : public zone::OctetTable {
 public:
  Bytes find(ByteView key) override {
    const auto at = kept.find(Bytes(key.begin(), key.end()));
    return at != kept.end() ? at->second : Bytes{};
  }
  bool at_or_after(Bytes& key) override {
    const auto at = kept.lower_bound(key);
    if (at != kept.end()) key = at->first;
    return at != kept.end();
  }
  Result<void> put(ByteView key, ByteView octets) override {
    if (octets.empty())
      kept.erase(Bytes(key.begin(), key.end()));
    else
      kept[Bytes(key.begin(), key.end())].assign(octets.begin(), octets.end());
    return {};
  }
  std::map<Bytes, Bytes> kept;
};

}  // namespace steward::test

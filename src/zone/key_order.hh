#pragma once
// The order of keys in a table (zone/octet_table.hh, zone/node_table.hh) for maps that hold some of them: looked into
// by octets, without making a key.

#include <algorithm>
#include <cstring>

#include "base/bytes.hh"

namespace steward::zone {

struct KeyOrder {
  using is_transparent = void;
  bool operator()(ByteView a, ByteView b) const {
    const size_t common = std::min(a.size(), b.size());
    const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
    return order != 0 ? order < 0 : a.size() < b.size();
  }
};

}  // namespace steward::zone

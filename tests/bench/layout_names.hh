#pragma once
// The data that the storage layouts are compared on: canonical keys of agents' names, and values of a node's size.
//
// A key is the zone's number (4 octets) and the owner's labels below the zone, the one nearest the root first, each
// closed by a zero octet, so that octet order is canonical order (RFC 4034 §6.1). One thread; everything is a pure
// function of the agent's number, so hits and misses need no table.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace steward::bench {

inline constexpr size_t kKeyRoom = 56;  ///< octets, the longest key of this data is below 40

/// A key in a place of fixed size, so that a list of queries is read without a pointer to follow.
struct Key {
  uint8_t size = 0;
  char octets[kKeyRoom - 1] = {};

  std::string_view view() const { return {octets, size}; }
  void add(std::string_view more) {
    std::memcpy(octets + size, more.data(), more.size());
    size = static_cast<uint8_t>(size + more.size());
  }
};

/// SplitMix64: one step, used both as the generator and to scatter an agent's number.
inline uint64_t scatter(uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

inline std::string base36(uint64_t n) {
  std::string out;
  do {
    out.insert(out.begin(), "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36]);
    n /= 36;
  } while (n != 0);
  return out;
}

/// Key of agent `number` (below `agents`); with a suffix to its label, a name right after it that does not exist.
inline Key key_of(uint64_t number, uint64_t agents, std::string_view suffix = {}) {
  static constexpr std::string_view kRoles[] = {"planner", "builder", "reviewer", "tester",  "scout", "broker",
                                                "clerk",   "analyst", "courier",  "curator", "guard", "pilot"};
  const uint64_t orgs = std::max<uint64_t>(1, agents / 1000);
  const std::string org = base36(number * orgs / agents);
  Key key;
  key.add({"\0\0\0\1", 4});
  key.add("org" + std::string(org.size() < 3 ? 3 - org.size() : 0, '0') + org);
  key.add({"\0", 1});
  key.add(std::string(kRoles[scatter(number) % std::size(kRoles)]) + "-" + base36(number));
  key.add(suffix);
  key.add({"\0", 1});
  return key;
}

/// The agents in canonical order. Rank (0-based place in that order) is what every layout's answer is checked by.
class Names {
 public:
  explicit Names(uint64_t agents) : agents_(agents) {
    sorted_.resize(agents);
    for (uint64_t i = 0; i < agents; ++i) sorted_[i] = key_of(i, agents);
    std::sort(sorted_.begin(), sorted_.end(), [](const Key& a, const Key& b) { return a.view() < b.view(); });
  }

  uint64_t size() const { return agents_; }
  const Key& at(uint64_t rank) const { return sorted_[rank]; }

  /// `count` queries drawn uniformly from the names that exist.
  std::vector<Key> hits(size_t count, uint64_t seed) const {
    std::vector<Key> out(count);
    for (size_t i = 0; i < count; ++i) out[i] = sorted_[scatter(seed * 1000003 + i) % agents_];
    return out;
  }
  /// `count` names that do not exist, each with another predecessor: scattered as evenly as the names themselves.
  std::vector<Key> misses(size_t count, uint64_t seed) const {
    std::vector<Key> out(count);
    for (size_t i = 0; i < count; ++i) out[i] = key_of(scatter(seed * 1000003 + i) % agents_, agents_, "-x");
    return out;
  }

 private:
  uint64_t agents_;
  std::vector<Key> sorted_;
};

/// A node as the layouts store it: rank, then octets that do not compress, `room.size()` in all.
inline void fill_value(uint64_t rank, std::vector<char>& room) {
  std::memcpy(room.data(), &rank, sizeof rank);
  for (size_t at = 8; at + 8 <= room.size(); at += 8) {
    const uint64_t noise = scatter(rank * 131 + at);
    std::memcpy(room.data() + at, &noise, sizeof noise);
  }
}

inline uint64_t rank_of(const char* value) {
  uint64_t rank = 0;
  std::memcpy(&rank, value, sizeof rank);
  return rank;
}

}  // namespace steward::bench

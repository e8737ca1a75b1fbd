#pragma once
// Layout (f): an ordered index of our own for the predecessor that NSEC needs (RFC 4034 §4, RFC 4035 §3.1.3.2).
//
// References (8 octets, place in the arena) lie in canonical order. Beside them lie key heads: the first octets of
// each key as a number, so that most steps of a search never touch the arena; equal heads are settled by whole keys.
// Four searches: binary, Eytzinger (van Emde Boas' cousin: the tree's levels one after the other), blocks of 16, and
// binary for a whole batch in step. PackedOrder keeps whole keys instead, front-coded in leaves of 16. One thread.

#include <compare>

#include "layout_slots.hh"

namespace steward::bench {

inline constexpr size_t kZoneOctets = 4;  ///< every key of an index has the same zone number: heads begin after it

inline uint64_t big_endian(const char* from, size_t size) {
  uint64_t word = 0;
  std::memcpy(&word, from, std::min<size_t>(size, 8));
  return __builtin_bswap64(word);
}

struct Head8 {
  uint64_t high = 0;
  explicit Head8(std::string_view key) : high(big_endian(key.data() + kZoneOctets, key.size() - kZoneOctets)) {}
  Head8() = default;
  auto operator<=>(const Head8&) const = default;
};

struct Head16 {
  uint64_t high = 0;
  uint64_t low = 0;
  explicit Head16(std::string_view key) : high(big_endian(key.data() + kZoneOctets, key.size() - kZoneOctets)) {
    if (key.size() > kZoneOctets + 8) low = big_endian(key.data() + kZoneOctets + 8, key.size() - kZoneOctets - 8);
  }
  Head16() = default;
  bool operator==(const Head16&) const = default;
  // Written out: the compiler's own compares with two branches, this one with none.
  bool operator<(const Head16& other) const {
    return static_cast<bool>(static_cast<unsigned>(high < other.high) |
                             (static_cast<unsigned>(high == other.high) & static_cast<unsigned>(low < other.low)));
  }
};

/// `before` functions give the place of the last node before `key`, the last of all when there is none before it.
template <class Head>
class Order {
 public:
  Order(const Mapping& arena, std::vector<uint64_t> places) : arena_(arena), places_(std::move(places)) {
    for (const uint64_t place : places_) heads_.emplace_back(Node{arena_.at(place)}.key());
    tree_.resize(heads_.size() + 1);
    ranks_.resize(heads_.size() + 1);
    size_t from = 0;
    lay_out(from, 1);
    build_blocks();
  }

  size_t octets() const { return heads_.size() * sizeof(Head) + places_.size() * sizeof(uint64_t); }

  uint64_t before_binary(std::string_view key) const { return settle(binary(Head(key)), key); }
  uint64_t before_eytzinger(std::string_view key) const { return settle(eytzinger(Head(key)), key); }
  uint64_t before_blocks(std::string_view key) const { return settle(blocks(Head(key)), key); }

  void before_batch(const Key* keys, size_t count, uint64_t* found) const {
    Head wanted[kBatch];
    size_t base[kBatch] = {};
    for (size_t i = 0; i < count; ++i) wanted[i] = Head(keys[i].view());
    for (size_t left = heads_.size(); left > 1;) {
      const size_t half = left / 2;
      left -= half;
      for (size_t i = 0; i < count; ++i) {
        base[i] += heads_[base[i] + half - 1] < wanted[i] ? half : 0;
        __builtin_prefetch(&heads_[base[i] + left / 2 - (left > 1 ? 1 : 0)]);
      }
    }
    for (size_t i = 0; i < count; ++i) {
      base[i] += heads_[base[i]] < wanted[i] ? 1U : 0U;
      __builtin_prefetch(&places_[base[i] == 0 ? 0 : base[i] - 1]);
    }
    for (size_t i = 0; i < count; ++i) found[i] = settle(base[i], keys[i].view());
    for (size_t i = 0; i < count; ++i) __builtin_prefetch(arena_.at(found[i]));
  }

 private:
  size_t binary(const Head& wanted) const {
    const Head* base = heads_.data();
    for (size_t left = heads_.size(); left > 1;) {
      const size_t half = left / 2;
      base += base[half - 1] < wanted ? half : 0;
      left -= half;
    }
    return static_cast<size_t>(base - heads_.data()) + (*base < wanted ? 1U : 0U);
  }

  size_t eytzinger(const Head& wanted) const {
    size_t k = 1;
    while (k < tree_.size()) {
      __builtin_prefetch(tree_.data() + std::min(k * (64 / sizeof(Head)), tree_.size() - 1));
      k = 2 * k + (tree_[k] < wanted ? 1U : 0U);
    }
    k >>= std::countr_one(k) + 1;
    return k == 0 ? heads_.size() : ranks_[k];
  }

  /// Levels of every 16th head of the level below; the topmost has at most 16.
  size_t blocks(const Head& wanted) const {
    size_t at = 0;
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) at = step(*level, at, wanted);
    return step(heads_, at, wanted);
  }
  static size_t step(const std::vector<Head>& level, size_t block, const Head& wanted) {
    const size_t from = block * 16;
    const size_t to = std::min(from + 16, level.size());
    size_t less = 0;
    for (size_t i = from; i < to; ++i) less += level[i] < wanted ? 1U : 0U;
    return from + less;
  }

  void lay_out(size_t& from, size_t k) {
    if (k >= tree_.size()) return;
    lay_out(from, 2 * k);
    tree_[k] = heads_[from];
    ranks_[k] = static_cast<uint32_t>(from++);
    lay_out(from, 2 * k + 1);
  }
  void build_blocks() {
    // A level holds the last head of each block below, so that "how many are less" is the number of the block.
    const std::vector<Head>* below = &heads_;
    while (below->size() > 16) {
      std::vector<Head> level;
      for (size_t i = 15; i < below->size(); i += 16) level.push_back((*below)[i]);
      levels_.push_back(std::move(level));
      below = &levels_.back();
    }
  }

  /// From the number of smaller heads to the predecessor: whole keys decide among equal heads.
  uint64_t settle(size_t low, std::string_view key) const {
    const Head wanted(key);
    size_t high = low;
    for (size_t jump = 1; high < heads_.size() && heads_[high] == wanted; jump *= 2) high += jump;
    high = std::min(high, heads_.size());
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      const bool less = heads_[middle] == wanted && Node{arena_.at(places_[middle])}.key() < key;
      if (less) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return places_[low == 0 ? places_.size() - 1 : low - 1];
  }

  const Mapping& arena_;
  std::vector<uint64_t> places_;
  std::vector<Head> heads_;
  std::vector<Head> tree_;
  std::vector<uint32_t> ranks_;
  std::vector<std::vector<Head>> levels_;
};

/// Whole keys, front-coded in leaves of 16 (shared octets, own octets, own part), found by a binary search over the
/// leaves' first keys: no step touches the arena.
class PackedOrder {
 public:
  PackedOrder(const Mapping& arena, std::vector<uint64_t> places) : places_(std::move(places)) {
    std::string_view last;
    for (size_t rank = 0; rank < places_.size(); ++rank) {
      const std::string_view key = Node{arena.at(places_[rank])}.key();
      size_t shared = 0;
      if (rank % kLeaf == 0) {
        heads_.emplace_back(key);
        starts_.push_back(static_cast<uint32_t>(octets_.size()));
      } else {
        while (shared < key.size() && shared < last.size() && key[shared] == last[shared]) ++shared;
      }
      octets_.push_back(static_cast<char>(shared));
      octets_.push_back(static_cast<char>(key.size() - shared));
      octets_.append(key.substr(shared));
      last = key;
    }
    octets_.append(64, '\0');
  }

  size_t octets() const {
    return octets_.size() + heads_.size() * sizeof(Head16) + starts_.size() * 4 + places_.size() * 8;
  }

  uint64_t before(std::string_view key) const {
    const size_t leaf = leaf_of(key);
    const size_t rank = leaf * kLeaf + smaller_in(leaf, key);
    return places_[rank == 0 ? places_.size() - 1 : rank - 1];
  }

  void before_batch(const Key* keys, size_t count, uint64_t* found) const {
    size_t leaves[kBatch];
    for (size_t i = 0; i < count; ++i) {
      leaves[i] = leaf_of(keys[i].view());
      for (size_t at = 0; at < 192; at += 64) __builtin_prefetch(octets_.data() + starts_[leaves[i]] + at);
      __builtin_prefetch(&places_[leaves[i] * kLeaf]);
      __builtin_prefetch(&places_[std::min(leaves[i] * kLeaf + 8, places_.size() - 1)]);
    }
    for (size_t i = 0; i < count; ++i) {
      const size_t rank = leaves[i] * kLeaf + smaller_in(leaves[i], keys[i].view());
      found[i] = places_[rank == 0 ? places_.size() - 1 : rank - 1];
    }
  }

 private:
  static constexpr size_t kLeaf = 16;

  std::string_view first_key(size_t leaf) const {
    const char* at = octets_.data() + starts_[leaf];
    return {at + 2, static_cast<uint8_t>(at[1])};
  }

  /// The last leaf whose first key is below `key`, or the first leaf.
  size_t leaf_of(std::string_view key) const {
    const Head16 wanted(key);
    const Head16* base = heads_.data();
    for (size_t left = heads_.size(); left > 1;) {
      const size_t half = left / 2;
      base += base[half - 1] < wanted ? half : 0;
      left -= half;
    }
    size_t leaf = static_cast<size_t>(base - heads_.data()) + (*base < wanted ? 1U : 0U);
    while (leaf < heads_.size() && heads_[leaf] == wanted && first_key(leaf) < key) ++leaf;
    return leaf == 0 ? 0 : leaf - 1;
  }

  size_t smaller_in(size_t leaf, std::string_view key) const {
    const char* at = octets_.data() + starts_[leaf];
    const size_t count = std::min(kLeaf, places_.size() - leaf * kLeaf);
    size_t matched = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t shared = static_cast<uint8_t>(at[0]);
      const size_t own = static_cast<uint8_t>(at[1]);
      if (shared < matched) return i;  // differs from its smaller neighbour where the key still agreed with that
      if (shared == matched) {
        size_t j = 0;
        while (j < own && matched + j < key.size() && at[2 + j] == key[matched + j]) ++j;
        matched += j;
        const bool ended = matched == key.size();
        if (ended || (j<own&& static_cast<uint8_t>(at[2 + j])> static_cast<uint8_t>(key[matched]))) return i;
      }
      at += 2 + own;
    }
    return count;
  }

  std::vector<uint64_t> places_;
  std::vector<Head16> heads_;
  std::vector<uint32_t> starts_;
  std::string octets_;
};

}  // namespace steward::bench

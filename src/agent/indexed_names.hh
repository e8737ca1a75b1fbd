#pragma once
// Names in memory by number, and the blocks that they and the nodes of tries lie in. Inside of agent/look_alikes.cc.
// One thread.

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace steward::agent {

/// Items of a trivial type by number, in blocks that double and never move: an insertion never pays for a copy of all,
/// and a small index stays small.
template <class Item>
class Blocks {
 public:
  [[nodiscard]] Item& operator[](uint32_t i) { return *place(i); }
  [[nodiscard]] const Item& operator[](uint32_t i) const { return *place(i); }

  /// The first of `count` items that lie side by side. They hold anything.
  uint32_t take(uint32_t count) {
    while (block_of(used_) != block_of(used_ + count - 1)) used_ = (first << block_of(used_ + count - 1)) - first;
    const unsigned block = block_of(used_);
    if (!blocks_[block]) blocks_[block] = std::make_unique_for_overwrite<Item[]>(size_t{first} << block);
    used_ += count;
    return used_ - count;
  }
  /// Octets in use; what of the last block is not is never touched.
  [[nodiscard]] size_t memory() const { return size_t{used_} * sizeof(Item); }

 private:
  static constexpr uint32_t first = 16;  // items of the first block
  static unsigned block_of(uint32_t i) { return static_cast<unsigned>(std::bit_width(i + first)) - 5; }
  [[nodiscard]] Item* place(uint32_t i) const {
    const unsigned block = block_of(i);
    return &blocks_[block][i + first - (first << block)];
  }

  std::array<std::unique_ptr<Item[]>, 27> blocks_;
  uint32_t used_ = 0;
};

/// A name's code points, one octet each where all are below 256.
class IndexedName {
 public:
  explicit IndexedName(const uint64_t* record) : record_(record) {}
  [[nodiscard]] size_t size() const { return record_[0] & 0xff; }
  [[nodiscard]] uint32_t publisher() const { return static_cast<uint32_t>(record_[0] >> 32); }
  [[nodiscard]] char32_t operator[](size_t i) const {
    const auto* const octets = reinterpret_cast<const uint8_t*>(record_ + 1);
    if (!is_wide()) return octets[i];
    char32_t point = 0;
    std::memcpy(&point, octets + i * sizeof point, sizeof point);
    return point;
  }
  [[nodiscard]] std::u32string points() const;

 private:
  [[nodiscard]] bool is_wide() const { return (record_[0] >> 8 & 1) != 0; }
  const uint64_t* record_;  // publisher, whether wide, size; then the code points
};

/// Most code points of a name; more of a label than the DNS allows.
constexpr size_t max_indexed_points = 255;

class IndexedNames {
 public:
  /// The number of a new name, which has at most max_indexed_points.
  uint32_t add(std::u32string_view points, uint32_t publisher);
  void remove(uint32_t number);
  [[nodiscard]] IndexedName operator[](uint32_t number) const { return IndexedName(&units_[number]); }
  /// Asks for its memory, which is read soon: two cache lines have all of a name of the DNS but the longest.
  void fetch(uint32_t number) const {
    constexpr size_t line = 64;
    __builtin_prefetch(&units_[number]);
    __builtin_prefetch(reinterpret_cast<const uint8_t*>(&units_[number]) + line);
  }
  [[nodiscard]] size_t memory() const { return units_.memory(); }

 private:
  Blocks<uint64_t> units_;
  std::array<std::vector<uint32_t>, 130> free_;  // by size in units
};

}  // namespace steward::agent

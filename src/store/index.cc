#include "store/index.hh"

#include <bit>

namespace steward::store {
namespace {

uint64_t load_8(const uint8_t* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

// Multiplies to 128 bits and folds: every bit of the result depends on every bit of both.
uint64_t mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

constexpr uint64_t odd_1 = 0x9e37'79b9'7f4a'7c15;  // 2^64 / golden ratio
constexpr uint64_t odd_2 = 0xd1b5'4a32'd192'ed03;

}  // namespace

uint64_t NameHash::operator()(uint32_t zone, dns::NameView folded) const {
  const uint8_t* p = folded.data();
  size_t left = folded.size();
  uint64_t state = secret_ ^ (uint64_t{zone} << 32 | left);
  for (; left > 16; p += 16, left -= 16) state = mix(load_8(p) ^ odd_1, load_8(p + 8) ^ state);
  uint64_t a = 0;
  uint64_t b = 0;
  if (left >= 8) {
    a = load_8(p);
    b = load_8(p + left - 8);
  } else {
    for (size_t i = 0; i < left; ++i) a = a << 8 | p[i];
  }
  return mix(mix(a ^ odd_2, b ^ state), secret_ ^ odd_1);
}

Index::Index(Epochs& epochs) : epochs_(epochs), table_(new_table(0)) {}
Index::~Index() { delete table_.load(); }

Index::Table* Index::new_table(uint64_t names) {
  const uint64_t size = std::bit_ceil(std::max<uint64_t>(1024, names * 2));
  return new Table{size - 1, std::make_unique<std::atomic<uint64_t>[]>(size)};
}

void Index::start(uint64_t names) {
  names_ = filled_ = 0;
  publish(new_table(names));
}

void Index::insert(Table& table, uint64_t hash, NodePosition position) {
  uint64_t at = hash & table.mask;
  while (table.slots[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & table.mask;
  table.slots[at].store(tag_of(hash) | position / 8, std::memory_order_release);
}

void Index::publish(Table* table) {
  Table* old = table_.exchange(table, std::memory_order_seq_cst);
  epochs_.retire([old] { delete old; });
}

void Index::apply_one(Table& table, const Change& change) {
  if (change.before == no_node) {
    insert(table, change.hash, change.after);
    ++names_;
    ++filled_;
    return;
  }
  uint64_t at = change.hash & table.mask;
  while (true) {
    const uint64_t slot = table.slots[at].load(std::memory_order_relaxed);
    if (slot == 0) return;  // not there: a change that was applied before
    if (slot != gone && position_of(slot) == change.before) break;
    at = (at + 1) & table.mask;
  }
  if (change.after == no_node) --names_;
  const uint64_t slot = change.after == no_node ? gone : tag_of(change.hash) | change.after / 8;
  table.slots[at].store(slot, std::memory_order_release);
}

}  // namespace steward::store

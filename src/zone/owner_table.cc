#include "zone/owner_table.hh"

#include <cstring>

#include "zone/octet_hash.hh"

namespace steward::zone {
namespace {

constexpr uint64_t any_case = 0x2020202020202020;
constexpr unsigned first_bits = 10;

// Length octets are at most 63, below 'A': folding them changes nothing.
bool same_labels(const uint8_t* a, const uint8_t* b, size_t size) {
  if (std::memcmp(a, b, size) == 0) return true;
  for (size_t i = 0; i < size; ++i)
    if (dns::fold(a[i]) != dns::fold(b[i])) return false;
  return true;
}

}  // namespace

OwnerTable::OwnerTable(NameView apex, size_t most, int file)
    : apex_(apex), arena_(most, file), slots_(size_t{1} << first_bits), bits_(first_bits) {}

uint32_t OwnerTable::hash_of(ByteView labels) const {
  // The table's own address, random from one process to the next, keeps collisions from being prepared in a file.
  return static_cast<uint32_t>(hash_octets(labels, reinterpret_cast<uintptr_t>(this), any_case) >> 32);
}

size_t OwnerTable::find_slot(ByteView sought, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash >> (32 - bits_);; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.node == 0) return at;
    if (slot.hash != hash) continue;
    const ByteView stored = labels(slot.node - 1);
    if (stored.size() == sought.size() && same_labels(stored.data(), sought.data(), sought.size())) return at;
  }
}

std::optional<NodeIndex> OwnerTable::find(NameView owner) const {
  const ByteView sought = owner.wire().first(owner.size() - apex_.size());
  const Slot& slot = slots_[find_slot(sought, hash_of(sought))];
  if (slot.node == 0) return std::nullopt;
  return slot.node - 1;
}

std::optional<NodeIndex> OwnerTable::find_or_add(NameView owner) {
  const ByteView sought = owner.wire().first(owner.size() - apex_.size());
  const uint32_t hash = hash_of(sought);
  const size_t at = find_slot(sought, hash);
  if (slots_[at].node != 0) return slots_[at].node - 1;

  const ArenaRef ref = store(owner);
  if (ref == 0) return std::nullopt;
  names_.push_back(ref);
  slots_[at] = {hash, static_cast<uint32_t>(names_.size())};
  if (names_.size() > slots_.size() / 4 * 3) grow();
  return static_cast<NodeIndex>(names_.size() - 1);
}

ArenaRef OwnerTable::store(NameView owner) {
  const size_t head = owner.size() - apex_.size();
  const bool shared = std::memcmp(owner.data() + head, apex_.data(), apex_.size()) == 0;
  const size_t size = shared ? head : owner.size();
  uint8_t* place = arena_.take(size + 2);
  if (place == nullptr) return 0;
  place[0] = static_cast<uint8_t>(size);
  place[1] = shared ? 1 : 0;
  std::memcpy(place + 2, owner.data(), size);
  return arena_.ref(place);
}

void OwnerTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  ++bits_;
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.node == 0) continue;
    size_t at = slot.hash >> (32 - bits_);
    while (slots_[at].node != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

NameView OwnerTable::name(NodeIndex node) {
  const uint8_t* stored = arena_.at(names_[node]);
  if (stored[1] == 0) return {stored + 2, stored[0]};
  std::memcpy(scratch_.data(), stored + 2, stored[0]);
  std::memcpy(scratch_.data() + stored[0], apex_.data(), apex_.size());
  return {scratch_.data(), stored[0] + apex_.size()};
}

ByteView OwnerTable::labels(NodeIndex node) const {
  const uint8_t* stored = arena_.at(names_[node]);
  return {stored + 2, stored[1] == 0 ? stored[0] - apex_.size() : stored[0]};
}

void OwnerTable::forget_index() { slots_ = std::vector<Slot>(); }

}  // namespace steward::zone

#pragma once
// Layouts (c) and (d): an open-addressed index of 8-octet slots over one mapped, append-only arena of nodes.
//
// A node in the arena is: size of key (1 octet), key, value. It begins at a multiple of 16 octets, so that a slot is
// 40 bits of place and 24 bits of the name's hash. Owns the mapping of the file. One thread.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "layout_names.hh"

namespace steward::bench {

/// Octets in one mapping: of a file, or anonymous with huge pages asked for.
class Mapping {
 public:
  Mapping(const std::filesystem::path& file, size_t size) : size_(size) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(size)) != 0)
      throw std::runtime_error("cannot make " + file.string());
    base_ = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    ::close(fd);
    if (base_ == MAP_FAILED) throw std::runtime_error("cannot map " + file.string());
    ::madvise(base_, size_, MADV_RANDOM);
  }
  explicit Mapping(size_t size) : size_(size) {
    base_ = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED) throw std::runtime_error("cannot map memory");
    ::madvise(base_, size_, MADV_HUGEPAGE);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(base_, size_); }

  char* at(uint64_t place) const { return base_ + place; }
  size_t size() const { return size_; }

 private:
  char* base_ = nullptr;
  size_t size_ = 0;
};

inline constexpr uint64_t kAlign = 16;

struct Node {
  const char* at;
  std::string_view key() const { return {at + 1, static_cast<uint8_t>(*at)}; }
  const char* value() const { return at + 1 + static_cast<uint8_t>(*at); }
};

inline uint64_t node_room(size_t key, size_t value) { return (1 + key + value + kAlign - 1) / kAlign * kAlign; }

/// Hash of a key, eight octets a step. Not keyed: a server's must be, against chosen collisions.
inline uint64_t hash_key(std::string_view key) {
  uint64_t sum = key.size() * 0x9e3779b97f4a7c15U;
  size_t at = 0;
  auto mix = [&sum](uint64_t word) {
    const auto wide = static_cast<unsigned __int128>(sum ^ word) * 0xa0761d6478bd642fU;
    sum = static_cast<uint64_t>(wide) ^ static_cast<uint64_t>(wide >> 64);
  };
  for (; at + 8 <= key.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, key.data() + at, 8);
    mix(word);
  }
  uint64_t tail = 0;
  std::memcpy(&tail, key.data() + at, key.size() - at);
  mix(tail + 0x1234567);
  return sum;
}

class Slots {
 public:
  explicit Slots(uint64_t names) : slots_(std::bit_ceil(names + names / 3 + 8)), mask_(slots_.size() - 1) {}

  void add(uint64_t hash, uint64_t place) {
    uint64_t i = hash & mask_;
    while (slots_[i] != 0) i = (i + 1) & mask_;
    slots_[i] = (place / kAlign + 1) << 24 | hash >> 40;
  }
  void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
  size_t octets() const { return slots_.size() * sizeof(uint64_t); }

  /// Place of the first slot from `i` on whose 24 bits of hash agree; `i` is moved to the slot after it.
  bool candidate(uint64_t hash, uint64_t& i, uint64_t& place) const {
    for (;; i = (i + 1) & mask_) {
      const uint64_t slot = slots_[i];
      if (slot == 0) return false;
      if ((slot & 0xffffff) == hash >> 40) {
        place = ((slot >> 24) - 1) * kAlign;
        i = (i + 1) & mask_;
        return true;
      }
    }
  }
  uint64_t first(uint64_t hash) const { return hash & mask_; }

 private:
  std::vector<uint64_t> slots_;
  uint64_t mask_;
};

/// One name at a time: slot, node, compare. Null when it does not exist.
inline const char* find_one(const Slots& slots, const Mapping& arena, std::string_view key) {
  const uint64_t hash = hash_key(key);
  uint64_t place = 0;
  for (uint64_t i = slots.first(hash); slots.candidate(hash, i, place);) {
    const Node node{arena.at(place)};
    if (node.key() == key) return node.value();
  }
  return nullptr;
}

inline constexpr size_t kBatch = 32;

/// A batch in stages, each asking for the memory that the next one reads: hash, slot, node, whole value.
inline void find_batch(const Slots& slots, const Mapping& arena, const Key* keys, size_t count, size_t value_size,
                       const char** found) {
  uint64_t hashes[kBatch];
  uint64_t next[kBatch];
  uint64_t place[kBatch];
  for (size_t i = 0; i < count; ++i) {
    hashes[i] = hash_key(keys[i].view());
    slots.prefetch(hashes[i]);
  }
  for (size_t i = 0; i < count; ++i) {
    next[i] = slots.first(hashes[i]);
    if (!slots.candidate(hashes[i], next[i], place[i])) place[i] = ~uint64_t{0};
    if (place[i] == ~uint64_t{0}) continue;
    // The whole node at once: an answer copies all of it, and the lines then arrive side by side.
    for (size_t at = 0; at < value_size; at += 64) __builtin_prefetch(arena.at(place[i]) + at);
  }
  for (size_t i = 0; i < count; ++i) {
    found[i] = nullptr;
    bool more = place[i] != ~uint64_t{0};
    while (more && found[i] == nullptr) {
      const Node node{arena.at(place[i])};
      if (node.key() == keys[i].view()) {
        found[i] = node.value();
      } else {
        more = slots.candidate(hashes[i], next[i], place[i]);
      }
    }
  }
}

}  // namespace steward::bench

#pragma once
// A fast 64-bit hash of octets: for tables in memory and for seeing that something changed. Not cryptographic: never
// between parties of which one may want a collision.

#include <cstring>

#include "base/bytes.hh"

namespace steward::zone {

inline uint64_t hash_mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_load(const uint8_t* p, size_t size) {
  uint64_t value = 0;
  std::memcpy(&value, p, size);
  return value;
}

/// `fold` is or-ed into every group of eight octets: 0x2020… makes letters equal whatever their case (and a few other
/// octets too, which the comparison after the look-up tells apart).
inline uint64_t hash_octets(ByteView octets, uint64_t seed, uint64_t fold = 0) {
  constexpr uint64_t k1 = 0x9e3779b97f4a7c15;
  constexpr uint64_t k2 = 0xd1b54a32d192ed03;
  const uint8_t* p = octets.data();
  size_t left = octets.size();
  uint64_t hash = seed ^ (left * k1);
  for (; left > 16; p += 16, left -= 16)
    hash = (hash << 29 | hash >> 35) ^ hash_mix((hash_load(p, 8) | fold) ^ k1, (hash_load(p + 8, 8) | fold) ^ hash);
  const size_t head = left < 8 ? left : 8;
  const uint64_t a = head == 0 ? 0 : hash_load(p, head);
  const uint64_t b = left > 8 ? hash_load(p + 8, left - 8) : 0;
  hash ^= hash_mix((a | fold) ^ k1, (b | fold) ^ hash);
  return hash_mix(hash ^ k2, k1);
}

}  // namespace steward::zone

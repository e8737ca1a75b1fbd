#include "crypto/siphash.hh"

#include <bit>

#include "crypto/digest.hh"

namespace steward::crypto {

namespace {

uint64_t load_u64_le(const uint8_t* p) {
  uint64_t value = 0;
  std::memcpy(&value, p, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

struct SipState {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

SipHashKey random_siphash_key() {
  SipHashKey key{};
  random_octets(key);
  return key;
}

uint64_t siphash24(const SipHashKey& key, ByteView data) {
  const uint64_t k0 = load_u64_le(key.data());
  const uint64_t k1 = load_u64_le(key.data() + 8);
  // The initial state is the ASCII text "somepseudorandomlygeneratedbytes".
  SipState state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
  size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) state.absorb(load_u64_le(data.data() + at));
  uint64_t last = static_cast<uint64_t>(data.size()) << 56;
  for (size_t i = 0; at + i < data.size(); ++i) last |= static_cast<uint64_t>(data[at + i]) << (8 * i);
  state.absorb(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

void store_siphash(uint64_t hash, uint8_t* out) {
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(hash >> (8 * i));
}

}  // namespace steward::crypto

#pragma once
// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"): the keyed hash of server cookies (RFC 9018
// §4.2), and of anything that a client must not be able to make collide. No state, no allocation; any thread.

#include <array>
#include <cstdint>

#include "base/bytes.hh"

namespace steward::crypto {

using SipHashKey = std::array<uint8_t, 16>;

/// A key that nobody knows.
SipHashKey random_siphash_key();

/// The 64-bit hash. Its octets on the wire are in little-endian order: store_siphash.
uint64_t siphash24(const SipHashKey& key, ByteView data);

/// Writes the hash as the reference implementation does, and RFC 9018 Appendix A shows: 8 octets, lowest first.
void store_siphash(uint64_t hash, uint8_t* out);

}  // namespace steward::crypto

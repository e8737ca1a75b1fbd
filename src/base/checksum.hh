#pragma once
// CRC-32C (Castagnoli, RFC 3720 appendix B.4): whether stored octets are what was written.

#include <cstdint>

#include "base/bytes.hh"

namespace steward {

/// CRC-32C of `octets`, continuing from `before` (0 to begin).
uint32_t crc32c(ByteView octets, uint32_t before = 0);

}  // namespace steward

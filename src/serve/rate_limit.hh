#pragma once
// Response rate limiting: what one client network may be sent of one kind in a second, so that forged queries gain
// nothing.
//
// One table for all workers, of fixed size, read and written with relaxed atomics: the limit is then what the operator
// wrote, however many workers there are and however the kernel spreads a client's ports over them. Two workers that
// touch one bucket in the same instant may lose one of their updates, which lets at most one more response through.
//
// A bucket is one 64-bit word: 16 bits of tag, 20 of time in milliseconds, 28 of thousandths of a token. Eight buckets
// share a cache line; a new client takes the fullest of its line, the one whose loss matters least.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.hh"
#include "serve/query.hh"

namespace steward::serve {

struct RateLimitSettings {
  uint32_t per_second = 200;  ///< responses of one kind to one client network, and the size of a burst; 1 to 200,000
  uint32_t slip = 2;          ///< every so many limited responses go out empty with TC, the others not at all; 0: none
  std::vector<AddressBlock> listed;  ///< limited although loopback or exempt
  uint32_t buckets = 1U << 17;       ///< a power of two, at least 8; 8 octets each
  std::vector<AddressBlock> exempt;  ///< networks that are not limited, unless listed
  uint8_t ipv4_prefix = 24;          ///< bits of a client network, up to 32
  uint8_t ipv6_prefix = 56;          ///< up to 128
};

enum class RateVerdict : uint8_t { Send, Slip, Drop };

class RateLimiter {
 public:
  /// `secret` keys the table's hash, so that nobody can aim at another's bucket.
  RateLimiter(RateLimitSettings settings, const std::array<uint64_t, 2>& secret);

  /// Whether a client's address is subject to the limit at all: loopback and what is exempt are not, unless listed.
  [[nodiscard]] bool applies_to(const SocketAddress& client) const;

  /// Takes a token for a response of class `kind` from `source` (a node or zone; null) to the network of
  /// `client`. `slips` is the worker's own count of limited responses.
  RateVerdict take(const SocketAddress& client, ResponseClass kind, const void* source, uint64_t now_ms,
                   uint32_t& slips);

 private:
  struct alignas(64) Line {
    std::atomic<uint64_t> buckets[8] = {};
  };
  [[nodiscard]] uint64_t hash(const SocketAddress& client, ResponseClass kind, const void* source) const;
  [[nodiscard]] uint64_t refill(uint64_t bucket, uint64_t now_ms) const;

  RateLimitSettings settings_;
  std::array<uint64_t, 2> secret_;
  size_t line_mask_;
  std::unique_ptr<Line[]> lines_;
};

}  // namespace steward::serve

#pragma once
// TTLs and other spans of time in text: seconds, or numbers with units as in BIND's master files ("1h30m", "2W").
//
// Used by the zone file scanner, by the SOA's timers and by the configuration. Pure functions, any thread.

#include <cstdint>
#include <string_view>

#include "base/result.hh"

namespace steward::dns {

constexpr uint32_t max_ttl = 0x7fffffff;  ///< RFC 2181 §8, RFC 2308 §8

/// A TTL in seconds, 0 to max_ttl. Units w d h m s in any case, each number with one unless it is the only one; the
/// same unit may not follow itself or a smaller one. Invalid says which rule is broken.
Result<uint32_t> ttl_from_text(std::string_view text);

/// The same up to 2^32 - 1, as the SOA's REFRESH, RETRY, EXPIRE and MINIMUM go (RFC 1035 §3.3.13).
Result<uint32_t> period_from_text(std::string_view text);

/// A cheap test by which a scanner tells a TTL from a class or a type: begins with a digit.
constexpr bool looks_like_ttl(std::string_view text) { return !text.empty() && text[0] >= '0' && text[0] <= '9'; }

}  // namespace steward::dns

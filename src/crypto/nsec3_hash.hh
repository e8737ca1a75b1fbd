#pragma once
// The hash of owner names in NSEC3 (RFC 5155 §5). On the query path: no allocation, no lock; any thread.

#include <array>
#include <cstdint>

#include "base/bytes.hh"
#include "dns/name.hh"

namespace steward::crypto {

/// IH(salt, name, iterations) with SHA-1, the only algorithm that is defined. `name` in any case: it is folded here.
/// `salt` has at most 255 octets. One octet string is hashed once and `iterations` more times: 0 is what RFC 9276 §3.1
/// asks for; whoever takes parameters from a zone that is not ours bounds them first (RFC 9276 §3.2).
std::array<uint8_t, 20> nsec3_hash(dns::NameView name, ByteView salt = {}, uint16_t iterations = 0);

}  // namespace steward::crypto

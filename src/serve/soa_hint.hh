#pragma once
// The SOA that a request brings along: an IXFR's in the authority section (RFC 1995 §3), a NOTIFY's in the answer
// section (RFC 1996 §3.7). Pure; any thread.

#include <cstdint>
#include <optional>

#include "serve/request.hh"

namespace steward::serve {

/// The serial of the first record after the question, where that is a SOA of class IN owned by QNAME; nothing where it
/// is none, or malformed. `message` was parsed and has a record there.
std::optional<uint32_t> soa_hint(ByteView message, const Request& request);

}  // namespace steward::serve

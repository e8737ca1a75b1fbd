#pragma once
// Condensing (RFC 1995 §5): several differences of a zone made into one, in which what was added and removed again, or
// removed and added again, does not appear. Values only; any thread.

#include <optional>

#include "base/bytes.hh"

namespace steward::serve {

/// One difference with the effect of those in `records`, which follow each other: the SOA of the first one's start,
/// what is removed, the SOA of the last one's end, what is added. Records are told apart by owner (RFC 4343: whatever
/// the case), type and RDATA to the octet; a TTL or a spelling that changed is a removal and an addition. Memory: some
/// 100 octets a record beside those of `records`. Nothing where the records are malformed or no difference begins and
/// ends as it has to.
std::optional<Bytes> condense(ByteView records);

}  // namespace steward::serve

#pragma once
// Names in messages: reading through compression pointers (RFC 1035 §4.1.4). Pure functions, any thread.

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"

namespace steward::dns {

/// The name at `at` of `message`; what stands in place there must end before `end`, at most message.size(). Sets `used`
/// to the octets in place. A pointer must point strictly before the run of labels that it ends, so that no loop is
/// possible, and there are at most 127.
Result<Name> name_from_message(ByteView message, size_t at, size_t end, size_t& used);

}  // namespace steward::dns

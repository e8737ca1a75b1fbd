#pragma once
// A whole record in text, as exports and listings show it. Pure functions, any thread.

#include <string>

#include "base/bytes.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::dns {

/// `owner TTL IN TYPE RDATA` and a line feed, tabs between the first four; the owner fully qualified, all on one line.
/// An RDATA that is not well-formed comes in the generic form.
void append_record_text(std::string& out, NameView owner, uint32_t ttl, RrType type, ByteView rdata);

}  // namespace steward::dns

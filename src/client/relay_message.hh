#pragma once
// What the relay (tls_relay.hh) looks at and changes in the messages that it carries. Pure functions, any thread.

#include <cstdint>
#include <optional>

#include "base/bytes.hh"
#include "dns/name.hh"

namespace steward::client {

/// Whether these octets are a query with one question and nothing but additional records behind it: all that a
/// resolver asks.
[[nodiscard]] bool is_plain_query(ByteView message);

/// The query with this ID, and padded to a multiple of 128 octets (RFC 7830; RFC 8467 §4.1) where its one additional
/// record is an OPT without padding. `query` is a plain one.
[[nodiscard]] Bytes relayed_query(ByteView query, uint16_t id);

/// SERVFAIL to a plain query: its header and its question.
[[nodiscard]] Bytes servfail_to(ByteView query);

/// Where a response hands the question to the servers of another zone (RFC 1034 §4.3.2 step 3b), that zone in lower
/// case.
[[nodiscard]] std::optional<dns::Name> referral_of(ByteView response);

}  // namespace steward::client

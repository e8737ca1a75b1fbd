#pragma once
// The registry's statement of a feed, as text. Inside of the room; pure functions, any thread.

#include "federation/entry.hh"

namespace steward::federation {

/// All that the registry says of the write, without what it states anew (trust, ttl, told): a line, for digests.
std::string word_of_write(const FeedEntry& entry);

/// Takes the registry's statement apart into `entry`: all but records and ttl. Invalid with the rule.
Result<void> read_feed_statement(ByteView txt_rdata, FeedEntry& entry);

}  // namespace steward::federation

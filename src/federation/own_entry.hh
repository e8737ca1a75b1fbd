#pragma once
// What a registry's own feed holds of one of its agents: made of the book's entry and the records that are served, and
// brought into the feed zone by an edit of it (steward-records(7), "The feed").
//
// The feed follows from book, records and what it held itself: making it once more makes no difference. Pure but for the
// edit; the writer.

#include "agent/book.hh"
#include "change/edit.hh"
#include "change/publish_rows.hh"
#include "federation/merge.hh"

namespace steward::federation {

/// What a feed zone's apex and owners are named after.
struct FeedNames {
  dns::Name zone;  ///< the registry's, folded
  dns::Name feed;  ///< `<replica>._feed.<zone>`, folded
};

/// `<replica>._feed.<zone>`, folded. Invalid where the replica's id is none.
Result<dns::Name> feed_name(std::string_view replica, NameView zone);

/// The text of a feed zone without agents: SOA and NS. Nobody resolves it, so its names lead nowhere (as in RFC 9432 §4.1).
[[nodiscard]] std::string feed_text(uint32_t serial);

/// The entry, without `told`. `rows`: as they are served; `registry`: its id. What is served may be no entry: see
/// check_form().
FeedEntry own_entry(const dns::Name& agent, const agent::AgentEntry& entry, const change::AgentRows& rows,
                    std::string_view registry);

/// Makes the entry what the feed holds of its agent; `told` goes on where the feed has the same write with another trust or
/// TTL. One that no reader would take is not held: its agent is taken out, and the error is why.
Result<void> put_in_feed(FeedEntry entry, const FeedNames& names, change::ZoneEdit& feed, UnixTime now);

/// What is handed on of an agent of a registry below.
struct HandedOn {
  dns::Name agent;
  WriteSet writes;  ///< none: the feed has nothing of it any more
  std::vector<std::string> losers_before;  ///< labels of what the feed has beside the winner
};

/// The same of all its writes. Invalid where the feed could never hold them.
Result<void> hand_on_in_feed(HandedOn handed, const FeedNames& names, change::ZoneEdit& feed, UnixTime now);

}  // namespace steward::federation

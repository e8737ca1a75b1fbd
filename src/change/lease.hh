#pragma once
// Answers never outlive a lease (RFC 9664 §5): what a resolver was given shortly before the end must be gone from its
// cache at the end.
//
// The TTLs that are stored are a tenth of the lease at most; as its end comes near they are halved, so that they are
// never longer than what is left. The records themselves are changed, not the answers: so secondaries of any make keep
// to it too. An agent that is refreshed in time costs nothing of this. Writer thread.

#include "change/publish.hh"

namespace steward::change {

/// Of a lease, the share that a record's TTL may be.
constexpr uint32_t lease_ttl_share = 10;

/// Brings the TTLs of the agent's records within what is left of its lease, and says when to look again: never after
/// its end. The entry has a lease. Records of listings that name several agents keep their TTL.
UnixTime shorten_ttls(const dns::Name& agent, const agent::AgentEntry& entry, ZoneEdit& edit, UnixTime now);

/// A refresh: TTLs that were shortened are as long again as the message says, a tenth of the lease at most.
void lengthen_ttls(const dns::Name& agent, const UpdateRequest& request, const UpdateLease& granted, ZoneEdit& edit);

}  // namespace steward::change

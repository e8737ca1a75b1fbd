#pragma once
// Whether an agent is listed as the book has it, by the tables that listings are made from: for whoever asks how a registry is, and costs some ten
// look-ups. Pure reads.

#include <string>

#include "agent/book.hh"

namespace steward::change {

/// What is wrong with the listings of this agent, such as "not found by 'plan'"; empty where nothing is. One that is Live and not suspended stands in the
/// pages of all its terms, and where it was published here in the index of its namespace; another in none. `zone`: the registry's.
[[nodiscard]] std::string listing_fault(dns::NameView agent, const agent::AgentEntry& entry, const dns::Name& zone, zone::OctetTable& pages,
                                        zone::OctetTable& ranks);

}  // namespace steward::change

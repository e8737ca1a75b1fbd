#pragma once
// Finding: from a word to all agents of the registry and of those below it, by records that any secondary serves
// (steward-records(7), "FINDING").
//
// The agents of a term stand in pages, key ranges by trust descending, then name: the best at the term itself. What is
// in which page follows from `pages`, a table of the zone. A change touches one page of each of the agent's terms, and
// where it fills or empties one, a neighbour and the first. Writer thread.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/book.hh"
#include "change/edit.hh"

namespace steward::change {

/// TTL of pages, in seconds.
constexpr uint32_t find_ttl = 60;
/// Longest term: a label's 63 octets less the `_` that DNS-SD puts before a subtype.
constexpr size_t max_term = 62;
/// Most capabilities of one agent that are terms.
constexpr size_t max_capability_terms = 64;

/// What of an agent is found.
struct FoundAgent {
  dns::Name agent;                 ///< fully qualified, below the zone: the target of the PTR
  double trust = 0;                ///< counts in hundredths
  std::vector<std::string> terms;  ///< terms_of()
};

/// Capabilities, the agent's label, and the words between its hyphens, each once. What is not `[a-z0-9_-]{1,62}` is
/// none.
std::vector<std::string> terms_of(NameView agent_name, std::span<const std::string> capabilities);

/// An agent whose entry this is; nothing unless it is live and not suspended.
std::optional<FoundAgent> found_agent(NameView agent_name, const agent::AgentEntry& entry);

/// Where an agent of this name and trust stands in the pages of each of its terms. Invalid for a name that is not below the zone.
Result<Bytes> found_place(NameView agent_name, double trust, const dns::Name& zone);

/// `before` is what it was given last for this agent, nothing for a new one; `after` nothing takes it out of all pages.
/// Invalid for a name that is not below the zone, Corrupt from a table that is none of ours; errors of the table.
Result<void> update_found(ZoneEdit& edit, zone::OctetTable& pages, const dns::Name& zone,
                          const std::optional<FoundAgent>& before, const std::optional<FoundAgent>& after);

/// What a parent keeps of an agent below it, for listings: RDATA.
struct ReferredAgent {
  dns::Name agent;
  Bytes statement;           ///< TXT of the publisher
  Bytes registry_statement;  ///< TXT of the registry whose zone this is
  std::vector<Bytes> keys;
  std::vector<Bytes> srv;
  std::vector<Bytes> svcb;
  uint32_t ttl = 300;  ///< seconds
};

/// `<agent relative to the zone>._ref._agents.<zone>`: brings what stands there to `after`, nothing takes it away.
/// Agents of the zone itself have none: their own names and `_registry` are in the same zone. Invalid for a name that
/// is not below the zone.
Result<void> update_ref(ZoneEdit& edit, const dns::Name& zone, const dns::Name& agent,
                        const std::optional<ReferredAgent>& after);

/// The same with the TXT RDATA of `_conflict` below that name.
Result<void> update_conflict(ZoneEdit& edit, const dns::Name& zone, const dns::Name& agent, std::vector<Bytes> wanted,
                             uint32_t ttl);

}  // namespace steward::change

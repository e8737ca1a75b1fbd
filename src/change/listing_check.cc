#include "change/listing_check.hh"

#include <fmt/format.h>

#include "change/find_pages.hh"
#include "change/find_term.hh"
#include "change/listing_sets.hh"

namespace steward::change {

std::string listing_fault(dns::NameView agent, const agent::AgentEntry& entry, const dns::Name& zone, zone::OctetTable& pages,
                          zone::OctetTable& ranks) {
  const bool is_listed = entry.presence == agent::Presence::Live && !entry.suspended;
  const auto place = found_place(agent, entry.trust, zone);
  if (!place) return place.error().what;
  for (const std::string& term : terms_of(agent, entry.capabilities)) {
    if (!has_room_for_term(term, zone)) continue;
    const auto is_there = has_place(pages, term, *place);
    if (!is_there) return is_there.error().what;
    if (*is_there != is_listed) return fmt::format("{} by '{}'", is_listed ? "not found" : "still found", term);
  }
  // Of an agent that came with the zone file, the index is the file's.
  if (entry.from_file || entry.write.stamp == 0) return {};
  const bool is_indexed = is_in_index(ranks, agent.parent(), list_place(entry.trust, agent.first_label()));
  if (is_indexed != is_listed) return is_listed ? "not in its namespace's index" : "still in its namespace's index";
  return {};
}

}  // namespace steward::change

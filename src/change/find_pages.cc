#include "change/find_pages.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "change/find_term.hh"
#include "change/listing_sets.hh"

namespace steward::change {
namespace {

bool is_term(std::string_view text) {
  return !text.empty() && text.size() <= max_term && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

void add_term(std::vector<std::string>& terms, std::string_view term) {
  if (is_term(term) && std::ranges::find(terms, term) == terms.end()) terms.emplace_back(term);
}

// The agent's name without the zone's, in text without the final dot.
Result<std::string> relative_text(const dns::Name& name, const dns::Name& zone) {
  if (!name.view().is_below(zone))
    return fail(Errc::Invalid, fmt::format("{}: is not below {}", name.to_text(), zone.to_text()));
  Bytes wire(name.data(), name.data() + name.size() - zone.size());
  wire.push_back(0);
  const auto relative = NameView::from_wire(wire);
  if (!relative) return tl::unexpected(relative.error());
  std::string text = relative->to_text();
  text.pop_back();
  return text;
}

}  // namespace

std::vector<std::string> terms_of(NameView agent_name, std::span<const std::string> capabilities) {
  std::vector<std::string> terms;
  for (const std::string& capability : capabilities.first(std::min(capabilities.size(), max_capability_terms)))
    add_term(terms, capability);
  const dns::Name folded = dns::Name(agent_name).folded();
  const std::string_view label = as_text(folded.view().first_label());
  add_term(terms, label);
  for (size_t at = 0; at <= label.size();) {
    const size_t hyphen = std::min(label.find('-', at), label.size());
    add_term(terms, label.substr(at, hyphen - at));
    at = hyphen + 1;
  }
  return terms;
}

std::optional<FoundAgent> found_agent(NameView agent_name, const agent::AgentEntry& entry) {
  if (entry.presence != agent::Presence::Live || entry.suspended) return std::nullopt;
  return FoundAgent{dns::Name(agent_name), entry.trust, terms_of(agent_name, entry.capabilities)};
}

Result<Bytes> found_place(NameView agent_name, double trust, const dns::Name& zone) {
  const auto name = relative_text(dns::Name(agent_name).folded(), zone.folded());
  if (!name) return tl::unexpected(name.error());
  return list_place(trust, as_bytes(*name));
}

Result<void> update_found(ZoneEdit& edit, zone::OctetTable& pages, const dns::Name& zone,
                          const std::optional<FoundAgent>& before, const std::optional<FoundAgent>& after) {
  if (before && after && before->agent != after->agent)
    return fail(Errc::Invalid, fmt::format("{} was found, not {}", before->agent.to_text(), after->agent.to_text()));
  const dns::Name apex = zone.folded();
  std::map<std::string_view, std::pair<Bytes, Bytes>> moves;  // of each term: from where, to where
  for (const auto* found : {&before, &after}) {
    if (!*found) continue;
    const auto place = found_place((*found)->agent, (*found)->trust, apex);
    if (!place) return tl::unexpected(place.error());
    for (const std::string& term : (*found)->terms)
      if (is_term(term) && has_room_for_term(term, apex))
        (found == &before ? moves[term].first : moves[term].second) = *place;
  }
  for (const auto& [term, move] : moves)
    if (auto done = FindTerm(edit, pages, apex, term).change(move.first, move.second); !done)
      return fail(fmt::format("finding {}", term), done.error());
  return {};
}

}  // namespace steward::change

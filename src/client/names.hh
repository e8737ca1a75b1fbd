#pragma once
// The names of agents, in the forms that people write them. Pure functions.

#include <string>

#include "base/result.hh"
#include "dns/name.hh"
#include "steward/settings.hh"

namespace steward::client {

/// As steward/client.hh says of full_name(): folded, below the apex.
Result<dns::Name> agent_name(std::string_view text, const Settings& settings);

/// The apex where Settings::name_space is empty, else the namespace's name below it, folded.
Result<dns::Name> registry_zone(const Settings& settings);

/// "_registry" and "agent.…" give "_registry.agent.…"; Invalid where that is over 255 octets.
Result<dns::Name> below(std::string_view label, dns::NameView name);

/// Without the final dot.
std::string plain_text(dns::NameView name);

}  // namespace steward::client

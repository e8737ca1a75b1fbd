// What a parent keeps of agents below it: change/find_pages.hh.

#include <fmt/format.h>

#include <algorithm>

#include "change/bring_rows.hh"
#include "change/find_pages.hh"

namespace steward::change {
namespace {

constexpr std::string_view ref_labels[] = {"_agents", "_ref"};
constexpr RrType ref_types[] = {RrType::TXT, RrType::KEY, RrType::SRV, RrType::SVCB};

std::vector<Bytes> wanted_at(RrType type, const ReferredAgent& agent) {
  switch (type) {
    case RrType::KEY: return agent.keys;
    case RrType::SRV: return agent.srv;
    case RrType::SVCB: return agent.svcb;
    default: return {agent.statement, agent.registry_statement};
  }
}

Result<dns::Name> ref_name(const dns::Name& agent, const dns::Name& zone) {
  if (!agent.view().is_below(zone))
    return fail(Errc::Invalid, fmt::format("{}: is not below {}", agent.to_text(), zone.to_text()));
  dns::Name below = zone;
  for (const std::string_view label : ref_labels) {
    auto child = below.child(as_bytes(label));
    if (!child) return child;
    below = std::move(*child);
  }
  Bytes relative(agent.data(), agent.data() + agent.size() - zone.size());
  relative.push_back(0);
  return dns::concatenate(NameView(relative.data(), relative.size()), below);
}

}  // namespace

Result<void> update_ref(ZoneEdit& edit, const dns::Name& zone, const dns::Name& agent,
                        const std::optional<ReferredAgent>& after) {
  if (after && after->agent != agent)
    return fail(Errc::Invalid, fmt::format("{} is not {}", after->agent.to_text(), agent.to_text()));
  const auto owner = ref_name(agent.folded(), zone.folded());
  if (!owner) return fail("_ref", owner.error());
  const bool is_alias = edit.find(*owner, RrType::CNAME) != nullptr;  // RFC 1034 §3.6.2
  for (const RrType type : ref_types) {
    if (!after || is_alias)
      edit.remove_rrset(*owner, type);
    else
      bring_to(edit, *owner, type, wanted_at(type, *after), after->ttl);
  }
  return {};
}

Result<void> update_conflict(ZoneEdit& edit, const dns::Name& zone, const dns::Name& agent, std::vector<Bytes> wanted,
                             uint32_t ttl) {
  const auto below = ref_name(agent.folded(), zone.folded());
  const auto owner = below ? below->child(as_bytes(std::string_view("_conflict"))) : below;
  if (!owner) return fail("_conflict", owner.error());
  bring_to(edit, *owner, RrType::TXT, std::move(wanted), ttl);
  return {};
}

}  // namespace steward::change

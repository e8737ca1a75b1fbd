#include "change/publish_names.hh"

#include <algorithm>

#include "agent/a_label.hh"
#include "agent/manifest.hh"
#include "change/publish_rows.hh"

namespace steward::change {
namespace {

constexpr std::string_view user_prefix = "user/";
constexpr std::string_view organisation_prefix = "org/";

std::string_view label_of(NameView name) { return as_text(name.first_label()); }

/// What a `*` among the namespaces may stand for: one label as a namespace has it, also a GitHub user's or
/// organisation's.
bool is_namespace_label(std::string_view label) {
  for (const std::string_view prefix : {user_prefix, organisation_prefix})
    if (label.starts_with(prefix)) return agent::check_ldh_label(label.substr(prefix.size())).has_value();
  return agent::agent_label(label).has_value();
}

/// `user/X` for `org/X` and the other way round; nothing for another namespace.
std::optional<dns::Name> twin_of(NameView space) {
  const std::string_view label = label_of(space);
  for (const auto& [mine, other] : {std::pair(user_prefix, organisation_prefix), {organisation_prefix, user_prefix}}) {
    if (!label.starts_with(mine)) continue;
    const auto twin = dns::Name(space.parent()).child(as_bytes(std::string(other).append(label.substr(mine.size()))));
    if (twin) return *twin;
  }
  return std::nullopt;
}

// RFC 1034 §4.2.1, RFC 6672 §2.4: what stands below either is not answered.
Result<void> check_cuts(const dns::Name& agent, const dns::Name& zone, ZoneEdit& edit) {
  for (NameView name = agent; name.is_below(zone); name = name.parent()) {
    for (const RrType type : {RrType::NS, RrType::DNAME}) {
      if (find_rrset(edit, name, type) == nullptr) continue;
      return fail(Errc::Refused, fmt::format("{}: {} is delegated: an agent and a child registry share one name space",
                                             agent.to_text(), dns::Name(name).to_text()));
    }
  }
  return {};
}

// A child's identity stands at `<child>._registries._agents.<zone>` from its registration on, before its delegation.
Result<void> check_child_registry(const dns::Name& agent, const PublishPolicy& policy, ZoneEdit& edit) {
  if (agent.view().parent() != policy.zone.view()) return {};
  auto identity = policy.zone.child(as_bytes("_agents"));
  if (identity) identity = identity->child(as_bytes("_registries"));
  if (identity) identity = identity->child(agent.view().first_label());
  if (!identity || !is_in_use(edit, *identity)) return {};
  return fail(Errc::Refused, fmt::format("{}: is the name of a child registry", agent.to_text()));
}

Result<void> check_no_namespace(const dns::Name& agent, const PublishPolicy& policy, const RegistryState& state) {
  const bool is_named = std::ranges::any_of(policy.namespaces, [&](const dns::Name& space) { return space == agent; });
  const bool is_used = policy.namespace_of(*agent.child(as_bytes("a"))) && state.agents_of_namespace &&
                       state.agents_of_namespace(agent) != 0;
  if (!is_named && !is_used) return {};
  return fail(Errc::Refused, fmt::format("{}: is the name of a namespace", agent.to_text()));
}

}  // namespace

std::optional<dns::Name> PublishPolicy::namespace_of(NameView agent) const {
  if (!agent.is_below(zone)) return std::nullopt;
  const dns::Name space = dns::Name(agent.parent()).folded();
  if (space == zone) return space;
  for (const dns::Name& hosted : namespaces) {
    if (space == hosted) return space;
    if (hosted.view().is_wildcard() && space.view().parent() == hosted.view().parent() &&
        is_namespace_label(label_of(space)))
      return space;
  }
  return std::nullopt;
}

std::optional<dns::Name> publisher_of(const UpdateSender& sender, const PublishPolicy& policy) {
  if (!sender.sig0_signer) return std::nullopt;
  dns::Name name = sender.sig0_signer->folded();
  if (!policy.namespace_of(name)) return std::nullopt;
  const std::string_view label = label_of(name);
  // Names of services and listings, and the reserved ones, which hosts have. Anything else is told why it cannot be an
  // agent's.
  if (label.starts_with('_') || label == "*") return std::nullopt;
  if (agent::check_ldh_label(label) && !agent::agent_label(label)) return std::nullopt;
  return name;
}

std::optional<std::string> rule_against_name(const UpdateSender& sender, const PublishPolicy& policy) {
  if (!sender.sig0_signer) return std::nullopt;
  const dns::Name name = sender.sig0_signer->folded();
  const std::string_view label = label_of(name);
  if (!policy.namespace_of(name) || !agent::check_ldh_label(label)) return std::nullopt;
  const auto fit = agent::agent_label(label);
  if (fit) return std::nullopt;
  return fit.error().what + ", no agent can have it";
}

Result<void> check_agent_name(NameView agent, const PublishPolicy& policy) {
  if (!policy.namespace_of(agent))
    return fail(Errc::Refused, fmt::format("{}: stands in no namespace of {}", agent.to_text(), policy.zone.to_text()));
  if (const auto label = agent::agent_label(label_of(agent)); !label) return tl::unexpected(label.error());
  if (agent.size() > max_agent_name)
    return fail(Errc::Refused,
                fmt::format("an agent's name has at most {} octets, this one {}", max_agent_name, agent.size()));
  return {};
}

Result<void> check_place(const dns::Name& agent, const PublishPolicy& policy, ZoneEdit& edit,
                         const RegistryState& state) {
  if (auto free = check_cuts(agent, policy.zone, edit); !free) return free;
  if (auto free = check_child_registry(agent, policy, edit); !free) return free;
  if (auto free = check_no_namespace(agent, policy, state); !free) return free;
  const auto twin = twin_of(agent.view().parent());
  if (twin && state.agents_of_namespace && state.agents_of_namespace(*twin) != 0)
    return fail(Errc::Refused,
                fmt::format("{} has agents: user/ and org/ of one name are one namespace", twin->to_text()));
  return {};
}

}  // namespace steward::change

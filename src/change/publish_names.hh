#pragma once
// Where and when an agent may be published. Private to what publishes (change/publish.hh).

#include "change/publish.hh"

namespace steward::change {

/// Longest name of an agent in wire form: what stands below it, and in a feed, has to fit as well.
constexpr size_t max_agent_name = 180;

/// What can be said of a name alone: a hosted namespace, an agent's label, its size.
Result<void> check_agent_name(NameView agent, const PublishPolicy& policy);

/// What stands in the way of a name that is to become an agent's: a zone cut, a child registry, a namespace of that
/// name; or of its namespace: `user/X` and `org/X` are one for admission.
Result<void> check_place(const dns::Name& agent, const PublishPolicy& policy, ZoneEdit& edit,
                         const RegistryState& state);

/// Whether `modified` lies within the clock skew that the policy allows.
Result<void> check_fresh(UnixTime modified, const PublishPolicy& policy, UnixTime now);

}  // namespace steward::change

#include "federation/admit.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "agent/semver.hh"
#include "federation/clock.hh"

namespace steward::federation {
namespace {

using agent::SemanticVersion;

std::string statement_digest(const FeedEntry& entry) {
  return entry.statement ? agent::sha256_text(entry.statement->txt_rdata()) : std::string();
}

/// Whether the feed says that the accepted write lost a conflict.
bool has_lost(const AcceptedWrite& accepted, const WriteSet& set) {
  const FeedEntry& first = set.front();
  const auto is_accepted = [&](const FeedEntry& entry) {
    return entry.write.clock == accepted.clock && statement_digest(entry) == accepted.statement;
  };
  if (std::any_of(set.begin() + 1, set.end(), is_accepted)) return true;
  return !accepted.statement.empty() && compare(first.write.clock, accepted.clock) == ClockOrder::After &&
         std::ranges::find(first.lost, accepted.statement) != first.lost.end();
}

std::optional<RefusalMark> check_floor(const WriteSet& set, const AcceptedWrite& accepted) {
  const FeedEntry& next = set.front();
  if (compare(next.write.clock, accepted.clock) == ClockOrder::Before)
    return RefusalMark{AdmissionRule::Clock,
                       fmt::format("clock {} is before {}, which was accepted", clock_to_text(next.write.clock),
                                   clock_to_text(accepted.clock))};
  if (!next.statement || statement_digest(next) == accepted.statement || has_lost(accepted, set)) return std::nullopt;
  const auto version = SemanticVersion::from_text(next.version());
  const auto floor = SemanticVersion::from_text(accepted.version);
  if (version && floor && *version < *floor)
    return RefusalMark{AdmissionRule::VersionFloor,
                       fmt::format("version {} is below {}, which was accepted and is no conflict's loser",
                                   next.version(), accepted.version)};
  if (next.modified() <= accepted.modified)
    return RefusalMark{
        AdmissionRule::VersionFloor,
        fmt::format("modified {} is not after {}, which was accepted and is no conflict's loser",
                    agent::modified_to_text(next.modified()), agent::modified_to_text(accepted.modified))};
  return std::nullopt;
}

// Also of a tombstone that comes back: there may be any number of those.
std::optional<RefusalMark> check_quota(const FeedEntry& entry, const ChildPolicy& policy, const Holdings& held) {
  if (entry.is_tombstone() || held.is_counted || policy.agents == 0 || held.agents_of_child < policy.agents)
    return std::nullopt;
  return RefusalMark{AdmissionRule::Quota, fmt::format("the child has its {} agents", policy.agents)};
}

std::optional<RefusalMark> check_new(const FeedEntry& entry, const Holdings& held) {
  if (entry.is_tombstone() || held.look_alikes == nullptr) return std::nullopt;
  const auto alike = held.look_alikes->find(as_text(entry.agent.view().first_label()), entry.fingerprint());
  if (!alike) return std::nullopt;
  return RefusalMark{AdmissionRule::LookAlike, fmt::format("looks like {} ({})", alike->name, alike->rule)};
}

}  // namespace

std::string_view to_text(AdmissionRule rule) {
  switch (rule) {
    case AdmissionRule::FirstCome: return "first-come";
    case AdmissionRule::LookAlike: return "look-alike";
    case AdmissionRule::Quota: return "quota";
    case AdmissionRule::VersionFloor: return "version-floor";
    case AdmissionRule::Clock: return "clock";
  }
  return "";
}

AcceptedWrite accepted_write(const FeedEntry& entry) {
  return {std::string(entry.version()), entry.modified(), statement_digest(entry), entry.write.clock};
}

std::optional<RefusalMark> admit(const WriteSet& set, const ChildPolicy& policy, const Holdings& held) {
  if (set.empty()) return std::nullopt;
  if (held.holder) return RefusalMark{AdmissionRule::FirstCome, fmt::format("the name is held by {}", *held.holder)};
  if (auto refused = held.accepted ? check_floor(set, *held.accepted) : check_new(set.front(), held)) return refused;
  return check_quota(set.front(), policy, held);
}

double stated_trust(const FeedEntry& entry, const ChildPolicy& policy) {
  // Down, but not because of what a double cannot hold.
  return std::floor(std::min(entry.trust, policy.trust_ceiling) * 100 + 1e-6) / 100;
}

}  // namespace steward::federation

#include "client/search.hh"

#include <fmt/format.h>

#include <algorithm>

#include "client/names.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::NameView;

/// The highest trust first, what nobody trusts last; then the name, so that the order is the same every time.
bool is_before(const FoundAgent& a, const FoundAgent& b, SortBy sort) {
  switch (sort) {
    case SortBy::Trust:
      if (a.trust != b.trust) return a.trust.value_or(-1) > b.trust.value_or(-1);
      break;
    case SortBy::Latency:
      if (a.latency != b.latency) return a.latency < b.latency;
      break;
    case SortBy::Name: break;
  }
  return std::tie(a.label, a.name) < std::tie(b.label, b.name);
}

/// One that is nearer to the agent's home, and the home before all.
bool is_nearer(const Sighting& a, const Sighting& b) {
  if (a.is_home != b.is_home) return a.is_home;
  return a.registry.size() > b.registry.size();
}

}  // namespace

std::string to_text(Role role) {
  switch (role) {
    case Role::Local: return "local";
    case Role::Parent: return "parent";
    case Role::Root: return "root";
    case Role::Sibling: return "sibling";
  }
  return "sibling";
}

Search::Search(AnswerSource& source, const Name& apex, std::string term, DiscoverOptions options)
    : source_(source), options_(std::move(options)), rules_{.apex = apex, .term = term, .patience = options_.patience} {
  // Pages come with the highest trust first: for that order the first of them are enough.
  if (options_.sort == SortBy::Trust) rules_.enough = options_.limit;
  discovery_.term = std::move(term);
  discovery_.is_complete = true;
}

Discovery Search::run(const Name& local) {
  const size_t top = rules_.apex.view().label_count();
  for (size_t labels = std::max(local.view().label_count(), top);; --labels) {
    const bool is_local = labels == local.view().label_count();
    add(Name(local.view().suffix(labels)), is_local ? Role::Local : labels == top ? Role::Root : Role::Parent);
    if (options_.scope == Scope::Climb) run_all();
    const bool is_enough = options_.scope == Scope::Climb && !agents_.empty();
    if (labels == top || is_enough) break;
  }
  run_all();
  conclude();
  return std::move(discovery_);
}

void Search::add(const Name& zone, Role role) {
  if (added_.size() < max_registries && added_.insert(zone.to_text()).second) running_.emplace_back(zone, role, rules_);
}

/// Stock DNS does not enumerate what a parent delegates; the names of its agents say who their registries are.
void Search::add_siblings(const RegistrySearch& registry) {
  for (const AgentFact& fact : registry.agents()) {
    const auto agent = Name::from_text(fact.agent.name);
    if (!agent) continue;
    for (NameView zone = agent->view().parent(); zone.is_below(rules_.apex); zone = zone.parent())
      add(Name(zone), Role::Sibling);
  }
}

void Search::run_all() {
  while (step()) {
  }
}

/// Asks, waits and takes what comes; false when nobody is left.
bool Search::step() {
  size_t open = 0;
  for (const RegistrySearch& registry : running_) open += registry.open();
  for (RegistrySearch& registry : running_) {
    const size_t before = registry.open();
    registry.start(source_, max_open - std::min(open, max_open));
    open += registry.open() - std::min(before, registry.open());
  }
  bool is_any_done = false;
  auto until = AnswerSource::TimePoint::max();
  for (const RegistrySearch& registry : running_) {
    is_any_done = is_any_done || registry.is_done();
    until = std::min(until, registry.deadline());
  }
  if (!is_any_done && !running_.empty()) {
    for (Arrival& arrival : source_.wait(until))
      for (RegistrySearch& registry : running_)
        if (registry.take(source_, arrival)) break;
    for (RegistrySearch& registry : running_) registry.expire(source_);
  }
  for (auto at = running_.begin(); at != running_.end();) {
    if (!at->is_done()) {
      ++at;
      continue;
    }
    finish(*at);
    at = running_.erase(at);
  }
  return !running_.empty();
}

void Search::finish(const RegistrySearch& registry) {
  if (!registry.pages().is_registry()) return;
  const AskedRegistry asked = registry.asked();
  discovery_.registries.push_back(asked);
  discovery_.is_complete = discovery_.is_complete && registry.is_complete();
  discovery_.about = std::max(discovery_.about, registry.pages().about());
  for (std::string& what : registry.warnings()) discovery_.warnings.push_back({asked.zone, std::move(what)});
  merge(registry);
  if (options_.on_registry) options_.on_registry(asked);
  if (options_.scope == Scope::Federated) add_siblings(registry);
}

void Search::merge(const RegistrySearch& registry) {
  const AskedRegistry asked = registry.asked();
  for (const AgentFact& fact : registry.agents()) {
    const Sighting sighting{asked.zone, fact.trust, fact.is_home, asked.latency};
    const auto [at, is_new] = agents_.emplace(fact.agent.name, fact.agent);
    FoundAgent& agent = at->second;
    if (!is_new && agent.fingerprint != fact.agent.fingerprint)
      discovery_.warnings.push_back(
          {asked.zone, fmt::format("{} has another key there than at {}: verify it before use", agent.name,
                                   agent.found_at.front().registry)});
    const bool is_nearest = is_new || is_nearer(sighting, agent.found_at.front());
    if (!is_new && is_nearest) {
      std::vector<Sighting> before = std::move(agent.found_at);
      agent = fact.agent;
      agent.found_at = std::move(before);
    }
    agent.found_at.push_back(sighting);
    std::sort(agent.found_at.begin(), agent.found_at.end(), is_nearer);
  }
}

void Search::conclude() {
  for (auto& [name, agent] : agents_) {
    agent.latency = std::chrono::microseconds::max();
    agent.self_stated = true;
    for (const Sighting& sighting : agent.found_at) {
      agent.latency = std::min(agent.latency, sighting.latency);
      agent.self_stated = agent.self_stated && sighting.is_home;
      if (sighting.trust) agent.trust = std::min(agent.trust.value_or(1), *sighting.trust);
    }
    agent.self_stated = agent.self_stated && agent.trust.has_value();
    discovery_.agents.push_back(std::move(agent));
  }
  std::sort(discovery_.agents.begin(), discovery_.agents.end(),
            [this](const FoundAgent& a, const FoundAgent& b) { return is_before(a, b, options_.sort); });
  discovery_.about = std::max<uint64_t>(discovery_.about, discovery_.agents.size());
  if (options_.limit == 0 || discovery_.agents.size() <= options_.limit) return;
  discovery_.agents.resize(options_.limit);
  discovery_.is_complete = false;
}

}  // namespace steward::client

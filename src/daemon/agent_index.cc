#include "daemon/agent_index.hh"

namespace steward::daemon {
namespace {

constexpr size_t build_step = 4096;  // entries that are read at once

std::string_view label_of(const dns::Name& agent) { return as_text(agent.view().first_label()); }

}  // namespace

Result<void> AgentIndex::build(const agent::Book& book) {
  *this = AgentIndex();
  std::optional<dns::Name> after;
  while (true) {
    auto entries = book.agents(after, build_step);
    if (!entries) return tl::unexpected<Error>(entries.error());
    for (const auto& [agent, entry] : *entries)
      if (entry.presence != agent::Presence::Gone) change({agent, "", entry.fingerprint, entry.lease_until});
    if (entries->size() < build_step) return {};
    after = entries->back().first;
  }
}

void AgentIndex::change(const change::PublishEffect& effect) {
  Space& space = spaces_[dns::Name(effect.agent.view().parent()).to_text()];
  if (!effect.key_before.empty()) {
    --space.agents;
    --agents_;
    if (const auto key = keys_.find(effect.key_before); key != keys_.end() && --key->second == 0) keys_.erase(key);
    if (effect.key_after.empty()) space.look_alikes.remove(label_of(effect.agent));
  }
  if (!effect.key_after.empty()) {
    ++space.agents;
    ++agents_;
    ++keys_[effect.key_after];
    if (effect.key_after != effect.key_before) space.look_alikes.add(label_of(effect.agent), effect.key_after);
  }
  const std::string name = effect.agent.to_text();
  forget_lease(name);
  // How long its TTLs are is not known here: the first look tells.
  if (effect.lease_until && !effect.key_after.empty()) enter_lease(name, {*effect.lease_until, UnixTime{}});
}

void AgentIndex::forget_lease(const std::string& agent) {
  const auto lease = leases_.find(agent);
  if (lease == leases_.end()) return;
  looks_.erase({lease->second.look, agent});
  leases_.erase(lease);
}

void AgentIndex::enter_lease(const std::string& agent, const Lease& lease) {
  leases_[agent] = lease;
  looks_.emplace(lease.look, agent);
}

void AgentIndex::look_again(const dns::Name& agent, UnixTime when) {
  const std::string name = agent.to_text();
  const auto lease = leases_.find(name);
  if (lease == leases_.end()) return;
  const UnixTime until = lease->second.until;
  forget_lease(name);
  enter_lease(name, {until, when});
}

void AgentIndex::apply(const change::PublishEffect& effect) {
  const auto lease = leases_.find(effect.agent.to_text());
  undo_.push_back({effect, lease != leases_.end() ? std::optional(lease->second.until) : std::nullopt});
  change(effect);
}

void AgentIndex::roll_back() {
  while (!undo_.empty()) {
    const Change done = std::move(undo_.back());
    undo_.pop_back();
    change({done.effect.agent, done.effect.key_after, done.effect.key_before, done.lease_before});
  }
}

uint32_t AgentIndex::agents_of_key(std::string_view fingerprint) const {
  const auto key = keys_.find(std::string(fingerprint));
  return key != keys_.end() ? key->second : 0;
}

uint32_t AgentIndex::agents_of_namespace(const dns::Name& space) const {
  const auto found = spaces_.find(space.to_text());
  return found != spaces_.end() ? found->second.agents : 0;
}

std::optional<UnixTime> AgentIndex::next_look() const {
  return looks_.empty() ? std::nullopt : std::optional(looks_.begin()->first);
}

std::vector<dns::Name> AgentIndex::due(UnixTime now, size_t most) const {
  std::vector<dns::Name> agents;
  for (const auto& [when, agent] : looks_) {
    if (when > now || agents.size() == most) break;
    if (const auto name = dns::Name::from_text(agent)) agents.push_back(*name);
  }
  return agents;
}

size_t AgentIndex::memory() const {
  size_t octets = 0;
  for (const auto& [name, space] : spaces_) octets += space.look_alikes.memory();
  return octets;
}

}  // namespace steward::daemon

// Trust that changes with time alone: each agent is looked at once in an interval, spread over it.
//
// A step reads the book as it is committed, without a transaction, and picks the agents whose number would be another;
// then one edit states these anew and stores where the walk is. Where nobody's number changes, only the latter is
// written. On its way the walk compares the book with the listings, for `health`.

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "change/listing_check.hh"
#include "daemon/registry_zone.hh"
#include "daemon/stored_book.hh"

namespace steward::daemon {
namespace {

constexpr std::string_view sweep_key = "trust-sweep";  // in ZoneTable::Registry

bool is_agents_own(const Error& error) { return error.code != Errc::Io && error.code != Errc::Full; }

}  // namespace

struct RegistryZone::TrustStep {
  TrustSweep sweep;                  ///< as it is after the step
  std::vector<dns::Name> agents;     ///< whose trust is outdated
  std::vector<dns::Name> left_out;   ///< of these, what could not be stated
  uint64_t faults = 0;               ///< agents that are not listed as the book has them
  std::string fault;                 ///< the first of these
};

// Between acquire() and release().
void RegistryZone::read_trust_sweep(const zone::ZoneInfo& zone) {
  const Bytes octets = reader_->table(zone, store::ZoneTable::Registry)->find(as_bytes(sweep_key));
  if (octets.empty()) return;
  auto sweep = TrustSweep::from_octets(octets);
  if (sweep && sweep->after() && !sweep->after()->view().is_below(policy_->zone))
    sweep = fail(Errc::Corrupt, "trust sweep: stands outside of the zone");
  if (!sweep)
    return log::warning("registry.trust", {{"error", sweep.error().what}, {"why", "the walk over the agents begins anew"}});
  trust_.sweep = std::move(*sweep);
}

Result<RegistryZone::TrustStep> RegistryZone::next_trust_step() {
  if (auto acquired = reader_->acquire(); !acquired) return tl::unexpected<Error>(acquired.error());
  const store::ZoneRecord* record = reader_->zone_record(policy_->zone);
  auto step = record != nullptr ? read_trust_step(record->info) : fail(Errc::NotFound, policy_->zone.to_text() + ": nothing is loaded");
  reader_->release();
  return step;
}

// Between acquire() and release().
Result<RegistryZone::TrustStep> RegistryZone::read_trust_step(const zone::ZoneInfo& zone) const {
  const auto entries = StoredBook(*reader_, zone)->agents(trust_.sweep.after(), TrustSweep::most_read);
  if (!entries) return tl::unexpected<Error>(entries.error());
  const auto pages = reader_->table(zone, store::ZoneTable::Pages);
  const auto ranks = reader_->table(zone, store::ZoneTable::Ranks);
  TrustStep step;
  step.sweep = trust_.sweep;
  const UnixTime now = clock_.now();
  uint64_t looked = 0;
  std::optional<dns::Name> last;
  for (const auto& [agent, entry] : *entries) {
    last = agent;
    looked += entry.presence != agent::Presence::Gone ? 1U : 0U;
    if (const std::string fault = change::listing_fault(agent, entry, policy_->zone, *pages, *ranks); !fault.empty()) {
      if (step.faults++ == 0) step.fault = agent.to_text() + ": " + fault;
    }
    // Of an agent that came with the zone file, what the file says stands, unless somebody attested something.
    const bool is_files = (entry.from_file || entry.write.stamp == 0) && entry.facts.empty();
    if (is_files || !agent::is_trust_outdated(entry, policy_->trust, now)) continue;
    step.agents.push_back(agent);
    if (step.agents.size() == trust_.most) break;
  }
  const bool was_last = entries->size() < TrustSweep::most_read && (!last || *last == entries->back().first);
  step.sweep.step(now, policy_->trust_interval, looked, index_.agents(), was_last ? std::nullopt : last);
  return step;
}

Result<void> RegistryZone::write_trust_step(TrustStep& step, Changes& changes) {
  step.left_out.clear();
  for (const dns::Name& agent : step.agents) {
    const auto stated = changes.act(
        [&](change::ZoneEdit& zone, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
          if (auto done = change::restate_trust(agent, {}, *policy_, zone, state, clock_.now()); !done)
            return tl::unexpected<Error>(done.error());
          return std::nullopt;
        });
    if (stated) continue;
    if (!is_agents_own(stated.error())) return stated;
    // Gone since it was read, or its records are not as they should be: the others are not to wait for it.
    log::warning("registry.trust", {{"agent", agent.to_text()}, {"error", stated.error().what}});
    step.left_out.push_back(agent);
  }
  return changes.values().put(as_bytes(sweep_key), step.sweep.to_octets());
}

void RegistryZone::put_trust_off(const std::string& error) {
  trust_.error = error;
  trust_.sweep.put_off(clock_.now());
}

void RegistryZone::end_trust_round(const TrustStep& step) {
  log::info("registry.trust", {{"round", step.sweep.rounds()},
                               {"agents", index_.agents()},
                               {"restated_since_start", trust_.restated},
                               {"not_listed", trust_.faults}});
  trust_.faults_of_round = std::exchange(trust_.faults, 0);
  trust_.fault_of_round = std::exchange(trust_.fault, {});
}

void RegistryZone::end_trust_step(const TrustStep& step, const LoadOutcome& outcome) {
  if (outcome.ok) {
    if (step.faults > 0) log::warning("registry.listings", {{"agents", step.faults}, {"first", step.fault}});
    trust_.faults += step.faults;
    if (trust_.fault.empty()) trust_.fault = step.fault;
    trust_.restated += step.agents.size() - step.left_out.size();
    if (step.sweep.rounds() != trust_.sweep.rounds()) end_trust_round(step);
    trust_.sweep = step.sweep;
    trust_.most = most_restated;
    trust_.error.clear();
    return;
  }
  // The keeper has logged why. Fewer at a time, until the one that spoils it stands alone and is passed over.
  if (trust_.most == 1 && !step.agents.empty()) {
    log::warning("registry.trust", {{"agent", step.agents.front().to_text()}, {"error", outcome.error}, {"passed", "over until the next round"}});
    trust_.sweep = step.sweep;
  }
  trust_.most = std::max<size_t>(1, step.agents.size() / 2);
  put_trust_off(outcome.error);
}

bool RegistryZone::look_at_trust(ZoneKeeper& keeper, const std::function<void()>& after) {
  const auto due = next_trust_look();
  if (!due || *due > clock_.now()) return false;
  auto next = next_trust_step();
  if (!next) {
    log::error("registry.trust", {{"zone", policy_->zone.to_text()}, {"error", next.error().what}});
    put_trust_off(next.error().what);
    after();
    return true;
  }
  const auto step = std::make_shared<TrustStep>(std::move(*next));
  change(keeper, [this, step](Changes& changes) { return write_trust_step(*step, changes); },
         [this, step, after](const LoadOutcome& outcome) {
           end_trust_step(*step, outcome);
           after();
         });
  return true;
}

RegistryZone::TrustFigures RegistryZone::trust_figures() const {
  TrustFigures figures{trust_.restated, trust_.sweep.looked(), trust_.sweep.rounds(), trust_.error,
                       trust_.faults_of_round, trust_.fault_of_round};
  if (trust_.faults > 0) {
    figures.faults = std::max(trust_.faults, trust_.faults_of_round);
    figures.fault = trust_.fault;
  }
  return figures;
}

}  // namespace steward::daemon

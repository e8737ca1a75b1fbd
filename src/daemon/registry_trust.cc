// Trust that changes with time alone: each agent is looked at once in an interval, spread over it.
//
// A step reads the book as it is committed, without a transaction, and picks the agents whose number would be another;
// then one edit states these anew and stores where the walk is. Where nobody's number changes, only the latter is
// written. An agent without the registry's statement, learned from a zone file by a version that made none, gets one.
//
// On its way the walk compares the book with the listings, for `health`. Another one goes over the listings, as far a step
// as the first goes in the book, finds what stands there of agents that neither the book nor the children's feeds have so,
// and takes it away.

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "change/listing_check.hh"
#include "change/stray_listings.hh"
#include "daemon/registry_zone.hh"
#include "daemon/stored_book.hh"
#include "federation/referral.hh"

namespace steward::daemon {
namespace {

constexpr std::string_view sweep_key = "trust-sweep";      // in ZoneTable::Registry
constexpr size_t most_places = 8 * TrustSweep::most_read;  // of listings that one step looks at: about as many as its agents have
constexpr size_t most_struck = 64;                         // in one edit

bool is_files_own(const agent::AgentEntry& entry) { return entry.from_file || entry.write.stamp == 0; }

/// How an agent is to be found, as the book or the feed of its registry has it.
struct WantedListing {
  std::optional<change::FoundAgent> found;
  bool is_files = false;  ///< the sets of its namespace are the zone file's

  [[nodiscard]] bool makes_stray(const change::ListingPlace& place, const dns::Name& zone) const {
    return !(place.set && is_files) && change::is_stray(place, found, zone);
  }
};

Result<WantedListing> wanted_of(const agent::Book& book, const federation::Referrals& referrals, const dns::Name& agent) {
  const auto entry = book.find(agent);
  if (!entry) return tl::unexpected<Error>(entry.error());
  if (*entry)
    if (auto found = change::found_agent(agent, **entry)) return WantedListing{std::move(found), is_files_own(**entry)};
  const auto referral = referrals.find(agent);
  if (!referral) return tl::unexpected<Error>(referral.error());
  return WantedListing{federation::found_referral(agent, *referral)};
}

bool has_registry_statement(const store::Reader& reader, const zone::ZoneInfo& zone, const dns::Name& agent) {
  const auto owner = agent.child(as_bytes("_registry"));
  if (!owner) return true;
  const zone::NodeView node = reader.find(zone, *owner);
  return node && (node.find(dns::RrType::TXT) || node.find(dns::RrType::CNAME));
}

std::string text_of(const change::ListingPlace& stray) { return stray.agent.to_text() + ": at " + stray.owner(); }

bool is_agents_own(const Error& error) { return error.code != Errc::Io && error.code != Errc::Full; }

}  // namespace

struct RegistryZone::TrustStep {
  TrustSweep sweep;                  ///< as it is after the step
  std::vector<dns::Name> agents;     ///< whose trust is outdated
  std::vector<dns::Name> unstated;   ///< without the registry's statement
  std::vector<dns::Name> left_out;   ///< of both, what could not be stated
  [[nodiscard]] size_t size() const { return agents.size() + unstated.size(); }
  uint64_t faults = 0;               ///< agents that are not listed as the book has them
  std::string fault;                 ///< the first of these
  change::ListingWalk listings;              ///< as it is after the step
  bool ends_listings = false;                ///< all of them were looked at
  std::vector<change::ListingPlace> strays;  ///< that were found
  std::vector<change::ListingPlace> struck;  ///< of these, what was taken away
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
    if (entry.presence != agent::Presence::Gone && !has_registry_statement(*reader_, zone, agent)) step.unstated.push_back(agent);
    if (step.size() == trust_.most) break;
    // Of an agent that came with the zone file, what the file says stands, unless somebody attested something.
    const bool is_files = is_files_own(entry) && entry.facts.empty();
    if (is_files || !agent::is_trust_outdated(entry, policy_->trust, now)) continue;
    step.agents.push_back(agent);
    if (step.size() == trust_.most) break;
  }
  if (auto done = read_listings(zone, step); !done) return tl::unexpected<Error>(done.error());
  const bool was_last = entries->size() < TrustSweep::most_read && (!last || *last == entries->back().first);
  step.sweep.step(now, policy_->trust_interval, looked, index_.agents(), was_last ? std::nullopt : last);
  return step;
}

// Between acquire() and release().
Result<void> RegistryZone::read_listings(const zone::ZoneInfo& zone, TrustStep& step) const {
  const auto pages = reader_->table(zone, store::ZoneTable::Pages);
  const auto ranks = reader_->table(zone, store::ZoneTable::Ranks);
  const auto referrals = reader_->table(zone, store::ZoneTable::Referrals);
  const StoredBook book(*reader_, zone);
  const federation::Referrals rows(policy_->zone, *referrals);
  step.listings = trust_.listings;
  for (size_t looked = 0; looked < most_places && step.strays.size() < most_struck; ++looked) {
    const auto places = change::next_places(*pages, *ranks, policy_->zone, step.listings);
    if (!places) {
      if (step.faults++ == 0) step.fault = places.error().what;
      continue;
    }
    if (!*places) {
      step.ends_listings = true;
      return {};
    }
    looked += (*places)->size();
    for (const change::ListingPlace& place : **places) {
      const auto wanted = wanted_of(*book, rows, place.agent);
      if (!wanted) return tl::unexpected<Error>(wanted.error());
      if (wanted->makes_stray(place, policy_->zone)) step.strays.push_back(place);
    }
  }
  return {};
}

// What was committed before this edit may have mended it, so each is looked at again.
Result<void> RegistryZone::strike_strays(TrustStep& step, Changes& changes) const {
  step.struck.clear();
  const federation::Referrals rows(policy_->zone, changes.referrals());
  for (const change::ListingPlace& stray : step.strays) {
    const auto wanted = wanted_of(changes.book(), rows, stray.agent);
    if (!wanted) return tl::unexpected<Error>(wanted.error());
    if (!wanted->makes_stray(stray, policy_->zone)) continue;
    auto struck = changes.act([&](change::ZoneEdit& edit, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
      if (auto done = change::strike_stray(edit, state.pages, state.ranks, policy_->zone, stray, wanted->found); !done)
        return tl::unexpected<Error>(done.error());
      return std::nullopt;
    });
    if (struck)
      step.struck.push_back(stray);
    else if (!is_agents_own(struck.error()))
      return struck;
    else
      log::warning("registry.listings", {{"stray", text_of(stray)}, {"error", struck.error().what}});
  }
  return {};
}

// Of an agent that came with the zone file, as learn() states it.
Result<std::optional<change::PublishEffect>> RegistryZone::state_again(const dns::Name& agent, change::ZoneEdit& zone, change::RegistryState& state) const {
  const auto held = state.book.find(agent);
  if (!held) return tl::unexpected<Error>(held.error());
  if (!*held || (*held)->presence == agent::Presence::Gone) return std::nullopt;
  agent::AgentEntry entry = **held;
  if (!is_files_own(entry)) {
    if (auto done = change::restate_trust(agent, {}, *policy_, zone, state, clock_.now()); !done) return tl::unexpected<Error>(done.error());
    return std::nullopt;
  }
  if (entry.write.stamp == 0) {
    auto write = agent::next_write(entry.write, policy_->replica, clock_.now(), policy_->clock_skew);
    if (!write) return tl::unexpected<Error>(write.error());
    entry.write = *std::move(write);
    entry.from_file = true;
  }
  if (auto stated = state_learned(agent, entry, zone, state); !stated) return tl::unexpected<Error>(stated.error());
  if (auto put = state.book.put(agent, entry); !put) return tl::unexpected<Error>(put.error());
  return std::nullopt;
}

Result<void> RegistryZone::write_trust_step(TrustStep& step, Changes& changes) {
  step.left_out.clear();
  for (const dns::Name& agent : step.unstated) {
    auto stated = changes.act([&](change::ZoneEdit& zone, change::RegistryState& state) { return state_again(agent, zone, state); });
    if (stated) continue;
    if (!is_agents_own(stated.error())) return stated;
    log::warning("registry.trust", {{"agent", agent.to_text()}, {"error", stated.error().what}});
    step.left_out.push_back(agent);
  }
  for (const dns::Name& agent : step.agents) {
    auto stated = changes.act(
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
  if (auto done = strike_strays(step, changes); !done) return done;
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

void RegistryZone::end_listings_step(const TrustStep& step) {
  for (const change::ListingPlace& stray : step.struck)
    log::warning("registry.listings", {{"stray", text_of(stray)}, {"book", "does not have it so"}, {"done", "taken out of the listing"}});
  if (trust_.struck == 0 && !step.struck.empty()) trust_.stray = text_of(step.struck.front());
  trust_.struck += step.struck.size();
  trust_.listings = step.listings;
  if (!step.ends_listings) return;
  trust_.struck_of_round = std::exchange(trust_.struck, 0);
  trust_.stray_of_round = std::exchange(trust_.stray, {});
}

void RegistryZone::end_trust_step(const TrustStep& step, const LoadOutcome& outcome) {
  if (outcome.ok) {
    if (step.faults > 0) log::warning("registry.listings", {{"agents", step.faults}, {"first", step.fault}});
    trust_.faults += step.faults;
    if (trust_.fault.empty()) trust_.fault = step.fault;
    trust_.restated += step.size() - step.left_out.size();
    if (step.sweep.rounds() != trust_.sweep.rounds()) end_trust_round(step);
    end_listings_step(step);
    trust_.sweep = step.sweep;
    trust_.most = most_restated;
    trust_.error.clear();
    return;
  }
  // The keeper has logged why. Fewer at a time, until the one that spoils it stands alone and is passed over.
  if (trust_.most == 1 && step.size() > 0) {
    const dns::Name& agent = step.agents.empty() ? step.unstated.front() : step.agents.front();
    log::warning("registry.trust", {{"agent", agent.to_text()}, {"error", outcome.error}, {"passed", "over until the next round"}});
    trust_.sweep = step.sweep;
  }
  if (trust_.most == 1) trust_.listings = step.listings;
  trust_.most = std::max<size_t>(1, step.size() / 2);
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
                       trust_.faults_of_round, trust_.fault_of_round, trust_.struck_of_round, trust_.stray_of_round};
  if (trust_.struck > 0) {
    figures.strays = std::max(trust_.struck, trust_.struck_of_round);
    figures.stray = trust_.stray;
  }
  if (trust_.faults > 0) {
    figures.faults = std::max(trust_.faults, trust_.faults_of_round);
    figures.fault = trust_.fault;
  }
  return figures;
}

}  // namespace steward::daemon

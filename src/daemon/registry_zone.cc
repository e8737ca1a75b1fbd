#include "daemon/registry_zone.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hh"
#include "change/lease.hh"
#include "daemon/stored_book.hh"
#include "federation/referral.hh"

namespace steward::daemon {
namespace {

constexpr size_t most_looks = 500;  // leases in one transaction
constexpr Seconds look_again_after{60};  // of what failed
constexpr size_t most_rows = 8192;  // of a table that are held back

// Names that listings make below a namespace, and finding below the zone (steward-records(7), "For others" and
// "finding").
constexpr std::string_view derived_names[] = {"_a2a._tcp",      "_mcp._tcp",     "_agent._tcp",
                                              "_index._agents", "_find._agents", "_ref._agents",
                                              "_discover._agents"};

}  // namespace

RegistryZone::RegistryZone(std::shared_ptr<const change::PublishPolicy> policy,
                           std::shared_ptr<const crypto::KeyPair> custody, std::unique_ptr<store::Reader> reader,
                           const Clock& clock)
    : policy_(std::move(policy)), custody_(std::move(custody)), reader_(std::move(reader)), clock_(clock) {}

Result<void> RegistryZone::open() {
  const uint64_t began_ns = clock_.monotonic_ns();
  if (auto acquired = reader_->acquire(); !acquired) return acquired;
  Result<void> built;
  trust_.sweep = {};
  if (const store::ZoneRecord* record = reader_->zone_record(policy_->zone)) {
    if (built = index_.build(*StoredBook(*reader_, record->info)); built) read_trust_sweep(record->info);
    if (built) built = build_referred(*record);
  }
  reader_->release();
  trust_.sweep.resume(clock_.now());
  is_open_ = built.has_value();
  count_publishers();
  if (!built) return fail("book of " + policy_->zone.to_text(), built.error());
  log::info("registry", {{"zone", policy_->zone.to_text()},
                         {"replica", policy_->replica},
                         {"agents", index_.agents()},
                         {"leases", index_.leases()},
                         {"referred", referred_.agents()},
                         {"ms", (clock_.monotonic_ns() - began_ns) / 1'000'000}});
  return {};
}

Result<void> RegistryZone::build_referred(const store::ZoneRecord& record) {
  referred_ = AgentIndex();
  const auto table = reader_->table(record.info, store::ZoneTable::Referrals);
  const federation::Referrals rows(policy_->zone, *table);
  const auto children = rows.children();
  if (!children) return tl::unexpected<Error>(children.error());
  for (const dns::Name& child : *children)
    for (Bytes at;;) {
      auto row = rows.next(child, at);
      if (!row) return tl::unexpected<Error>(row.error());
      if (!*row) break;
      at = std::move((*row)->key);
      if (std::string key = federation::key_held((*row)->referral); !key.empty())
        referred_.apply({(*row)->agent, "", std::move(key), {}});
      referred_.keep();
    }
  return {};
}

void RegistryZone::count_publishers() {
  publishers_change_ = false;
  if (!reader_->acquire()) return;
  if (const store::ZoneRecord* record = reader_->zone_record(policy_->zone))
    publishers_ = StoredBook(*reader_, record->info)->publishers().size();
  reader_->release();
}

void RegistryZone::end(bool committed) {
  committed ? index_.keep() : index_.roll_back();
  if (committed && publishers_change_) count_publishers();
  publishers_change_ = false;
}

// One agent's lease: over, or near enough to its end for shorter TTLs.
Result<RegistryZone::Look> RegistryZone::look_at_lease(const dns::Name& agent, Changes& changes) const {
  const UnixTime now = clock_.now();
  const auto entry = changes.book().find(agent);
  if (!entry) return tl::unexpected<Error>(entry.error());
  if (!*entry || !(*entry)->lease_until) return Look{agent, false, now + std::chrono::hours(1)};
  Look look{agent, *(*entry)->lease_until <= now, {}};
  const auto done = changes.act(
      [&](change::ZoneEdit& edit, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
        if (!look.is_over) {
          look.again = change::shorten_ttls(agent, **entry, edit, now);
          return std::nullopt;
        }
        auto effect = change::expire_agent(agent, *policy_, edit, state, now);
        if (!effect) return tl::unexpected<Error>(effect.error());
        return std::optional(std::move(*effect));
      });
  if (!done) return tl::unexpected<Error>(done.error());
  // A TTL that is shorter is told of, but no change of the book's.
  changes.note(agent);
  return look;
}

bool RegistryZone::look_at_leases(ZoneKeeper& keeper, const std::function<void()>& after) {
  const auto agents = index_.due(clock_.now(), most_looks);
  if (agents.empty()) return false;
  const auto looks = std::make_shared<std::vector<Look>>();
  const auto look_at_all = [this, agents, looks](Changes& changes) -> Result<void> {
    looks->clear();
    for (const dns::Name& agent : agents) {
      auto look = look_at_lease(agent, changes);
      if (!look) return fail("lease of " + agent.to_text(), look.error());
      looks->push_back(std::move(*look));
    }
    return {};
  };
  change(keeper, look_at_all, [this, looks, agents, after](const LoadOutcome& outcome) {
    for (const Look& look : *looks) {
      if (!outcome.ok) continue;
      if (look.is_over)
        log::info("agent.expired", {{"agent", look.agent.to_text()}, {"serial", outcome.serial}});
      else
        index_.look_again(look.agent, look.again);
    }
    // The keeper has logged why.
    if (!outcome.ok)
      for (const dns::Name& agent : agents) index_.look_again(agent, clock_.now() + look_again_after);
    after();
  });
  return true;
}

RegistryZone::Changes::Changes(RegistryZone& registry, change::ZoneEdit& edit, ZoneTables& tables)
    : registry_(registry),
      edit_(edit),
      agents_(tables[store::ZoneTable::Agents]),
      history_(tables[store::ZoneTable::History]),
      publishers_(tables[store::ZoneTable::Publishers]),
      ranks_(tables[store::ZoneTable::Ranks]),
      pages_(tables[store::ZoneTable::Pages]),
      values_(tables[store::ZoneTable::Registry]),
      referrals_(tables[store::ZoneTable::Referrals]),
      book_(registry.zone(), agents_, history_, publishers_),
      state_{
          book_,
          ranks_,
          pages_,
          [&index = registry.index_](const dns::Name& space) -> agent::LookAlikes& { return index.look_alikes(space); },
          [&index = registry.index_](std::string_view fingerprint) { return index.agents_of_key(fingerprint); },
          [&index = registry.index_](const dns::Name& space) { return index.agents_of_namespace(space); },
          registry.custody_} {}

// What was done to the tables stays or goes with what was done to the records.
Result<void> RegistryZone::Changes::settle(bool stays, const std::optional<change::PublishEffect>& effect) {
  if (stays) note_puts();
  if (stays && !publishers_.is_unchanged()) registry_.publishers_change_ = true;
  for (zone::TableOverlay* table : {&agents_, &history_, &publishers_, &ranks_, &pages_}) {
    stays ? table->keep() : table->drop();
    if (table->size() <= most_rows) continue;
    if (auto written = table->write_down(); !written) return written;
  }
  if (stays && effect) registry_.index_.apply(*effect);
  return {};
}

Result<void> RegistryZone::Changes::write_down() {
  for (zone::TableOverlay* table : {&agents_, &history_, &publishers_, &ranks_, &pages_})
    if (auto written = table->write_down(); !written) return written;
  return {};
}

change::PublishOutcome RegistryZone::Changes::publish(const change::UpdateRequest& request,
                                                      const change::CheckedPublish& checked,
                                                      const change::PublishPolicy& policy,
                                                      const config::UpdateLimits& limits) {
  change::PublishOutcome outcome =
      change::admit_publish(request, checked, policy, limits, edit_, state_, registry_.clock_.now());
  if (outcome.update.done() && outcome.granted) change::lengthen_ttls(checked.agent, request, *outcome.granted, edit_);
  if (auto settled = settle(outcome.update.done(), outcome.effect); !settled) {
    edit_.roll_back();
    outcome.update = change::refused_update(dns::Rcode::SERVFAIL, change::UpdateEde::Other, settled.error().what);
    outcome.effect.reset();
    outcome.granted.reset();
  }
  return outcome;
}

Result<void> RegistryZone::Changes::act(const Act& act) {
  edit_.set_savepoint();
  const auto effect = act(edit_, state_);
  if (!effect) edit_.roll_back();
  const auto settled = settle(effect.has_value(), effect ? *effect : std::nullopt);
  return effect ? settled : tl::unexpected<Error>(effect.error());
}

std::optional<dns::Name> RegistryZone::Changes::agent_above(dns::NameView owner) const {
  const change::PublishPolicy& policy = *registry_.policy_;
  for (dns::NameView at = owner; at.is_below(policy.zone); at = at.parent()) {
    const dns::Name name = dns::Name(at).folded();
    if (!policy.namespace_of(name)) continue;
    if (const auto entry = book_.find(name); entry && *entry) return name;
  }
  return std::nullopt;
}

bool RegistryZone::Changes::is_derived(dns::NameView owner) const {
  const dns::Name& zone = registry_.policy_->zone;
  for (dns::NameView at = owner; at.is_below(zone); at = at.parent()) {
    // Two labels, then the namespace.
    const dns::NameView space = at.parent().parent();
    if (!space.is_at_or_below(zone)) continue;
    for (const std::string_view derived : derived_names)
      if (const auto full = dns::Name::from_text(derived, space); full && *full == at) return true;
  }
  return false;
}

change::UpdateOutcome RegistryZone::Changes::update(const change::UpdateRequest& request,
                                                    const change::UpdatePolicy& policy,
                                                    const change::UpdateSender& sender,
                                                    const config::UpdateLimits& limits) {
  std::vector<dns::Name> agents;
  for (const change::UpdateRecord& record : request.updates) {
    if (!record.owner.is_at_or_below(registry_.zone())) continue;
    const auto agent = agent_above(record.owner);
    if (agent && std::ranges::find(agents, *agent) == agents.end()) agents.push_back(*agent);
    if (!policy.names_explicitly(sender, record.owner) && (agent || is_derived(record.owner)))
      return change::refused_update(
          dns::Rcode::REFUSED, change::UpdateEde::Prohibited,
          fmt::format(
              "{} is an agent's or made from agents: it is changed by publishing, or by a row of allow-update that "
              "lists names",
              record.owner.to_text()));
  }
  change::UpdateOutcome outcome = change::evaluate_update(request, policy, sender, limits, edit_);
  if (!outcome.done() || !outcome.changed) return outcome;
  for (const dns::Name& agent : agents)
    if (auto counted = count_write(agent); !counted) {
      edit_.roll_back();
      (void)settle(false, {});
      return change::refused_update(dns::Rcode::SERVFAIL, change::UpdateEde::Other, counted.error().what);
    }
  if (auto settled = settle(true, {}); !settled) {
    edit_.roll_back();
    return change::refused_update(dns::Rcode::SERVFAIL, change::UpdateEde::Other, settled.error().what);
  }
  return outcome;
}

}  // namespace steward::daemon

// What the registry does to an agent by itself.

#include <fmt/format.h>

#include <algorithm>

#include "change/publish_names.hh"
#include "change/publish_rows.hh"
#include "change/publish_rules.hh"
#include "change/publish_write.hh"

namespace steward::change {
namespace {

using agent::AgentEntry;
using agent::AgentStatus;
using agent::Presence;
using agent::PublishedRecord;

tl::unexpected<Error> refused(const dns::Name& agent, std::string_view rule) {
  return fail(Errc::Refused, fmt::format("{}: {}", agent.to_text(), rule));
}

/// An agent as it is, for an act upon it.
struct Subject {
  AgentNames names;
  AgentRows rows;
  AgentEntry entry;
  std::optional<ListedAgent> listed;
};

/// One whose records are served.
Result<Subject> served_agent(const dns::Name& agent, ZoneEdit& edit, const RegistryState& state) {
  AgentNames names(agent);
  auto entry = state.book.find(names.agent);
  if (!entry) return tl::unexpected(entry.error());
  if (!*entry) return fail(Errc::NotFound, fmt::format("{}: no such agent", names.agent.to_text()));
  if ((*entry)->presence == Presence::Gone) return refused(names.agent, "is gone, its name stays reserved");
  AgentRows rows = read_rows(edit, names);
  auto listed = listed_agent(names, **entry, rows);
  return Subject{std::move(names), std::move(rows), *std::move(*entry), std::move(listed)};
}

PublishEffect same_key(const Subject& subject) {
  return {subject.names.agent, subject.entry.fingerprint, subject.entry.fingerprint, subject.entry.lease_until};
}

/// All or nothing of the edit.
template <class Act>
auto undone_if_refused(ZoneEdit& edit, const Act& act) {
  edit.set_savepoint();
  auto done = act();
  if (!done) edit.roll_back();
  return done;
}

void remove_rows(ZoneEdit& edit, const AgentNames& names) {
  for (const RrType type : {RrType::TXT, RrType::KEY, RrType::SRV, RrType::SVCB}) edit.remove_rrset(names.agent, type);
  edit.remove_rrset(names.manifest, RrType::TXT);
}

Result<PublishEffect> suspend(const dns::Name& agent, std::optional<std::string> reason, const PublishPolicy& policy,
                              ZoneEdit& edit, RegistryState& state, UnixTime now) {
  auto subject = served_agent(agent, edit, state);
  if (!subject) return tl::unexpected(subject.error());
  AgentEntry& entry = subject->entry;
  if (!reason && !entry.suspended) return refused(subject->names.agent, "is not suspended");
  if (reason && entry.suspended == reason)
    return refused(subject->names.agent, "is suspended already, for this reason");
  agent::HistoryEntry what = history_of(reason ? "suspend" : "restore", entry, now);
  what.reason = reason.value_or("");
  entry.suspended = std::move(reason);
  AgentWriter writer(subject->names, policy, edit, state, now);
  if (auto done = writer.write(entry, subject->listed, std::move(what)); !done) return tl::unexpected(done.error());
  return same_key(*subject);
}

Result<PublishEffect> expire(const dns::Name& agent, const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state,
                             UnixTime now) {
  auto subject = served_agent(agent, edit, state);
  if (!subject) return tl::unexpected(subject.error());
  AgentEntry& entry = subject->entry;
  if (!entry.lease_until) return refused(subject->names.agent, "has no lease");
  if (*entry.lease_until > now)
    return refused(subject->names.agent, "its lease runs until " + agent::modified_to_text(*entry.lease_until));
  entry.presence = Presence::Gone;
  entry.lease_until.reset();
  entry.kept_rotations = subject->rows.rotations;
  if (!entry.kept_rotations.empty()) entry.kept_keys = subject->rows.key;
  remove_rows(edit, subject->names);
  edit.remove_rrset(subject->names.keys, RrType::TXT);
  AgentWriter writer(subject->names, policy, edit, state, now);
  if (auto done = writer.write(entry, subject->listed, history_of("expire", entry, now)); !done)
    return tl::unexpected(done.error());
  return PublishEffect{subject->names.agent, entry.fingerprint, {}, {}};
}

/// What make_publication() made for this name; its statement. The signature is our own of a moment ago, and is not
/// checked.
Result<agent::Statement> statement_of(std::span<const PublishedRecord> records, const AgentNames& names,
                                      const RegistryState& state) {
  if (!state.custody) return refused(names.agent, "the registry has no custodial key at hand");
  const auto print = state.custody->public_key().fingerprint();
  if (!print) return tl::unexpected(print.error());
  const PublishedRecord* found = nullptr;
  bool has_key = false;
  for (const PublishedRecord& record : records) {
    const bool at_agent = record.owner == names.agent;
    if (!at_agent && !(record.owner == names.manifest && record.type == RrType::TXT))
      return refused(names.agent, "an import has records of the agent and of its _manifest alone");
    if (at_agent && record.type == RrType::TXT) found = &record;
    if (at_agent && record.type == RrType::KEY)
      has_key |= record.rdata == state.custody->public_key().dnskey_rdata(agent::publisher_key_flags);
  }
  if (found == nullptr) return refused(names.agent, "no statement among the records");
  auto statement = agent::Statement::from_txt(found->rdata);
  if (!statement) return statement;
  if (!has_key || *print != statement->fingerprint())
    return refused(names.agent, "is not signed with the custodial key");
  return statement;
}

/// Whether the registry may speak for this name: a new one, or one that is in its custody, also with another custodial
/// key than before.
Result<void> check_custody(const HeldAgent& held, const AgentNames& names, const PublishPolicy& policy, ZoneEdit& edit,
                           const RegistryState& state, const AgentRows& rows) {
  if (held.is_served())
    return held.entry->custodial ? Result<void>{}
                                 : refused(names.agent, "is its publisher's, not in the registry's custody");
  if (held.entry && !held.entry->custodial) return refused(names.agent, "its name is reserved for its publisher");
  if (!rows.is_empty()) return refused(names.agent, "has records that are no agent's");
  return check_place(names.agent, policy, edit, state);
}

AgentEntry imported_entry(const HeldAgent& held, const agent::Statement& statement, const AgentEntry& facts,
                          const AgentRows& before, const AgentRows& rows, UnixTime now) {
  AgentEntry entry = held.entry.value_or(AgentEntry{});
  remember_revocation(entry, held, before);
  if (!held.is_in_book) entry.first_published = now;
  entry.version = statement.version();
  entry.modified = statement.modified();
  entry.fingerprint = statement.fingerprint();
  entry.status = statement.status();
  entry.presence = entry.status == AgentStatus::Withdrawn || entry.status == AgentStatus::Revoked ? Presence::Tombstone
                                                                                                  : Presence::Live;
  entry.custodial = true;
  entry.capabilities = statement.capabilities();
  entry.protocols = protocols_of(rows);
  std::erase_if(entry.facts, [](const auto& fact) { return fact.second.claimed; });
  // What the registry has from others stands above what the manifest claims.
  for (const auto& [name, fact] : facts.facts)
    fact.claimed ? entry.facts.try_emplace(name, fact) : entry.facts.insert_or_assign(name, fact);
  return entry;
}

Result<PublishEffect> import(const dns::Name& agent, std::span<const PublishedRecord> records, const AgentEntry& facts,
                             const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state, UnixTime now) {
  const AgentNames names(agent);
  if (auto sound = check_agent_name(names.agent, policy); !sound) return tl::unexpected(sound.error());
  const auto statement = statement_of(records, names, state);
  if (!statement) return tl::unexpected(statement.error());
  const AgentRows before = read_rows(edit, names);
  const auto held = find_held(names, before, state.book);
  if (!held) return tl::unexpected(held.error());
  if (auto may = check_custody(*held, names, policy, edit, state, before); !may) return tl::unexpected(may.error());
  if (auto above = check_floor(*held, *statement); !above) return tl::unexpected(above.error());
  const auto listed = held->is_in_book ? listed_agent(names, *held->entry, before) : std::nullopt;

  remove_rows(edit, names);
  for (const PublishedRecord& record : records) edit.add(record.owner, record.type, record.ttl, record.rdata);
  const AgentRows after = read_rows(edit, names);
  if (auto sound = check_rows(names, after, *statement); !sound) return tl::unexpected(sound.error());
  AgentEntry entry = imported_entry(*held, *statement, facts, before, after, now);
  const std::string label(as_text(names.agent.view().first_label()));
  // The operator imports what others named: a look-alike is marked, not left out.
  if (!held->is_served())
    entry.looks_alike = state.look_alikes(names.agent.view().parent()).find(label, entry.fingerprint).has_value();
  AgentWriter writer(names, policy, edit, state, now);
  if (auto done = writer.write(entry, listed, history_of("import", "registry", *statement, now)); !done)
    return tl::unexpected(done.error());
  return PublishEffect{names.agent, held->is_in_book && held->is_served() ? held->entry->fingerprint : std::string(),
                       entry.fingerprint, entry.lease_until};
}

Result<void> restate(const dns::Name& agent, const std::map<std::string, agent::TrustFact>& facts,
                     const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state, UnixTime now) {
  auto subject = served_agent(agent, edit, state);
  if (!subject) return tl::unexpected(subject.error());
  for (const auto& [name, fact] : facts) subject->entry.facts.insert_or_assign(name, fact);
  AgentWriter writer(subject->names, policy, edit, state, now);
  return writer.write_trust(subject->entry, subject->listed, !facts.empty());
}

}  // namespace

void state_learned(const dns::Name& agent, agent::AgentEntry& entry, const std::optional<agent::AgentEntry>& before,
                   const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state, UnixTime now) {
  const AgentNames names(agent);
  AgentWriter(names, policy, edit, state, now).state_learned(entry, before);
}

Result<PublishEffect> suspend_agent(const dns::Name& agent, std::optional<std::string> reason,
                                    const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state, UnixTime now) {
  return undone_if_refused(edit, [&] { return suspend(agent, std::move(reason), policy, edit, state, now); });
}

Result<PublishEffect> expire_agent(const dns::Name& agent, const PublishPolicy& policy, ZoneEdit& edit,
                                   RegistryState& state, UnixTime now) {
  return undone_if_refused(edit, [&] { return expire(agent, policy, edit, state, now); });
}

Result<PublishEffect> import_agent(const dns::Name& agent, std::span<const PublishedRecord> records,
                                   const AgentEntry& facts, const PublishPolicy& policy, ZoneEdit& edit,
                                   RegistryState& state, UnixTime now) {
  return undone_if_refused(edit, [&] { return import(agent, records, facts, policy, edit, state, now); });
}

Result<void> restate_trust(const dns::Name& agent, const std::map<std::string, agent::TrustFact>& facts,
                           const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state, UnixTime now) {
  return undone_if_refused(edit, [&] { return restate(agent, facts, policy, edit, state, now); });
}

}  // namespace steward::change

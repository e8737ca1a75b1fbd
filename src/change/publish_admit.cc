// A publish decided by what is held, and applied. The updates are applied first, whatever their form, and what results
// is judged: so that the rules are about records and not about the ways in which a message can say them.

#include <fmt/format.h>

#include <algorithm>

#include "change/lease.hh"
#include "change/publish_names.hh"
#include "change/publish_rows.hh"
#include "change/publish_rules.hh"
#include "change/publish_write.hh"

namespace steward::change {
namespace {

using agent::AgentEntry;
using agent::AgentStatus;
using agent::Presence;
using agent::Rotation;

uint32_t clamp_seconds(uint32_t wanted, Seconds least, Seconds most) {
  return static_cast<uint32_t>(std::clamp<int64_t>(wanted, least.count(), std::max(least, most).count()));
}

// RFC 9664 §4: the server says what it grants; a KEY's lease is never shorter than the others'.
UpdateLease granted_lease(const UpdateLease& wanted, const PublishPolicy& policy) {
  UpdateLease granted;
  granted.lease = clamp_seconds(wanted.lease, policy.min_lease, policy.max_lease);
  if (wanted.key_lease != 0)
    granted.key_lease =
        clamp_seconds(std::max(wanted.key_lease, granted.lease), policy.min_lease, policy.max_key_lease);
  return granted;
}

void set_lease(AgentEntry& entry, const UpdateLease& granted, UnixTime now) {
  entry.lease_until = now + Seconds(granted.lease);
  entry.key_lease_until = now + Seconds(std::max(granted.lease, granted.key_lease));
}

std::string print_of(const Bytes& key_rdata) {
  const auto key = agent::PublisherKey::from_rdata(key_rdata);
  return key ? key->fingerprint() : std::string();
}

bool has_key(const std::vector<Bytes>& keys, std::string_view print) {
  return std::ranges::any_of(keys, [&](const Bytes& rdata) { return print_of(rdata) == print; });
}

class Admission {
 public:
  Admission(const UpdateRequest& request, const CheckedPublish& checked, const PublishPolicy& policy, ZoneEdit& edit,
            RegistryState& state, UnixTime now)
      : request_(request),
        checked_(checked),
        policy_(policy),
        edit_(edit),
        state_(state),
        now_(now),
        names_(checked.agent) {}

  PublishOutcome run(const config::UpdateLimits& limits) {
    if (auto ready = prepare(); !ready) return refused(ready.error());
    // Types that only a signer makes are none that a publish may name.
    const UpdatePolicy any({}, true);
    UpdateOutcome applied = apply_updates(request_, any, limits, edit_);
    if (!applied.done()) return {in_one_line(std::move(applied)), {}, {}};
    if (auto settled = settle(); !settled) return refused(settled.error());
    const AgentRows after = read_rows(edit_, names_);
    if (after.same_records(before_) && held_.is_served()) return repeated();
    if (auto may = judge(after); !may) return refused(may.error());
    auto outcome = enter(after);
    if (!outcome) return refused(outcome.error());
    outcome->update = std::move(applied);
    outcome->update.changed = true;
    return *std::move(outcome);
  }

 private:
  static PublishOutcome refused(const Error& error) { return {refuse(error), {}, {}}; }

  [[nodiscard]] bool is_new() const { return !held_.is_served(); }
  [[nodiscard]] bool is_ending() const {
    return checked_.statement.status() == AgentStatus::Withdrawn || checked_.statement.status() == AgentStatus::Revoked;
  }
  [[nodiscard]] std::string key_before() const {
    return held_.is_in_book && held_.is_served() ? held_.entry->fingerprint : std::string();
  }

  Result<void> prepare() {
    const auto space = policy_.namespace_of(names_.agent);
    if (!space) return fail(Errc::Refused, fmt::format("{}: stands in no namespace here", names_.agent.to_text()));
    space_ = *space;
    before_ = read_rows(edit_, names_);
    auto held = find_held(names_, before_, state_.book);
    if (!held) return tl::unexpected(held.error());
    held_ = std::move(*held);
    listed_ = held_.is_in_book ? listed_agent(names_, *held_.entry, before_) : std::nullopt;
    if (is_new())
      if (auto free = check_place(names_.agent, policy_, edit_, state_); !free) return free;
    if (auto free = check_foreign(); !free) return free;
    if (is_new() && held_.entry) bring_back();
    return {};
  }

  // Records of others: a new agent does not move in beside them, and no publish deletes them.
  Result<void> check_foreign() {
    const bool whole_name =
        std::ranges::any_of(request_.updates, [](const UpdateRecord& record) { return record.type == RrType::ANY; });
    for (const EditedRrset& rrset : edit_.rrsets(names_.agent))
      if (!is_publishers_type(rrset.type) && (is_new() || whole_name))
        return fail(Errc::Refused, fmt::format("{}: has {} records, which are no agent's", names_.agent.to_text(),
                                               dns::to_text(rrset.type)));
    const bool is_anothers = !before_.txt.empty() || !before_.srv.empty() || !before_.svcb.empty() ||
                             (!before_.key.empty() && !has_key(before_.key, checked_.statement.fingerprint()));
    if (is_new() && is_anothers)
      return fail(Errc::Refused, fmt::format("{}: has records that are no agent's", names_.agent.to_text()));
    return {};
  }

  // A name that was gone: its rotations are kept for its life, with the keys that they are checked with.
  void bring_back() {
    for (const Bytes& rdata : held_.entry->kept_rotations) edit_.add(names_.keys, RrType::TXT, agent::agent_ttl, rdata);
    for (const Bytes& rdata : held_.entry->kept_keys) edit_.add(names_.agent, RrType::KEY, agent::agent_ttl, rdata);
    before_ = read_rows(edit_, names_);
  }

  // What the server adds to what a publisher said: sig-old of a claim, and the keys of earlier rotations.
  Result<void> settle() {
    const AgentRows after = read_rows(edit_, names_);
    const auto added = added_rotation(before_, after);
    if (!added) return tl::unexpected(added.error());
    if (*added) {
      auto rotation = Rotation::from_claim(**added);
      if (!rotation) return tl::unexpected(rotation.error());
      if (!checked_.rotation || !std::ranges::equal(rotation->txt_rdata(), checked_.rotation->txt_rdata()))
        return fail(Errc::Refused, "_keys: what is added is the rotation to the statement's key");
      rotation_ = std::move(*rotation);
    }
    if (rotation_ && rotation_->is_claim() && held_.entry && held_.entry->custodial)
      if (auto signed_too = countersign(**added); !signed_too) return signed_too;
    return settle_keys(read_rows(edit_, names_));
  }

  Result<void> countersign(const Bytes& sent) {
    if (!state_.custody)
      return fail(Errc::Refused, "the registry has no custodial key at hand: nothing can be claimed");
    const auto whole = rotation_->countersigned(names_.agent, *state_.custody);
    if (!whole) return tl::unexpected(whole.error());
    const EditedRrset* rrset = edit_.find(names_.keys, RrType::TXT);
    const uint32_t ttl = rrset == nullptr ? agent::agent_ttl : rrset->ttl;
    edit_.remove(names_.keys, RrType::TXT, sent);
    edit_.add(names_.keys, RrType::TXT, ttl, whole->txt_rdata());
    return {};
  }

  /// The KEY of the statement, and those that the rotations are checked with: they stay whatever the message deletes.
  [[nodiscard]] std::vector<std::string> wanted_keys(const AgentRows& rows) const {
    std::vector<std::string> wanted{std::string(checked_.statement.fingerprint())};
    const auto want = [&](std::string_view print) {
      const bool is_revoked =
          held_.entry && std::ranges::find(held_.entry->revoked, print) != held_.entry->revoked.end();
      if (!is_revoked) wanted.emplace_back(print);
    };
    for (const Bytes& rdata : rows.rotations) {
      const auto rotation = Rotation::from_claim(rdata);
      if (!rotation) continue;
      want(rotation->old_fingerprint());
      want(rotation->new_fingerprint());
    }
    return wanted;
  }

  Result<void> settle_keys(const AgentRows& rows) {
    const auto wanted = wanted_keys(rows);
    const auto is_wanted = [&](const std::string& print) { return std::ranges::find(wanted, print) != wanted.end(); };
    const EditedRrset* keys = edit_.find(names_.agent, RrType::KEY);
    const uint32_t ttl = keys != nullptr ? keys->ttl : before_.ttl;
    for (const Bytes& rdata : before_.key)
      if (std::ranges::find(rows.key, rdata) == rows.key.end() && is_wanted(print_of(rdata)))
        edit_.add(names_.agent, RrType::KEY, ttl, rdata);
    bool is_there = false;
    for (const Bytes& rdata : rows.key) {
      const std::string print = print_of(rdata);
      is_there |= print == wanted.front();
      if (is_wanted(print)) continue;
      if (std::ranges::find(before_.key, rdata) == before_.key.end())
        return fail(Errc::Refused, print.empty()
                                       ? "KEY: flags 512, protocol 3 and an algorithm that signs wanted"
                                       : fmt::format("KEY {}: is neither the statement's nor one of _keys", print));
      edit_.remove(names_.agent, RrType::KEY, rdata);
    }
    if (is_there || has_key(before_.key, wanted.front())) return {};
    return fail(Errc::Refused, fmt::format("KEY of {} is missing: the statement is signed with it", wanted.front()));
  }

  // RFC 9664 §4: a refresh repeats the whole update. Without a lease it is the same message once more, and changes
  // nothing either.
  PublishOutcome repeated() {
    edit_.roll_back();
    PublishOutcome outcome;
    AgentEntry& entry = *held_.entry;
    if (!checked_.lease || !held_.is_in_book || entry.presence != Presence::Live) return outcome;
    outcome.granted = granted_lease(*checked_.lease, policy_);
    set_lease(entry, *outcome.granted, now_);
    outcome.update.changed = cap_to_lease(*outcome.granted);
    if (auto put = state_.book.put(names_.agent, entry); !put) return refused(put.error());
    outcome.effect = PublishEffect{names_.agent, entry.fingerprint, entry.fingerprint, entry.lease_until};
    return outcome;
  }

  bool cap_to_lease(const UpdateLease& granted) {
    return cap_ttls(edit_, names_, std::max(granted.lease / lease_ttl_share, 1U));
  }

  Result<void> judge(const AgentRows& after) {
    if (checked_.lease)
      if (auto fresh = check_fresh(checked_.statement.modified(), policy_, now_); !fresh) return fresh;
    if (auto may = check_key(held_, checked_, rotation_, space_, policy_, state_.book, now_); !may) return may;
    if (auto above = check_floor(held_, checked_.statement); !above) return above;
    if (auto sound = check_rows(names_, after, checked_.statement); !sound) return sound;
    if (auto room = check_quotas(); !room) return room;
    return check_look_alikes();
  }

  Result<void> check_quotas() {
    const std::string print(checked_.statement.fingerprint());
    if (policy_.agents_per_key != 0 && key_before() != print && state_.agents_of_key(print) >= policy_.agents_per_key)
      return fail(Errc::Refused, fmt::format("agents-per-key: {} has {} agents", print, policy_.agents_per_key));
    if (policy_.agents_per_namespace != 0 && key_before().empty() &&
        state_.agents_of_namespace(space_) >= policy_.agents_per_namespace)
      return fail(Errc::Refused, fmt::format("agents-per-namespace: {} has {} agents", space_.to_text(),
                                             policy_.agents_per_namespace));
    return {};
  }

  // Within one namespace; a name that stands is not judged again.
  Result<void> check_look_alikes() {
    if (!is_new()) return {};
    const std::string label(as_text(names_.agent.view().first_label()));
    const auto like = state_.look_alikes(space_).find(label, checked_.statement.fingerprint());
    looks_alike_ = like.has_value();
    if (!like || !policy_.look_alikes) return {};
    return fail(Errc::Refused,
                fmt::format("{} could be taken for {} of another publisher: {}", label, like->name, like->rule));
  }

  [[nodiscard]] AgentEntry next_entry(const AgentRows& after) const {
    AgentEntry entry = held_.entry.value_or(AgentEntry{});
    const agent::Statement& next = checked_.statement;
    remember_revocation(entry, held_, before_);
    if (!held_.entry || held_.is_revoked()) {
      entry.first_published = now_;
      entry.facts.clear();  // what was said of another's agent
    }
    entry.version = next.version();
    entry.modified = next.modified();
    entry.fingerprint = next.fingerprint();
    entry.status = next.status();
    entry.presence = is_ending() ? Presence::Tombstone : Presence::Live;
    if (rotation_) entry.rotations = rotation_->number();
    if (entry.status == AgentStatus::Revoked) entry.revoked.push_back(entry.fingerprint);
    entry.custodial = false;
    if (is_new()) entry.looks_alike = looks_alike_;
    entry.capabilities = next.capabilities();
    entry.protocols = protocols_of(after);
    entry.kept_rotations.clear();
    entry.kept_keys.clear();
    if (after.manifest != before_.manifest) {
      std::erase_if(entry.facts, [](const auto& fact) { return fact.second.claimed; });
      for (const auto& [name, value] : checked_.claims)
        entry.facts.try_emplace(name, agent::TrustFact{value, true, now_});
    }
    return entry;
  }

  // A publish without the option leaves a lease as it runs; a tombstone has none.
  std::optional<UpdateLease> take_lease(AgentEntry& entry) {
    if (is_ending()) {
      entry.lease_until.reset();
      entry.key_lease_until.reset();
      return std::nullopt;
    }
    if (!checked_.lease) {
      if (entry.lease_until) cap_ttls(edit_, names_, before_.ttl);
      return std::nullopt;
    }
    const UpdateLease granted = granted_lease(*checked_.lease, policy_);
    set_lease(entry, granted, now_);
    cap_to_lease(granted);
    return granted;
  }

  [[nodiscard]] std::string_view action() const {
    switch (checked_.statement.status()) {
      case AgentStatus::Withdrawn: return "withdraw";
      case AgentStatus::Revoked: return "revoke";
      case AgentStatus::Active:
      case AgentStatus::Deprecated: break;
    }
    if (rotation_) return held_.entry->custodial ? "claim" : "rotate";
    return is_new() || held_.entry->presence == Presence::Tombstone ? "publish" : "update";
  }

  Result<PublishOutcome> enter(const AgentRows& after) {
    AgentEntry entry = next_entry(after);
    PublishOutcome outcome;
    outcome.granted = take_lease(entry);
    AgentWriter writer(names_, policy_, edit_, state_, now_);
    auto done =
        writer.write(entry, listed_, history_of(action(), checked_.statement.fingerprint(), checked_.statement, now_));
    if (!done) return tl::unexpected(done.error());
    outcome.effect = PublishEffect{names_.agent, key_before(), entry.fingerprint, entry.lease_until};
    return outcome;
  }

  const UpdateRequest& request_;
  const CheckedPublish& checked_;
  const PublishPolicy& policy_;
  ZoneEdit& edit_;
  RegistryState& state_;
  UnixTime now_;
  AgentNames names_;
  dns::Name space_;
  AgentRows before_;
  HeldAgent held_;
  std::optional<ListedAgent> listed_;
  std::optional<Rotation> rotation_;
  bool looks_alike_ = false;
};

}  // namespace

PublishOutcome admit_publish(const UpdateRequest& request, const CheckedPublish& checked, const PublishPolicy& policy,
                             const config::UpdateLimits& limits, ZoneEdit& edit, RegistryState& state, UnixTime now) {
  const size_t records = request.prerequisites.size() + request.updates.size();
  if (limits.message_records != 0 && records > limits.message_records)
    return {refuse(fmt::format("message-records: {} records in one message, over {}", records, limits.message_records)),
            {},
            {}};
  // RFC 2136 §3.2: the compare-and-swap of whoever read the statement before.
  if (auto failed = check_prerequisites(request, edit)) return {in_one_line(*std::move(failed)), {}, {}};
  edit.set_savepoint();
  PublishOutcome outcome = Admission(request, checked, policy, edit, state, now).run(limits);
  if (!outcome.update.done()) edit.roll_back();
  return outcome;
}

}  // namespace steward::change

#include "federation/refer.hh"

#include <algorithm>
#include <cmath>

#include "crypto/digest.hh"
#include "federation/clock.hh"
#include "federation/conflict.hh"
#include "zone/table_overlay.hh"

namespace steward::federation {
namespace {

constexpr size_t seen_size = 16;
constexpr std::string_view unsound_rule = "unsound";
constexpr std::string_view stamp_rule = "stamp";
constexpr std::string_view store_rule = "store";

// Another ceiling is another judgement, and another feed has to hear of it.
Bytes digest_of(const FeedName& name, const ChildPolicy& policy) {
  crypto::Hasher hasher(crypto::DigestAlgorithm::Sha256);
  Bytes head{static_cast<uint8_t>(std::lround(policy.trust_ceiling * 100) + (policy.hosted ? 128 : 0))};
  hasher.update(head);
  hasher.update(as_bytes(policy.handed_to));
  for (const PublishedRecord& record : name.records) {
    head.assign(record.owner.data(), record.owner.data() + record.owner.size());
    append_u16(head, static_cast<uint16_t>(record.type));
    append_u32(head, record.ttl);
    append_u32(head, static_cast<uint32_t>(record.rdata.size()));
    hasher.update(head);
    hasher.update(record.rdata);
  }
  Bytes digest(crypto::max_digest_size);
  hasher.finish(digest.data());
  digest.resize(seen_size);
  return digest;
}

bool is_ahead(const FeedEntry& entry, const JudgeRules& rules) {
  return !check_stamp(entry.write.stamp, rules.now, rules.most_ahead) ||
         !check_stamp(entry.told, rules.now, rules.most_ahead);
}

void judge_writes(std::vector<FeedEntry> writes, const EntryRules& entry_rules, const JudgeRules& rules,
                  JudgedName& judged) {
  std::vector<FeedEntry> sound;
  for (FeedEntry& entry : writes) {
    // Its statement's, both of each rotation, each revocation's.
    judged.checks += 1 + 2 * entry.rotations.size() + entry.revocations.size();
    if (const auto checked = check_entry(entry, entry_rules)) {
      entry.trust = stated_trust(entry, rules.policy);
      sound.push_back(std::move(entry));
    } else if (!judged.mark) {
      const bool ahead = is_ahead(entry, rules);
      judged.mark = make_mark(ahead ? stamp_rule : unsound_rule, checked.error().what, ahead);
    }
  }
  judged.set = set_of(std::move(sound));
}

bool is_ours(const Error& error) {
  return error.code == Errc::Io || error.code == Errc::Full || error.code == Errc::Corrupt;
}

std::string held_by(const std::optional<Referral>& row) { return row ? key_held(*row) : std::string(); }

}  // namespace

JudgedName unwritable(const JudgedName& name, std::string_view why) {
  return {name.agent, false, name.seen, {}, make_mark(store_rule, why, true)};
}

JudgedName judge_name(const FeedName& name, const JudgeRules& rules, const std::optional<Referral>& held) {
  JudgedName judged;
  judged.agent = name.agent;
  if (name.records.empty()) {
    judged.is_known = !held;
    return judged;
  }
  judged.seen = digest_of(name, rules.policy);
  const bool is_due = held && held->mark && held->mark->may_pass && rules.again;
  judged.is_known = held && held->seen == judged.seen && !is_due;
  if (judged.is_known) return judged;
  if (name.is_cut) {
    judged.mark = make_mark(unsound_rule, "feed: more records than a name may have", false);
    return judged;
  }
  auto read = read_feed(name.records, rules.feed, rules.child);
  if (!read) {
    judged.mark = make_mark(unsound_rule, read.error().what, false);
    return judged;
  }
  if (!read->refused.empty()) judged.mark = make_mark(unsound_rule, read->refused.front().what, false);
  EntryRules entry_rules{rules.child, rules.now, rules.most_ahead, std::nullopt};
  if (held && held->accepted) entry_rules.known = held->fingerprint;
  judge_writes(std::move(read->writes), entry_rules, rules, judged);
  return judged;
}

/// Pages of a term have rows that most names of a slice change: each reaches the table once, at the end.
struct ReferralEdit::Tables {
  Tables(ReferralRoom& room, const dns::Name& zone)
      : rows(room.referrals), pages(room.pages), ranks(room.ranks), referrals(zone, rows) {}
  zone::TableOverlay rows;
  zone::TableOverlay pages;
  zone::TableOverlay ranks;
  Referrals referrals;
};

ReferralEdit::ReferralEdit(ReferralTerms terms, ReferralRoom room, FollowedChild child)
    : terms_(std::move(terms)), room_(std::move(room)), child_(std::move(child)), tables_(std::make_unique<Tables>(room_, terms_.zone)) {}

ReferralEdit::~ReferralEdit() = default;

// Admission: by what else is held.
Result<void> ReferralEdit::admit_into(const JudgedName& name, Referral& row, const FollowedChild& child) const {
  const FeedEntry* const first = winner(name.set);
  if (first == nullptr) return {};
  Holdings held;
  held.accepted = row.accepted;
  held.is_counted = row.is_agent();
  held.agents_of_child = child.agents;
  const auto holder = room_.holder(name.agent);
  if (!holder) return tl::unexpected(holder.error());
  held.holder = *holder;
  if (room_.look_alikes) held.look_alikes = room_.look_alikes(dns::Name(name.agent.view().parent()));
  if (const auto refused = admit(name.set, terms_.policy, held)) {
    row.mark = make_mark(to_text(refused->rule), refused->reason, true);
    return {};
  }
  row.accepted = accepted_write(*first);
  row.fingerprint = first->fingerprint();
  row.is_tombstone = first->is_tombstone();
  row.is_suspended = first->suspended;
  row.trust = first->trust;
  row.capabilities.clear();
  if (first->statement) row.capabilities = first->statement->capabilities();
  row.capabilities.resize(std::min(row.capabilities.size(), change::max_capability_terms));
  row.losers = loser_labels(name.set);
  auto conflict = conflict_rdatas(name.set);
  if (conflict != row.conflict) row.is_conflict_seen = false;
  row.conflict = std::move(conflict);
  return {};
}

// At its own name too, while it is this registry that answers for the child's namespace.
Result<void> ReferralEdit::host(const JudgedName& name, const std::optional<Referral>& before, Referral& after, Tables& tables) const {
  const FeedEntry* const first = winner(name.set);
  const auto hosted = terms_.policy.hosted && first != nullptr ? hosted_agent(*first, after.trust) : std::nullopt;
  const bool was_hosted = before && before->is_hosted;
  after.is_hosted = hosted.has_value();
  if (!was_hosted && !after.is_hosted) return {};
  return change::update_hosted(room_.edit, tables.ranks, name.agent, hosted_listing(before), hosted, hosted_listing(after));
}

Result<void> ReferralEdit::list(const JudgedName& name, const std::optional<Referral>& before, Referral& after,
                                Tables& tables) const {
  if (auto done = host(name, before, after, tables); !done) return done;
  const FeedEntry* const first = winner(name.set);
  const auto referred = first != nullptr ? referred_agent(*first, after.trust, terms_.registry) : std::nullopt;
  if (auto done = change::update_ref(room_.edit, terms_.zone, name.agent, referred); !done) return done;
  const auto conflict = after.is_conflict_seen ? std::vector<Bytes>{} : after.conflict;
  if (auto done = change::update_conflict(room_.edit, terms_.zone, name.agent, conflict, conflict_ttl); !done) return done;
  return change::update_found(room_.edit, tables.pages, terms_.zone, found_referral(name.agent, before),
                              found_referral(name.agent, after));
}

Result<ReferralOutcome> ReferralEdit::write(const JudgedName& name, Tables& tables, FollowedChild& child) const {
  const auto before = tables.referrals.find(name.agent);
  if (!before) return tl::unexpected(before.error());
  std::optional<Referral> after;
  std::optional<ReferralMark> mark;
  bool is_admitted = false;
  if (!name.seen.empty()) {
    after = before->value_or(Referral{});
    after->seen = name.seen;
    after->mark.reset();
    if (auto judged = admit_into(name, *after, child); !judged) return tl::unexpected(judged.error());
    is_admitted = !name.set.empty() && !after->mark;
    if (!after->mark) after->mark = name.mark;
    mark = after->mark;
    if (mark && (!*before || !(*before)->mark) && child.refused >= max_told_marks) after->mark->reason.clear();
  }
  const bool was_admitted = *before && (*before)->accepted;
  if (is_admitted || (was_admitted && !after)) {
    Referral nothing;
    if (auto listed = list(name, *before, after ? *after : nothing, tables); !listed) return tl::unexpected(listed.error());
  }
  if (auto put = tables.referrals.put(name.agent, after); !put) return tl::unexpected(put.error());
  child.count(*before, after);
  if (room_.hand_on && (is_admitted || (was_admitted && !after)))
    if (auto handed = room_.hand_on(name.agent, name.set, *before ? (*before)->losers : std::vector<std::string>{}); !handed)
      return fail(Errc::Io, handed.error().what);
  const bool is_new_conflict = after && after->has_conflict() && (!*before || (*before)->conflict != after->conflict);
  return ReferralOutcome{{name.agent, held_by(*before), held_by(after), std::nullopt},
                         std::move(mark),
                         is_new_conflict ? after->losers.size() + 1 : 0};
}

Result<ReferralOutcome> ReferralEdit::apply(const JudgedName& name) {
  room_.edit.set_savepoint();
  Tables& tables = *tables_;
  FollowedChild counted = child_;
  auto outcome = write(name, tables, counted);
  if (!outcome && !is_ours(outcome.error())) {
    // There is no place for it in this zone: the name is as it was, with a mark.
    room_.edit.roll_back();
    for (zone::TableOverlay* table : {&tables.rows, &tables.pages, &tables.ranks}) table->drop();
    counted = child_;
    outcome = write(unwritable(name, outcome.error().what), tables, counted);
  }
  if (!outcome) return outcome;
  for (zone::TableOverlay* table : {&tables.rows, &tables.pages, &tables.ranks}) table->keep();
  child_ = std::move(counted);
  return outcome;
}

Result<void> ReferralEdit::finish() {
  if (auto put = tables_->referrals.put_child(terms_.child, child_); !put) return put;
  return write_down();
}

Result<void> ReferralEdit::write_down() {
  for (zone::TableOverlay* table : {&tables_->rows, &tables_->pages, &tables_->ranks})
    if (auto written = table->write_down(); !written) return written;
  return {};
}

}  // namespace steward::federation

#include "change/publish_write.hh"

#include <algorithm>

#include "change/find_pages.hh"
#include "change/update.hh"
#include "zone/table_overlay.hh"

namespace steward::change {

using agent::AgentEntry;
using agent::HistoryEntry;
using agent::Presence;

namespace {

std::optional<FoundAgent> found_of(const std::optional<ListedAgent>& listed) {
  if (!listed) return std::nullopt;
  return FoundAgent{listed->agent, listed->trust, terms_of(listed->agent, listed->capabilities)};
}

}  // namespace

Result<void> AgentWriter::step_clock(agent::WriteStamp& write) const {
  auto next = agent::next_write(write, policy_.replica, now_, policy_.clock_skew);
  if (!next) return fail(names_.agent.to_text(), next.error());
  write = *std::move(next);
  return {};
}

bool AgentWriter::is_there(const dns::Name& owner) { return find_rrset(edit_, owner, RrType::TXT) != nullptr; }

void AgentWriter::clear(const dns::Name& owner) {
  if (is_there(owner)) edit_.remove_rrset(owner, RrType::TXT);
}

void AgentWriter::set(const dns::Name& owner, ByteView rdata) {
  const EditedRrset* rrset = find_rrset(edit_, owner, RrType::TXT);
  const bool same = rrset != nullptr && rrset->ttl == ttl_ && rrset->rdatas.size() == 1 &&
                    std::ranges::equal(rrset->rdatas.front(), rdata);
  if (same) return;
  clear(owner);
  edit_.add(owner, RrType::TXT, ttl_, rdata);
}

void AgentWriter::derive(AgentEntry& entry) {
  if (entry.presence == Presence::Gone) {
    clear(names_.registry);
    clear(names_.trust);
    return;
  }
  const agent::TrustSum sum = agent::trust_of(entry, policy_.trust, now_);
  entry.trust = sum.trust;
  set(names_.registry, agent::registry_statement(policy_.registry_id, entry));
  if (entry.presence == Presence::Live)
    set(names_.trust, agent::trust_record(sum));
  else
    clear(names_.trust);
}

void AgentWriter::write_log(AgentEntry& entry, const HistoryEntry& what) {
  const uint32_t last = what.number;
  const uint32_t kept = entry.presence == Presence::Gone ? 0 : policy_.history_records;
  if (kept > 0) set(names_.log(last), what.to_octets());
  for (uint32_t number = last - std::min(last, std::max(kept, 1U)); number > 0 && is_there(names_.log(number));
       --number)
    clear(names_.log(number));
}

// Both kinds of listing, then their tables: where one refuses, neither is written.
Result<void> AgentWriter::list(const std::optional<ListedAgent>& before, const std::optional<ListedAgent>& after) {
  zone::TableOverlay ranks(state_.ranks);
  zone::TableOverlay pages(state_.pages);
  if (auto done = list_agent(edit_, ranks, before, after); !done) return done;
  if (auto done = update_found(edit_, pages, policy_.zone, found_of(before), found_of(after)); !done) return done;
  if (auto done = ranks.write_down(); !done) return done;
  return pages.write_down();
}

Result<void> AgentWriter::write(AgentEntry& entry, const std::optional<ListedAgent>& listed, HistoryEntry what) {
  if (auto stepped = step_clock(entry.write); !stepped) return stepped;
  entry.from_file = false;
  const AgentRows rows = read_rows(edit_, names_);
  ttl_ = rows.ttl;
  derive(entry);
  const auto now_listed = listed_agent(names_, entry, rows);
  what.number = entry.history + 1;
  what.previous = entry.history_head;
  write_log(entry, what);
  // An entry of the history that nothing refers to is written over by the next: the agent's own entry comes last.
  if (auto done = list(listed, now_listed); !done) return done;
  if (auto done = state_.book.append_history(names_.agent, entry, std::move(what)); !done) return done;
  return state_.book.put(names_.agent, entry);
}

Result<void> AgentWriter::write_trust(AgentEntry& entry, const std::optional<ListedAgent>& listed, bool has_new_facts) {
  const AgentRows rows = read_rows(edit_, names_);
  ttl_ = rows.ttl;
  const double before = entry.trust;
  derive(entry);
  if (entry.trust == before) return has_new_facts ? state_.book.put(names_.agent, entry) : Result<void>{};
  if (auto done = list(listed, listed_agent(names_, entry, rows)); !done) return done;
  return state_.book.put(names_.agent, entry);
}

void AgentWriter::state_learned(AgentEntry& entry, const std::optional<AgentEntry>& before) {
  if (const EditedRrset* stated = find_rrset(edit_, names_.registry, RrType::TXT)) {
    const bool is_ours = before && stated->rdatas.size() == 1 &&
                         stated->rdatas.front() == agent::registry_statement(policy_.registry_id, *before);
    if (!is_ours) return;
  }
  ttl_ = read_rows(edit_, names_).ttl;
  derive(entry);
}

HistoryEntry history_of(std::string_view action, std::string_view by, const agent::Statement& statement, UnixTime now) {
  HistoryEntry what;
  what.at = now;
  what.action = action;
  what.by = by;
  what.version = statement.version();
  what.digest = agent::sha256_text(statement.txt_rdata());
  what.reason = statement.find("reason").value_or("");
  return what;
}

HistoryEntry history_of(std::string_view action, const AgentEntry& entry, UnixTime now) {
  HistoryEntry what;
  what.at = now;
  what.action = action;
  what.by = "registry";
  what.version = entry.version;
  return what;
}

}  // namespace steward::change

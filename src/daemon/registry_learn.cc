// Agents that stand in the registry's zone file, and the book.

#include <algorithm>

#include "base/log.hh"
#include "change/find_pages.hh"
#include "crypto/digest.hh"
#include "daemon/registry_zone.hh"
#include "daemon/stored_book.hh"
#include "daemon/stored_statement.hh"
#include "dns/encoding.hh"

namespace steward::daemon {
namespace {

constexpr std::string_view learned_key = "zone-file";  // in ZoneTable::Registry: which file the book has learned
constexpr size_t book_step = 4096;

std::string digest_of(const agent::Statement& statement) {
  return "sha256:" + dns::encode(dns::hex_lower, crypto::sha256(statement.txt_rdata()));
}

Bytes files_digest(const std::vector<store::FileStamp>& files) {
  std::string text;
  for (const store::FileStamp& file : files)
    text += file.path + "\n" + std::to_string(file.modified_ns) + " " + std::to_string(file.size) + " " +
            std::to_string(file.inode) + "\n";
  const auto digest = crypto::sha256(as_bytes(text));
  return {digest.begin(), digest.end()};
}

bool is_same(const agent::AgentEntry& entry, const agent::Statement& statement) {
  return entry.presence != agent::Presence::Gone && entry.version == statement.version() &&
         entry.fingerprint == statement.fingerprint() && entry.modified == statement.modified() &&
         entry.status == statement.status();
}

void take_statement(agent::AgentEntry& entry, const agent::Statement& statement) {
  const bool is_over =
      statement.status() == agent::AgentStatus::Withdrawn || statement.status() == agent::AgentStatus::Revoked;
  entry.version = statement.version();
  entry.modified = statement.modified();
  entry.fingerprint = statement.fingerprint();
  entry.presence = is_over ? agent::Presence::Tombstone : agent::Presence::Live;
  entry.status = statement.status();
  entry.custodial = statement.find("custody").has_value();
  entry.capabilities = statement.capabilities();
  if (entry.status == agent::AgentStatus::Revoked &&
      std::find(entry.revoked.begin(), entry.revoked.end(), entry.fingerprint) == entry.revoked.end())
    entry.revoked.push_back(entry.fingerprint);
  entry.lease_until.reset();
  entry.key_lease_until.reset();
  if (entry.first_published == UnixTime{}) entry.first_published = statement.modified();
}

}  // namespace

// What the zone says against what the book says, both as they are committed.
Result<std::vector<RegistryZone::Learned>> RegistryZone::compare_with_zone(Bytes& mark) {
  std::vector<Learned> learned;
  if (auto acquired = reader_->acquire(); !acquired) return tl::unexpected<Error>(acquired.error());
  const auto compare = [&]() -> Result<void> {
    const store::ZoneRecord* record = reader_->zone_record(policy_->zone);
    if (record == nullptr || record->info.availability != zone::Availability::Serving) return {};
    mark = files_digest(record->files);
    if (reader_->table(record->info, store::ZoneTable::Registry)->find(as_bytes(learned_key)) == mark) {
      mark.clear();
      return {};
    }
    const StoredBook book(*reader_, record->info);
    for (Bytes key; const zone::NodeView node = reader_->node_at_or_after(record->info, key); key.push_back(0)) {
      const auto statement = statement_at(node);
      const dns::Name agent = dns::Name(node.owner()).folded();
      if (!statement || !policy_->namespace_of(agent)) continue;
      auto entry = book->find(agent);
      if (!entry) return tl::unexpected<Error>(entry.error());
      if (*entry && is_same(**entry, *statement)) continue;
      Learned one{
          agent, entry->value_or(agent::AgentEntry{}), {}, digest_of(*statement), std::string(statement->version())};
      if (*entry && (*entry)->presence != agent::Presence::Gone) one.key_before = (*entry)->fingerprint;
      take_statement(one.entry, *statement);
      learned.push_back(std::move(one));
    }
    // Those that the file has no longer.
    for (std::optional<dns::Name> after;;) {
      const auto entries = book->agents(after, book_step);
      if (!entries) return tl::unexpected<Error>(entries.error());
      for (const auto& [agent, entry] : *entries) {
        if (entry.presence == agent::Presence::Gone || statement_at(reader_->find(record->info, agent))) continue;
        Learned one{agent, entry, entry.fingerprint, {}, entry.version};
        one.entry.presence = agent::Presence::Gone;
        learned.push_back(std::move(one));
      }
      if (entries->size() < book_step) return {};
      after = entries->back().first;
    }
  };
  const auto compared = compare();
  reader_->release();
  if (!compared) return tl::unexpected<Error>(compared.error());
  return learned;
}

// The file has what lists its agents below their namespaces; the pages of terms are ours to keep, and the registry's word
// where the file has none. `entry`: as the book is to have it.
Result<void> RegistryZone::state_learned(const dns::Name& agent, agent::AgentEntry& entry, change::ZoneEdit& edit,
                                         change::RegistryState& state) const {
  const auto held = state.book.find(agent);
  if (!held) return tl::unexpected<Error>(held.error());
  change::state_learned(agent, entry, *held, *policy_, edit, state, clock_.now());
  return change::update_found(edit, state.pages, policy_->zone,
                              *held ? change::found_agent(agent, **held) : std::nullopt,
                              change::found_agent(agent, entry));
}

void RegistryZone::learn(ZoneKeeper& keeper) {
  Bytes mark;
  auto compared = compare_with_zone(mark);
  if (!compared)
    return log::error("registry.learn", {{"zone", policy_->zone.to_text()}, {"error", compared.error().what}});
  if (mark.empty() || mark == learned_) return;
  learned_ = mark;
  const auto learned = std::make_shared<std::vector<Learned>>(std::move(*compared));
  const auto enter = [this, learned, mark](Changes& changes) -> Result<void> {
    if (auto put = changes.values().put(as_bytes(learned_key), mark); !put) return put;
    for (const Learned& one : *learned) {
      const auto entered = changes.act(
          [&](change::ZoneEdit& zone, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
            agent::AgentEntry entry = one.entry;
            auto write = agent::next_write(entry.write, policy_->replica, clock_.now(), policy_->clock_skew);
            if (!write) return tl::unexpected<Error>(write.error());
            entry.write = *std::move(write);
            entry.from_file = true;
            if (auto stated = state_learned(one.agent, entry, zone, state); !stated)
              return tl::unexpected<Error>(stated.error());
            agent::HistoryEntry what;
            what.at = clock_.now();
            what.action = entry.presence == agent::Presence::Gone ? "expire" : "import";
            what.by = "registry";
            what.version = one.version;
            what.digest = one.digest;
            what.reason = "zone file";
            if (auto noted = state.book.append_history(one.agent, entry, std::move(what)); !noted)
              return tl::unexpected<Error>(noted.error());
            if (auto put = state.book.put(one.agent, entry); !put) return tl::unexpected<Error>(put.error());
            const bool is_gone = entry.presence == agent::Presence::Gone;
            return std::optional(
                change::PublishEffect{one.agent, one.key_before, is_gone ? std::string() : entry.fingerprint, {}});
          });
      if (!entered) return entered;
    }
    return {};
  };
  change(keeper, enter, [this, learned](const LoadOutcome& outcome) {
    if (!outcome.ok) learned_.clear();
    if (!learned->empty() && outcome.ok)
      log::info("registry.learn", {{"zone", policy_->zone.to_text()},
                                   {"agents", learned->size()},
                                   {"why", "they stand in the zone file, or no longer"}});
  });
}

}  // namespace steward::daemon

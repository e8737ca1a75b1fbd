// The registry's feed: what each change of its agents comes to there, in the same transaction, and the agents that are
// older than it.

#include "base/log.hh"
#include "daemon/registry_zone.hh"
#include "federation/own_entry.hh"

namespace steward::daemon {
namespace {

// In the feed's ZoneTable::Registry: one of these octets, and behind Next the name of the last agent that was taken, in wire
// form. Without it nothing was.
constexpr std::string_view filled_key = "filled";
constexpr uint8_t filled_to = 1;
constexpr uint8_t filled_whole = 2;
constexpr size_t fill_step = 256;    // agents in one transaction: publishes are not to wait long
constexpr size_t most_drafts = 1024;  // entries that one change holds in memory

Bytes mark_of(const std::vector<std::pair<dns::Name, agent::AgentEntry>>& agents) {
  if (agents.size() < fill_step) return {filled_whole};
  Bytes mark{filled_to};
  append(mark, agents.back().first.view().wire());
  return mark;
}

Result<std::optional<dns::Name>> place_of(ByteView mark) {
  if (mark.empty()) return std::optional<dns::Name>();
  const auto name = dns::NameView::from_wire(mark.subspan(1));
  if (mark[0] != filled_to || !name) return fail(Errc::Corrupt, "feed: the mark of how far it is filled");
  return std::optional(dns::Name(*name));
}

}  // namespace

void RegistryZone::set_feed(federation::FeedNames names, std::function<ZoneKeeper*()> keeper) {
  feed_names_ = std::move(names);
  find_feed_ = std::move(keeper);
}

// Null as long as the zone is not there: it is filled with all agents then.
ZoneKeeper* RegistryZone::feed_keeper() const {
  ZoneKeeper* const keeper = find_feed_ ? find_feed_() : nullptr;
  return keeper != nullptr && keeper->status().has_data ? keeper : nullptr;
}

void RegistryZone::change(ZoneKeeper& keeper, Evaluate evaluate, ZoneKeeper::Done done) {
  const auto write = [this, evaluate = std::move(evaluate)](change::ZoneEdit& zone, ZoneTables& tables,
                                                            FeedPart& part) -> Result<void> {
    Changes changes(*this, zone, tables);
    if (auto evaluated = evaluate(changes); !evaluated) return evaluated;
    if (auto drafted = changes.draft_feed(part); !drafted) return drafted;
    return changes.write_down();
  };
  edit(keeper, write, std::move(done));
}

void RegistryZone::edit(ZoneKeeper& keeper, Write write, ZoneKeeper::Done done) {
  const auto part = std::make_shared<FeedPart>();
  const auto edits = [this, part, write = std::move(write)](change::ZoneEdit& zone, ZoneTables& tables) {
    // What an earlier evaluation applied and did not commit is forgotten.
    begin();
    *part = {};
    return write(zone, tables, *part);
  };
  auto ended = [this, done = std::move(done)](const LoadOutcome& outcome) {
    end(outcome.ok);
    done(outcome);
  };
  ZoneKeeper* const feed = feed_keeper();
  if (feed == nullptr) return keeper.edit(edits, false, std::move(ended));
  const auto of_feed = [this, part](change::ZoneEdit& edit, ZoneTables& tables) { return write_feed(*part, edit, tables); };
  keeper.edit_with(*feed, edits, of_feed, std::move(ended));
}

Result<void> RegistryZone::write_feed(const FeedPart& part, change::ZoneEdit& feed, ZoneTables& tables) const {
  for (const federation::FeedEntry& entry : part.entries)
    // What a zone file or an UPDATE of the operator's made of an agent may be nothing that others would take.
    if (const auto put = federation::put_in_feed(entry, feed_names_, feed, clock_.now()); !put)
      log::warning("feed.left-out", {{"feed", feed_names_.feed.to_text()}, {"why", put.error().what}});
  for (const federation::HandedOn& handed : part.handed)
    if (const auto put = federation::hand_on_in_feed(handed, feed_names_, feed, clock_.now()); !put) {
      if (handed.writes.empty()) return put;
      log::warning("feed.left-out", {{"feed", feed_names_.feed.to_text()}, {"why", put.error().what}});
    }
  return part.filled ? tables[store::ZoneTable::Registry].put(as_bytes(filled_key), *part.filled) : Result<void>{};
}

// As it is committed.
Result<Bytes> RegistryZone::read_filled() {
  if (auto acquired = reader_->acquire(); !acquired) return tl::unexpected<Error>(acquired.error());
  Bytes mark;
  if (const store::ZoneRecord* record = reader_->zone_record(feed_names_.feed))
    mark = reader_->table(record->info, store::ZoneTable::Registry)->find(as_bytes(filled_key));
  reader_->release();
  return mark;
}

bool RegistryZone::fill_feed(ZoneKeeper& keeper, std::function<void(bool)> after) {
  if (feed_keeper() == nullptr || !keeper.status().has_data) return false;
  const auto mark = read_filled();
  if (!mark) {
    log::error("feed.fill", {{"feed", feed_names_.feed.to_text()}, {"error", mark.error().what}});
    return false;
  }
  if (*mark == Bytes{filled_whole}) return false;
  const auto last = place_of(*mark);
  if (!last) log::error("feed.fill", {{"error", last.error().what}, {"instead", "from the first agent"}});
  const auto take = [from = last ? *last : std::nullopt](Changes& changes) -> Result<void> {
    const auto agents = changes.book().agents(from, fill_step);
    if (!agents) return tl::unexpected<Error>(agents.error());
    for (const auto& [agent, entry] : *agents) changes.note(agent);
    changes.filled_ = mark_of(*agents);
    return {};
  };
  change(keeper, take, [this, is_first = mark->empty(), after = std::move(after)](const LoadOutcome& outcome) {
    if (outcome.ok && is_first) log::info("feed.fill", {{"feed", feed_names_.feed.to_text()}, {"agents", index_.agents()}});
    after(outcome.ok);
  });
  return true;
}

void RegistryZone::Changes::note_puts() {
  for (const ByteView key : agents_.keys())
    if (const auto agent = dns::name_of_canonical_key(key, registry_.zone())) note(*agent);
}

// What changes an agent besides publishing is a write too; one that nobody has counted yet came with the zone file.
Result<void> RegistryZone::Changes::count_write(const dns::Name& agent) {
  const change::PublishPolicy& policy = *registry_.policy_;
  auto entry = book_.find(agent);
  if (!entry) return tl::unexpected<Error>(entry.error());
  if (!*entry) return {};
  auto write = agent::next_write((*entry)->write, policy.replica, registry_.clock_.now(), policy.clock_skew);
  if (!write) return fail(agent.to_text(), write.error());
  if ((*entry)->write.replica.empty()) (*entry)->from_file = true;
  (*entry)->write = *std::move(write);
  return book_.put(agent, **entry);
}

// As all of it is at the end.
Result<void> RegistryZone::Changes::draft_feed(FeedPart& part) {
  part.filled = filled_;
  if (noted_.size() > most_drafts) {
    // A zone file of a million agents, say: they follow in slices, and a restart knows of it.
    part.filled = Bytes{};
    return {};
  }
  for (const Bytes& wire : noted_) {
    const dns::Name agent(dns::NameView(wire.data(), wire.size()));
    auto entry = book_.find(agent);
    if (!entry) return tl::unexpected<Error>(entry.error());
    if (!*entry) continue;
    // From a time when nobody counted.
    if ((*entry)->write.replica.empty()) {
      if (auto counted = count_write(agent); !counted) return counted;
      entry = book_.find(agent);
      if (!entry) return tl::unexpected<Error>(entry.error());
    }
    const auto rows = change::read_rows(edit_, change::AgentNames(agent));
    part.entries.push_back(federation::own_entry(agent, **entry, rows, registry_.policy_->registry_id));
  }
  return {};
}

}  // namespace steward::daemon

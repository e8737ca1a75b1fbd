#pragma once
// The registry's zone on the writer's thread: publishes and the registry's own acts, each in the transaction that
// changes the records, with the tables of the same transaction and the feed; what is held in memory of its agents; leases that end;
// trust that time changes; agents that stand in the zone file.

#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "base/clock.hh"
#include "change/publish.hh"
#include "change/stray_listings.hh"
#include "daemon/agent_index.hh"
#include "daemon/trust_sweep.hh"
#include "daemon/zone_keeper.hh"
#include "federation/own_entry.hh"
#include "store/store.hh"
#include "zone/table_overlay.hh"

namespace steward::daemon {

class RegistryZone {
 public:
  /// An act of the registry's own on one agent.
  using Act = std::function<Result<std::optional<change::PublishEffect>>(change::ZoneEdit&, change::RegistryState&)>;

  /// `custody` may be null.
  RegistryZone(std::shared_ptr<const change::PublishPolicy> policy, std::shared_ptr<const crypto::KeyPair> custody,
               std::unique_ptr<store::Reader> reader, const Clock& clock);

  [[nodiscard]] const dns::Name& zone() const { return policy_->zone; }
  [[nodiscard]] const std::shared_ptr<const change::PublishPolicy>& policy() const { return policy_; }
  void set_policy(std::shared_ptr<const change::PublishPolicy> policy) { policy_ = std::move(policy); }
  [[nodiscard]] const std::shared_ptr<const crypto::KeyPair>& custody() const { return custody_; }

  /// Fills the index from what is committed, before the first publish is admitted.
  Result<void> open();
  /// Has the book learn of agents that stand in the zone file, where it is not the one that was learned, which costs next to nothing to see: they are the
  /// operator's, and from then on only the key that signed the statement there changes them. `done` may come with the
  /// group's commit.
  void learn(ZoneKeeper& keeper);

  /// One transaction's worth of changes of this zone.
  class Changes;
  using Evaluate = std::function<Result<void>(Changes&)>;
  /// Changes the zone, its book and what its feed holds of the agents that are changed, in one transaction. `evaluate` may be
  /// called more than once, and its failure leaves nothing.
  void change(ZoneKeeper& keeper, Evaluate evaluate, ZoneKeeper::Done done);

  /// What a change comes to in the feed.
  struct FeedPart {
    std::vector<federation::FeedEntry> entries;
    std::vector<federation::HandedOn> handed;  ///< of registries below
    std::optional<Bytes> filled;  ///< how far it is filled, where that is to be noted; empty: it begins anew
  };
  using Write = std::function<Result<void>(change::ZoneEdit&, ZoneTables&, FeedPart&)>;
  /// Changes the zone and its tables as `write` does, and the feed as that says, in one transaction; otherwise as above.
  void edit(ZoneKeeper& keeper, Write write, ZoneKeeper::Done done);

  /// The feed: its names, and its keeper, which may be null. Before the first change.
  void set_feed(federation::FeedNames names, std::function<ZoneKeeper*()> keeper);
  /// The next slice of the agents that are older than the feed. False: it has them all, or there is none. `after` the
  /// commit, with whether it was one.
  bool fill_feed(ZoneKeeper& keeper, std::function<void(bool)> after);

  [[nodiscard]] const AgentIndex& index() const { return index_; }
  /// Keys that `publisher allow` lists, in all namespaces.
  [[nodiscard]] size_t publishers() const { return publishers_; }
  /// The same as index() of agents of registries below, for who follows their feeds (daemon/feed_slice.hh): taken back and kept by itself.
  [[nodiscard]] AgentIndex& referred() { return referred_; }
  /// Leases whose time has come, some of them: ended, or their TTLs shortened (change/lease.hh). `after` where there
  /// was anything to do, after the commit; false where there was not.
  bool look_at_leases(ZoneKeeper& keeper, const std::function<void()>& after);

  /// Agents whose trust is to be looked at again, if it is time for some (registry_trust.cc): 64 at most are stated anew, in one edit, and nothing is
  /// written of those whose two decimals stay. `after` and true as above.
  bool look_at_trust(ZoneKeeper& keeper, const std::function<void()>& after);
  /// When it is time; nothing where the policy has it never, and before open().
  [[nodiscard]] std::optional<UnixTime> next_trust_look() const {
    return is_open_ ? trust_.sweep.due(clock_.now(), policy_->trust_interval) : std::nullopt;
  }
  /// Since the start.
  struct TrustFigures {
    uint64_t restated = 0;  ///< agents
    uint64_t looked = 0;    ///< agents of the round under way
    uint32_t rounds = 0;    ///< since the registry has been there
    std::string error;      ///< of the last look; empty: none
    uint64_t faults = 0;    ///< agents that the last round, or this one, found listed in another way than the book has them
    std::string fault;      ///< the first of them, and what is wrong
    uint64_t strays = 0;    ///< places in listings that the last round over them, or this one, took away: of agents that are not to be found there
    std::string stray;      ///< the first of them
  };
  [[nodiscard]] TrustFigures trust_figures() const;

 private:
  static constexpr size_t most_restated = 64;
  struct Look {
    dns::Name agent;
    bool is_over = false;
    UnixTime again;  ///< where it is not
  };
  Result<void> build_referred(const store::ZoneRecord& record);
  Result<Look> look_at_lease(const dns::Name& agent, Changes& changes) const;
  void read_trust_sweep(const zone::ZoneInfo& zone);
  struct TrustStep;
  Result<TrustStep> next_trust_step();
  [[nodiscard]] Result<TrustStep> read_trust_step(const zone::ZoneInfo& zone) const;
  Result<std::optional<change::PublishEffect>> state_again(const dns::Name& agent, change::ZoneEdit& zone, change::RegistryState& state) const;
  Result<void> write_trust_step(TrustStep& step, Changes& changes);
  Result<void> read_listings(const zone::ZoneInfo& zone, TrustStep& step) const;
  Result<void> strike_strays(TrustStep& step, Changes& changes) const;
  void end_listings_step(const TrustStep& step);
  void end_trust_round(const TrustStep& step);
  void end_trust_step(const TrustStep& step, const LoadOutcome& outcome);
  void put_trust_off(const std::string& error);
  /// What the book is to take from the zone file about one agent.
  struct Learned {
    dns::Name agent;
    agent::AgentEntry entry;  ///< as it is to be
    std::string key_before;   ///< empty: the book did not have it, or as gone
    std::string digest;       ///< of the statement; empty: it is gone from the file
    std::string version;
  };
  Result<std::vector<Learned>> compare_with_zone(Bytes& mark);
  Result<void> state_learned(const dns::Name& agent, agent::AgentEntry& entry, change::ZoneEdit& edit, change::RegistryState& state) const;

  std::shared_ptr<const change::PublishPolicy> policy_;
  std::shared_ptr<const crypto::KeyPair> custody_;
  std::unique_ptr<store::Reader> reader_;
  const Clock& clock_;
  AgentIndex index_;
  AgentIndex referred_;
  bool is_open_ = false;
  size_t publishers_ = 0;
  bool publishers_change_ = false;  // in what is not committed yet
  void count_publishers();
  struct {
    TrustSweep sweep;
    size_t most = most_restated;  // in one edit; fewer after one that failed
    uint64_t restated = 0;
    std::string error;
    uint64_t faults = 0;  // of the round under way
    std::string fault;
    uint64_t faults_of_round = 0;  // of the last whole one
    std::string fault_of_round;
    change::ListingWalk listings;  // goes on with each step; a restart begins it anew
    uint64_t struck = 0;  // of the round over the listings under way
    std::string stray;
    uint64_t struck_of_round = 0;
    std::string stray_of_round;
  } trust_;
  Bytes learned_;  // which zone file, as the book has it or is about to
  // registry_feed.cc
  void begin() { index_.roll_back(); }
  void end(bool committed);
  [[nodiscard]] ZoneKeeper* feed_keeper() const;
  Result<void> write_feed(const FeedPart& part, change::ZoneEdit& feed, ZoneTables& tables) const;
  Result<Bytes> read_filled();
  federation::FeedNames feed_names_;
  std::function<ZoneKeeper*()> find_feed_;
};

class RegistryZone::Changes {
 public:
  Changes(RegistryZone& registry, change::ZoneEdit& edit, ZoneTables& tables);
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  change::PublishOutcome publish(const change::UpdateRequest& request, const change::CheckedPublish& checked,
                                 const change::PublishPolicy& policy, const config::UpdateLimits& limits);
  /// An ordinary UPDATE: what is published is none of its business, unless a row that lists names says so.
  change::UpdateOutcome update(const change::UpdateRequest& request, const change::UpdatePolicy& policy,
                               const change::UpdateSender& sender, const config::UpdateLimits& limits);
  /// Its failure leaves nothing of it.
  Result<void> act(const Act& act);
  [[nodiscard]] agent::Book& book() { return book_; }
  /// The registry's own few values (store::ZoneTable::Registry).
  [[nodiscard]] zone::OctetTable& values() { return values_; }
  /// What is kept of agents below, to be read.
  [[nodiscard]] zone::OctetTable& referrals() { return referrals_; }
  /// The feed is to have this agent as it is at the end, although the book's entry stays; what changes in the book is noted
  /// by itself.
  void note(dns::NameView agent) { noted_.emplace(agent.wire().begin(), agent.wire().end()); }

 private:
  friend class RegistryZone;
  Result<void> draft_feed(FeedPart& part);
  void note_puts();
  [[nodiscard]] std::optional<dns::Name> agent_above(dns::NameView owner) const;
  Result<void> count_write(const dns::Name& agent);
  Result<void> settle(bool stays, const std::optional<change::PublishEffect>& effect);
  /// The tables, at the end: a row that many changes share is written once.
  Result<void> write_down();
  [[nodiscard]] bool is_derived(dns::NameView owner) const;

  RegistryZone& registry_;
  change::ZoneEdit& edit_;
  zone::TableOverlay agents_;
  zone::TableOverlay history_;
  zone::TableOverlay publishers_;
  zone::TableOverlay ranks_;
  zone::TableOverlay pages_;
  zone::OctetTable& values_;
  zone::OctetTable& referrals_;
  agent::Book book_;
  change::RegistryState state_;
  std::set<Bytes> noted_;  // agents whose entries in the feed may be others, in wire form
  std::optional<Bytes> filled_;  // the feed's mark, of fill_feed()
};

}  // namespace steward::daemon

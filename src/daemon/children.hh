#pragma once
// The registries below: their feeds are followed, and what is admitted of their agents is listed in the registry's own
// zone (steward-records(7), "What a parent takes").
//
//   the feed, a secondary zone ──► changed names ──► judged on all cores ──► a slice for the writer: one edit of the
//        ▲ NOTIFY, pull              (journal), or        (desk's thread)     registry's zone, with how far it is
//        └ daemon/secondary.hh       all names                                followed in the same transaction
//
// One slice of at most 256 names is with the writer at a time, whichever child it is of, so that a publish never waits for
// more than one; the next is read and judged meanwhile. After `kill -9` it goes on behind the last that was committed:
// judging a name again does no harm. A slice that fails is halved until the name that spoils it stands alone, and what
// was judged meanwhile is read again.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/parallel.hh"
#include "config/config.hh"
#include "daemon/feed_slice.hh"
#include "daemon/registry_zone.hh"
#include "daemon/writer.hh"
#include "federation/feed_budget.hh"

namespace steward::daemon {

class SliceReader;

/// What there is to tell of a child beside what is stored.
struct ChildFigures {
  dns::Name zone;
  std::string error;  ///< of the last attempt to write; empty: it went well
  std::optional<UnixTime> retry_at;
  uint64_t checks = 0;  ///< of signatures in its feed, since the start
};

class Children {
 public:
  /// Work for the writer with the registry's zone, and what to say where there is none.
  using PostRegistry = std::function<void(std::function<void(RegistryZone&, ZoneKeeper&)>,
                                          const std::function<void(const std::string&)>& refused)>;

  Children(std::unique_ptr<store::Reader> reader, const Clock& clock, size_t threads, PostRegistry post_registry);

  void start() { queue_.start(); }
  /// What waits is dropped, and found again at the next start; idempotent.
  void stop() { queue_.stop(); }

  // Any thread.
  /// After a start, and whenever the configuration changed. Children that are no longer there lose what was listed of
  /// them.
  void configure(std::shared_ptr<const FollowTerms> terms);
  /// There may be something to do: a feed has changed, or time went by.
  void look();
  [[nodiscard]] std::vector<ChildFigures> figures() const;

 private:
  struct Trouble {
    std::string error;
    UnixTime retry_at{};
  };
  void step();
  [[nodiscard]] std::shared_ptr<FeedSlice> find_work();
  [[nodiscard]] std::shared_ptr<FeedSlice> find_of(SliceReader& slices);
  void post(const std::shared_ptr<FeedSlice>& slice);
  void write(RegistryZone& registry, ZoneKeeper& keeper, const std::shared_ptr<FeedSlice>& slice);
  void written(RegistryZone& registry, ZoneKeeper& keeper, const std::shared_ptr<FeedSlice>& slice,
               const LoadOutcome& outcome);
  void ended(const std::shared_ptr<FeedSlice>& slice, const std::string& error);
  void note_trouble(const dns::Name& child, const std::string& error);
  [[nodiscard]] bool is_waiting(const dns::Name& child) const;
  [[nodiscard]] bool is_over_budget(const dns::Name& child) const;
  void spend(const FeedSlice& slice);

  std::unique_ptr<store::Reader> reader_;
  const Clock& clock_;
  Parallel parallel_;
  PostRegistry post_registry_;
  std::shared_ptr<const FollowTerms> terms_;  // the desk's thread
  std::atomic<size_t> pieces_{0};             // of the slice that is with the writer
  size_t turn_ = 0;                           // the desk's thread: whose turn it is
  std::shared_ptr<const FeedSlice> written_;  // the same: what is with the writer, unless some of it failed
  std::shared_ptr<FeedSlice> ready_;          // the same: for after it
  mutable std::mutex mutex_;
  std::map<std::string, Trouble> troubles_;  // by the child's zone
  std::map<std::string, federation::FeedBudget> budgets_;  // the same
  bool looks_ = false;                       // a step waits
  Writer queue_{"children"};
};

}  // namespace steward::daemon

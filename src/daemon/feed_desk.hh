#pragma once
// The parent's door for feeds that children send (federation/pushed_feed.hh): an UPDATE of `<replica>._feed.<child>` is checked on
// the worker's thread as every request of a registry is (daemon/registry_gate.hh), applied by the writer to the zone of that
// name, and answered after the commit, with what the zone then says of itself. It is followed as one that was fetched.
//
// take() is any worker's; the work, the writer's.

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/registry_gate.hh"
#include "daemon/zone_keeper.hh"
#include "serve/operations.hh"

namespace steward::daemon {

class FeedDesk {
 public:
  struct Room {
    const Clock& clock;
    RegistryGate& gate;
    /// Work for the writer with the keeper of a feed, null where there is none; false where the writer takes no more.
    std::function<bool(const dns::Name& feed, std::function<void(ZoneKeeper*)>)> post;
  };
  /// Of one child.
  struct Figures {
    uint64_t messages = 0;  ///< that were applied
    UnixTime heard_at{};    ///< when it last asked or sent something
  };

  explicit FeedDesk(Room room) : room_(std::move(room)) {}

  /// Whether an UPDATE is of a child's feed.
  [[nodiscard]] bool concerns(const serve::UpdateRequest& request) const;
  void take(serve::UpdateRequest request);
  /// Any thread.
  [[nodiscard]] Figures figures(const dns::Name& child) const;

 private:
  struct Asked;
  using AskedPtr = std::shared_ptr<Asked>;
  bool enter(const dns::Name& child);
  void leave(const dns::Name& child, bool has_applied);
  void apply(const AskedPtr& asked, ZoneKeeper& keeper);
  void answer(Asked& asked, const LoadOutcome& committed);

  const Room room_;
  mutable std::mutex mutex_;
  std::map<std::string, size_t> waiting_;  // messages, by child
  std::map<std::string, Figures> figures_;
};

}  // namespace steward::daemon

#pragma once
// Group commit: change sets that wait together become one transaction, so that one sync of the disk serves them all.
//
// Writer thread only. add() applies a change to the open transaction; flush() commits it. A change that fails is taken out, and the
// others are applied again without it: the failure of one is never another's.

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.hh"
#include "store/store.hh"

namespace steward::daemon {

class GroupCommit {
 public:
  struct Change {
    /// May be called more than once, each time in a fresh transaction. A failure leaves nothing.
    std::function<Result<void>(store::WriteTransaction&)> apply;
    /// Once: after the commit, or with what kept the change from it.
    std::function<void(const Result<void>&)> done;
  };

  GroupCommit(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// The outcome may come at once or with the flush.
  void add(Change change);
  /// Commits what is open, and tells.
  void flush();
  [[nodiscard]] bool is_empty() const { return changes_.empty(); }
  /// Whether the group has been open so long that those in it should not wait for more.
  [[nodiscard]] bool is_due() const;

  struct Figures {
    uint64_t commits = 0;
    uint64_t changes = 0;   ///< committed
    uint64_t failures = 0;
  };
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  Result<void> apply(Change& change);
  void start_over_without_last(const Error& error);
  void commit_each();

  store::Store& store_;
  const Clock& clock_;
  std::unique_ptr<store::WriteTransaction> open_;
  std::vector<Change> changes_;
  uint64_t opened_ns_ = 0;
  Figures figures_;
};

}  // namespace steward::daemon

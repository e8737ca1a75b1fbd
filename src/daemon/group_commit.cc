#include "daemon/group_commit.hh"

#include <utility>

namespace steward::daemon {
namespace {

// As long as a sync takes on a slow disk: whoever waits for it anyway may wait for it together with others.
constexpr uint64_t longest_open_ns = 10'000'000;

}  // namespace

Result<void> GroupCommit::apply(Change& change) {
  if (!open_) {
    auto begun = store_.begin_write();
    if (!begun) return tl::unexpected<Error>(begun.error());
    open_ = std::move(*begun);
    opened_ns_ = clock_.monotonic_ns();
  }
  return change.apply(*open_);
}

void GroupCommit::add(Change change) {
  changes_.push_back(std::move(change));
  const auto applied = apply(changes_.back());
  if (!applied) start_over_without_last(applied.error());
}

void GroupCommit::start_over_without_last(const Error& error) {
  open_.reset();
  Change failed = std::move(changes_.back());
  changes_.pop_back();
  auto others = std::exchange(changes_, {});
  ++figures_.failures;
  failed.done(tl::unexpected<Error>(error));
  for (Change& other : others) add(std::move(other));
}

bool GroupCommit::is_due() const { return !is_empty() && clock_.monotonic_ns() - opened_ns_ >= longest_open_ns; }

void GroupCommit::flush() {
  if (!open_) return;
  const auto committed = open_->commit();
  open_.reset();
  if (!committed && changes_.size() > 1) return commit_each();
  auto told = std::exchange(changes_, {});
  if (committed) {
    ++figures_.commits;
    figures_.changes += told.size();
  } else {
    figures_.failures += told.size();
  }
  for (Change& change : told) change.done(committed);
}

// Together they did not fit, on a disk that is nearly full say: by themselves some may.
void GroupCommit::commit_each() {
  for (Change& change : std::exchange(changes_, {})) {
    add(std::move(change));
    flush();
  }
}

}  // namespace steward::daemon

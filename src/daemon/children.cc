#include "daemon/children.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "daemon/slice_reader.hh"

namespace steward::daemon {
namespace {

constexpr Seconds follow_again_after{60};  // of what could not be written

bool share_names(const dns::Name& child, const dns::Name& other) {
  return child == other || child.view().is_below(other) || other.view().is_below(child);
}

}  // namespace

Children::Children(std::unique_ptr<store::Reader> reader, const Clock& clock, size_t threads,
                   PostRegistry post_registry)
    : reader_(std::move(reader)), clock_(clock), parallel_(threads), post_registry_(std::move(post_registry)) {}

void Children::configure(std::shared_ptr<const FollowTerms> terms) {
  queue_.post([this, terms = std::move(terms)] {
    terms_ = terms;
    ready_.reset();
    step();
  });
}

void Children::look() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(looks_, true)) return;
  }
  queue_.post([this] {
    {
      const std::lock_guard lock(mutex_);
      looks_ = false;
    }
    step();
  });
}

std::vector<ChildFigures> Children::figures() const {
  const std::lock_guard lock(mutex_);
  std::vector<ChildFigures> figures;
  for (const auto& [zone, trouble] : troubles_)
    if (const auto name = dns::Name::from_text(zone)) figures.push_back({*name, trouble.error, trouble.retry_at});
  const UnixTime now = clock_.now();
  for (const auto& [zone, budget] : budgets_) {
    const auto name = dns::Name::from_text(zone);
    if (!name) continue;
    auto at = std::ranges::find_if(figures, [&](const ChildFigures& one) { return one.zone == *name; });
    if (at == figures.end()) at = figures.insert(at, {*name, {}, {}});
    at->checks = budget.checks();
    if (const UnixTime free = budget.free_at(now); free > now && at->error.empty()) {
      at->error = fmt::format("its feed asks for too many signature checks: it waits for {} s", (free - now).count());
      at->retry_at = free;
    }
  }
  return figures;
}

bool Children::is_over_budget(const dns::Name& child) const {
  const std::lock_guard lock(mutex_);
  const auto budget = budgets_.find(child.to_text());
  return budget != budgets_.end() && budget->second.free_at(clock_.now()) > clock_.now();
}

void Children::spend(const FeedSlice& slice) {
  const std::lock_guard lock(mutex_);
  federation::FeedBudget& budget = budgets_[slice.child().to_text()];
  const UnixTime now = clock_.now();
  budget.spend(slice.checks(), now);
  if (const UnixTime free = budget.free_at(now); free > now)
    log::warning("feed.budget", {{"child", slice.child().to_text()}, {"checks", slice.checks()}, {"wait", (free - now).count()}});
}

bool Children::is_waiting(const dns::Name& child) const {
  const std::lock_guard lock(mutex_);
  const auto trouble = troubles_.find(child.to_text());
  return trouble != troubles_.end() && trouble->second.retry_at > clock_.now();
}

void Children::step() {
  if (!terms_) return;
  if (pieces_ == 0) {
    const auto slice = ready_ ? std::exchange(ready_, nullptr) : find_work();
    if (!slice) return;
    pieces_ = 1;
    written_ = slice;
    post(slice);
  }
  if (written_ && !ready_) ready_ = find_work();
}

std::shared_ptr<FeedSlice> Children::find_work() {
  if (const auto acquired = reader_->acquire(); !acquired) {
    log::error("feed.follow", {{"error", acquired.error().what}});
    return nullptr;
  }
  std::shared_ptr<FeedSlice> slice;
  const store::ZoneRecord* const home = reader_->zone_record(terms_->policy->zone);
  if (home != nullptr && home->info.availability == zone::Availability::Serving) {
    SliceReader slices(*terms_, *reader_, *home, clock_.now(), parallel_);
    slice = find_of(slices);
  }
  reader_->release();
  if (slice) spend(*slice);
  return slice;
}

// What is to be forgotten comes first: another child may have taken its place. Then each in its turn; beside a slice that is with the writer,
// what does not depend on what that will have written.
std::shared_ptr<FeedSlice> Children::find_of(SliceReader& slices) {
  std::shared_ptr<FeedSlice> slice;
  const auto look_at = [&](const dns::Name& child, const auto& read) {
    if (slice || is_waiting(child)) return;
    Result<std::shared_ptr<FeedSlice>> found = read();
    if (found)
      slice = *std::move(found);
    else
      note_trouble(child, found.error().what);
  };
  const FeedSlice* const before = written_.get();
  const auto left = slices.left();
  if (!left) log::error("feed.follow", {{"error", left.error().what}});
  if (left && before != nullptr && !left->empty()) return nullptr;
  if (left)
    for (const dns::Name& child : *left) look_at(child, [&] { return slices.leaving(child); });
  for (size_t i = 0; i < terms_->feeds.size(); ++i) {
    const FollowedFeed& feed = terms_->feeds[(turn_ + i) % terms_->feeds.size()];
    if (is_over_budget(feed.child)) continue;
    if (before == nullptr || !share_names(before->child(), feed.child))
      look_at(feed.child, [&] { return slices.next(feed); });
    else if (before->child() == feed.child)
      look_at(feed.child, [&] { return slices.behind(feed, *before); });
  }
  ++turn_;
  return slice;
}

void Children::post(const std::shared_ptr<FeedSlice>& slice) {
  post_registry_([this, slice](RegistryZone& registry, ZoneKeeper& keeper) { write(registry, keeper, slice); },
                 [this, slice](const std::string& why) {
                   queue_.post([this, slice, why] { ended(slice, why); });
                 });
}

// Writer thread.
void Children::write(RegistryZone& registry, ZoneKeeper& keeper, const std::shared_ptr<FeedSlice>& slice) {
  const auto apply = [this, &registry, slice](change::ZoneEdit& edit, ZoneTables& tables, RegistryZone::FeedPart& feed) {
    // The registry's own feed passes it on, to its parent.
    const auto hand_on = [&feed](const dns::Name& agent, const federation::WriteSet& writes,
                                 const std::vector<std::string>& losers_before) -> Result<void> {
      feed.handed.push_back({agent, writes, losers_before});
      return {};
    };
    return slice->apply(registry, edit, tables, hand_on, clock_.now());
  };
  registry.edit(keeper, apply, [this, &registry, &keeper, slice](const LoadOutcome& outcome) {
    written(registry, keeper, slice, outcome);
  });
}

// Writer thread, after the commit.
void Children::written(RegistryZone& registry, ZoneKeeper& keeper, const std::shared_ptr<FeedSlice>& slice,
                       const LoadOutcome& outcome) {
  outcome.ok ? registry.referred().keep() : registry.referred().roll_back();
  if (!outcome.ok && slice->size() > 1) {
    // One of them spoils it for all: each half by itself.
    ++pieces_;
    write(registry, keeper, slice->split());
    return write(registry, keeper, slice);
  }
  if (!outcome.ok && slice->give_up(outcome.error)) return write(registry, keeper, slice);
  outcome.ok ? slice->tell(outcome.serial) : slice->fail();
  if (outcome.ok) {
    const std::lock_guard lock(mutex_);
    budgets_[slice->child().to_text()].hold(slice->names_held());
  }
  queue_.post([this, slice, error = outcome.ok ? std::string() : outcome.error] { ended(slice, error); });
}

void Children::note_trouble(const dns::Name& child, const std::string& error) {
  const std::lock_guard lock(mutex_);
  if (error.empty()) {
    troubles_.erase(child.to_text());
    return;
  }
  troubles_[child.to_text()] = {error, clock_.now() + follow_again_after};
  log::error("feed.follow", {{"child", child.to_text()}, {"error", error}, {"again_in", follow_again_after.count()}});
}

void Children::ended(const std::shared_ptr<FeedSlice>& slice, const std::string& error) {
  note_trouble(slice->child(), error);
  if (!error.empty()) {
    ready_.reset();
    written_.reset();
  }
  if (--pieces_ > 0) return;
  written_.reset();
  step();
}

}  // namespace steward::daemon

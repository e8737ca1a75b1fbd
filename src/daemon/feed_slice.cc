#include "daemon/feed_slice.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hh"

namespace steward::daemon {
namespace {

constexpr size_t most_told = 20;  // refusals of one slice that the log names

std::string_view kind_text(bool is_difference, bool is_leaving) {
  return is_leaving ? "leaving" : is_difference ? "difference" : "whole";
}

// An agent of this registry's own, until it is handed over.
Result<std::optional<std::string>> holder_of(const agent::Book& book, const dns::Name& agent) {
  const auto entry = book.find(agent);
  if (!entry) return tl::unexpected<Error>(entry.error());
  if (!*entry || (*entry)->presence == agent::Presence::Gone) return std::optional<std::string>();
  return std::optional<std::string>("this registry");
}

}  // namespace

std::string terms_of(const FollowedFeed& feed) {
  return fmt::format("ceiling={:.2f} handed-to={}{}", feed.policy.trust_ceiling, feed.policy.handed_to, feed.policy.hosted ? " hosted" : "");
}

uint64_t FeedSlice::checks() const {
  uint64_t checks = 0;
  for (const federation::JudgedName& name : names_) checks += name.checks;
  return checks;
}

std::shared_ptr<FeedSlice> FeedSlice::split() {
  std::shared_ptr<FeedSlice> first(new FeedSlice(*this));
  const auto half = names_.begin() + static_cast<std::ptrdiff_t>(names_.size() / 2);
  first->names_.erase(first->names_.begin() + (half - names_.begin()), first->names_.end());
  first->progress_.reset();
  names_.erase(names_.begin(), half);
  return first;
}

bool FeedSlice::give_up(const std::string& why) {
  if (std::exchange(has_given_up_, true) || names_.empty() || names_.front().seen.empty()) return false;
  names_.front() = federation::unwritable(names_.front(), why);
  return true;
}

Result<void> FeedSlice::apply(RegistryZone& registry, change::ZoneEdit& edit, ZoneTables& tables,
                              const federation::HandOn& hand_on, UnixTime now) {
  registry.referred().roll_back();
  refused_.clear();
  conflicts_.clear();
  const dns::Name& zone = registry.zone();
  const agent::Book book(zone, tables[store::ZoneTable::Agents], tables[store::ZoneTable::History],
                         tables[store::ZoneTable::Publishers]);
  federation::ReferralRoom room{edit,
                                tables[store::ZoneTable::Referrals],
                                tables[store::ZoneTable::Pages],
                                tables[store::ZoneTable::Ranks],
                                [&](const dns::Name& agent) { return holder_of(book, agent); },
                                {},
                                hand_on};
  if (policy_->look_alikes)
    room.look_alikes = [&](const dns::Name& space) { return &registry.referred().look_alikes(space); };
  federation::Referrals rows(zone, room.referrals);
  const auto stored = rows.child(feed_.child);
  if (!stored) return tl::unexpected<Error>(stored.error());
  federation::ReferralEdit writer({zone, policy_->registry_id, feed_.child, feed_.policy}, room,
                                  stored->value_or(federation::FollowedChild{}));
  for (const federation::JudgedName& name : names_) {
    auto outcome = writer.apply(name);
    if (!outcome) return tl::unexpected<Error>(outcome.error());
    registry.referred().apply(outcome->effect);
    if (outcome->conflict > 0) conflicts_.emplace_back(name.agent, outcome->conflict);
    if (outcome->mark) refused_.emplace_back(name.agent, *std::move(outcome->mark));
  }
  note(writer.child(), now);
  child_ = writer.child();
  if (kind_ != Kind::Leave || !progress_ || !progress_->is_end || *has_failed_) return writer.finish();
  if (auto written = writer.write_down(); !written) return written;
  return rows.put_child(feed_.child, std::nullopt);
}

// How far the feed is followed, with the last of its names.
void FeedSlice::note(federation::FollowedChild& child, UnixTime now) const {
  if (kind_ == Kind::Leave || !progress_ || *has_failed_) return;
  const std::string terms = terms_of(feed_);
  if (child.replica != feed_.replica || child.terms != terms) child.reached.reset();
  child.replica = feed_.replica;
  child.terms = terms;
  child.registered = feed_.registered;
  if (kind_ == Kind::Difference) {
    if (!progress_->reached) return;
    child.reached = progress_->reached;
    child.reached_at = now;
    return;
  }
  child.walking = progress_->walking;
  child.at = progress_->at;
  if (!progress_->is_end) return;
  child.reached = std::exchange(child.walking, std::nullopt);
  child.at.clear();
  child.reached_at = child.reviewed = now;
}

void FeedSlice::tell(uint32_t serial) const {
  for (size_t i = 0; i < std::min(refused_.size(), most_told); ++i)
    log::notice("feed.refused", {{"child", feed_.child.to_text()},
                                 {"agent", refused_[i].first.to_text()},
                                 {"rule", refused_[i].second.rule},
                                 {"reason", refused_[i].second.reason}});
  if (refused_.size() > most_told)
    log::notice("feed.refused", {{"child", feed_.child.to_text()}, {"more", refused_.size() - most_told}});
  for (size_t i = 0; i < std::min(conflicts_.size(), most_told); ++i)
    log::warning("feed.conflict", {{"child", feed_.child.to_text()}, {"agent", conflicts_[i].first.to_text()}, {"writes", conflicts_[i].second}});
  if (conflicts_.size() > most_told)
    log::warning("feed.conflict", {{"child", feed_.child.to_text()}, {"more", conflicts_.size() - most_told}});
  if (kind_ == Kind::Leave && progress_ && progress_->is_end)
    return log::notice("feed.left", {{"child", feed_.child.to_text()}, {"serial", serial}});
  if (names_.empty() && !(progress_ && (progress_->is_end || progress_->reached))) return;
  log::info("feed.followed", {{"child", feed_.child.to_text()},
                              {"replica", feed_.replica},
                              {"kind", kind_text(kind_ == Kind::Difference, kind_ == Kind::Leave)},
                              {"feed", child_.reached ? std::to_string(*child_.reached) : "-"},
                              {"names", names_.size()},
                              {"agents", child_.agents},
                              {"refused", child_.refused},
                              {"serial", serial}});
}

}  // namespace steward::daemon

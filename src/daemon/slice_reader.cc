#include "daemon/slice_reader.hh"

#include <algorithm>

#include "federation/pushed_feed.hh"
#include "zone/node.hh"

namespace steward::daemon {
namespace {

using federation::FeedName;
using federation::FollowedChild;
using federation::JudgedName;
using federation::Referral;

constexpr size_t most_names = 256;              // of a slice: some 50 ms of the writer's time
constexpr uint64_t most_checks = 50'000;           // signatures of a slice: what is over the budget of a child is to be seen soon
constexpr size_t most_looked_at = 16'384;       // names of which there is nothing new, while one snapshot is held
constexpr uint64_t most_judged_octets = 8U << 20U;     // of RDATA that are judged at once

uint64_t octets_of(const FeedName& name) {
  uint64_t octets = 0;
  for (const auto& record : name.records) octets += record.rdata.size();
  return octets;
}

}  // namespace

SliceReader::SliceReader(const FollowTerms& terms, const store::Reader& reader, const store::ZoneRecord& home,
                         UnixTime now, Parallel& parallel)
    : terms_(terms),
      reader_(reader),
      now_(now),
      parallel_(parallel),
      table_(reader.table(home.info, store::ZoneTable::Referrals)),
      rows_(terms.policy->zone, *table_) {}

Result<std::vector<dns::Name>> SliceReader::left() const {
  auto children = rows_.children();
  if (!children) return children;
  std::erase_if(*children, [&](const dns::Name& child) {
    return std::ranges::any_of(terms_.feeds, [&](const FollowedFeed& feed) { return feed.child == child; });
  });
  return children;
}

std::vector<Bytes> SliceReader::rdatas_at_apex(const zone::ZoneInfo& zone, dns::RrType type) const {
  std::vector<Bytes> rdatas;
  const zone::NodeView apex = reader_.find(zone, zone.apex);
  const auto rrset = apex ? apex.find(type) : std::nullopt;
  if (!rrset) return rdatas;
  zone::StoredRrReader rrs(rrset->rrs);
  for (uint32_t i = 0; i < rrset->rr_count; ++i) zone::expand_rdata(type, rrs.next().rdata, apex.owner(), rdatas.emplace_back());
  return rdatas;
}

Result<std::shared_ptr<FeedSlice>> SliceReader::next(const FollowedFeed& feed) {
  const store::ZoneRecord* const record = reader_.zone_record(feed.feed);
  // Nothing that was not there yet is taken for an empty feed.
  if (record == nullptr || record->info.availability == zone::Availability::NotLoaded) return nullptr;
  if (federation::is_begun(rdatas_at_apex(record->info, dns::RrType::TXT))) return nullptr;
  const auto stored = rows_.child(feed.child);
  if (!stored) return tl::unexpected<Error>(stored.error());
  const FeedReader names(reader_, record->info, feed.child);
  const FollowedChild child = stored->value_or(FollowedChild{});
  if (child.replica != feed.replica || child.terms != terms_of(feed)) return whole(feed, names, record->serial, {});
  if (child.walking) return whole(feed, names, *child.walking, child.at);
  const bool is_due = child.refused > 0 && now_ - child.reviewed >= terms_.pull_interval;
  if (is_due || !child.reached) return whole(feed, names, record->serial, {});
  if (*child.reached == record->serial) return nullptr;
  if (const auto changed = names.changed_since(*child.reached)) return difference(feed, names, *changed);
  return whole(feed, names, record->serial, {});
}

// A walk meets each name once, so that no row of the slice before matters to this one.
Result<std::shared_ptr<FeedSlice>> SliceReader::behind(const FollowedFeed& feed, const FeedSlice& before) {
  if (before.kind_ != FeedSlice::Kind::Whole || !before.progress_ || before.progress_->is_end) return nullptr;
  if (before.feed_.replica != feed.replica || terms_of(before.feed_) != terms_of(feed)) return nullptr;
  const store::ZoneRecord* const record = reader_.zone_record(feed.feed);
  if (record == nullptr || record->info.availability == zone::Availability::NotLoaded) return nullptr;
  return whole(feed, FeedReader(reader_, record->info, feed.child), *before.progress_->walking, before.progress_->at);
}

// Reads some names and judges them on all cores; what is new of them joins the slice.
Result<void> SliceReader::judge(const FollowedFeed& feed, const FeedReader& names, const std::vector<dns::Name>& agents,
                                bool again, FeedSlice& slice) {
  federation::JudgeRules rules{feed.child, feed.feed, now_, terms_.policy->clock_skew, feed.policy, again};
  std::vector<FeedName> read;
  std::vector<std::optional<Referral>> held;
  std::vector<JudgedName> judged;
  uint64_t octets = 0;
  const auto judge_all = [&] {
    judged.assign(read.size(), {});
    parallel_.run(read.size(), 1, [&](size_t, size_t i) { judged[i] = judge_name(read[i], rules, held[i]); });
    for (JudgedName& name : judged)
      if (!name.is_known) slice.names_.push_back(std::move(name));
    read.clear();
    held.clear();
    octets = 0;
  };
  for (const dns::Name& agent : agents) {
    // A name that no row can have is no agent's either: it is nowhere listed.
    if (!rows_.key_of(agent)) continue;
    auto row = rows_.find(agent);
    if (!row) return tl::unexpected<Error>(row.error());
    read.push_back(names.read(agent));
    held.push_back(*std::move(row));
    octets += octets_of(read.back());
    if (octets > most_judged_octets) judge_all();
  }
  judge_all();
  return {};
}

// All names of a difference are looked at with each slice: those that were judged cost a digest.
Result<std::shared_ptr<FeedSlice>> SliceReader::difference(const FollowedFeed& feed, const FeedReader& names,
                                                           const FeedReader::Changed& changed) {
  const std::shared_ptr<FeedSlice> slice(new FeedSlice(terms_, feed, FeedSlice::Kind::Difference));
  std::vector<dns::Name> some;
  auto at = changed.agents.begin();
  while (at != changed.agents.end() && slice->size() < most_names && slice->checks() < most_checks) {
    some.clear();
    for (const size_t room = most_names - slice->size(); at != changed.agents.end() && some.size() < room; ++at)
      some.push_back(at->second);
    if (auto judged = judge(feed, names, some, false, *slice); !judged) return tl::unexpected<Error>(judged.error());
  }
  const bool is_all = at == changed.agents.end();
  slice->progress_ = FeedSlice::Progress{is_all ? std::optional(changed.serial) : std::nullopt, {}, {}, is_all};
  return slice;
}

/// The names of the feed and of the rows in one canonical order, so that a name that the feed has no longer is met too.
struct SliceReader::Walk {
  const FeedReader& names;
  const federation::Referrals& rows;
  const dns::Name& child;
  Bytes start;  // the key of the child
  Bytes at{};   // relative to it
  std::optional<FeedReader::Step> step{};
  std::optional<std::optional<federation::Referrals::Row>> row{};

  Result<void> look() {
    if (!step) step = names.next(at);
    if (row) return {};
    Bytes after = start;
    append(after, at);
    auto next = rows.next(child, after);
    if (!next) return tl::unexpected<Error>(next.error());
    row = *std::move(next);
    return {};
  }
  /// The next agent, if any; `at` moves. False at the end.
  Result<bool> next(std::optional<dns::Name>& agent) {
    agent.reset();
    if (auto looked = look(); !looked) return tl::unexpected<Error>(looked.error());
    Bytes held;
    if (*row) held.assign((*row)->key.begin() + static_cast<std::ptrdiff_t>(start.size()), (*row)->key.end());
    if (step->is_end && !*row) return false;
    if (*row && (step->is_end || held <= step->at)) {
      agent = (*row)->agent;
      if (!step->is_end && held == step->at) step.reset();
      at = std::move(held);
      row.reset();
      return true;
    }
    agent = step->agent;
    at = step->at;
    step.reset();
    return true;
  }
};

Result<std::shared_ptr<FeedSlice>> SliceReader::whole(const FollowedFeed& feed, const FeedReader& names, uint32_t serial,
                                                      Bytes at) {
  auto start = rows_.key_of(feed.child);
  if (!start) return tl::unexpected<Error>(start.error());
  const std::shared_ptr<FeedSlice> slice(new FeedSlice(terms_, feed, FeedSlice::Kind::Whole));
  Walk walk{names, rows_, feed.child, *std::move(start), std::move(at)};
  bool is_end = false;
  std::vector<dns::Name> some;
  for (size_t looked = 0; !is_end && slice->size() < most_names && slice->checks() < most_checks && looked < most_looked_at;) {
    some.clear();
    for (const size_t room = most_names - slice->size(); !is_end && some.size() < room && looked < most_looked_at; ++looked) {
      std::optional<dns::Name> agent;
      const auto more = walk.next(agent);
      if (!more) return tl::unexpected<Error>(more.error());
      is_end = !*more;
      if (agent) some.push_back(*std::move(agent));
    }
    if (auto judged = judge(feed, names, some, true, *slice); !judged) return tl::unexpected<Error>(judged.error());
  }
  slice->progress_ = FeedSlice::Progress{{}, serial, walk.at, is_end};
  return slice;
}

Result<std::shared_ptr<FeedSlice>> SliceReader::leaving(const dns::Name& child) {
  const std::shared_ptr<FeedSlice> slice(new FeedSlice(terms_, {child, {}, {}, {}}, FeedSlice::Kind::Leave));
  Bytes at;
  bool is_end = false;
  while (!is_end && slice->size() < most_names) {
    auto row = rows_.next(child, at);
    if (!row) return tl::unexpected<Error>(row.error());
    is_end = !*row;
    if (is_end) break;
    at = std::move((*row)->key);
    slice->names_.push_back({(*row)->agent, false, {}, {}, {}, 0});
  }
  slice->progress_ = FeedSlice::Progress{{}, {}, {}, is_end};
  return slice;
}

}  // namespace steward::daemon

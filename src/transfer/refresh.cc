#include "transfer/refresh.hh"

#include <algorithm>
#include <utility>

namespace steward::transfer {
namespace {

constexpr uint32_t most_hint_rounds = 3;
constexpr Seconds least_wait{1};

// RFC 1035 §3.3.13 has no rule against zones that all refresh at once; up to a tenth earlier spreads them.
Seconds spread(Seconds wait, uint32_t random) {
  const auto tenth = static_cast<uint64_t>(wait.count() / 10);
  return std::max(least_wait, wait - Seconds(static_cast<int64_t>(random % (tenth + 1))));
}

Seconds between(uint32_t seconds, uint32_t least, uint32_t most) {
  return Seconds(std::max(least, std::min(seconds, most)));
}

// `first` doubled `times` times, at most `most`.
Seconds doubled(Seconds first, uint32_t times, Seconds most) {
  constexpr uint32_t enough = 32;
  return times >= enough ? most : std::min(most, first * (int64_t{1} << times));
}

}  // namespace

Refresh::Refresh(size_t primaries, const RefreshLimits& limits)
    : limits_(limits), primaries_(std::max<size_t>(primaries, 1)) {}

// The start, and time.

void Refresh::loaded(const SoaFields& soa, UnixTime verified) {
  if (stored_.data == Data::None) {
    stored_.data = Data::Valid;
    stored_.verified = verified;
    stored_.again = true;  // when it was last checked is not known
  } else if (stored_.soa.serial != soa.serial) {
    stored_.again = true;
  }
  stored_.soa = soa;
}

RefreshStep Refresh::start(Moment moment) {
  settle(moment);
  RefreshStep step;
  if (stored_.data == Data::None || stored_.again || stored_.next_round <= moment.now)
    step = begin_round(stored_.good_primary);
  if (const RefreshNote note = try_expire(moment); note != RefreshNote::None) step.note = note;
  return step;
}

void Refresh::reconfigure(size_t primaries, const RefreshLimits& limits) {
  limits_ = limits;
  primaries_ = std::max<size_t>(primaries, 1);
  if (activity_ != Activity::Idle) stored_.again = true;
  activity_ = Activity::Idle;
  // The list may have another order now.
  stored_.good_primary = 0;
  queued_primary_.reset();
}

RefreshStep Refresh::tick(Moment moment) {
  settle(moment);
  RefreshStep step;
  if (activity_ == Activity::Idle && stored_.next_round <= moment.now) step = begin_round(stored_.good_primary);
  if (const RefreshNote note = try_expire(moment); note != RefreshNote::None) step.note = note;
  return step;
}

UnixTime Refresh::next_event() const {
  UnixTime next = activity_ == Activity::Idle ? stored_.next_round : UnixTime::max();
  if (stored_.data == Data::Valid) next = std::min(next, expires());
  return next;
}

UnixTime Refresh::expires() const { return stored_.verified + expire_interval(); }

// A clock that was set back must not put off what is due: what lies in the future is taken as from now.
void Refresh::settle(Moment moment) {
  stored_.verified = std::min(stored_.verified, moment.now);
  const Seconds longest = std::max({refresh_interval(), retry_interval(), failure_interval()});
  stored_.next_round = std::min(stored_.next_round, moment.now + longest);
}

RefreshNote Refresh::try_expire(Moment moment) {
  if (stored_.data != Data::Valid || moment.now < expires()) return RefreshNote::None;
  stored_.data = Data::Expired;
  return RefreshNote::Expired;
}

// The zone is what a primary has.
RefreshNote Refresh::verify(Moment moment) {
  current_ = true;
  said_behind_ = false;
  stored_.verified = moment.now;
  stored_.good_primary = static_cast<uint32_t>(primary_);
  if (stored_.data != Data::Expired) return RefreshNote::None;
  stored_.data = Data::Valid;
  return RefreshNote::Revived;
}

// A round: primary after primary, until one helps.

RefreshStep Refresh::begin_round(size_t first) {
  primary_ = first % primaries_;
  asked_ = 0;
  current_ = false;
  transfer_failed_ = false;
  stored_.again = false;
  return ask();
}

RefreshStep Refresh::ask() {
  target_.reset();
  if (stored_.data == Data::None || whole_) return transfer(false);
  if (limits_.trusts_notify && awaits_hint()) {
    target_ = hint_;
    return transfer(true);
  }
  activity_ = Activity::Asking;
  return {RefreshOrder::AskSoa, primary_, 0, RefreshNote::None};
}

RefreshStep Refresh::transfer(bool incremental) {
  activity_ = Activity::Transferring;
  incremental_ = incremental;
  if (incremental) return {RefreshOrder::Ixfr, primary_, stored_.soa.serial, RefreshNote::None};
  return {RefreshOrder::Axfr, primary_, 0, RefreshNote::None};
}

RefreshStep Refresh::next_primary(Moment moment) {
  if (++asked_ < primaries_) {
    primary_ = (primary_ + 1) % primaries_;
    return ask();
  }
  return current_ ? end_round(moment, RefreshNote::None) : fail_round(moment);
}

RefreshStep Refresh::end_round(Moment moment, RefreshNote note) {
  stored_.failed_rounds = 0;
  stored_.failed_transfers = 0;
  Seconds wait = spread(refresh_interval(), moment.random);
  if (!awaits_hint()) {
    hint_.reset();
    hint_rounds_ = 0;
  } else if (hint_rounds_ < most_hint_rounds) {
    // A primary behind several addresses may know of the change before its neighbours do.
    wait = std::min(wait, Seconds(int64_t{1} << hint_rounds_++));
  } else {
    hint_.reset();
    hint_rounds_ = 0;
    if (note == RefreshNote::None) note = RefreshNote::NotifyUnproven;
  }
  return next_round(moment, wait, note);
}

RefreshStep Refresh::fail_round(Moment moment) {
  if (stored_.failed_rounds < UINT32_MAX) ++stored_.failed_rounds;
  if (transfer_failed_ && stored_.failed_transfers < UINT32_MAX) ++stored_.failed_transfers;
  return next_round(moment, spread(failure_interval(), moment.random), RefreshNote::RoundFailed);
}

RefreshStep Refresh::next_round(Moment moment, Seconds wait, RefreshNote note) {
  activity_ = Activity::Idle;
  target_.reset();
  stored_.next_round = moment.now + wait;
  RefreshStep step{RefreshOrder::Wait, primary_, 0, note};
  if (!stored_.again) return step;
  const std::optional<uint32_t> hint = std::exchange(queued_hint_, std::nullopt);
  const bool whole = std::exchange(queued_whole_, false);
  const size_t first = std::exchange(queued_primary_, std::nullopt).value_or(stored_.good_primary);
  stored_.again = false;
  // What was notified may have come meanwhile.
  if (!whole && hint && stored_.data == Data::Valid && !is_newer(*hint)) return step;
  whole_ = whole_ || whole;
  if (hint) hint_ = hint;
  step = begin_round(first);
  step.note = note;
  return step;
}

// What primaries say.

RefreshStep Refresh::notify(Moment moment, std::optional<size_t> primary, std::optional<uint32_t> serial) {
  settle(moment);
  // RFC 1996 §4.7 treats NOTIFY as if REFRESH had passed; a serial that we have needs no query.
  if (serial && stored_.data == Data::Valid && !is_newer(*serial))
    return {RefreshOrder::Wait, primary_, 0, RefreshNote::NotifyIgnored};
  if (primary && *primary >= primaries_) primary.reset();
  if (activity_ != Activity::Idle) {
    const bool coming = serial && target_ && !(dns::Serial(*target_) < dns::Serial(*serial));
    if (coming) return {RefreshOrder::Wait, primary_, 0, RefreshNote::None};
    // One more round, however many come (RFC 1996 §4.4); one without a serial may mean any.
    queued_hint_ = stored_.again && !queued_hint_ ? std::nullopt : serial;
    queued_primary_ = primary;
    stored_.again = true;
    return {RefreshOrder::Wait, primary_, 0, RefreshNote::NotifyQueued};
  }
  if (serial) {
    hint_ = serial;
    hint_rounds_ = 0;
  }
  return begin_round(primary.value_or(stored_.good_primary));
}

RefreshStep Refresh::soa_answered(Moment moment, uint32_t serial) {
  if (activity_ != Activity::Asking) return {};
  settle(moment);
  if (is_newer(serial)) {
    said_behind_ = false;
    target_ = serial;
    return transfer(true);
  }
  if (serial != stored_.soa.serial) return primary_is_behind(moment, serial);
  const RefreshNote note = verify(moment);
  if (!awaits_hint()) return end_round(moment, note);
  // NOTIFY named a serial that this primary does not have: another one may.
  RefreshStep step = next_primary(moment);
  if (note != RefreshNote::None) step.note = note;
  return step;
}

RefreshStep Refresh::primary_is_behind(Moment moment, uint32_t serial) {
  const bool first = !std::exchange(said_behind_, true);
  RefreshStep step;
  if (stored_.data == Data::Expired) {
    // What was ours is no longer good (RFC 1034 §4.3.5): the primary's zone is, whatever its serial.
    target_ = serial;
    step = transfer(false);
  } else {
    step = next_primary(moment);
  }
  if (first) step.note = RefreshNote::Behind;
  return step;
}

RefreshStep Refresh::soa_failed(Moment moment) {
  if (activity_ != Activity::Asking) return {};
  settle(moment);
  return next_primary(moment);
}

RefreshStep Refresh::transferred(Moment moment, const SoaFields& soa) {
  if (activity_ != Activity::Transferring) return {};
  settle(moment);
  stored_.soa = soa;
  if (stored_.data == Data::None) stored_.data = Data::Valid;
  whole_ = false;
  return end_round(moment, verify(moment));
}

RefreshStep Refresh::up_to_date(Moment moment, uint32_t serial) {
  if (activity_ != Activity::Transferring || !incremental_) return {};
  // It said otherwise when it was asked for its SOA: one of several servers behind an address, perhaps. What was
  // promised is looked for as if a NOTIFY had named it.
  activity_ = Activity::Asking;
  if (target_ && !awaits_hint()) hint_ = target_;
  target_.reset();
  if (is_newer(serial)) return transfer_failed(moment);
  return soa_answered(moment, serial);
}

RefreshStep Refresh::fall_back(Moment moment) {
  if (activity_ != Activity::Transferring) return {};
  settle(moment);
  return incremental_ ? transfer(false) : transfer_failed(moment);
}

RefreshStep Refresh::transfer_failed(Moment moment) {
  if (activity_ == Activity::Idle) return {};
  settle(moment);
  transfer_failed_ = true;
  return next_primary(moment);
}

RefreshStep Refresh::refresh_now(Moment moment, bool whole) {
  settle(moment);
  if (activity_ == Activity::Idle) {
    whole_ = whole_ || whole;
    return begin_round(stored_.good_primary);
  }
  queued_whole_ = queued_whole_ || whole;
  queued_hint_.reset();
  stored_.again = true;
  return {RefreshOrder::Wait, primary_, 0, RefreshNote::None};
}

// Serials and intervals.

bool Refresh::is_newer(uint32_t serial) const { return dns::Serial(stored_.soa.serial) < dns::Serial(serial); }

bool Refresh::accepts(uint32_t serial) const { return stored_.data != Data::Valid || whole_ || is_newer(serial); }

// deviates: where EXPIRE would pass first, a check is due before it: RFC 1035 §3.3.13 has no rule about the order of
// the two, and a zone would go in and out of service.
Seconds Refresh::refresh_interval() const {
  const Seconds refresh = between(stored_.soa.refresh, limits_.min_refresh, limits_.max_refresh);
  return std::max(least_wait, std::min(refresh, expire_interval() * 3 / 4));
}

Seconds Refresh::retry_interval() const {
  return std::max(least_wait, between(stored_.soa.retry, limits_.min_retry, limits_.max_retry));
}

Seconds Refresh::expire_interval() const {
  return std::max(least_wait, between(stored_.soa.expire, limits_.min_expire, limits_.max_expire));
}

// RETRY as it is written. Where it was the transfer that failed, twice as long each time, up to REFRESH: a large zone
// that cannot be used is not fetched again and again.
Seconds Refresh::failure_interval() const {
  if (stored_.data == Data::None) {
    const uint32_t times = stored_.failed_rounds == 0 ? 0 : stored_.failed_rounds - 1;
    return doubled(std::max(least_wait, Seconds(limits_.bootstrap_first)), times,
                   std::max(least_wait, Seconds(limits_.bootstrap_most)));
  }
  const uint32_t times = stored_.failed_transfers == 0 ? 0 : stored_.failed_transfers - 1;
  return doubled(retry_interval(), times, std::max(retry_interval(), refresh_interval()));
}

}  // namespace steward::transfer

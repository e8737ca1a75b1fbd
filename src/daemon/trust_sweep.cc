#include "daemon/trust_sweep.hh"

#include <algorithm>
#include <cmath>

#include "base/time_octets.hh"

namespace steward::daemon {
namespace {

constexpr uint8_t format = 1;
constexpr int64_t grace_ms = 60'000;  // what a step that comes late makes good by the next one's coming sooner
constexpr Seconds sweep_again_after{60};

int64_t ms_of(UnixTime time) { return seconds_of(time) * 1000; }

void append_u64(Bytes& to, uint64_t number) {
  append_u32(to, static_cast<uint32_t>(number >> 32));
  append_u32(to, static_cast<uint32_t>(number));
}

uint64_t read_u64(ByteReader& in) {
  const auto high = static_cast<uint64_t>(in.u32());
  return high << 32 | in.u32();
}

}  // namespace

void TrustSweep::resume(UnixTime now) { next_ms_ = std::max(next_ms_, ms_of(now)); }

std::optional<UnixTime> TrustSweep::due(UnixTime now, Seconds interval) const {
  if (interval <= Seconds(0)) return std::nullopt;
  // A clock that was set back, or an interval that became shorter, is no reason to wait for longer than a round.
  const UnixTime next = unix_time(next_ms_ / 1000);
  return next > now + interval + sweep_again_after ? now : next;
}

void TrustSweep::step(UnixTime now, Seconds interval, uint64_t looked, uint64_t agents, std::optional<dns::Name> last) {
  // Who was down for long goes on at the same pace, and makes nothing good at once.
  int64_t from = std::max(next_ms_, ms_of(now) - grace_ms);
  // due() counts in whole seconds, so that a step may come up to one early; what is further off is none of this clock's.
  if (from >= ms_of(now + Seconds(1))) from = ms_of(now);
  const bool ends = !last;
  after_ = std::move(last);
  looked_ += looked;
  const int64_t interval_ms = interval.count() * 1000;
  // As a fraction first: the product of both would not fit where both are large.
  const double share = looked == 0 ? 0.0 : static_cast<double>(looked) / static_cast<double>(std::max(looked, agents));
  next_ms_ = from + std::llround(static_cast<double>(interval_ms) * share);
  if (!ends) return;
  if (looked_ == 0) next_ms_ = from + interval_ms;  // nobody there
  looked_ = 0;
  ++rounds_;
}

void TrustSweep::put_off(UnixTime now) { next_ms_ = ms_of(now + sweep_again_after); }

Bytes TrustSweep::to_octets() const {
  Bytes out{format};
  append_u64(out, static_cast<uint64_t>(next_ms_));
  append_u64(out, looked_);
  append_u32(out, rounds_);
  if (after_) append(out, after_->view().wire());
  return out;
}

Result<TrustSweep> TrustSweep::from_octets(ByteView octets) {
  ByteReader in(octets);
  if (in.u8() != format) return fail(Errc::Corrupt, "trust sweep: no known format");
  TrustSweep sweep;
  sweep.next_ms_ = static_cast<int64_t>(read_u64(in));
  sweep.looked_ = read_u64(in);
  sweep.rounds_ = in.u32();
  if (!in.ok() || sweep.next_ms_ < 0) return fail(Errc::Corrupt, "trust sweep: ends early");
  if (in.left() == 0) return sweep;
  const auto after = dns::NameView::from_wire(in.rest());
  if (!after) return fail("trust sweep", after.error());
  sweep.after_ = dns::Name(*after);
  return sweep;
}

}  // namespace steward::daemon

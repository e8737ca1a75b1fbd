// IncomingTransfer: the order in which records come, RFC 5936 §2.2 and RFC 1995 §4.

#include <fmt/format.h>

#include <algorithm>

#include "dns/rdata.hh"
#include "dns/serial.hh"
#include "transfer/incoming.hh"
#include "transfer/soa_query.hh"

namespace steward::transfer {

using Step = IncomingTransfer::Step;

Step IncomingTransfer::place_record() {
  if (state_ == State::First) return place_first();
  const bool soa = record_.type == RrType::SOA;
  // A zone has one SOA, at its apex; taken for that of the zone, another one would end or reorder the transfer.
  if (soa && !(record_.owner == apex_.view()))
    return refuse("SOA of " + record_.owner.to_text() + " below the zone's apex (RFC 1034 §4.2.1)");
  switch (state_) {
    case State::Second: return place_second();
    case State::Whole:
      return soa ? close("AXFR ends with another SOA than it began with") : passed_on(sink_.record(record_));
    case State::Removing: return soa ? place_new_soa() : passed_on(sink_.removed(record_));
    case State::Adding: return soa ? place_old_soa() : passed_on(sink_.added(record_));
    case State::Complete: return refuse("record after the closing SOA (RFC 5936 §2.2)");
    case State::First:
    case State::Over: break;
  }
  return refuse("record out of place");
}

Step IncomingTransfer::place_first() {
  if (record_.type != RrType::SOA || !(record_.owner == query_.zone.view()))
    return refuse("transfer does not begin with the zone's SOA (RFC 5936 §2.2)");
  announced_ = true;
  apex_ = record_.owner;
  soa_.assign(record_.rdata.begin(), record_.rdata.end());
  soa_ttl_ = record_.ttl;
  to_ = soa_fields(soa_).serial;
  if (query_.type == RrType::AXFR) return begin(TransferKind::Axfr);
  // RFC 1995 §2, §4: also where the primary is behind us. Serials 2^31 apart have no order (RFC 1982 §3.2): not newer.
  // Whatever comes behind this SOA is not looked at.
  if (!(dns::Serial(query_.serial) < dns::Serial(to_))) return finish(Step::UpToDate);
  state_ = State::Second;
  return Step::More;
}

// RFC 1995 §4: differences begin with the SOA of our version; else it is the whole zone.
Step IncomingTransfer::place_second() {
  if (record_.type != RrType::SOA) {
    // begin() and record() are given the announced SOA; then comes this one.
    if (const Step step = begin(TransferKind::Axfr); step != Step::More) return step;
    return passed_on(sink_.record(record_));
  }
  const uint32_t serial = soa_fields(record_.rdata).serial;
  if (serial == to_) return fall_back("IXFR without a difference, or a zone without a record (RFC 1995 §4)");
  if (serial != query_.serial)
    return fall_back(
        fmt::format("first difference is from serial {}, ours is {} (RFC 1995 §4)", serial, query_.serial));
  if (const Step step = begin(TransferKind::Ixfr); step != Step::More) return step;
  return place_old_soa();
}

Step IncomingTransfer::begin(TransferKind kind) {
  kind_ = kind;
  const TransferRecord soa{apex_, RrType::SOA, soa_ttl_, soa_};
  state_ = kind == TransferKind::Axfr ? State::Whole : State::Adding;
  Step step = passed_on(sink_.begin({kind, apex_, query_.serial, to_, &soa}));
  if (step == Step::More && kind == TransferKind::Axfr) step = passed_on(sink_.record(soa));
  return step;
}

// The SOA from which a difference starts, or the closing one. RFC 1995 §4: each difference starts where the one before
// it ended, and the last one ends at the announced version.
Step IncomingTransfer::place_old_soa() {
  if (at_ == to_) return close("IXFR ends with another SOA than it began with");
  const uint32_t serial = soa_fields(record_.rdata).serial;
  if (serial != at_) return fall_back(fmt::format("gap in the differences: {} follows {} (RFC 1995 §4)", serial, at_));
  if (++differences_ > limits_.max_differences)
    return fall_back(fmt::format("more than {} differences", limits_.max_differences));
  state_ = State::Removing;
  return passed_on(sink_.removing(record_));
}

// The SOA to which a difference leads. Distances from our serial are below 2^31 since `to_` is newer than ours, and
// rise with each difference: so there are no circles (RFC 1982 §3.2).
Step IncomingTransfer::place_new_soa() {
  const uint32_t serial = soa_fields(record_.rdata).serial;
  const uint32_t done = at_ - query_.serial;
  const uint32_t distance = serial - query_.serial;
  if (distance <= done || distance > to_ - query_.serial)
    return fall_back(
        fmt::format("difference from {} to {} does not lead toward {} (RFC 1995 §4, RFC 1982 §3.2)", at_, serial, to_));
  if (serial == to_ && !is_announced_soa()) return fall_back("SOA of the last difference is not the announced one");
  at_ = serial;
  state_ = State::Adding;
  return passed_on(sink_.adding(record_));
}

// RFC 5936 §2.2: the same SOA at both ends; a zone that changed meanwhile would show here.
Step IncomingTransfer::close(std::string_view what) {
  if (!is_announced_soa()) {
    const std::string text =
        fmt::format("{}: serial {} and {} (RFC 5936 §2.2)", what, to_, soa_fields(record_.rdata).serial);
    return kind_ == TransferKind::Ixfr ? fall_back(text) : refuse(text);
  }
  state_ = State::Complete;
  return Step::More;
}

// Names compare without case (RFC 4343 §3): servers have compressed the two SOAs into different cases.
bool IncomingTransfer::is_announced_soa() {
  if (std::ranges::equal(record_.rdata, soa_)) return true;
  if (record_.rdata.size() != soa_.size()) return false;
  Bytes ours = soa_;
  Bytes theirs(record_.rdata.begin(), record_.rdata.end());
  dns::canonicalize_rdata(RrType::SOA, ours);
  dns::canonicalize_rdata(RrType::SOA, theirs);
  return ours == theirs;
}

Step IncomingTransfer::passed_on(const Result<void>& result) {
  if (result) return Step::More;
  const Errc code = result.error().code;
  const bool does_not_fit =
      code == Errc::Full || code == Errc::NotFound || code == Errc::Exists || code == Errc::Corrupt;
  if (kind_ == TransferKind::Ixfr && does_not_fit) return fail_with(Step::FallBackToAxfr, result.error().what, code);
  return refuse(result.error().what, code);
}

}  // namespace steward::transfer

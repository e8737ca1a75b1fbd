#pragma once
// The walk over the book in which each agent's trust is looked at again: trust grows with age and falls with the
// freshness of attestations, so it changes while nothing happens (agent/trust.hh).
//
// A value: where the walk is, and when it goes on so that one round takes about an interval, evenly, however many agents
// there are. It is kept in the zone's tables with each step, so that a restart goes on from there. Pure; any thread.

#include <optional>

#include "base/clock.hh"
#include "base/result.hh"
#include "dns/name.hh"

namespace steward::daemon {

class TrustSweep {
 public:
  /// Entries of the book that one step reads at most.
  static constexpr size_t most_read = 1024;

  /// After a start: what fell due meanwhile is due now.
  void resume(UnixTime now);
  /// When the next agents are to be looked at. `interval` of 0: never.
  [[nodiscard]] std::optional<UnixTime> due(UnixTime now, Seconds interval) const;
  /// The last agent that was looked at; nothing: a round begins.
  [[nodiscard]] const std::optional<dns::Name>& after() const { return after_; }
  /// Agents that this round has looked at, and rounds since the walk began.
  [[nodiscard]] uint64_t looked() const { return looked_; }
  [[nodiscard]] uint32_t rounds() const { return rounds_; }

  /// A step was made: `looked` of `agents` altogether, the last of them `last`; nothing where the end of the book was reached.
  void step(UnixTime now, Seconds interval, uint64_t looked, uint64_t agents, std::optional<dns::Name> last);
  /// A step failed: another try a minute later.
  void put_off(UnixTime now);

  [[nodiscard]] Bytes to_octets() const;
  /// Corrupt where it is none.
  static Result<TrustSweep> from_octets(ByteView octets);

 private:
  int64_t next_ms_ = 0;  // since 1970: with many agents a step is due more often than each second
  uint64_t looked_ = 0;
  uint32_t rounds_ = 0;
  std::optional<dns::Name> after_;
};

}  // namespace steward::daemon

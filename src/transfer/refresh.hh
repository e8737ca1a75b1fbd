#pragma once
// Refresh: the life of a secondary zone (RFC 1034 §4.3.5, RFC 1035 §3.3.13, RFC 1982, RFC 1996).
//
//                tick: the time has come, NOTIFY, refresh_now
//        ┌────────────────────────────────────────────────┐
//        │                                                ▼
//      Idle                                      Asking ◀── another primary ──┐
//        ▲                                         │  │                       │
//        ├── serial is ours: wait REFRESH ─────────┘  │ serial is newer       │
//        │                                            ▼                       │
//        ├── Done: wait REFRESH ◀────────────── Transferring ── Refused ──────┤
//        │                                        │    ▲                      │
//        │                                        └────┘ IXFR → AXFR          │
//        └── no primary is left: wait RETRY ──────────────────────────────────┘
//
// Beside it: the data is None (nothing was ever transferred), Valid, or Expired (EXPIRE seconds have passed since the
// last time that a primary could be asked; answer SERVFAIL). None goes to Transferring at once, by AXFR.
//
// A primary whose serial is behind ours has not checked our zone: another one is asked, then RETRY is waited for, and
// in the end the zone expires and takes what there is. So a serial that went back by mistake mends itself, as with
// BIND.
//
// Values only: no I/O, no clock, no random source. Each input takes a Moment and returns a RefreshStep, the one thing
// to do now; then the caller waits for its outcome, a NOTIFY, or next_event(). What must survive a restart is
// to_octets(): EXPIRE counts from the last successful check, not from the start. One thread.

#include <cstdint>
#include <optional>

#include "base/bytes.hh"
#include "base/clock.hh"
#include "base/result.hh"
#include "dns/serial.hh"
#include "transfer/soa_query.hh"

namespace steward::transfer {

/// What the operator sets, in seconds; applied to the SOA's own values. The least are Knot DNS's, the most BIND's.
struct RefreshLimits {
  uint32_t min_refresh = 2;
  uint32_t max_refresh = 2'419'200;  ///< four weeks
  uint32_t min_retry = 1;
  uint32_t max_retry = 1'209'600;  ///< two weeks
  uint32_t min_expire = 3;
  uint32_t max_expire = 14'515'200;  ///< 24 weeks
  uint32_t bootstrap_first = 5;      ///< without data: the first wait, doubled with every round …
  uint32_t bootstrap_most = 3'600;   ///< … up to this
  /// NOTIFY is signed, and a question costs a handshake: what it promises is asked for by IXFR, without the SOA first.
  /// RFC 1995 §4: where there is nothing new the answer is the SOA.
  bool trusts_notify = false;
};

/// When something happens.
struct Moment {
  UnixTime now;
  uint32_t random = 0;  ///< all 32 bits random: spreads what would come at once (up to a tenth earlier)
};

enum class RefreshOrder : uint8_t {
  Wait,    ///< until next_event() or an input
  AskSoa,  ///< of `primary`; answer with soa_answered() or soa_failed()
  Ixfr,    ///< from `primary`, from `serial`; answer with transferred(), up_to_date(), fall_back() or transfer_failed()
  Axfr,    ///< from `primary`; answer with transferred() or transfer_failed()
};

/// What is worth a line in the log, or a change of how the zone is answered.
enum class RefreshNote : uint8_t {
  None,
  Expired,         ///< from now on SERVFAIL (with EDE, RFC 8914 §4.25)
  Revived,         ///< an expired zone was found to be current: answer it again
  Behind,          ///< a primary's serial is behind ours (RFC 1982): said once, until one is not
  NotifyIgnored,   ///< NOTIFY names a serial that we have
  NotifyQueued,    ///< NOTIFY while busy: one more round follows
  NotifyUnproven,  ///< NOTIFY named a serial that no primary has
  RoundFailed,     ///< no primary helped; next_event() says when it is tried again
};

struct RefreshStep {
  RefreshOrder order = RefreshOrder::Wait;
  size_t primary = 0;   ///< index into the zone's list of primaries
  uint32_t serial = 0;  ///< Ixfr: ours
  RefreshNote note = RefreshNote::None;
};

class Refresh {
 public:
  enum class Data : uint8_t { None, Valid, Expired };
  enum class Activity : uint8_t { Idle, Asking, Transferring };

  /// A zone of which there is nothing yet; `primaries` is at least 1.
  explicit Refresh(size_t primaries, const RefreshLimits& limits = {});
  /// As it was stored with to_octets(). Corrupt where the octets are not whole. What the store holds goes to loaded()
  /// next.
  static Result<Refresh> from_octets(ByteView octets, size_t primaries, const RefreshLimits& limits = {});
  [[nodiscard]] Bytes to_octets() const;
  static constexpr size_t octets_size = 56;

  // The start, and time.
  /// The zone that the store holds. Without from_octets(), `verified` is when it was written; with it, that stays, and
  /// a zone of another serial than the one that was noted (a crash between two commits) is checked at once. Before
  /// start().
  void loaded(const SoaFields& soa, UnixTime verified);
  /// After a start or reload of the configuration: what is due.
  RefreshStep start(Moment moment);
  /// The list of primaries or the limits changed; what is under way has been given up by the caller. Then start().
  void reconfigure(size_t primaries, const RefreshLimits& limits);
  /// At next_event() or later; early calls do no harm.
  RefreshStep tick(Moment moment);
  /// When tick() has something to do: the next round, or expiry.
  [[nodiscard]] UnixTime next_event() const;

  // What primaries say.
  /// An allowed NOTIFY; `primary` where it came from one of the list, `serial` where it carried an SOA.
  RefreshStep notify(Moment moment, std::optional<size_t> primary, std::optional<uint32_t> serial);
  /// The outcome of AskSoa. Another serial than expected is no error.
  RefreshStep soa_answered(Moment moment, uint32_t serial);
  RefreshStep soa_failed(Moment moment);

  // The outcome of Ixfr and Axfr.
  /// Committed: the zone is now this.
  RefreshStep transferred(Moment moment, const SoaFields& soa);
  /// IncomingTransfer::Step::UpToDate; `serial` is the primary's.
  RefreshStep up_to_date(Moment moment, uint32_t serial);
  /// IncomingTransfer::Step::FallBackToAxfr, or the differences did not fit the zone.
  RefreshStep fall_back(Moment moment);
  /// Refused, cut off, timed out, or the zone that came could not be used.
  RefreshStep transfer_failed(Moment moment);

  // The operator.
  /// A round at once; with `whole` an AXFR whatever the serials say.
  RefreshStep refresh_now(Moment moment, bool whole);

  /// Whether a whole zone of `serial` may take the place of ours: newer, or asked for by the operator, or ours is
  /// Expired or None. An AXFR from a primary that lags behind the one that was asked for its SOA is none.
  [[nodiscard]] bool accepts(uint32_t serial) const;

  [[nodiscard]] Data data() const { return stored_.data; }
  [[nodiscard]] Activity activity() const { return activity_; }
  [[nodiscard]] const SoaFields& soa() const { return stored_.soa; }  ///< of our version, unclamped; holds unless None
  [[nodiscard]] UnixTime verified() const { return stored_.verified; }
  [[nodiscard]] UnixTime expires() const;                                         ///< holds unless None
  [[nodiscard]] size_t primary() const { return primary_; }                       ///< that is asked now, or was last
  [[nodiscard]] uint32_t failed_rounds() const { return stored_.failed_rounds; }  ///< in a row

 private:
  // What to_octets() keeps.
  struct Stored {
    Data data = Data::None;
    SoaFields soa;
    UnixTime verified{};
    UnixTime next_round{};
    uint32_t failed_rounds = 0;
    uint32_t failed_transfers = 0;
    uint32_t good_primary = 0;
    bool again = false;
  };

  RefreshStep begin_round(size_t first);
  RefreshStep ask();
  RefreshStep transfer(bool incremental);
  RefreshStep primary_is_behind(Moment moment, uint32_t serial);
  RefreshStep next_primary(Moment moment);
  RefreshStep end_round(Moment moment, RefreshNote note);
  RefreshStep fail_round(Moment moment);
  RefreshStep next_round(Moment moment, Seconds wait, RefreshNote note);
  RefreshNote verify(Moment moment);
  RefreshNote try_expire(Moment moment);
  void settle(Moment moment);
  [[nodiscard]] Seconds refresh_interval() const;
  [[nodiscard]] Seconds retry_interval() const;
  [[nodiscard]] Seconds expire_interval() const;
  [[nodiscard]] Seconds failure_interval() const;
  [[nodiscard]] bool is_newer(uint32_t serial) const;
  [[nodiscard]] bool awaits_hint() const { return hint_ && is_newer(*hint_); }

  RefreshLimits limits_;
  size_t primaries_;
  Stored stored_;

  Activity activity_ = Activity::Idle;
  size_t primary_ = 0;
  size_t asked_ = 0;              // primaries that did not help in this round
  bool current_ = false;          // this round: a primary has our serial
  bool incremental_ = false;      // Transferring: by IXFR
  bool transfer_failed_ = false;  // this round
  bool said_behind_ = false;
  bool whole_ = false;              // until the next transfer: AXFR whatever the serials say
  std::optional<uint32_t> target_;  // the serial that the transfer under way will bring, as the primary said
  std::optional<uint32_t> hint_;    // NOTIFY's serial that is looked for
  uint32_t hint_rounds_ = 0;        // rounds that ended without it
  // What came while busy; stored_.again says that there is something.
  bool queued_whole_ = false;
  std::optional<uint32_t> queued_hint_;
  std::optional<size_t> queued_primary_;
};

}  // namespace steward::transfer

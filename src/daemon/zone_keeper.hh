#pragma once
// ZoneKeeper: one configured zone over its life: loaded from its file, signed, signed again in time, its keys rolled.
//
//            load()                    load(): file or keys refused
//   Loading ────────► Serving ◄──────────────────────────────► Failed (serves on what it had)
//                        │  ▲
//            tend() at next_event(): keys due, signatures due
//
// Writer thread only. Every change is one transaction of the store; the status board is told after it.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "base/parallel.hh"
#include "config/config.hh"
#include "daemon/zone_keys.hh"
#include "daemon/zone_status.hh"
#include "store/store.hh"

namespace steward::daemon {

/// What a (re)load came to, for `zone reload` and the log.
struct LoadOutcome {
  bool ok = true;
  bool changed = false;
  std::string error;                   ///< all errors, a line each
  std::vector<std::string> warnings;
  uint32_t serial = 0;
  uint64_t written = 0;                ///< nodes
  uint64_t signatures = 0;
};

class ZoneKeeper {
 public:
  ZoneKeeper(config::ZoneConfig zone, config::ZoneFileConfig limits, store::Store& store, StatusBoard& board, const Clock& clock,
             Parallel& parallel);

  /// Takes what is stored, if it is still what the file says by its stamps; reads the file otherwise, or always with `force`.
  LoadOutcome load(bool force);
  /// Whether the files are, by their stamps, still those that were read last.
  [[nodiscard]] bool is_as_read() const;
  /// The next slice of what next_event() announced. True while there is more to do at once.
  bool tend();
  /// When tend() is wanted.
  [[nodiscard]] std::optional<UnixTime> next_event() const { return next_event_; }

  /// Makes all signatures that are due, or all there are, anew; false with the reason in `error`.
  bool sign_now(bool all, LoadOutcome& outcome);
  Result<void> rollover(bool ksk);
  Result<crypto::KeyTag> ds_seen(crypto::KeyTag tag);

  [[nodiscard]] const config::ZoneConfig& config() const { return zone_; }
  [[nodiscard]] ZoneKeys* keys() { return keys_ ? &*keys_ : nullptr; }
  /// Files whose change means a reload: the zone file and all that it includes.
  [[nodiscard]] const std::vector<std::string>& files() const { return status_.files; }
  [[nodiscard]] const ZoneStatus& status() const { return status_; }

 private:
  Result<LoadOutcome> read_file(bool loud);
  void verify_presigned(zone::ZoneImage& image);
  Result<LoadOutcome> commit(zone::ZoneImage* image, std::vector<store::FileStamp> stamps);
  void take(const store::ZoneRecord& record);
  LoadOutcome fail_with(const Error& error);
  void log_actions(const std::vector<sign::KeyAction>& actions) const;
  void schedule(std::optional<UnixTime> keys_due);
  bool resign_slice();
  void try_keys_again();
  void publish() { board_.set(status_); }
  [[nodiscard]] std::optional<store::ZoneRecord> stored() const;

  config::ZoneConfig zone_;
  config::ZoneFileConfig limits_;
  store::Store& store_;
  StatusBoard& board_;
  const Clock& clock_;
  Parallel& parallel_;
  std::optional<ZoneKeys> keys_;
  ZoneStatus status_;
  uint32_t max_ttl_ = 0;  // seconds, the longest that was served since the start
  std::optional<UnixTime> next_event_;
  std::optional<UnixTime> keys_due_;
  std::optional<UnixTime> resign_due_;
  std::optional<change::ResignProgress> resigning_;
  bool renew_ = false;
  bool keys_refused_ = false;  // why the zone is Failed
};

}  // namespace steward::daemon

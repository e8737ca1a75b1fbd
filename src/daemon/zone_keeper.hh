#pragma once
// ZoneKeeper: one configured zone over its life: loaded from its file, signed, signed again in time, its keys rolled.
//
//            load()                    load(): file or keys refused
//   Loading ────────► Serving ◄──────────────────────────────► Failed (serves on what it had)
//                        │  ▲
//            tend() at next_event(): keys due, signatures due
//
// Writer thread only. Every change joins the group commit; the status board is told after it.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "base/parallel.hh"
#include "change/edit.hh"
#include "change/recorder.hh"
#include "config/config.hh"
#include "daemon/group_commit.hh"
#include "daemon/zone_keys.hh"
#include "daemon/zone_status.hh"
#include "store/store.hh"
#include "zone/file_loader.hh"

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

/// What all keepers share.
struct KeeperRoom {
  store::Store& store;
  GroupCommit& group;
  StatusBoard& board;
  const Clock& clock;
  Parallel& parallel;
  /// After a commit that changed what is served: the zone's name and its new serial.
  std::function<void(const dns::Name&, uint32_t)> changed;
  /// `zone reload` of a zone that has no file: its primaries are asked.
  std::function<void(const dns::Name&)> refresh;
};

/// The tables of a zone in the transaction in which it is changed.
class ZoneTables {
 public:
  ZoneTables(store::WriteTransaction& write, uint32_t zone) : write_(write), zone_(zone) {}
  [[nodiscard]] zone::OctetTable& operator[](store::ZoneTable kind) { return write_.table(zone_, kind); }

 private:
  store::WriteTransaction& write_;
  uint32_t zone_;
};

class ZoneKeeper {
 public:
  using Edits = std::function<Result<void>(change::ZoneEdit&, ZoneTables&)>;
  using Done = std::function<void(const LoadOutcome&)>;

  /// Makes the text of a zone that has no file, since it is made here; its argument is the serial to write.
  using TextMaker = std::function<Result<std::string>(uint32_t serial)>;

  ZoneKeeper(config::ZoneConfig zone, config::ZoneFileConfig limits, KeeperRoom& room);

  /// Takes what is stored, if it is still what the file says by its stamps; reads the file otherwise, or always with `force`. The outcome comes with
  /// the group's commit.
  void load(bool force, Done done = {});
  void set_text_maker(TextMaker maker) { text_maker_ = std::move(maker); }
  /// Which catalog it is of, or what is wrong with the catalog that it is: for people.
  void note_catalog(CatalogNote note);
  /// The zone becomes what this image says: a transfer from a primary. `exact_serial`: its SOA is served as it is.
  void take_image(std::unique_ptr<zone::ZoneImage> image, bool exact_serial, Done done);
  /// Changes record by record, and the tables beside the records; `edits` may be called more than once, and its failure leaves nothing.
  void edit(Edits edits, bool exact_serial, Done done);
  /// The same of two zones in one transaction, this one's edits first: both are changed, or neither is. The outcome is this
  /// zone's.
  void edit_with(ZoneKeeper& other, Edits edits, Edits of_other, Done done);
  /// What is kept with the zone beside its records, and whether it is answered from.
  void put_state(Bytes octets, zone::Availability availability, std::function<void(const Result<void>&)> done);
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
  struct Content;
  struct Pending;
  using Committed = std::function<void(const Result<LoadOutcome>&)>;

  void read_file(bool loud, Done done);
  [[nodiscard]] Committed told_by(Done done);
  [[nodiscard]] zone::LoadResult parse() const;
  void tell_loaded(const LoadOutcome& outcome, bool loud, uint64_t began_ns) const;
  void verify_presigned(zone::ZoneImage& image);
  // zone_commit.cc
  Result<SigningSetup> prepare_keys(const std::optional<store::ZoneRecord>& record);
  void commit(Content content, Committed done);
  Result<LoadOutcome> commit_now();
  [[nodiscard]] std::shared_ptr<Pending> prepare_edit(Edits edits, Committed done);
  void join(std::shared_ptr<Pending> pending, Result<void> (ZoneKeeper::*write)(Pending&, store::WriteTransaction&));
  Result<void> write_rewritten(Pending& pending, store::WriteTransaction& write);
  Result<void> write_edited(Pending& pending, store::WriteTransaction& write);
  Result<void> rewrite_chain(Pending& pending, const change::EditRequest& edited, change::Recorder& recorder);
  Result<void> write_journal(store::WriteTransaction& write, uint32_t id, std::optional<zone::Difference> difference);
  void end(Pending& pending, const Result<void>& committed);
  void take(const store::ZoneRecord& record);
  LoadOutcome fail_with(const Error& error);
  void log_actions(const std::vector<sign::KeyAction>& actions) const;
  void schedule(std::optional<UnixTime> keys_due);
  bool resign_slice();
  void try_keys_again();
  void publish() { room_.board.set(status_); }
  /// The zone's record, if anything of it was ever loaded.
  [[nodiscard]] std::optional<store::ZoneRecord> stored() const;
  void load_without_file(bool force, const Done& done);
  Result<void> check_zonemd(zone::NodeTable& nodes, zone::NodeTable& nsec3) const;
  [[nodiscard]] std::optional<sign::ZonemdHash> zonemd() const;

  config::ZoneConfig zone_;
  config::ZoneFileConfig limits_;
  KeeperRoom& room_;
  const Clock& clock_;
  TextMaker text_maker_;
  size_t pending_ = 0;  // changes of this zone that wait for the group's commit
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

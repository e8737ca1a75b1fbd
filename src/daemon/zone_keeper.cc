#include "daemon/zone_keeper.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "change/recorder.hh"
#include "daemon/zone_pending.hh"
#include "sign/verify_zone.hh"

namespace steward::daemon {
namespace {

constexpr size_t resign_slice_nodes = 2000;
constexpr size_t verified_nodes = 20'000;  // a large pre-signed zone is checked by samples: it must not keep the writer for minutes

store::FileStamp stamp_of(const std::string& path) {
  store::FileStamp stamp;
  stamp.path = path;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return stamp;
  stamp.modified_ns = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  stamp.size = static_cast<uint64_t>(info.st_size);
  stamp.inode = info.st_ino;
  return stamp;
}

bool is_as_stamped(const std::vector<store::FileStamp>& stamps) {
  return !stamps.empty() && std::all_of(stamps.begin(), stamps.end(), [](const store::FileStamp& stamp) {
    return stamp.modified_ns != 0 && stamp_of(stamp.path) == stamp;
  });
}

// A file that changed while it was read, or so shortly before that its time could not show another change, is not
// taken as known: it is read again next time.
std::vector<store::FileStamp> stamps_of(const std::vector<std::string>& files, UnixTime reading_began) {
  std::vector<store::FileStamp> stamps;
  for (const std::string& file : files) {
    store::FileStamp stamp = stamp_of(file);
    if (stamp.modified_ns >= (seconds_of(reading_began) - 1) * 1'000'000'000) stamp.modified_ns = 0;
    stamps.push_back(std::move(stamp));
  }
  return stamps;
}

}  // namespace

ZoneKeeper::ZoneKeeper(config::ZoneConfig zone, config::ZoneFileConfig limits, KeeperRoom& room)
    : zone_(std::move(zone)), limits_(limits), room_(room), clock_(room.clock) {
  if (zone_.dnssec.enabled) keys_.emplace(zone_);
  status_.zone = zone_.name.to_text();
  status_.file = zone_.file.string();
  if (!zone_.file.empty()) status_.files = {status_.file};
  publish();
}

std::optional<store::ZoneRecord> ZoneKeeper::stored() const {
  auto record = room_.store.find_zone(zone_.name);
  if (record && record->info.availability == zone::Availability::NotLoaded) record.reset();
  return record;
}

bool ZoneKeeper::is_as_read() const {
  const auto record = stored();
  return record && is_as_stamped(record->files);
}

LoadOutcome ZoneKeeper::fail_with(const Error& error) {
  status_.state = ZoneState::Failed;
  status_.error = error.what;
  publish();
  log::error("zone.refused", {{"zone", status_.zone}, {"serving", status_.has_data ? "the version before" : "nothing"}, {"error", error.what}});
  LoadOutcome outcome;
  outcome.ok = false;
  outcome.error = error.what;
  outcome.serial = status_.serial;
  return outcome;
}

void ZoneKeeper::load(bool force, Done done) {
  const auto record = stored();
  if (record && record->served) take(*record);
  // The text of a feed is its apex alone, once: what was entered since is not in it.
  const bool is_kept = zone_.transfer_only && record && record->served;
  if (zone_.file.empty() && (!text_maker_ || is_kept)) return load_without_file(force, done);
  const bool known = record && record->served && record->signed_here == zone_.dnssec.enabled && is_as_stamped(record->files) &&
                     record->files.front().path == status_.file;
  if (!known || force) return read_file(force, std::move(done));
  for (status_.files.clear(); const store::FileStamp& stamp : record->files) status_.files.push_back(stamp.path);
  const auto end = [this, done](const Result<LoadOutcome>& outcome) {
    LoadOutcome told = outcome ? *outcome : fail_with(outcome.error());
    if (outcome) {
      status_.state = ZoneState::Serving;
      status_.error.clear();
      publish();
      told.serial = status_.serial;
    } else {
      keys_refused_ = true;
      try_keys_again();
    }
    if (done) done(told);
  };
  // Keys and policy may have changed all the same.
  zone_.dnssec.enabled ? commit({nullptr, record->files, false}, end) : end(LoadOutcome{});
}

void ZoneKeeper::try_keys_again() { keys_due_ = next_event_ = clock_.now() + std::chrono::minutes(1); }

// A zone that is transferred: what is stored is served, and its primaries say what is new.
void ZoneKeeper::load_without_file(bool force, const Done& done) {
  status_.files.clear();
  status_.primaries.clear();
  for (const config::Peer& peer : zone_.primaries) status_.primaries.push_back(peer.address.to_text());
  const auto record = room_.store.find_zone(zone_.name);
  if (record && record->info.availability == zone::Availability::Expired)
    status_.state = ZoneState::Expired;
  else if (status_.has_data)
    status_.state = ZoneState::Serving;
  publish();
  if (force && !zone_.primaries.empty()) room_.refresh(zone_.name);
  LoadOutcome outcome;
  outcome.serial = status_.serial;
  if (done) done(outcome);
}

zone::LoadResult ZoneKeeper::parse() const {
  zone::LoadOptions options;
  options.max_include_depth = limits_.max_include_depth;
  options.max_generate = limits_.max_generate;
  if (!text_maker_) return zone::load_zone_file(status_.file, zone_.name, options);
  // The serial that it was made with before: then only what differs moves the one that is served.
  const auto record = stored();
  const auto text = text_maker_(record ? record->file_serial : static_cast<uint32_t>(seconds_of(clock_.now())));
  if (text) return zone::load_zone_text(*text, status_.zone, zone_.name, options);
  zone::LoadResult failed;
  failed.errors.emplace_back().what = text.error().what;
  return failed;
}

void ZoneKeeper::note_catalog(CatalogNote note) {
  status_.catalog = std::move(note);
  publish();
}

void ZoneKeeper::read_file(bool loud, Done done) {
  const UnixTime began = clock_.now();
  const uint64_t began_ns = clock_.monotonic_ns();
  zone::LoadResult loaded = parse();
  status_.files = zone_.file.empty() ? std::vector<std::string>{} : loaded.files;
  if (status_.files.empty() && !zone_.file.empty()) status_.files = {status_.file};
  status_.warnings.clear();
  for (const zone::FileWarning& warning : loaded.warnings) {
    status_.warnings.push_back(warning.to_text());
    log::warning("zone.file", {{"zone", status_.zone}, {"at", warning.to_text()}});
  }
  const auto end = [this, done, loud, began_ns](const Result<LoadOutcome>& outcome) {
    LoadOutcome told = outcome ? *outcome : fail_with(outcome.error());
    told.warnings = status_.warnings;
    if (outcome) tell_loaded(told, loud, began_ns);
    // What is served on is kept signed meanwhile.
    if (!outcome && keys_ && status_.has_data && !next_event_) try_keys_again();
    if (done) done(told);
  };
  if (!loaded.image) {
    std::string all;
    for (const zone::FileError& error : loaded.errors) all += (all.empty() ? "" : "\n") + error.to_text();
    if (loaded.more_errors > 0) all += fmt::format("\nand {} more", loaded.more_errors);
    return end(fail(Errc::Invalid, all));
  }
  if (!keys_) verify_presigned(*loaded.image);
  commit({std::move(loaded.image), stamps_of(status_.files, began), false}, end);
}

void ZoneKeeper::tell_loaded(const LoadOutcome& outcome, bool loud, uint64_t began_ns) const {
  const auto ms = (clock_.monotonic_ns() - began_ns) / 1'000'000;
  // A file that was touched, or looked at again since it was so young, is no event.
  const log::Level level = outcome.changed || loud ? log::Level::Info : log::Level::Debug;
  log::write(level, "zone.loaded", {{"zone", status_.zone},
                            {"serial", outcome.serial},
                            {"changed", outcome.changed ? "yes" : "no"},
                            {"nodes", status_.nodes},
                            {"records", status_.records},
                            {"written", outcome.written},
                            {"signatures", outcome.signatures},
                            {"ms", ms}});
}

// A zone that was signed elsewhere is served as it is; what a validator will not like is told.
void ZoneKeeper::verify_presigned(zone::ZoneImage& image) {
  sign::VerifyOptions options;
  options.check_one_in = static_cast<unsigned>(1 + image.node_count() / verified_nodes);
  const auto verification = sign::verify_zone(image, clock_.now(), options);
  for (std::string& warning : sign::warnings_of(verification, clock_.now())) {
    log::warning("zone.dnssec", {{"zone", status_.zone}, {"at", warning}});
    status_.warnings.push_back(std::move(warning));
  }
}

void ZoneKeeper::take(const store::ZoneRecord& record) {
  status_.has_data = true;
  max_ttl_ = std::max(max_ttl_, record.max_ttl);
  status_.serial = record.serial;
  status_.is_signed = record.info.denial != zone::Denial::None;
  status_.denial = record.info.denial;
  status_.nodes = record.nodes;
  status_.records = record.records;
  status_.loaded_at = record.loaded_at;
  status_.keys = keys_ ? keys_->keys().size() : 0;
  if (status_.state == ZoneState::Loading) status_.state = ZoneState::Serving;
  publish();
}

void ZoneKeeper::log_actions(const std::vector<sign::KeyAction>& actions) const {
  for (const sign::KeyAction& action : actions)
    log::notice("zone.key", {{"zone", status_.zone}, {"key", action.tag}, {"role", sign::to_text(action.role)},
                             {"state", sign::to_text(action.to)}, {"why", action.why}});
}

void ZoneKeeper::schedule(std::optional<UnixTime> keys_due) {
  keys_due_ = keys_due;
  resign_due_.reset();
  if (keys_) {
    // Looking through a zone is cheap; looking ten times in the span that is left for it is in time for every signature.
    const Seconds period = std::clamp<Seconds>(zone_.dnssec.refresh / 10, Seconds(1), std::chrono::hours(1));
    resign_due_ = clock_.now() + period;
  }
  next_event_ = keys_due_;
  if (resign_due_ && (!next_event_ || *resign_due_ < *next_event_)) next_event_ = resign_due_;
  status_.next_event.reset();
  if (next_event_) status_.next_event = ZoneEvent{*next_event_, next_event_ == keys_due_ ? "keys" : "signatures"};
  publish();
}

bool ZoneKeeper::tend() {
  if (!keys_ || !status_.has_data) {
    next_event_.reset();
    return false;
  }
  const UnixTime now = clock_.now();
  if (keys_due_ && *keys_due_ <= now) {
    const auto done = commit_now();
    if (!done) {
      keys_refused_ = true;
      fail_with(done.error());
      // A key file that cannot be read is tried again, not given up.
      try_keys_again();
    } else if (std::exchange(keys_refused_, false)) {
      status_.state = ZoneState::Serving;
      status_.error.clear();
      publish();
    }
    return resigning_.has_value();
  }
  return resign_slice();
}

bool ZoneKeeper::resign_slice() {
  const auto step = [&]() -> Result<bool> {
    room_.group.flush();
    auto setup = prepare_keys(stored());
    if (!setup) return tl::unexpected<Error>(setup.error());
    auto begun = room_.store.begin_write();
    if (!begun) return tl::unexpected<Error>(begun.error());
    store::WriteTransaction& write = **begun;
    const store::ZoneRecord* before = write.find_zone(zone_.name);
    if (before == nullptr) return fail(Errc::NotFound, "not stored");
    change::RewriteRequest request;
    request.zone = before->info.id;
    request.apex = zone_.name;
    request.signing.signer = setup->signer.get();
    request.signing.denial = before->info.denial;
    request.signing.opt_out = zone_.dnssec.nsec3.opt_out;
    request.signing.was_signed = true;
    request.stored_serial = before->serial;
    request.zonemd = zonemd();
    if (!resigning_) resigning_.emplace();
    const uint64_t written = resigning_->written;
    uint32_t serial = before->serial;
    change::Recorder recorder(write.nodes(request.zone), write.nsec3(request.zone), recorded_nodes);
    if (auto stepped = change::resign_step(request, recorder.nodes(), recorder.nsec3(), room_.parallel, resign_slice_nodes, *resigning_, serial);
        !stepped)
      return tl::unexpected<Error>(stepped.error());
    if (resigning_->written > written) {
      write.zone(request.zone).serial = serial;
      if (auto noted = write_journal(write, request.zone, recorder.difference(room_.parallel)); !noted) return tl::unexpected<Error>(noted.error());
      if (auto done = write.commit(); !done) return tl::unexpected<Error>(done.error());
      status_.serial = serial;
      room_.changed(zone_.name, serial);
    }
    return !resigning_->done;
  };
  const auto more = step();
  if (!more) {
    fail_with(more.error());
    resigning_.reset();
    schedule(keys_due_);
    return false;
  }
  if (*more) return true;
  if (resigning_->written > 0)
    log::info("zone.resigned", {{"zone", status_.zone}, {"serial", status_.serial}, {"nodes", resigning_->written},
                                {"signatures", resigning_->signatures}});
  resigning_.reset();
  schedule(keys_due_);
  return false;
}

bool ZoneKeeper::sign_now(bool all, LoadOutcome& outcome) {
  const auto fail_here = [&](const Error& error) {
    outcome = fail_with(error);
    return false;
  };
  if (!keys_) return fail_here({Errc::Refused, status_.zone + ": dnssec is off for this zone"});
  if (!status_.has_data) return fail_here({Errc::NotFound, status_.zone + ": nothing is loaded"});
  renew_ = all;
  const auto done = commit_now();
  renew_ = false;
  if (!done) return fail_here(done.error());
  outcome = *done;
  if (all) return true;
  uint64_t signatures = 0;
  do {
    if (!resigning_) resigning_.emplace();
    const uint64_t before = resigning_->signatures;
    const bool more = resign_slice();
    signatures += more && resigning_ ? resigning_->signatures - before : 0;
  } while (resigning_);
  outcome.signatures += signatures;
  outcome.serial = status_.serial;
  return status_.state == ZoneState::Serving;
}

Result<void> ZoneKeeper::rollover(bool ksk) {
  if (!keys_) return fail(Errc::Refused, status_.zone + ": dnssec is off for this zone");
  if (auto begun = keys_->begin_rollover(ksk, clock_.now()); !begun) return begun;
  const auto done = commit_now();
  if (!done) return tl::unexpected<Error>(done.error());
  return {};
}

Result<crypto::KeyTag> ZoneKeeper::ds_seen(crypto::KeyTag tag) {
  if (!keys_) return fail(Errc::Refused, status_.zone + ": dnssec is off for this zone");
  auto seen = keys_->ds_seen(tag, clock_.now());
  if (!seen) return seen;
  const auto done = commit_now();
  if (!done) return tl::unexpected<Error>(done.error());
  return seen;
}

}  // namespace steward::daemon

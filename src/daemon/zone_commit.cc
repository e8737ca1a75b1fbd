// How a keeper's changes are written: prepared, applied to the group's transaction, taken note of after the commit.

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "change/stored_denial.hh"
#include "sign/zonemd.hh"
#include "zone/record_source.hh"
#include "daemon/zone_pending.hh"

namespace steward::daemon {
namespace {

constexpr uint32_t assumed_max_ttl = 86400;  // seconds that rollovers wait for at least: a reload may bring longer TTLs

void set_denial(zone::ZoneInfo& info, zone::Denial denial, uint16_t iterations, ByteView salt) {
  info.denial = denial;
  info.nsec3_iterations = iterations;
  info.nsec3_salt_size = static_cast<uint8_t>(salt.size());
  std::copy(salt.begin(), salt.end(), info.nsec3_salt.begin());
}

}  // namespace

Result<SigningSetup> ZoneKeeper::prepare_keys(const std::optional<store::ZoneRecord>& record) {
  return keys_->prepare(clock_.now(), std::max(max_ttl_, assumed_max_ttl), record && record->served && record->signed_here);
}

void ZoneKeeper::commit(Content content, Committed done) {
  // Two changes of one zone are not prepared side by side: the second must see the first.
  if (pending_ > 0) room_.group.flush();
  auto pending = std::make_shared<Pending>();
  const auto record = stored();
  if (keys_) {
    if (content.image) max_ttl_ = std::max(max_ttl_, content.image->max_ttl());
    auto prepared = prepare_keys(record);
    if (!prepared) return done(tl::unexpected<Error>(prepared.error()));
    pending->setup = std::move(*prepared);
    pending->signer = pending->setup.signer.get();
  }
  // Another ZONEMD means that the apex is made anew, as other keys do.
  if (zone_.zonemd != config::ZonemdDigest::None) pending->setup.digest += zone_.zonemd == config::ZonemdDigest::Sha384 ? " zonemd=1" : " zonemd=2";
  const bool signing_changed = record && (record->signed_here != zone_.dnssec.enabled || record->signing_digest != pending->setup.digest);
  if (!content.image && !signing_changed && !renew_) {
    // Nothing that the clock or the keys ask for.
    schedule(pending->setup.next);
    LoadOutcome outcome;
    outcome.serial = status_.serial;
    return done(outcome);
  }
  pending->content = std::move(content);
  pending->renew = renew_;
  pending->done = std::move(done);
  join(std::move(pending), &ZoneKeeper::write_rewritten);
}

Result<LoadOutcome> ZoneKeeper::commit_now() {
  const auto record = stored();
  Result<LoadOutcome> outcome;
  commit({nullptr, record ? record->files : std::vector<store::FileStamp>{}, false}, [&](const Result<LoadOutcome>& told) { outcome = told; });
  room_.group.flush();
  return outcome;
}

void ZoneKeeper::join(std::shared_ptr<Pending> pending, Result<void> (ZoneKeeper::*write)(Pending&, store::WriteTransaction&)) {
  ++pending_;
  room_.group.add({[this, pending, write](store::WriteTransaction& transaction) { return (this->*write)(*pending, transaction); },
                   [this, pending](const Result<void>& committed) {
                     --pending_;
                     end(*pending, committed);
                   }});
}

Result<void> ZoneKeeper::write_journal(store::WriteTransaction& write, uint32_t id, std::optional<zone::Difference> difference) {
  if (!difference) return write.clear_journal(id);
  store::JournalLimits limits;
  limits.octets = zone_.journal.max_size;
  limits.age = zone_.journal.max_age;
  return write.append_journal(id, *difference, limits, clock_.now());
}

Result<void> ZoneKeeper::write_rewritten(Pending& pending, store::WriteTransaction& write) {
  const store::ZoneRecord* before = write.find_zone(zone_.name);
  const bool is_entered = before != nullptr;
  pending.is_new = !is_entered || before->info.availability == zone::Availability::NotLoaded;
  const uint32_t id = is_entered ? before->info.id : write.add_zone(zone_.name).info.id;
  store::ZoneRecord& record = write.zone(id);
  record.info.transfer_only = zone_.transfer_only;  // before the first node: the store indexes by it
  zone::ZoneImage* const image = pending.content.image.get();

  change::RewriteRequest request;
  request.zone = id;
  request.apex = zone_.name;
  request.image = image;
  request.stored_serial = record.serial;
  request.exact_serial = pending.content.exact_serial;
  request.attic = &write.attic(id);
  request.zonemd = zonemd();
  request.apex_records = pending.setup.apex_records;
  request.signing.signer = pending.signer;
  if (keys_) {
    request.signing.denial = zone_.dnssec.nsec3.enabled ? zone::Denial::Nsec3 : zone::Denial::Nsec;
    request.signing.opt_out = zone_.dnssec.nsec3.opt_out;
  }
  request.signing.recheck =
      !pending.is_new && (record.signed_here != zone_.dnssec.enabled || record.signing_digest != pending.setup.digest);
  request.signing.renew = pending.renew;
  request.signing.was_signed = record.signed_here;

  Result<change::RewriteResult> result;
  if (pending.is_new) {
    result = change::rewrite_zone(request, write.nodes(id), write.nsec3(id), room_.parallel);
  } else {
    change::Recorder recorder(write.nodes(id), write.nsec3(id), recorded_nodes);
    result = change::rewrite_zone(request, recorder.nodes(), recorder.nsec3(), room_.parallel);
    if (result && result->changed)
      if (auto noted = write_journal(write, id, recorder.difference(room_.parallel)); !noted) return noted;
  }
  if (!result) return tl::unexpected<Error>(result.error());
  if (auto right = check_zonemd(write.nodes(id), write.nsec3(id)); !right) return right;

  set_denial(record.info, result->denial, result->nsec3_iterations, result->nsec3_salt);
  record.info.availability = zone::Availability::Serving;
  record.info.online = zone_.online;
  record.serial = result->serial;
  if (image != nullptr) record.file_serial = result->file_serial;
  if (image != nullptr) record.max_ttl = image->max_ttl();
  record.nodes = result->nodes;
  record.records = result->records;
  record.served = true;
  record.signed_here = zone_.dnssec.enabled;
  record.signing_digest = pending.setup.digest;
  record.files = pending.content.stamps;
  if (result->changed || pending.is_new) record.loaded_at = clock_.now();
  pending.record = record;
  pending.file_serial = result->file_serial;
  pending.outcome.changed = result->changed;
  pending.outcome.serial = result->serial;
  pending.outcome.written = result->written;
  pending.outcome.signatures = result->signatures;
  return {};
}

std::optional<sign::ZonemdHash> ZoneKeeper::zonemd() const {
  switch (zone_.zonemd) {
    case config::ZonemdDigest::None: return std::nullopt;
    case config::ZonemdDigest::Sha384: return sign::ZonemdHash::Sha384;
    case config::ZonemdDigest::Sha512: return sign::ZonemdHash::Sha512;
  }
  return std::nullopt;
}

// RFC 8976 §4: of a zone that comes from elsewhere, before it is served.
Result<void> ZoneKeeper::check_zonemd(zone::NodeTable& nodes, zone::NodeTable& nsec3) const {
  if (zone_.zonemd_verify == config::ZonemdCheck::Off) return {};
  const zone::NodeView apex = nodes.find({});
  const bool is_required = zone_.zonemd_verify == config::ZonemdCheck::Required;
  if (!is_required && (!apex || !apex.find(dns::RrType::ZONEMD))) return {};
  zone::TableRecords records(zone_.name, nodes, nsec3);
  const auto verified = sign::verify_zonemd(records);
  if (sign::is_acceptable(verified.verdict, is_required ? sign::ZonemdPolicy::Required : sign::ZonemdPolicy::WhenPresent)) return {};
  return fail(Errc::Invalid, status_.zone + ": ZONEMD (RFC 8976): " + verified.what);
}

void ZoneKeeper::take_image(std::unique_ptr<zone::ZoneImage> image, bool exact_serial, Done done) {
  commit({std::move(image), {}, exact_serial}, [this, done](const Result<LoadOutcome>& outcome) {
    done(outcome ? *outcome : fail_with(outcome.error()));
  });
}

ZoneKeeper::Committed ZoneKeeper::told_by(Done done) {
  return [this, done = std::move(done)](const Result<LoadOutcome>& outcome) {
    if (outcome) return done(*outcome);
    log::error("zone.change", {{"zone", status_.zone}, {"error", outcome.error().what}});
    LoadOutcome failed;
    failed.ok = false;
    failed.error = outcome.error().what;
    failed.serial = status_.serial;
    done(failed);
  };
}

// Null where it cannot be done, which `done` was told.
std::shared_ptr<ZoneKeeper::Pending> ZoneKeeper::prepare_edit(Edits edits, Committed done) {
  auto pending = std::make_shared<Pending>();
  pending->done = std::move(done);
  const auto refuse = [&](Result<LoadOutcome> why) {
    pending->done(why);
    return nullptr;
  };
  const auto record = stored();
  if (!record) return refuse(fail(Errc::NotFound, status_.zone + ": nothing is loaded"));
  if (keys_ && (pending->signer = keys_->signer(clock_.now())) == nullptr) {
    auto prepared = prepare_keys(record);
    if (!prepared) return refuse(tl::unexpected<Error>(prepared.error()));
    pending->setup = std::move(*prepared);
    pending->signer = pending->setup.signer.get();
  }
  pending->edits = std::move(edits);
  return pending;
}

void ZoneKeeper::edit(Edits edits, bool exact_serial, Done done) {
  if (pending_ > 0) room_.group.flush();
  auto pending = prepare_edit(std::move(edits), told_by(std::move(done)));
  if (!pending) return;
  pending->content.exact_serial = exact_serial;
  join(std::move(pending), &ZoneKeeper::write_edited);
}

void ZoneKeeper::edit_with(ZoneKeeper& other, Edits edits, Edits of_other, Done done) {
  if (pending_ > 0 || other.pending_ > 0) room_.group.flush();
  auto told = told_by(std::move(done));
  std::string why;
  const auto second = other.prepare_edit(std::move(of_other), [&why](const Result<LoadOutcome>& outcome) {
    if (!outcome) why = outcome.error().what;
  });
  if (!second) return told(fail(Errc::NotFound, why));
  second->done = [](const Result<LoadOutcome>&) {};
  const auto first = prepare_edit(std::move(edits), std::move(told));
  if (!first) return;
  ++pending_;
  ++other.pending_;
  room_.group.add({[this, &other, first, second](store::WriteTransaction& write) -> Result<void> {
                     if (auto written = write_edited(*first, write); !written) return written;
                     return other.write_edited(*second, write);
                   },
                   [this, &other, first, second](const Result<void>& committed) {
                     --pending_;
                     --other.pending_;
                     // Whoever is told of the first finds the second in place.
                     other.end(*second, committed);
                     end(*first, committed);
                   }});
}

Result<void> ZoneKeeper::write_edited(Pending& pending, store::WriteTransaction& write) {
  const store::ZoneRecord* before = write.find_zone(zone_.name);
  if (before == nullptr) return fail(Errc::NotFound, status_.zone + ": not stored");
  const uint32_t id = before->info.id;
  pending.record = *before;
  pending.outcome = {};
  pending.outcome.serial = before->serial;
  change::EditRequest request;
  request.zone = id;
  request.apex = zone_.name;
  request.stored_serial = before->serial;
  request.exact_serial = pending.content.exact_serial;
  request.note_provenance = !zone_.file.empty();
  request.signing.signer = pending.signer;
  request.signing.denial = keys_ ? before->info.denial : zone::Denial::None;
  request.signing.opt_out = zone_.dnssec.nsec3.opt_out;
  request.signing.was_signed = before->signed_here;
  request.zonemd = zonemd();

  change::Recorder recorder(write.nodes(id), write.nsec3(id), recorded_nodes);
  change::ZoneEdit edit(request, recorder.nodes(), recorder.nsec3(), &write.attic(id));
  edit.sign_ahead(room_.parallel);
  ZoneTables tables(write, id);
  if (auto edited = pending.edits(edit, tables); !edited) return edited;
  if (!edit.has_changes()) return {};
  auto result = edit.finish(room_.parallel);
  if (!result) return tl::unexpected<Error>(result.error());
  if (!result->changed) return {};
  if (auto right = check_zonemd(recorder.nodes(), recorder.nsec3()); !right) return right;
  store::ZoneRecord& record = write.zone(id);
  record.serial = result->serial;
  record.nodes = static_cast<uint64_t>(static_cast<int64_t>(record.nodes) + result->nodes);
  record.records = static_cast<uint64_t>(static_cast<int64_t>(record.records) + result->records);
  if (!keys_) {
    Bytes first;
    const auto denial = change::stored_denial(recorder.nodes().find({}), static_cast<bool>(recorder.nsec3().at_or_after(first)));
    set_denial(record.info, denial.denial, denial.nsec3_iterations, denial.nsec3_salt);
  }
  record.max_ttl = std::max(record.max_ttl, result->max_ttl);
  record.loaded_at = clock_.now();
  pending.outcome.changed = true;
  pending.outcome.serial = record.serial;
  pending.outcome.written = result->written;
  pending.outcome.signatures = result->signatures;
  if (result->needs_rewrite)
    if (auto rewritten = rewrite_chain(pending, request, recorder); !rewritten) return rewritten;
  pending.record = record;
  return write_journal(write, id, recorder.difference(room_.parallel));
}

// RFC 9077 §3: every NSEC and NSEC3 has the TTL of a negative answer.
Result<void> ZoneKeeper::rewrite_chain(Pending& pending, const change::EditRequest& edited, change::Recorder& recorder) {
  change::RewriteRequest request;
  request.zone = edited.zone;
  request.apex = edited.apex;
  request.signing = edited.signing;
  request.stored_serial = pending.outcome.serial;
  request.exact_serial = true;
  request.zonemd = zonemd();
  request.apex_records = change::stored_apex_records(recorder.nodes().find({}));
  const auto result = change::rewrite_zone(request, recorder.nodes(), recorder.nsec3(), room_.parallel);
  if (!result) return tl::unexpected<Error>(result.error());
  pending.outcome.written += result->written;
  pending.outcome.signatures += result->signatures;
  return {};
}

void ZoneKeeper::end(Pending& pending, const Result<void>& committed) {
  if (!committed) return pending.done(tl::unexpected<Error>(committed.error()));
  if (pending.setup.signer) {
    const auto actions = pending.setup.actions;
    const auto next = pending.setup.next;
    if (auto confirmed = keys_->confirm(std::move(pending.setup)); !confirmed) return pending.done(tl::unexpected<Error>(confirmed.error()));
    log_actions(actions);
    schedule(next);
  } else if (!keys_) {
    schedule({});
  }
  const bool from_file = pending.content.image && !zone_.file.empty();
  if (from_file && !pending.is_new && pending.outcome.changed && pending.outcome.serial != pending.file_serial && !keys_)
    log::notice("zone.serial", {{"zone", status_.zone}, {"file", pending.file_serial}, {"served", pending.outcome.serial},
                                {"why", "the file changed and its serial did not rise above the one served"}});
  take(pending.record);
  status_.state = ZoneState::Serving;
  status_.error.clear();
  publish();
  if (pending.outcome.changed || pending.is_new) room_.changed(zone_.name, pending.outcome.serial);
  pending.done(pending.outcome);
}

void ZoneKeeper::put_state(Bytes octets, zone::Availability availability, std::function<void(const Result<void>&)> done) {
  room_.group.add({[this, octets = std::move(octets), availability](store::WriteTransaction& write) -> Result<void> {
                     const store::ZoneRecord* before = write.find_zone(zone_.name);
                     if (before == nullptr) return fail(Errc::NotFound, status_.zone + ": not stored");
                     if (before->info.availability != availability) write.zone(before->info.id).info.availability = availability;
                     return write.put_state(before->info.id, octets);
                   },
                   [this, availability, done = std::move(done)](const Result<void>& committed) {
                     if (committed && status_.state != ZoneState::Failed) {
                       status_.state = availability == zone::Availability::Expired ? ZoneState::Expired
                                       : status_.has_data                          ? ZoneState::Serving
                                                                                   : ZoneState::Loading;
                       publish();
                     }
                     done(committed);
                   }});
}

}  // namespace steward::daemon

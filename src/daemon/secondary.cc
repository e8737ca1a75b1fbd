#include "daemon/secondary.hh"

#include <algorithm>

#include "base/log.hh"
#include "crypto/digest.hh"
#include "dns/rdata.hh"

namespace steward::daemon {
namespace {

using transfer::IncomingTransfer;
using transfer::RefreshNote;
using transfer::RefreshOrder;

constexpr std::chrono::milliseconds query_idle{5'000};
constexpr std::chrono::milliseconds transfer_idle{30'000};

transfer::RefreshLimits limits_of(const config::ZoneConfig& zone) {
  const config::TransferTimes& times = zone.times;
  transfer::RefreshLimits limits;
  limits.trusts_notify = std::ranges::all_of(zone.primaries, [](const config::Peer& peer) { return peer.tls && peer.tls->registry; });
  const auto set = [](uint32_t& limit, Seconds value) {
    if (value.count() > 0) limit = static_cast<uint32_t>(value.count());
  };
  set(limits.min_refresh, times.min_refresh);
  set(limits.max_refresh, times.max_refresh);
  set(limits.min_retry, times.min_retry);
  set(limits.max_retry, times.max_retry);
  set(limits.max_expire, times.max_expire);
  return limits;
}

// RFC 1995 §4: each difference applies to exactly the version that it starts from.
Result<void> apply(const transfer::IxfrChanges& changes, const dns::Name& apex, change::ZoneEdit& edit) {
  const change::EditedRrset* soa = edit.find(apex, dns::RrType::SOA);
  if (soa == nullptr || transfer::soa_fields(soa->rdatas.front()).serial != changes.from())
    return fail(Errc::NotFound, "the differences start from another version");
  for (size_t i = 0; i < changes.size(); ++i) {
    const transfer::IxfrDifference difference = changes[i];
    for (const transfer::TransferRecord record : difference.removed)
      if (!edit.remove(record.owner, record.type, record.rdata))
        return fail(Errc::NotFound, record.owner.to_text() + " " + to_text(record.type) + ": is to be removed and is not there");
    edit.add(difference.new_soa.owner, dns::RrType::SOA, difference.new_soa.ttl, difference.new_soa.rdata);
    // A record that is there already is what the version shall have: NSD 4.6 repeats what the apex keeps, and its signatures.
    for (const transfer::TransferRecord record : difference.added) edit.add(record.owner, record.type, record.ttl, record.rdata);
  }
  return {};
}

}  // namespace

/// One transfer under way, until it is committed.
struct Secondary::Transfer {
  Transfer(const transfer::TransferQuery& query, dns::NameView apex, transfer::ReceiveOptions options)
      : receiver(apex, std::move(options)), incoming(query, receiver) {}

  transfer::TransferReceiver receiver;
  IncomingTransfer incoming;
  size_t primary = 0;
  std::string tls;
  std::string failure;  // of TSIG
  uint64_t began_ns = 0;
};

Secondary::Secondary(Room& room, config::ZoneConfig zone)
    : room_(room), zone_(std::move(zone)), name_(zone_.name.to_text()), refresh_(zone_.primaries.size(), limits_of(zone_)) {}

transfer::Moment Secondary::moment() const {
  uint32_t random = 0;
  crypto::random_octets({reinterpret_cast<uint8_t*>(&random), sizeof random});
  return {room_.calls.clock().now(), random};
}

void Secondary::start() {
  const StoredSecondary stored = room_.stored(zone_.name);
  if (!stored.state.empty()) {
    auto kept = transfer::Refresh::from_octets(stored.state, zone_.primaries.size(), limits_of(zone_));
    if (kept)
      refresh_ = std::move(*kept);
    else
      log::warning("zone.secondary", {{"zone", name_}, {"error", kept.error().what}, {"instead", "asking the primaries at once"}});
  }
  if (stored.soa) refresh_.loaded(transfer::soa_fields(stored.soa->rdata), stored.written_at);
  follow(refresh_.start(moment()));
  // A feed is not waited for as long as its SOA says: what NOTIFY said while nobody listened is asked for now.
  if (zone_.transfer_only && refresh_.activity() == transfer::Refresh::Activity::Idle) refresh_now(false);
}

std::vector<config::Peer> Secondary::primaries_in_turn() const {
  std::vector<config::Peer> peers = zone_.primaries;
  std::rotate(peers.begin(), peers.begin() + static_cast<std::ptrdiff_t>(refresh_.primary()), peers.end());
  return peers;
}

void Secondary::tick() {
  if (refresh_.next_event() <= room_.calls.clock().now()) follow(refresh_.tick(moment()));
}

void Secondary::notified(const SocketAddress& from, std::optional<uint32_t> serial) {
  std::optional<size_t> primary;
  for (size_t i = 0; i < zone_.primaries.size() && !primary; ++i) {
    const auto ours = zone_.primaries[i].address.octets();
    const auto theirs = from.octets();
    if (std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end())) primary = i;
  }
  follow(refresh_.notify(moment(), primary, serial));
}

void Secondary::refresh_now(bool whole) { follow(refresh_.refresh_now(moment(), whole)); }

void Secondary::tell(const transfer::RefreshStep& step) {
  switch (step.note) {
    case RefreshNote::None:
    case RefreshNote::NotifyQueued: return;
    case RefreshNote::NotifyIgnored: return log::debug("notify.in", {{"zone", name_}, {"ignored", "a serial that is served"}});
    case RefreshNote::NotifyUnproven:
      return log::notice("notify.in", {{"zone", name_}, {"ignored", "names a serial that no primary has"}});
    case RefreshNote::Expired:
      log::error("zone.expired", {{"zone", name_}, {"answers", "SERVFAIL until a primary is reached"}});
      return save(zone::Availability::Expired);
    case RefreshNote::Revived:
      log::notice("zone.revived", {{"zone", name_}});
      return save(zone::Availability::Serving);
    case RefreshNote::Behind:
      return log::warning("zone.behind", {{"zone", name_}, {"primary", primary().address.to_text()},
                                          {"serial", refresh_.soa().serial}, {"why", "its serial is behind ours"}});
    case RefreshNote::RoundFailed:
      return log::warning("zone.refresh", {{"zone", name_}, {"failed", "no primary helped"},
                                           {"next", seconds_of(refresh_.next_event()) - seconds_of(room_.calls.clock().now())}});
  }
}

void Secondary::follow(const transfer::RefreshStep& step) {
  tell(step);
  switch (step.order) {
    case RefreshOrder::Wait: return;
    case RefreshOrder::AskSoa: return ask_soa(step.primary);
    case RefreshOrder::Ixfr: return begin_transfer(step.primary, step.serial);
    case RefreshOrder::Axfr: return begin_transfer(step.primary, std::nullopt);
  }
}

void Secondary::save(zone::Availability availability) {
  room_.with_keeper(name_, [octets = refresh_.to_octets(), availability, name = name_](ZoneKeeper* keeper) {
    if (keeper == nullptr) return;
    keeper->put_state(octets, availability, [name](const Result<void>& saved) {
      if (!saved) log::error("zone.secondary", {{"zone", name}, {"error", saved.error().what}});
    });
  });
}

void Secondary::ask_soa(size_t primary) {
  const config::Peer& peer = zone_.primaries[primary];
  if (peer.tls) return ask_soa_by_stream(primary);
  const uint16_t id = net::random_message_id();
  auto query = transfer::build_soa_query(id, zone_.name, transfer::QueryEdns{});
  if (!query) return soa_failed(query.error().what);
  auto verifier = room_.calls.sign(*query, peer);
  if (!verifier) return soa_failed(verifier.error().what);
  verifier_ = std::move(*verifier);
  soa_answered_ = false;
  soa_error_.clear();
  net::DatagramCall::Options options;
  options.peer = peer.address;
  options.source = room_.calls.source_for(peer.address);
  options.interval = std::chrono::milliseconds(1'000);
  options.attempts = 3;
  datagram_ = net::DatagramCall::start(
      room_.calls.loop(), options, std::move(*query),
      {.on_reply = [this, id](ByteView reply) { return take_soa(reply, id, true); },
       .on_end = [this, primary](net::DatagramEnd end, const std::string& why) {
         datagram_.reset();
         if (end != net::DatagramEnd::Answered) return soa_failed(why);
         if (soa_answered_) return;
         // Cut short, or refused: a stream tells whether that is so. (knotd answers for its catalogs over TCP only.)
         ask_soa_by_stream(primary);
       }});
}

void Secondary::ask_soa_by_stream(size_t primary) {
  const config::Peer& peer = zone_.primaries[primary];
  const uint16_t id = net::random_message_id();
  auto query = transfer::build_soa_query(id, zone_.name);
  if (!query) return soa_failed(query.error().what);
  auto verifier = room_.calls.sign(*query, peer);
  if (!verifier) return soa_failed(verifier.error().what);
  verifier_ = std::move(*verifier);
  soa_answered_ = false;
  soa_error_.clear();
  auto call = room_.calls.stream(peer,
                                 {.on_message =
                                      [this, id](ByteView message) {
                                        take_soa(message, id, false);
                                        return false;
                                      },
                                  .on_end =
                                      [this](net::CallEnd, const std::string& why) {
                                        stream_.reset();
                                        if (!soa_answered_) soa_failed(soa_error_.empty() ? why : soa_error_);
                                      }},
                                 query_idle);
  if (!call) return soa_failed(call.error().what);
  stream_ = std::move(*call);
  stream_->send(*query);
}

// False where the datagram is not believed and the wait goes on.
bool Secondary::take_soa(ByteView message, uint16_t id, bool datagram) {
  if (verifier_) {
    if (const auth::TsigReply reply = verifier_->verify(message, room_.calls.clock().now()); reply != auth::TsigReply::Good) {
      soa_error_ = "TSIG: " + std::string(to_text(reply));
      if (datagram) verifier_->restart();
      // An error of the peer's own that is not signed may be true: the stream shows.
      return !datagram || reply == auth::TsigReply::PeerError;
    }
  }
  const transfer::SoaAnswer answer = transfer::parse_soa_answer(message, id, zone_.name, datagram);
  switch (answer.kind) {
    case transfer::SoaAnswer::Kind::Soa: break;
    case transfer::SoaAnswer::Kind::Truncated: soa_error_.clear(); return true;
    case transfer::SoaAnswer::Kind::NotOurs: return !datagram;
    case transfer::SoaAnswer::Kind::Refused: soa_error_ = answer.what; return true;
  }
  soa_answered_ = true;
  // Not from within the call's own callback: the next order may replace it.
  room_.on_main([this, alive = std::weak_ptr<bool>(alive_), serial = answer.soa.serial] {
    if (alive.expired()) return;
    const UnixTime before = refresh_.verified();
    const auto step = refresh_.soa_answered(moment(), serial);
    if (refresh_.verified() != before && step.note != RefreshNote::Revived) save(zone::Availability::Serving);
    follow(step);
  });
  return true;
}

void Secondary::soa_failed(const std::string& why) {
  log::info("zone.refresh", {{"zone", name_}, {"primary", primary().address.to_text()}, {"failed", why}});
  room_.on_main([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) follow(refresh_.soa_failed(moment()));
  });
}

void Secondary::begin_transfer(size_t primary, std::optional<uint32_t> from) {
  const config::Peer& peer = zone_.primaries[primary];
  if (!turn_)
    return room_.calls.turns().ask(peer.address.to_text(), [this, alive = std::weak_ptr<bool>(alive_), primary, from](CallTurns::Turn turn) {
      if (alive.expired()) return;
      turn_ = std::move(turn);
      begin_transfer(primary, from);
    });
  const auto give_up = [this](const std::string& why) {
    turn_.reset();
    log::warning("transfer.in", {{"zone", name_}, {"primary", this->primary().address.to_text()}, {"failed", why}});
    room_.on_main([this, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) follow(refresh_.transfer_failed(moment()));
    });
  };
  const StoredSecondary stored = from ? room_.stored(zone_.name) : StoredSecondary{};
  const bool incremental = from && stored.soa;
  transfer::TransferQuery query;
  query.id = net::random_message_id();
  query.zone = zone_.name;
  query.type = incremental ? dns::RrType::IXFR : dns::RrType::AXFR;
  query.serial = incremental ? *from : 0;
  auto message = incremental ? transfer::build_ixfr_query(query.id, zone_.name, stored.soa->rdata) : transfer::build_axfr_query(query.id, zone_.name);
  if (!message) return give_up(message.error().what);
  auto verifier = room_.calls.sign(*message, peer);
  if (!verifier) return give_up(verifier.error().what);
  verifier_ = std::move(*verifier);
  transfer::ReceiveOptions options;
  options.folder = room_.spool;
  options.source = "transfer from " + peer.address.to_text();
  transfer_ = std::make_shared<Transfer>(query, zone_.name, options);
  transfer_->primary = primary;
  transfer_->began_ns = room_.calls.clock().monotonic_ns();
  auto call = room_.calls.stream(peer,
                                 {.on_connect = [this] { transfer_->tls = stream_->tls_info(); },
                                  .on_message = [this](ByteView octets) { return take_message(octets); },
                                  .on_end = [this](net::CallEnd end, const std::string& why) { transfer_ended(end, why); }},
                                 transfer_idle);
  if (!call) return give_up(call.error().what);
  stream_ = std::move(*call);
  stream_->send(*message);
}

bool Secondary::take_message(ByteView message) {
  Transfer& transfer = *transfer_;
  if (verifier_) {
    const auth::TsigReply reply = verifier_->verify(message, room_.calls.clock().now());
    if (reply != auth::TsigReply::Good && reply != auth::TsigReply::Unsigned) {
      transfer.failure = "TSIG: " + std::string(to_text(reply));
      if (reply == auth::TsigReply::PeerError) transfer.failure += " " + auth::peer_error_text(verifier_->peer_error());
      return false;
    }
  }
  return transfer.incoming.take(message) == IncomingTransfer::Step::More;
}

void Secondary::transfer_ended(net::CallEnd end, const std::string& why) {
  stream_.reset();
  if (end == net::CallEnd::Unreachable || end == net::CallEnd::TimedOut)
    room_.calls.turns().unreachable(zone_.primaries[transfer_->primary].address.to_text());
  turn_.reset();
  Transfer& transfer = *transfer_;
  // After a step that ended it, closed() says that step again.
  IncomingTransfer::Step step = transfer.incoming.closed();
  std::string reason = transfer.failure;
  if (!reason.empty()) {
    step = IncomingTransfer::Step::Refused;
  } else if ((step == IncomingTransfer::Step::Done || step == IncomingTransfer::Step::UpToDate) && verifier_ && !verifier_->may_end()) {
    // RFC 8945 §5.3.1: the last message must be signed.
    step = IncomingTransfer::Step::Refused;
    reason = "TSIG: the last message is not signed";
  } else if (step == IncomingTransfer::Step::Refused || step == IncomingTransfer::Step::FallBackToAxfr) {
    reason = end == net::CallEnd::Done ? transfer.incoming.error().what : why;
  }
  room_.on_main([this, alive = std::weak_ptr<bool>(alive_), step, reason] {
    if (!alive.expired()) conclude(step, reason);
  });
}

void Secondary::log_transfer(std::string_view outcome, const std::string& why) const {
  const Transfer& transfer = *transfer_;
  const config::Peer& peer = zone_.primaries[transfer.primary];
  const auto level = why.empty() ? log::Level::Info : log::Level::Warning;
  log::write(level, "transfer.in",
             {{"zone", name_},
              {"primary", peer.address.to_text()},
              {"kind", transfer.incoming.kind() == transfer::TransferKind::Ixfr ? "ixfr" : "axfr"},
              {"serial", transfer.incoming.serial().value_or(0)},
              {"key", peer.key ? peer.key->to_text() : "-"},
              {"transport", peer.tls ? "tls" : "tcp"},
              {"tls", transfer.tls.empty() ? "-" : transfer.tls},
              {"messages", transfer.incoming.messages()},
              {"records", transfer.incoming.records()},
              {"octets", transfer.incoming.octets()},
              {"ms", (room_.calls.clock().monotonic_ns() - transfer.began_ns) / 1'000'000},
              {"outcome", outcome},
              {"why", why.empty() ? "-" : why}});
}

void Secondary::conclude(IncomingTransfer::Step step, const std::string& why) {
  switch (step) {
    case IncomingTransfer::Step::Done: return commit();
    case IncomingTransfer::Step::UpToDate: {
      log_transfer("up-to-date", "");
      const auto next = refresh_.up_to_date(moment(), transfer_->incoming.serial().value_or(refresh_.soa().serial));
      save(zone::Availability::Serving);
      return follow(next);
    }
    case IncomingTransfer::Step::FallBackToAxfr:
      log_transfer("axfr instead", why);
      return follow(refresh_.fall_back(moment()));
    case IncomingTransfer::Step::More:
    case IncomingTransfer::Step::RetryOverTcp:
    case IncomingTransfer::Step::Refused:
      log_transfer("refused", why);
      return follow(refresh_.transfer_failed(moment()));
  }
}

// On the writer's thread: sorting and checking a large zone is nothing for the main loop.
void Secondary::commit() {
  const bool incremental = transfer_->receiver.kind() == transfer::TransferKind::Ixfr;
  if (!incremental && !refresh_.accepts(transfer_->incoming.serial().value_or(0))) {
    log_transfer("refused", "its serial is not ahead of ours");
    return follow(refresh_.transfer_failed(moment()));
  }
  const auto back = [this, alive = std::weak_ptr<bool>(alive_), on_main = room_.on_main, incremental](const LoadOutcome& outcome,
                                                                                                       const transfer::SoaFields& soa) {
    on_main([this, alive, outcome, soa, incremental] {
      if (!alive.expired()) committed(outcome, soa, incremental);
    });
  };
  const bool posted = room_.with_keeper(name_, [transfer = transfer_, apex = zone_.name, back, incremental](ZoneKeeper* keeper) {
    LoadOutcome failed;
    failed.ok = false;
    if (keeper == nullptr) {
      failed.error = "no longer configured";
      return back(failed, {});
    }
    if (incremental) {
      const transfer::IxfrChanges& changes = transfer->receiver.changes();
      const auto last = changes.size() > 0 ? transfer::soa_fields(changes[changes.size() - 1].new_soa.rdata) : transfer::SoaFields{};
      return keeper->edit([transfer, apex, &changes](change::ZoneEdit& edit, ZoneTables&) { return apply(changes, apex, edit); }, true,
                          [back, last](const LoadOutcome& outcome) { back(outcome, last); });
    }
    transfer::ReceivedImage received = transfer->receiver.zone().finish();
    if (!received.image) {
      for (const zone::FileError& error : received.errors) failed.error += (failed.error.empty() ? "" : "; ") + error.to_text();
      return back(failed, {});
    }
    transfer::SoaFields soa;
    zone::ZoneImage::Node node;
    received.image->rewind();
    if (received.image->next(node))
      for (const zone::RrsetInput& rrset : node.rrsets)
        if (rrset.type == dns::RrType::SOA) soa = transfer::soa_fields(rrset.rdatas.front());
    keeper->take_image(std::move(received.image), true, [back, soa](const LoadOutcome& outcome) { back(outcome, soa); });
  });
  if (!posted) transfer_.reset();
}

void Secondary::committed(const LoadOutcome& outcome, const transfer::SoaFields& soa, bool was_incremental) {
  log_transfer(outcome.ok ? "done" : was_incremental ? "axfr instead" : "refused", outcome.ok ? "" : outcome.error);
  transfer_.reset();
  if (outcome.ok) {
    const auto next = refresh_.transferred(moment(), soa);
    save(zone::Availability::Serving);
    return follow(next);
  }
  follow(was_incremental ? refresh_.fall_back(moment()) : refresh_.transfer_failed(moment()));
}

}  // namespace steward::daemon

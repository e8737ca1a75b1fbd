#include "serve/transfer_out.hh"

#include "auth/tsig.hh"
#include "dns/serial.hh"
#include "serve/condense.hh"
#include "serve/soa_hint.hh"
#include "serve/transfer_job.hh"

namespace steward::serve {
namespace {

// What is read at once to be condensed: some milliseconds' work. Longer histories go out as they are, piece by piece.
constexpr uint64_t condense_octets = uint64_t{2} << 20;
// Of the journal, to be looked at for a datagram: hardly anything longer shrinks to what fits, and addresses are
// forged.
constexpr uint64_t datagram_octets = 8 * 1024;

std::string_view octets_of(const SocketAddress& client) { return as_text(client.octets()); }

// All records from `from` to `to`; nothing where the journal does not hold them.
std::optional<Bytes> read_whole(TransferSource& source, const zone::ZoneInfo& zone, uint32_t from, uint32_t to) {
  Bytes records;
  JournalPlace place{from, 0};
  while (const auto part = source.read_journal(zone, place)) {
    append(records, part->records);
    if (part->last && part->to == to) return records;
    if (records.size() > 2 * condense_octets) break;
  }
  return std::nullopt;
}

IxfrRecords::Feed feed_once(Bytes records) {
  return [records = std::move(records), done = false]() mutable -> IxfrRecords::Piece {
    if (done) return {};
    done = true;
    return {IxfrRecords::Piece::Kind::Records, std::move(records)};
  };
}

// Piece by piece, over as many turns as the client takes; broken off where the journal loses them meanwhile.
IxfrRecords::Feed feed_journal(TransferSource& source, const zone::ZoneInfo& zone, uint32_t from, uint32_t to) {
  const auto info = std::make_shared<const zone::ZoneInfo>(zone);
  return [&source, info, place = JournalPlace{from, 0}, to, done = false]() mutable -> IxfrRecords::Piece {
    if (done) return {};
    auto part = source.read_journal(*info, place);
    if (!part) return {IxfrRecords::Piece::Kind::Broken, {}};
    done = part->last && part->to == to;
    return {IxfrRecords::Piece::Kind::Records, std::move(part->records)};
  };
}

}  // namespace

std::string_view to_text(TransferKind kind) {
  switch (kind) {
    case TransferKind::Axfr: return "axfr";
    case TransferKind::Ixfr: return "ixfr";
  }
  return "";
}

std::string_view to_text(TransferOutcome outcome) {
  switch (outcome) {
    case TransferOutcome::Running: return "running";
    case TransferOutcome::Done: return "done";
    case TransferOutcome::Closed: return "closed";
    case TransferOutcome::Failed: return "failed";
    case TransferOutcome::Stopped: return "stopped";
  }
  return "";
}

bool TransferSlots::take(const SocketAddress& client) {
  const std::lock_guard lock(mutex_);
  if (total_ >= limits_.total) return false;
  const auto at = of_client_.find(octets_of(client));
  if (at != of_client_.end() && at->second >= limits_.per_client) return false;
  if (at != of_client_.end()) {
    ++at->second;
  } else {
    if (limits_.per_client == 0) return false;
    of_client_.emplace(octets_of(client), 1);
  }
  ++total_;
  return true;
}

void TransferSlots::give_back(const SocketAddress& client) {
  const std::lock_guard lock(mutex_);
  const auto at = of_client_.find(octets_of(client));
  if (at == of_client_.end()) return;
  if (--at->second == 0) of_client_.erase(at);
  --total_;
}

void TransferSlots::set_limits(const TransferLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

size_t TransferSlots::taken() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

TransferAnswer TransferDesk::begin(TransferRequest& request, const zone::Snapshot& snapshot, Context& context,
                                   Bytes& difference) {
  if (request.zone == nullptr) return TransferAnswer::NotAuth;
  if (request.access == nullptr || !request.access->transfer.allows(request.asker)) return TransferAnswer::Prohibited;
  switch (request.zone->availability) {
    case zone::Availability::Serving: break;
    case zone::Availability::NotLoaded: return TransferAnswer::Unavailable;
    case zone::Availability::Expired: return TransferAnswer::Expired;
  }
  const auto soa = SoaRecord::of(snapshot.find(*request.zone, request.zone->apex));
  if (!soa) return TransferAnswer::Unavailable;
  if (request.request.qtype == dns::RrType::IXFR) return begin_ixfr(request, *soa, context, difference);
  return begin_axfr(request, *soa, std::nullopt, context);
}

TransferAnswer TransferDesk::begin_axfr(TransferRequest& request, const SoaRecord& soa, std::optional<uint32_t> from,
                                        Context& context) {
  TransferAnswer answer = TransferAnswer::Started;
  const auto job = start(request, TransferKind::Axfr, soa, from, context, answer);
  if (job == nullptr) return answer;
  source_.copy_zone(*request.zone,
                    [job](std::unique_ptr<ZoneContents> contents) { job->run_axfr(std::move(contents)); });
  return answer;
}

TransferAnswer TransferDesk::begin_ixfr(TransferRequest& request, const SoaRecord& soa, Context& context,
                                        Bytes& difference) {
  const Exchange& exchange = request.exchange;
  const bool datagram = exchange.transport == Transport::Udp;
  const bool has_authority = load_u16(&exchange.request[8]) == 1;
  const auto from = has_authority ? soa_hint(exchange.request, request.request) : std::nullopt;
  if (!from) return TransferAnswer::FormatError;
  // RFC 1995 §2: a client that is not behind gets the SOA alone.
  if (dns::Serial(*from) >= dns::Serial(soa.serial())) return TransferAnswer::Current;

  const zone::ZoneInfo& zone = *request.zone;
  const auto extent = source_.journal_extent(zone, *from);
  const auto fall_back = [&] { return datagram ? TransferAnswer::Current : begin_axfr(request, soa, *from, context); };
  if (!extent || extent->differences == 0 || (datagram && extent->octets > datagram_octets)) return fall_back();
  const uint64_t whole = source_.zone_octets(zone);

  std::optional<Bytes> records;
  if (datagram || (extent->differences > 1 && extent->octets <= condense_octets)) {
    records = read_whole(source_, zone, *from, soa.serial());
    if (!records) return fall_back();
    if (extent->differences > 1)
      if (auto net = condense(*records); net && net->size() < records->size()) records = std::move(net);
  }
  // RFC 1995 §4: where the differences are larger than the zone, the zone.
  if (whole != 0 && (records ? records->size() : extent->octets) > whole) return fall_back();
  if (datagram) {
    difference = std::move(*records);
    return TransferAnswer::Differences;
  }
  TransferAnswer answer = TransferAnswer::Started;
  const auto job = start(request, TransferKind::Ixfr, soa, *from, context, answer);
  if (job == nullptr) return answer;
  auto feed = records ? feed_once(std::move(*records)) : feed_journal(source_, zone, *from, soa.serial());
  job->run(std::make_unique<IxfrRecords>(soa, std::move(feed)));
  return answer;
}

std::shared_ptr<TransferJob> TransferDesk::start(TransferRequest& request, TransferKind kind, const SoaRecord& soa,
                                                 std::optional<uint32_t> from, Context& context,
                                                 TransferAnswer& answer) {
  const Exchange& exchange = request.exchange;
  if (exchange.source == nullptr) {
    answer = TransferAnswer::Unavailable;
    return nullptr;
  }
  if (!slots_->take(request.asker.client)) {
    answer = TransferAnswer::TooMany;
    return nullptr;
  }
  std::unique_ptr<auth::TsigSigner> signer;
  if (request.tsig != nullptr) signer = std::make_unique<auth::TsigSigner>(std::move(*request.tsig->signer));
  const size_t signature = signer != nullptr ? signer->size() : 0;
  TransferReport report;
  report.zone = request.zone->apex;
  report.asker = request.asker;
  report.kind = kind;
  report.from = from;
  report.serial = soa.serial();
  answer = TransferAnswer::Started;
  try {
    return std::make_shared<TransferJob>(
        TransferJob::Parts{exchange.source->defer(exchange),
                           TransferMessage(exchange.request, request.request, context.settings->udp_size, signature),
                           std::move(signer), std::move(report), operations_, slots_, clock_, context.counters});
  } catch (...) {
    slots_->give_back(request.asker.client);
    throw;
  }
}

}  // namespace steward::serve

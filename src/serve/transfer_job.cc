#include "serve/transfer_job.hh"

#include <exception>

namespace steward::serve {
namespace {

// What one turn sends before other queries have theirs: a tenth of a millisecond's work.
constexpr size_t turn_octets = 64 * 1024;

}  // namespace

TransferJob::TransferJob(Parts parts) : parts_(std::move(parts)), began_ns_(parts_.clock.monotonic_ns()) {
  parts_.operations.transfer_began(parts_.report);
}

TransferJob::~TransferJob() {
  if (parts_.report.outcome == TransferOutcome::Running) report_end(TransferOutcome::Stopped);
}

void TransferJob::run_axfr(std::unique_ptr<ZoneContents> contents) {
  auto soa = contents != nullptr && contents->size() > 0 ? SoaRecord::of(contents->node(0)) : std::nullopt;
  if (!soa) {
    parts_.message.begin();
    return break_off();
  }
  parts_.report.serial = soa->serial();
  run(std::make_unique<AxfrRecords>(std::move(contents), std::move(*soa)));
}

void TransferJob::run(std::unique_ptr<TransferRecords> records) {
  records_ = std::move(records);
  turn();
}

void TransferJob::turn() {
  // A turn that was asked for may come after the end.
  if (parts_.report.outcome != TransferOutcome::Running) return;
  try {
    send_some();
  } catch (const std::exception&) {
    // Out of memory, as a rule: the other clients are to have their answers.
    if (parts_.report.outcome == TransferOutcome::Running) end(TransferOutcome::Failed);
  }
}

void TransferJob::send_some() {
  const uint64_t until = parts_.report.octets + turn_octets;
  while (parts_.report.octets < until) {
    parts_.message.begin();
    const TransferRecords::Fill fill = records_->fill(parts_.message);
    if (fill == TransferRecords::Fill::Broken) return break_off();
    bool full = false;
    if (!send(dns::Rcode::NOERROR, full)) return end(TransferOutcome::Closed);
    if (fill == TransferRecords::Fill::End) return end(TransferOutcome::Done);
    if (full) return parts_.reply->when_writable([self = shared_from_this()] { self->turn(); });
  }
  parts_.reply->post([self = shared_from_this()] { self->turn(); });
}

bool TransferJob::send(dns::Rcode rcode, bool& full) {
  const MutableByteView room = parts_.message.room();
  size_t size = parts_.message.finish(rcode);
  if (parts_.signer != nullptr) {
    // RFC 8945 §5.3.1: every message is signed, so that none can be lost or added unseen.
    const auto with_tsig = parts_.signer->sign(room, size, parts_.clock.now());
    if (!with_tsig) return false;
    size = *with_tsig;
  }
  const Reply::Written written = parts_.reply->write(room.first(size));
  if (written == Reply::Written::Closed) return false;
  full = written == Reply::Written::Full;
  ++parts_.report.messages;
  parts_.report.octets += size;
  parts_.counters.transfer_messages.add();
  parts_.counters.transfer_octets.add(size);
  return true;
}

// RFC 5936 §2.2: a message with an error code ends a transfer that cannot go on; the client keeps what it had.
void TransferJob::break_off() {
  parts_.message.clear();
  bool full = false;
  const bool open = send(dns::Rcode::SERVFAIL, full);
  end(open ? TransferOutcome::Failed : TransferOutcome::Closed);
}

void TransferJob::end(TransferOutcome outcome) {
  if (outcome == TransferOutcome::Done) {
    (parts_.report.kind == TransferKind::Axfr ? parts_.counters.transfers_axfr : parts_.counters.transfers_ixfr).add();
  } else {
    parts_.counters.transfers_broken.add();
  }
  report_end(outcome);
  // The copy goes at once, and the exchange is finished, whoever still holds the job.
  records_.reset();
  parts_.reply.reset();
}

void TransferJob::report_end(TransferOutcome outcome) {
  parts_.report.outcome = outcome;
  parts_.report.ns = parts_.clock.monotonic_ns() - began_ns_;
  parts_.slots->give_back(parts_.report.asker.client);
  parts_.operations.transfer_ended(parts_.report);
}

}  // namespace steward::serve

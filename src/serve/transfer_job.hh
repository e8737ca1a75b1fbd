#pragma once
// TransferJob: one transfer out over a stream, from its first message to its last.
//
//          begin ──> Running ──(a turn: some messages, then post)──┐
//                     ^   └──(the client reads slowly: when_writable)
//                     └────────────────────────────────────────────┘
//                     └──> Done | Closed | Failed | Stopped
//
// It owns itself: the closures that it leaves with its Reply hold it. Worker's thread only.

#include <memory>
#include <optional>

#include "auth/tsig.hh"
#include "base/clock.hh"
#include "base/reply.hh"
#include "serve/counters.hh"
#include "serve/operations.hh"
#include "serve/transfer_message.hh"
#include "serve/transfer_out.hh"
#include "serve/transfer_records.hh"

namespace steward::serve {

class TransferJob : public std::enable_shared_from_this<TransferJob> {
 public:
  /// `slots` has been taken from, and is given back to.
  struct Parts {
    std::unique_ptr<Reply> reply;
    TransferMessage message;
    std::unique_ptr<auth::TsigSigner> signer;  ///< null: not signed
    TransferReport report;
    Operations& operations;
    std::shared_ptr<TransferSlots> slots;
    const Clock& clock;
    Counters& counters;
  };
  explicit TransferJob(Parts parts);
  ~TransferJob();
  TransferJob(const TransferJob&) = delete;
  TransferJob& operator=(const TransferJob&) = delete;

  /// Sends `records`, the first turn at once.
  void run(std::unique_ptr<TransferRecords> records);
  /// The same for a copy of the whole zone; null fails.
  void run_axfr(std::unique_ptr<ZoneContents> contents);

 private:
  void turn();
  void send_some();
  /// Sends the message that is filled. False where the client is gone; `full` where it is to be waited for.
  bool send(dns::Rcode rcode, bool& full);
  void break_off();
  void end(TransferOutcome outcome);
  void report_end(TransferOutcome outcome);

  Parts parts_;
  std::unique_ptr<TransferRecords> records_;
  uint64_t began_ns_;
};

}  // namespace steward::serve

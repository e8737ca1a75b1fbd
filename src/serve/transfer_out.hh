#pragma once
// Transfers out: AXFR (RFC 5936) and IXFR (RFC 1995) over streams, and IXFR over UDP where it fits.
//
//   pipeline ── begin() ──> verdict: answer with a code, or with the SOA alone
//                      └──> Started: a TransferJob that lives in the worker's turns
//
// A job writes some messages a turn and then lets the other queries have theirs; a client that reads slowly is waited
// for (Reply::when_writable). One TransferDesk per worker, used by its thread alone; TransferSlots are shared by all.

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.hh"
#include "base/exchange.hh"
#include "serve/access.hh"
#include "serve/context.hh"
#include "serve/operations.hh"
#include "serve/request.hh"
#include "serve/transfer_source.hh"
#include "zone/snapshot.hh"

namespace steward::auth {
struct TsigVerdict;
}

namespace steward::serve {

class TransferJob;
struct SoaRecord;

struct TransferLimits {
  size_t total = 128;      ///< transfers at once
  size_t per_client = 32;  ///< of one address
};

/// Counts the transfers that are under way. Any thread.
class TransferSlots {
 public:
  explicit TransferSlots(const TransferLimits& limits) : limits_(limits) {}
  /// False where there is no place; true has to be given back.
  [[nodiscard]] bool take(const SocketAddress& client);
  void give_back(const SocketAddress& client);
  void set_limits(const TransferLimits& limits);
  [[nodiscard]] size_t taken() const;

 private:
  mutable std::mutex mutex_;
  TransferLimits limits_;
  size_t total_ = 0;
  std::map<std::string, size_t, std::less<>> of_client_;  // by the address's octets
};

/// What is to be said now.
enum class TransferAnswer : uint8_t {
  Started,      ///< nothing: a job has taken the exchange over
  Current,      ///< the SOA alone: the client has all there is (RFC 1995 §2), or is to come over TCP (§4)
  NotAuth,      ///< not a zone of ours
  Prohibited,   ///< REFUSED, EDE 18: not for this client
  Expired,      ///< SERVFAIL: an expired zone
  TooMany,      ///< REFUSED: no place among the transfers under way
  FormatError,  ///< an IXFR without the client's SOA (RFC 1995 §3)
  Unavailable,  ///< SERVFAIL: not loaded yet, or nothing can be sent later on this exchange
  Differences,  ///< UDP only: `difference` fits perhaps
};

/// A request for a transfer, after its question was understood and its TSIG verified.
struct TransferRequest {
  const Exchange& exchange;
  const Request& request;
  const zone::ZoneInfo* zone = nullptr;  ///< that has QNAME for its apex; null: none of ours
  const ZoneAccess* access = nullptr;    ///< null: nobody may
  const Asker& asker;
  auth::TsigVerdict* tsig = nullptr;  ///< null where the request is not signed; its signer is taken by Started alone
};

class TransferDesk {
 public:
  /// All of them outlive the desk, and the desk the worker's loop.
  TransferDesk(TransferSource& source, Operations& operations, std::shared_ptr<TransferSlots> slots, const Clock& clock)
      : source_(source), operations_(operations), slots_(std::move(slots)), clock_(clock) {}

  /// Within Responder::answer(). `difference` is filled for TransferAnswer::Differences only: the records between
  /// the SOA at the start of an IXFR and the SOA at its end, as zone::DifferenceReader has them.
  TransferAnswer begin(TransferRequest& request, const zone::Snapshot& snapshot, Context& context, Bytes& difference);

 private:
  TransferAnswer begin_axfr(TransferRequest& request, const SoaRecord& soa, std::optional<uint32_t> from,
                            Context& context);
  TransferAnswer begin_ixfr(TransferRequest& request, const SoaRecord& soa, Context& context, Bytes& difference);
  /// Null, and why, where no job can be had.
  std::shared_ptr<TransferJob> start(TransferRequest& request, TransferKind kind, const SoaRecord& soa,
                                     std::optional<uint32_t> from, Context& context, TransferAnswer& answer);

  TransferSource& source_;
  Operations& operations_;
  std::shared_ptr<TransferSlots> slots_;
  const Clock& clock_;
};

}  // namespace steward::serve

#pragma once
// What requests ask for beyond an answer out of the snapshot: NOTIFY, UPDATE, and word of transfers. The composition
// root implements it.
//
// All workers call it, each on its own thread and from within Responder::answer(); transfer_ended() from the worker's
// later turns. Nothing here may wait. It outlives the workers.

#include <optional>

#include "base/clock.hh"
#include "serve/access.hh"
#include "serve/deferred_response.hh"

namespace steward::serve {

/// A NOTIFY (RFC 1996) from somebody who may send it, for a zone of which we are a secondary.
struct Notification {
  dns::Name zone;                  ///< apex, in lower case
  std::optional<uint32_t> serial;  ///< of the SOA in the answer section: a hint and nothing more (RFC 1996 §3.11)
  Asker asker;
};

/// An UPDATE (RFC 2136) for a zone that is ours. Its sections have been stepped over, not looked at.
struct UpdateRequest {
  dns::Name zone;  ///< of the zone section, in lower case
  /// The request without its TSIG. A SIG(0) is in it still, exactly as it came.
  Bytes message;
  /// `asker.key` is set where a TSIG was verified. Whether update's access list permits the asker has been checked,
  /// unless `has_sig0`: then the signature is for Operations to verify first, and the access with it.
  Asker asker;
  bool has_sig0 = false;
  std::optional<UpdateLeaseOption> lease;
  DeferredResponse response;
};

enum class TransferKind : uint8_t { Axfr, Ixfr };

/// "axfr", "ixfr".
std::string_view to_text(TransferKind kind);

enum class TransferOutcome : uint8_t {
  Running,
  Done,     ///< the last message was taken
  Closed,   ///< the client went, or read too slowly
  Failed,   ///< the copy or the journal could not be had, or a record fits into no message: ended with SERVFAIL
  Stopped,  ///< the worker ended
};

/// "done", "closed" and so on.
std::string_view to_text(TransferOutcome outcome);

/// One transfer out, for the log: `transfer.out zone= client= kind= serial= key= transport= tls-name= registry= messages=
/// octets= ms= outcome=`.
struct TransferReport {
  dns::Name zone;
  Asker asker;
  TransferKind kind = TransferKind::Axfr;  ///< what is sent: Axfr also where an IXFR falls back to it
  std::optional<uint32_t> from;            ///< the client's serial, of an IXFR request
  uint32_t serial = 0;                     ///< that the client has afterwards
  uint64_t messages = 0;
  uint64_t octets = 0;  ///< of the messages, without the stream's length octets
  uint64_t ns = 0;      ///< since it began
  TransferOutcome outcome = TransferOutcome::Running;
};

class Operations {
 public:
  virtual ~Operations() = default;

  /// The response is sent without waiting for what comes of it (RFC 1996 §4.7).
  virtual void notified(const Notification& notification) = 0;
  /// Takes the request over: `request.response` is used later, on any thread, or destroyed, after which the client gets
  /// no answer.
  virtual void update(UpdateRequest request) = 0;
  /// After access and limits were checked, before the first message.
  virtual void transfer_began(const TransferReport& report) = 0;
  /// Once for each that began. Outcome Stopped may come from the worker's destruction.
  virtual void transfer_ended(const TransferReport& report) = 0;
  /// NOTIFY(CDS) (RFC 9859): the DS of a child may have to follow its CDS. Whether it is a child of ours, in lower case.
  virtual bool child_notified(const dns::Name& child) {
    static_cast<void>(child);
    return false;
  }
  /// Which of these registries, by their zones (at least one), the request comes from, as what it showed over TLS and the request's own
  /// signature have to prove; nothing: none.
  virtual std::optional<dns::Name> registry_of(ByteView message, std::span<const dns::Name> zones, const CertificateChain& shown,
                                               const SocketAddress& client) {
    static_cast<void>(zones), static_cast<void>(message), static_cast<void>(shown), static_cast<void>(client);
    return std::nullopt;
  }
};

}  // namespace steward::serve

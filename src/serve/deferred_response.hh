#pragma once
// DeferredResponse: the one response to a request whose answer takes time: an UPDATE, acknowledged after its commit, or
// forwarded. Keeps of the request what the response repeats, and signs it as the request was signed.
//
// Moved along from the worker to whoever answers; one thread at a time, any thread.

#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.hh"
#include "base/exchange.hh"
#include "base/reply.hh"
#include "serve/request.hh"

namespace steward::auth {
struct TsigVerdict;
}

namespace steward::serve {

class DeferredResponse {
 public:
  /// `tsig` is null where the request has no TSIG. `udp_size`: what our OPT says.
  DeferredResponse(std::unique_ptr<Reply> reply, ByteView message, const Request& request, uint16_t udp_size,
                   std::unique_ptr<auth::TsigVerdict> tsig);
  ~DeferredResponse();
  DeferredResponse(DeferredResponse&&) noexcept;
  DeferredResponse& operator=(DeferredResponse&&) noexcept;

  /// Header and zone section with the request's ID, opcode and question (RFC 2136 §3.8), OPT where the request has one,
  /// TSIG where it has one. Once; this or relay(). `text`: EXTRA-TEXT of the error (RFC 8914 §2), at most 240 octets.
  void send(dns::Rcode rcode, UnixTime now, std::optional<ExtendedError> error = {}, std::string_view text = {});
  /// The lease that is granted, for send() (RFC 9664 §4).
  void grant(UpdateLeaseOption lease) { lease_ = lease; }
  /// A record for the additional section of send(), before OPT: what the requester is to read. RDATA uncompressed.
  void add(const dns::Name& owner, dns::RrType type, uint32_t ttl, ByteView rdata);
  /// The response of the primary that the request was forwarded to (RFC 2136 §6.2), with the client's ID, and our TSIG
  /// in place of its own. SERVFAIL goes out where `response` is not a whole message or does not fit.
  void relay(ByteView response, UnixTime now);
  [[nodiscard]] const SocketAddress& client() const;
  /// The certificates that the client showed (base/reply.hh); null where it showed none.
  [[nodiscard]] std::shared_ptr<const CertificateChain> shown() const;

 private:
  void write(Bytes& message, UnixTime now);

  std::unique_ptr<Reply> reply_;
  Bytes question_;
  std::unique_ptr<auth::TsigVerdict> tsig_;
  std::optional<UpdateLeaseOption> lease_;
  Bytes additional_;
  uint16_t additional_count_ = 0;
  uint16_t id_ = 0;
  uint16_t flags_ = 0;
  uint16_t udp_size_ = 0;
  bool edns_ = false;
  bool dnssec_ok_ = false;
};

}  // namespace steward::serve

#pragma once
// Reply: how a responder answers an exchange later than Responder::answer() returns, or with more than one message:
// an UPDATE acknowledged after its commit, a transfer of many messages.
//
// Inside answer(), and only there, `exchange.source->defer(exchange)` takes the exchange over: whatever
// response_size says, the transport sends nothing for it by itself. The request's octets are gone when answer()
// returns, so what is needed of them is copied before. Destroying the Reply finishes the exchange.

#include <functional>
#include <memory>

#include "base/exchange.hh"

namespace steward {

class Reply {
 public:
  enum class Written : uint8_t {
    Queued,  ///< taken
    Full,    ///< taken, but the client reads slowly: write no more before when_writable() calls
    Closed,  ///< the client is gone; finish
  };

  virtual ~Reply() = default;
  /// Sends one message of 1 to 65,535 octets (a datagram: what the client's buffer holds). Any thread: from another
  /// than the worker's the message is copied and handed over, and the outcome is Queued.
  virtual Written write(ByteView message) = 0;
  /// Calls `resume` once, on the worker's thread, when there is room again or the client is gone. Worker's thread
  /// only. A worker that ends destroys it uncalled.
  virtual void when_writable(std::function<void()> resume) = 0;
  /// Runs `task` on the worker's thread, soon. Any thread; a worker that has ended runs it never.
  virtual void post(std::function<void()> task) = 0;
  [[nodiscard]] virtual const SocketAddress& client() const = 0;
  /// As in the exchange; lives as long as the Reply.
  [[nodiscard]] virtual const PeerIdentity* peer() const { return nullptr; }
  /// The certificates that the client showed; null where it showed none.
  [[nodiscard]] virtual std::shared_ptr<const CertificateChain> shown() const { return nullptr; }
};

/// The transport of an exchange. Worker's thread only.
class ReplySource {
 public:
  virtual ~ReplySource() = default;
  virtual std::unique_ptr<Reply> defer(const Exchange& exchange) = 0;
};

}  // namespace steward

#pragma once
// The relay: DNS over TLS (RFC 7858, strict as RFC 8310 §5 has it) for a libunbound that knows no TLS, as Debian's,
// which is built with Nettle alone.
//
//   libunbound --TCP, loopback--> relay --one TLS connection, pipelined--> registry
//
// It listens on a random loopback address and port and takes queries of this process alone. Each goes over the one
// verified connection with a message ID of its own; the answers come back as they are. Nothing is ever sent in the
// clear: without a connection that holds the answer is SERVFAIL, and trouble() says why. A connection that stood and
// was lost is made once more for what was under way.
//
// A thread of its own, from start() to the destructor; all members from any thread.

#include <chrono>
#include <memory>
#include <string>

#include "base/address.hh"
#include "base/result.hh"
#include "crypto/tls.hh"
#include "dns/name.hh"

namespace steward::client {

class TlsRelay {
 public:
  struct Options {
    SocketAddress registry;
    std::shared_ptr<const crypto::TlsClientContext> tls;
    std::chrono::milliseconds timeout{10'000};  ///< of connecting, and of each question
  };

  /// Sends nothing yet: the connection is made by the first query. Io where loopback has no place for it.
  static Result<std::unique_ptr<TlsRelay>> start(Options options);
  ~TlsRelay();
  TlsRelay(const TlsRelay&) = delete;
  TlsRelay& operator=(const TlsRelay&) = delete;

  /// Where queries are taken.
  [[nodiscard]] const SocketAddress& address() const;
  /// Why questions get no answer: "TLS 192.0.2.1@853: the peer's certificate: …". Empty while the connection stands,
  /// and before it was tried.
  [[nodiscard]] std::string trouble() const;
  /// The zone that this name lies in and that the registry has handed to other servers; the root: none was seen.
  [[nodiscard]] dns::Name handed_on(dns::NameView name) const;

 private:
  class State;
  explicit TlsRelay(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steward::client

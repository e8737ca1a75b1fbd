#pragma once
// One connection to a registry, as a client that waits: DNS messages over TCP or TLS (RFC 7766, RFC 7858).
//
// Blocks the calling thread, within the times that are set. One thread; the connection is made by the first exchange
// and again after it was lost.

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "net/message_call.hh"

namespace steward::client {

class RegistryCall {
 public:
  struct Options {
    SocketAddress address;
    std::shared_ptr<const crypto::TlsClientContext> tls = {};  ///< null: plain TCP
    std::chrono::milliseconds timeout{10'000};                 ///< of connecting, and of each exchange
  };

  /// What became of an exchange.
  struct Lost {
    bool sent = false;  ///< the connection stood: the registry may have acted on what was sent
    std::string why;    ///< "127.0.0.1@5300: Connection refused"
  };

  static Result<RegistryCall> open(Options options);
  RegistryCall(RegistryCall&&) noexcept;
  RegistryCall& operator=(RegistryCall&&) noexcept;
  ~RegistryCall();

  /// Sends all at once and waits for the response to each, in the order of `queries` (RFC 7766 §6.2.1.1: they may come
  /// in any). Their IDs differ. Sent again where the connection turns out to have been closed since it was used last.
  tl::expected<std::vector<Bytes>, Lost> exchange(std::span<const Bytes> queries);
  /// The same of one message, which is sent once and no more.
  tl::expected<Bytes, Lost> exchange_once(const Bytes& message);

  [[nodiscard]] const SocketAddress& address() const;
  /// "127.0.0.1@5300", "127.0.0.1@8530 over TLS": for messages.
  [[nodiscard]] std::string text() const;

 private:
  class State;
  explicit RegistryCall(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steward::client

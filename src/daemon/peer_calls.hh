#pragma once
// What calls to other servers need: the TLS context of a peer, and a request signed with its key; registries are called
// with our identity. Main loop's thread only.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/tsig_client.hh"
#include "base/clock.hh"
#include "config/config.hh"
#include "crypto/tls.hh"
#include "daemon/call_turns.hh"
#include "dns/message.hh"
#include "net/message_call.hh"

namespace steward::daemon {

class PeerCalls {
 public:
  /// How a registry of some zone is called.
  struct Registries {
    /// What it has to show, and what we show; Refused where it is revoked or we have nothing to show.
    std::function<Result<crypto::TlsClientOptions>(const dns::Name& zone)> tls;
    /// The request with a nonce and our signature.
    std::function<Result<Bytes>(dns::Message message)> sign;
  };

  PeerCalls(net::Loop& loop, const Clock& clock)
      : loop_(loop), clock_(clock), turns_(most_transfers, [&loop](std::function<void()> task) { loop.post(std::move(task)); }) {}

  /// Keys and own addresses anew; certificates are read again at the next call.
  void configure(std::shared_ptr<const auth::Keyring> keys, std::vector<SocketAddress> outgoing);

  void set_registries(Registries registries) { registries_ = std::move(registries); }

  /// Signs `message` with the peer's key, if it has one; null where it has none. NotFound names the key. For a registry
  /// with our identity: what comes back is not signed, TLS says whose it is.
  Result<std::unique_ptr<auth::TsigVerifier>> sign(Bytes& message, const config::Peer& peer) const;
  /// A stream to the peer, over TLS where the peer says so. Io, Invalid with the file where the context cannot be made.
  Result<std::unique_ptr<net::StreamCall>> stream(const config::Peer& peer, net::StreamCall::Callbacks callbacks,
                                                  std::chrono::milliseconds idle);
  /// Where a call to that address comes from; nothing: the system chooses, as it does where ours is loopback and the
  /// peer's is not.
  [[nodiscard]] std::optional<SocketAddress> source_for(const SocketAddress& peer) const;
  /// At a primary, for transfers.
  [[nodiscard]] CallTurns& turns() { return turns_; }
  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  static constexpr size_t most_transfers = 10;  // from one primary: BIND grants as many to all together
  Result<std::shared_ptr<const crypto::TlsClientContext>> tls_of(const config::PeerTls& tls);

  net::Loop& loop_;
  const Clock& clock_;
  CallTurns turns_;
  std::shared_ptr<const auth::Keyring> keys_;
  std::vector<SocketAddress> outgoing_;
  Registries registries_;
  std::map<std::string, std::shared_ptr<const crypto::TlsClientContext>> contexts_;
};

}  // namespace steward::daemon

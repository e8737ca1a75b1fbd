#pragma once
// Whether the other end of a connection on loopback is held by this very process.

#include "base/address.hh"

namespace steward::client {

/// Finds a socket of this process by its two addresses. Linux: looks through /proc/self/fd. One thread.
class OwnSockets {
 public:
  /// Whether a descriptor of this process is the TCP socket that is bound to `local` and connected to `remote`.
  [[nodiscard]] bool holds(const SocketAddress& local, const SocketAddress& remote);

 private:
  int last_ = -1;  ///< the descriptor that was found before: many messages come on one connection
};

}  // namespace steward::client

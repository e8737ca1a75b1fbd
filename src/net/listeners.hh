#pragma once
// Opening of the sockets that are listened on, apart from running them: the daemon opens with the privilege to bind
// low ports, gives the privilege up, then runs the workers.

#include <vector>

#include "base/address.hh"
#include "base/exchange.hh"
#include "base/result.hh"
#include "net/activation.hh"
#include "net/file_descriptor.hh"

namespace steward::net {

struct Listener {
  FileDescriptor fd;                     ///< non-blocking, close-on-exec; bound, and for a stream listening
  SocketAddress address;                 ///< as bound: with the port that the kernel chose for port 0
  Transport transport = Transport::Udp;  ///< Udp, Tcp, or Tls on TCP
};

struct ListenConfig {
  std::vector<SocketAddress> addresses;  ///< each for UDP and TCP, on the same port
  std::vector<SocketAddress> tls = {};   ///< each for TLS; none of `addresses`
  unsigned workers = 1;                  ///< 1 to 1024
  int udp_buffer = 1 << 20;              ///< octets of receive and of send buffer asked for; the kernel may cap them
  int tcp_backlog = 511;
  int tcp_fast_open = 0;  ///< queue length of RFC 7413; 0: off
  bool freebind = false;  ///< bind addresses that the machine does not have yet (IP_FREEBIND)
};

/// `[worker]` has its own UDP and TCP socket for each address, shared out by the kernel (SO_REUSEPORT).
using Listeners = std::vector<std::vector<Listener>>;

/// Opens all sockets of all workers, or none. An address that another process listens on is an error, even where
/// SO_REUSEPORT would silently share it. Sockets of `activated` are used beside, and instead of an equal address
/// of the config; workers after the first bind their own socket beside an activated one where that may be shared,
/// and else listen on a duplicate. Errors name the address and the reason.
Result<Listeners> open_listeners(const ListenConfig& config, std::vector<ActivatedSocket> activated = {});

}  // namespace steward::net

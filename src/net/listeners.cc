#include "net/listeners.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace steward::net {
namespace {

constexpr int port_tries = 32;
constexpr std::array plain{Transport::Udp, Transport::Tcp};
constexpr std::array encrypted{Transport::Tls};

std::string name_of(Transport transport, const SocketAddress& address) {
  return "listen " + address.to_text() +
         (transport == Transport::Udp   ? " (UDP)"
          : transport == Transport::Tls ? " (TLS)"
                                        : " (TCP)");
}

auto system_error(Transport transport, const SocketAddress& address, std::string_view step) {
  const int error = errno;
  const Errc code = error == EADDRINUSE ? Errc::Exists : error == EACCES ? Errc::Refused : Errc::Io;
  std::string what = name_of(transport, address) + ": " + std::string(step) + ": " + std::strerror(error);
  if (error == EACCES && address.port() < 1024) what += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  if (error == EADDRINUSE) what += "; another process listens there";
  if (error == EADDRNOTAVAIL) what += "; no network interface has this address";
  return fail(code, std::move(what));
}

bool set(int fd, int level, int option, int value) { return setsockopt(fd, level, option, &value, sizeof value) == 0; }

Result<SocketAddress> bound_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0)
    return fail(Errc::Io, std::string("getsockname: ") + std::strerror(errno));
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6)
    return fail(Errc::Unsupported, "not an IPv4 or IPv6 socket");
  return SocketAddress(reinterpret_cast<sockaddr*>(&storage), size);
}

bool grow_buffer(int fd, int force, int option, int octets) {
  // The forced form passes over the system's cap, and needs CAP_NET_ADMIN. A smaller buffer is no reason not to serve.
  return set(fd, SOL_SOCKET, force, octets) || set(fd, SOL_SOCKET, option, octets);
}

/// What an answer by datagram needs; also on sockets that somebody else opened.
void tune_datagrams(int fd, const SocketAddress& address, const ListenConfig& config) {
  grow_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, config.udp_buffer);
  grow_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, config.udp_buffer);
  // A forged ICMP "too big" must not make us send fragments, which can be replaced on their way (RFC 9715 §3.1).
  const bool v4 = address.family() == AF_INET;
  if (v4)
    set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  else if (!set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT))
    set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
  // RFC 1035 §4.2.1 as every resolver checks it: the answer comes from the address that was asked. Only a
  // wildcard socket does not know that address.
  if (address.is_wildcard()) v4 ? set(fd, IPPROTO_IP, IP_PKTINFO, 1) : set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

Result<void> start_stream(int fd, const SocketAddress& address, const ListenConfig& config) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // the accepted sockets inherit it
  if (config.tcp_fast_open > 0) set(fd, IPPROTO_TCP, TCP_FASTOPEN, config.tcp_fast_open);
  if (listen(fd, config.tcp_backlog) != 0) return system_error(Transport::Tcp, address, "listen");
  return {};
}

Result<FileDescriptor> bound_socket(Transport transport, const SocketAddress& address, const ListenConfig& config,
                                    bool share) {
  const int type = transport == Transport::Udp ? SOCK_DGRAM : SOCK_STREAM;
  FileDescriptor fd(socket(address.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error(transport, address, "socket");
  if (address.family() == AF_INET6 && !set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1))
    return system_error(transport, address, "IPV6_V6ONLY");
  // Connections of an earlier process that linger in TIME_WAIT do not hinder a restart.
  if (transport != Transport::Udp) set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (share && !set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return system_error(transport, address, "SO_REUSEPORT");
  if (config.freebind) {
    const bool v4 = address.family() == AF_INET;
    set(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND, 1);
  }
  if (bind(fd.get(), address.data(), address.size()) != 0) return system_error(transport, address, "bind");
  return fd;
}

Result<Listener> open_listener(Transport transport, const SocketAddress& address, const ListenConfig& config) {
  auto fd = bound_socket(transport, address, config, true);
  if (!fd) return tl::unexpected(fd.error());
  const auto bound = bound_address(fd->get());
  if (!bound) return fail(name_of(transport, address), bound.error());
  if (transport == Transport::Udp)
    tune_datagrams(fd->get(), *bound, config);
  else if (auto started = start_stream(fd->get(), *bound, config); !started)
    return tl::unexpected(started.error());
  return Listener{std::move(*fd), *bound, transport};
}

/// Without SO_REUSEPORT a bind fails where another process has the address, as it should: two servers that share the
/// queries of one address by accident give two different answers.
Result<void> check_free(const SocketAddress& address, std::span<const Transport> transports,
                        const ListenConfig& config) {
  if (address.port() == 0) return {};
  for (const Transport transport : transports) {
    const auto probe = bound_socket(transport, address, config, false);
    if (!probe) return tl::unexpected(probe.error());
    if (transport != Transport::Udp && listen(probe->get(), 1) != 0) return system_error(transport, address, "listen");
  }
  return {};
}

/// The first worker's pair. With port 0 the kernel chooses for UDP, and TCP must find the same port free.
Result<void> open_pair(const SocketAddress& address, const ListenConfig& config, std::vector<Listener>& into) {
  for (int attempt = 1;; ++attempt) {
    auto udp = open_listener(Transport::Udp, address, config);
    if (!udp) return tl::unexpected(udp.error());
    auto tcp = open_listener(Transport::Tcp, udp->address, config);
    if (!tcp && (address.port() != 0 || tcp.error().code != Errc::Exists || attempt == port_tries))
      return tl::unexpected(tcp.error());
    if (!tcp) continue;
    into.push_back(std::move(*udp));
    into.push_back(std::move(*tcp));
    return {};
  }
}

Result<Listener> adopt(ActivatedSocket given, const ListenConfig& config) {
  const std::string where = "activated socket '" + given.name + "'";
  const auto address = bound_address(given.fd.get());
  if (!address) return fail(where, address.error());
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(given.fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0 || (type != SOCK_DGRAM && type != SOCK_STREAM))
    return fail(Errc::Unsupported, where + ": neither a datagram nor a stream socket");
  const int flags = fcntl(given.fd.get(), F_GETFL);
  if (flags < 0 || fcntl(given.fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return fail(Errc::Io, where + ": " + std::strerror(errno));
  const bool tls = std::find(config.tls.begin(), config.tls.end(), *address) != config.tls.end();
  const Transport stream = tls ? Transport::Tls : Transport::Tcp;
  Listener listener{std::move(given.fd), *address, type == SOCK_DGRAM ? Transport::Udp : stream};
  if (listener.transport == Transport::Udp)
    tune_datagrams(listener.fd.get(), *address, config);
  else if (auto started = start_stream(listener.fd.get(), *address, config); !started)
    return fail(where, started.error());
  return listener;
}

bool is_given(const std::vector<Listener>& given, Transport transport, const SocketAddress& address) {
  for (const Listener& listener : given)
    if (listener.transport == transport && listener.address == address) return true;
  return false;
}

Result<void> check_config(const ListenConfig& config) {
  if (config.workers < 1 || config.workers > 1024) return fail(Errc::Invalid, "workers: expected 1 to 1024");
  std::vector<SocketAddress> all = config.addresses;
  all.insert(all.end(), config.tls.begin(), config.tls.end());
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t k = i + 1; k < all.size(); ++k)
      if (all[i].port() != 0 && all[i] == all[k])
        return fail(Errc::Invalid, "listen " + all[i].to_text() + ": listed twice");
  return {};
}

/// A further worker's own socket beside one of the first worker; on a duplicate where an activated socket was not
/// opened for sharing.
Result<Listener> open_beside(const Listener& first, bool given, const ListenConfig& config) {
  auto own = open_listener(first.transport, first.address, config);
  if (own || !given) return own;
  FileDescriptor copy(fcntl(first.fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) return system_error(first.transport, first.address, "dup");
  return Listener{std::move(copy), first.address, first.transport};
}

}  // namespace

Result<Listeners> open_listeners(const ListenConfig& config, std::vector<ActivatedSocket> activated) {
  if (auto checked = check_config(config); !checked) return tl::unexpected(checked.error());
  Listeners all(config.workers);
  std::vector<Listener>& first = all.front();
  for (ActivatedSocket& given : activated) {
    auto listener = adopt(std::move(given), config);
    if (!listener) return tl::unexpected(listener.error());
    first.push_back(std::move(*listener));
  }
  const size_t given = first.size();
  std::vector<SocketAddress> wanted;
  for (const SocketAddress& address : config.addresses) {
    const bool udp = is_given(first, Transport::Udp, address);
    const bool tcp = is_given(first, Transport::Tcp, address);
    if (!udp && !tcp) wanted.push_back(address);
    if (udp == tcp) continue;
    auto missing = open_listener(udp ? Transport::Tcp : Transport::Udp, address, config);
    if (!missing) return tl::unexpected(missing.error());
    first.push_back(std::move(*missing));
  }
  // All are probed before any is bound: our own wildcard socket would forbid the probe of an address it covers.
  if (given == 0)
    for (const SocketAddress& address : wanted)
      if (auto free = check_free(address, plain, config); !free) return tl::unexpected(free.error());
  if (given == 0)
    for (const SocketAddress& address : config.tls)
      if (auto free = check_free(address, encrypted, config); !free) return tl::unexpected(free.error());
  for (const SocketAddress& address : wanted)
    if (auto opened = open_pair(address, config, first); !opened) return tl::unexpected(opened.error());
  for (const SocketAddress& address : config.tls) {
    if (is_given(first, Transport::Tls, address)) continue;
    auto opened = open_listener(Transport::Tls, address, config);
    if (!opened) return tl::unexpected(opened.error());
    first.push_back(std::move(*opened));
  }
  for (size_t worker = 1; worker < all.size(); ++worker)
    for (size_t i = 0; i < first.size(); ++i) {
      auto own = open_beside(first[i], i < given, config);
      if (!own) return tl::unexpected(own.error());
      all[worker].push_back(std::move(*own));
    }
  return all;
}

}  // namespace steward::net

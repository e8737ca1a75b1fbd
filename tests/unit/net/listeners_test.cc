#include "net/listeners.hh"

#include <fcntl.h>
#include <sys/wait.h>

#include <cstdlib>

#include "fixture.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;

namespace {

std::string error_of(const ListenConfig& config) {
  const auto listeners = open_listeners(config);
  return listeners ? "" : listeners.error().what;
}

int port_sharing(int fd) {
  int value = -1;
  socklen_t size = sizeof value;
  getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, &size);
  return value;
}

/// A datagram and a stream socket of one port, as a service manager opens them: not to be shared.
struct PlainSockets {
  PlainSockets() {
    REQUIRE(try_ports([this] {
      at = address("127.0.0.1@0");
      udp = FileDescriptor(socket(AF_INET, SOCK_DGRAM, 0));
      tcp = FileDescriptor(socket(AF_INET, SOCK_STREAM, 0));
      REQUIRE(bind_socket(udp, at));
      return bind_socket(tcp, at);
    }));
  }
  SocketAddress at;
  FileDescriptor udp;
  FileDescriptor tcp;
};

}  // namespace

TEST_CASE("listeners: each worker has a UDP and a TCP socket of its own on each address and one port") {
  const auto listeners = open_listeners({.addresses = {address("127.0.0.1@0"), address("::1@0")}, .workers = 3});
  REQUIRE_MESSAGE(listeners, listeners.error().what);
  REQUIRE(listeners->size() == 3);
  for (const auto& worker : *listeners) {
    REQUIRE(worker.size() == 4);
    for (size_t i = 0; i < 4; ++i) {
      CHECK(worker[i].transport == (i % 2 == 0 ? Transport::Udp : Transport::Tcp));
      CHECK(worker[i].address == listeners->front()[i].address);
      CHECK(worker[i].address.port() == worker[i / 2 * 2].address.port());
      CHECK(port_sharing(worker[i].fd.get()) == 1);
    }
  }
}

TEST_CASE("listeners: an address in use is refused by name, also where sharing would be possible") {
  const auto first = open_listeners({.addresses = {address("127.0.0.1@0")}});
  REQUIRE(first);
  const SocketAddress taken = first->front().front().address;
  CHECK(error_of({.addresses = {taken}}) ==
        "listen " + taken.to_text() + " (UDP): bind: Address already in use; another process listens there");
  CHECK(error_of({.addresses = {address("0.0.0.0@" + std::to_string(taken.port()))}}).find("already in use") !=
        std::string::npos);
}

TEST_CASE("listeners: addresses that the machine does not have, twice the same, and no workers are errors") {
  CHECK(error_of({.addresses = {address("192.0.2.1@5300")}}) ==
        "listen 192.0.2.1@5300 (UDP): bind: Cannot assign requested address; no network interface has this address");
  CHECK(error_of({.addresses = {address("127.0.0.1@5399"), address("127.0.0.1@5399")}}) ==
        "listen 127.0.0.1@5399: listed twice");
  CHECK(error_of({.workers = 0}) == "workers: expected 1 to 1024");
  CHECK(open_listeners({.addresses = {address("192.0.2.1@0")}, .freebind = true}));
}

TEST_CASE("listeners: a wildcard and an address that it covers stand side by side") {
  CHECK(try_ports([] {
    auto first = open_listeners({.addresses = {address("127.0.0.1@0")}});
    REQUIRE(first);
    const std::string port = std::to_string(first->front().front().address.port());
    first->clear();
    return open_listeners({.addresses = {address("0.0.0.0@" + port), address("127.0.0.1@" + port)}, .workers = 2})
        .has_value();
  }));
}

TEST_CASE("activation: sockets that were not opened for sharing are used by all workers, beside the config's") {
  PlainSockets plain;
  const SocketAddress at = plain.at;
  std::vector<ActivatedSocket> given;
  given.push_back({std::move(plain.udp), "udp"});
  given.push_back({std::move(plain.tcp), "tcp"});
  const auto listeners = open_listeners({.addresses = {at, address("127.0.0.2@0")}, .workers = 2}, std::move(given));
  REQUIRE_MESSAGE(listeners, listeners.error().what);
  for (const auto& worker : *listeners) {
    REQUIRE(worker.size() == 4);
    CHECK(worker[0].address == at);
    CHECK(worker[1].address == at);
    CHECK(port_sharing(worker[0].fd.get()) == 0);
    CHECK(port_sharing(worker[2].fd.get()) == 1);
  }
  std::vector<ActivatedSocket> wrong;
  wrong.push_back({FileDescriptor(socket(AF_UNIX, SOCK_STREAM, 0)), "control"});
  const auto refused = open_listeners({}, std::move(wrong));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "activated socket 'control': not an IPv4 or IPv6 socket");
}

namespace {

/// What the child of the test below finds, as an exit status.
int check_activation(int udp, int tcp) {
  // Clear of 3 and 4 before these are overwritten.
  udp = fcntl(udp, F_DUPFD, 10);
  tcp = fcntl(tcp, F_DUPFD, 10);
  dup2(udp, 3);
  dup2(tcp, 4);
  setenv("LISTEN_PID", "1", 1);
  setenv("LISTEN_FDS", "2", 1);
  setenv("LISTEN_FDNAMES", "dns:", 1);
  if (!take_activated_sockets().empty()) return 1;  // another process's
  setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  const auto sockets = take_activated_sockets();
  if (sockets.size() != 2 || sockets[0].fd.get() != 3 || sockets[1].fd.get() != 4) return 2;
  if (sockets[0].name != "dns" || sockets[1].name != "unknown") return 3;
  if ((fcntl(3, F_GETFD) & FD_CLOEXEC) == 0) return 4;
  if (std::getenv("LISTEN_FDS") != nullptr || !take_activated_sockets().empty()) return 5;
  setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  for (const char* nonsense : {"x", "-1", "", "99999999999999"}) {
    setenv("LISTEN_FDS", nonsense, 1);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    if (!take_activated_sockets().empty()) return 6;
  }
  return 0;
}

}  // namespace

TEST_CASE("activation: descriptors are taken when they are announced for this process, and once [sd_listen_fds(3)]") {
  const PlainSockets plain;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(check_activation(plain.udp.get(), plain.tcp.get()));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

#pragma once
// A worker on a thread of its own with real sockets on loopback, and blocking clients to talk to it. Nothing sleeps:
// clients block in the kernel until the event that they wait for, at most 20 seconds. Other tests run beside these, so
// that no port is free for certain: what needs one twice takes it with `try_ports`.

#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "net/listeners.hh"
#include "net/worker.hh"

namespace steward::net::testing {

inline SocketAddress address(std::string_view text) {
  auto parsed = SocketAddress::from_text(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}

/// Tries `attempt` with one port after the other that the kernel chooses, until one is not somebody else's.
template <class F>
bool try_ports(F attempt) {
  for (int i = 0; i < 100; ++i)
    if (attempt()) return true;
  return false;
}

/// Binds to `at`, and tells the port that it got.
inline bool bind_socket(const FileDescriptor& fd, SocketAddress& at) {
  socklen_t size = SocketAddress::capacity();
  return bind(fd.get(), at.data(), at.size()) == 0 && getsockname(fd.get(), at.data(), &size) == 0;
}

/// A port where nobody listens, nor will while this lives: whoever comes is refused.
class Nobody {
 public:
  explicit Nobody(int type) : at(address("127.0.0.1@0")), fd_(socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    REQUIRE(bind_socket(fd_, at));
    // A datagram socket that is connected elsewhere takes nothing of others.
    const SocketAddress elsewhere = address("127.0.0.1@9");
    if (type == SOCK_DGRAM) REQUIRE(connect(fd_.get(), elsewhere.data(), elsewhere.size()) == 0);
  }
  SocketAddress at;

 private:
  FileDescriptor fd_;
};

/// Answers with the request's octets.
class Echo : public Responder {
 public:
  void answer(std::span<Exchange> batch) override {
    largest_batch = std::max(largest_batch, batch.size());
    for (Exchange& exchange : batch) answer_one(exchange);
  }
  virtual void answer_one(Exchange& exchange) {
    std::memcpy(exchange.room.data(), exchange.request.data(), exchange.request.size());
    exchange.response_size = exchange.request.size();
  }
  size_t largest_batch = 0;
};

/// Answers with what a function says.
class Answering : public Echo {
 public:
  explicit Answering(std::function<void(Exchange&)> answer) : answer_(std::move(answer)) {}
  void answer_one(Exchange& exchange) override { answer_(exchange); }

 private:
  std::function<void(Exchange&)> answer_;
};

/// A loop on its own thread.
class Running {
 public:
  Running() : loop_(std::move(*Loop::open())) {}
  ~Running() { stop(); }
  Loop& loop() { return *loop_; }
  void start() {
    thread_ = std::thread([this] { loop_->run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    loop_->stop();
    thread_.join();
  }
  /// Runs `what` on the loop's thread and waits for it.
  template <class F>
  auto on_loop(F what) {
    std::packaged_task<decltype(what())()> task(std::move(what));
    auto result = task.get_future();
    loop_->post([&task] { task(); });
    return result.get();
  }

 private:
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

class Server {
 public:
  /// With `options.tls` also a TLS listener, at `tls_at`.
  explicit Server(Responder& responder, StreamLimits limits = {}, std::string_view listen = "127.0.0.1@0",
                  const WorkerOptions& options = {})
      : counts(std::make_shared<ClientCounts>(limits.clients, limits.clients_per_address)) {
    ListenConfig config{.addresses = {address(listen)}};
    if (options.tls) config.tls = {address("127.0.0.1@0")};
    auto listeners = open_listeners(config);
    REQUIRE_MESSAGE(listeners, listeners.error().what);
    at = listeners->front().front().address;
    if (options.tls) tls_at = listeners->front().back().address;
    auto opened = Worker::open(running.loop(), std::move(listeners->front()), responder, limits, counts, options);
    REQUIRE_MESSAGE(opened, opened.error().what);
    worker = std::move(*opened);
    running.start();
  }
  ~Server() {
    running.stop();
    worker.reset();
  }
  const WorkerCounters& counters() const { return worker->counters(); }

  std::shared_ptr<ClientCounts> counts;
  Running running;
  std::unique_ptr<Worker> worker;
  SocketAddress at;
  SocketAddress tls_at;
};

class Client {
 public:
  Client(int type, const SocketAddress& to, int receive_buffer = 0) : fd(socket(to.family(), type | SOCK_CLOEXEC, 0)) {
    const timeval patience{20, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (receive_buffer > 0) setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    // A server that refuses a client may reset it before connect() has returned.
    refused = connect(fd.get(), to.data(), to.size()) != 0;
    if (refused) REQUIRE(errno == ECONNRESET);
    const int one = 1;
    if (type == SOCK_STREAM) setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  /// False when the server closed or reset it.
  bool send(ByteView octets) {
    return ::send(fd.get(), octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size());
  }
  /// One datagram.
  Bytes receive() {
    Bytes octets(65536);
    const auto size = recv(fd.get(), octets.data(), octets.size(), 0);
    REQUIRE(size >= 0);
    octets.resize(static_cast<size_t>(size));
    return octets;
  }
  /// `size` octets, or as many as come before the end.
  Bytes receive(size_t size) {
    Bytes octets(size);
    const auto got = recv(fd.get(), octets.data(), size, MSG_WAITALL);
    octets.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return octets;
  }
  /// One framed message; empty at the end.
  Bytes receive_message() {
    const Bytes length = receive(2);
    return length.size() < 2 ? Bytes{} : receive(load_u16(length.data()));
  }
  /// True when the server closed it in order, false when by a reset.
  bool wait_for_end() {
    if (refused) return false;
    Bytes rest(65536);
    ssize_t got = 0;
    while ((got = recv(fd.get(), rest.data(), rest.size(), 0)) > 0) {
    }
    REQUIRE((got == 0 || errno == ECONNRESET));
    return got == 0;
  }
  void reset() {
    const linger at_once{1, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd.reset();
  }
  FileDescriptor fd;
  bool refused = false;
};

inline Bytes framed(ByteView message) {
  Bytes out;
  append_u16(out, static_cast<uint16_t>(message.size()));
  append(out, message);
  return out;
}

inline Bytes message(size_t number, size_t size = 20) {
  Bytes out(size, static_cast<uint8_t>(number));
  store_u32(out.data(), static_cast<uint32_t>(number));
  return out;
}

}  // namespace steward::net::testing

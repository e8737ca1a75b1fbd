// The kernel's floor under a UDP answer: what an answer costs when the server does nothing but echo.
//
//   udp_floor [--batch N] [--window N] [--seconds S] [--size OCTETS] [--worker]
//
// A server thread on loopback receives up to N datagrams with one recvmmsg, answers each with OCTETS fixed octets and
// sends them with one sendmmsg; with --worker it is our own net::Worker and a responder that writes the same octets. A
// client keeps `window` queries under way. Printed: answers a second, and user and system time of the server's
// thread an answer, in microseconds.

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "net/worker.hh"

using namespace steward;
using namespace steward::net;

namespace {

constexpr size_t query_size = 60;

struct Options {
  size_t batch = 32;
  size_t window = 64;
  double seconds = 3;
  size_t size = 700;
  bool worker = false;
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

struct Usage {
  double user = 0;
  double system = 0;
  uint64_t answers = 0;
  uint64_t batches = 0;
};

/// Of the calling thread.
Usage thread_usage(uint64_t answers, uint64_t batches) {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return {seconds_of(usage.ru_utime), seconds_of(usage.ru_stime), answers, batches};
}

/// Messages of one direction, with their memory.
struct Messages {
  Messages(size_t count, size_t room) : memory(count * room), names(count), vectors(count), headers(count) {
    for (size_t i = 0; i < count; ++i) {
      vectors[i] = {&memory[i * room], room};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  std::vector<uint8_t> memory;
  std::vector<sockaddr_in> names;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> headers;
};

Usage serve_bare(int fd, const Options& options, const std::atomic<bool>& stop) {
  Messages in(options.batch, 512);
  Messages out(options.batch, options.size);
  uint64_t answers = 0;
  uint64_t batches = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    for (size_t i = 0; i < options.batch; ++i) {
      in.headers[i].msg_hdr.msg_name = &in.names[i];
      in.headers[i].msg_hdr.msg_namelen = sizeof in.names[i];
    }
    const int got = recvmmsg(fd, in.headers.data(), static_cast<unsigned>(options.batch), MSG_DONTWAIT, nullptr);
    if (got <= 0) {
      pollfd waiting{fd, POLLIN, 0};
      poll(&waiting, 1, 100);
      continue;
    }
    for (size_t i = 0; i < static_cast<size_t>(got); ++i) {
      out.headers[i].msg_hdr.msg_name = &in.names[i];
      out.headers[i].msg_hdr.msg_namelen = sizeof in.names[i];
    }
    const int sent = sendmmsg(fd, out.headers.data(), static_cast<unsigned>(got), MSG_DONTWAIT);
    if (sent > 0) answers += static_cast<uint64_t>(sent);
    ++batches;
  }
  return thread_usage(answers, batches);
}

class Fixed final : public Responder {
 public:
  explicit Fixed(size_t size) : octets_(size, 7) {}
  void answer(std::span<Exchange> batch) override {
    for (Exchange& exchange : batch) {
      std::memcpy(exchange.room.data(), octets_.data(), octets_.size());
      exchange.response_size = octets_.size();
    }
  }

 private:
  Bytes octets_;
};

/// Keeps the window full until the time is over.
void ask(const SocketAddress& to, const Options& options) {
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (connect(fd.get(), to.data(), to.size()) != 0) throw std::runtime_error("connect");
  const timeval patience{0, 100'000};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  Messages out(options.window, query_size);
  Messages in(options.window, options.size);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.seconds);
  size_t free = options.window;
  while (std::chrono::steady_clock::now() < end) {
    if (free > 0 && sendmmsg(fd.get(), out.headers.data(), static_cast<unsigned>(free), 0) < 0) continue;
    const int got =
        recvmmsg(fd.get(), in.headers.data(), static_cast<unsigned>(options.window), MSG_WAITFORONE, nullptr);
    free = got < 0 ? options.window : static_cast<size_t>(got);  // nothing for 100 ms: what was under way is lost
  }
}

Usage measure(const Options& options, Listener listener) {
  Usage usage;
  const SocketAddress at = listener.address;
  if (!options.worker) {
    std::atomic<bool> stop{false};
    std::thread server([&] { usage = serve_bare(listener.fd.get(), options, stop); });
    ask(at, options);
    stop = true;
    server.join();
    return usage;
  }
  auto loop = std::move(*Loop::open());
  Fixed responder(options.size);
  std::vector<Listener> listeners;
  listeners.push_back(std::move(listener));
  auto worker = Worker::open(*loop, std::move(listeners), responder, {}, std::make_shared<ClientCounts>(10, 10));
  if (!worker) throw std::runtime_error(worker.error().what);
  std::thread server([&] {
    loop->run();
    usage = thread_usage((*worker)->counters().udp_answers.value(), (*worker)->counters().udp_batches.value());
  });
  ask(at, options);
  loop->stop();
  server.join();
  worker->reset();
  return usage;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"The kernel's floor under a UDP answer."};
  app.add_option("--batch", options.batch, "datagrams a call of the server")->check(CLI::Range(1, 1024));
  app.add_option("--window", options.window, "queries under way")->check(CLI::Range(1, 1024));
  app.add_option("--seconds", options.seconds, "how long")->check(CLI::Range(0.1, 600.0));
  app.add_option("--size", options.size, "octets of an answer")->check(CLI::Range(12, 4096));
  app.add_flag("--worker", options.worker, "serve with net::Worker");
  CLI11_PARSE(app, argc, argv);
  auto listeners = open_listeners({.addresses = {*SocketAddress::from_text("127.0.0.1@0")}});
  if (!listeners) {
    fmt::print(stderr, "{}\n", listeners.error().what);
    return 1;
  }
  const Usage usage = measure(options, std::move(listeners->front().front()));
  const double answers = static_cast<double>(usage.answers);
  fmt::print(
      "server={} batch={} window={} mean_batch={:.1f} answers/s={:.0f} user_us={:.3f} system_us={:.3f} cpu_us={:.3f}\n",
      options.worker ? "worker" : "bare", options.worker ? 32 : options.batch, options.window,
      answers / static_cast<double>(usage.batches), answers / options.seconds, usage.user * 1e6 / answers,
      usage.system * 1e6 / answers, (usage.user + usage.system) * 1e6 / answers);
  return 0;
}

#pragma once
// Outgoing calls on a loop that the test's own thread runs until they are over, and bare servers that they talk to.

#include <set>
#include <string>
#include <vector>

#include "../../support/certificates.hh"
#include "base/reply.hh"
#include "fixture.hh"
#include "net/message_call.hh"

namespace steward::net::testing {

using steward::testing::certificates;

inline std::shared_ptr<crypto::TlsServerContext> server_context(bool mutual = false) {
  const auto& made = certificates();
  auto context = crypto::TlsServerContext::open({.certificate = made.path("server.pem"),
                                                 .key = made.path("server.key"),
                                                 .client_ca = mutual ? made.path("ca.pem") : ""});
  REQUIRE_MESSAGE(context, context.error().what);
  return *context;
}

inline std::shared_ptr<const crypto::TlsClientContext> client_context(const std::string& name = "ns1.example",
                                                                      const std::string& own = "") {
  const auto& made = certificates();
  crypto::TlsClientOptions options{.name = name, .authorities = made.path("ca.pem")};
  if (!own.empty()) {
    options.certificate = made.path(own + ".pem");
    options.key = made.path(own + ".key");
  }
  auto context = crypto::TlsClientContext::open(options);
  REQUIRE_MESSAGE(context, context.error().what);
  return *context;
}

/// What became of one StreamCall. run() returns when it is over.
struct Caller {
  Caller() : loop(std::move(*Loop::open())), patience(*loop) {}

  StreamCall::Callbacks callbacks() {
    return {.on_connect = [this] { connected = true; },
            .on_message =
                [this](ByteView message) {
                  messages.emplace_back(message.begin(), message.end());
                  return messages.size() < expected;
                },
            .on_end =
                [this](CallEnd how, const std::string& text) {
                  end = how;
                  why = text;
                  loop->stop();
                }};
  }
  void start(StreamCall::Options options) { call = StreamCall::start(*loop, std::move(options), callbacks()); }
  void run() {
    patience.after(std::chrono::seconds(20), [this] { loop->stop(); });
    loop->run();
    patience.cancel();
  }

  std::unique_ptr<Loop> loop;
  Timer patience;
  std::unique_ptr<StreamCall> call;
  size_t expected = 1;
  bool connected = false;
  std::vector<Bytes> messages;
  std::optional<CallEnd> end;
  std::string why;
};

/// A listening socket whose single connection a thread of the test serves as it likes.
class BareServer {
 public:
  explicit BareServer(std::function<void(int fd)> serve) : listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    at = address("127.0.0.1@0");
    REQUIRE(bind_socket(listening_, at));
    REQUIRE(listen(listening_.get(), 8) == 0);
    thread_ = std::thread([this, serve = std::move(serve)] {
      const FileDescriptor fd(accept(listening_.get(), nullptr, nullptr));
      if (fd) serve(fd.get());
    });
  }
  ~BareServer() {
    shutdown(listening_.get(), SHUT_RDWR);  // wakes an accept() that nobody came to
    thread_.join();
  }
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;
  SocketAddress at;

 private:
  FileDescriptor listening_;
  std::thread thread_;
};

inline void send_all(int fd, ByteView octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    octets = octets.subspan(static_cast<size_t>(sent));
  }
}

/// Until the other end closes.
inline void wait_for_close(int fd) {
  char rest[4096];
  while (recv(fd, rest, sizeof rest, 0) > 0) {
  }
}

}  // namespace steward::net::testing

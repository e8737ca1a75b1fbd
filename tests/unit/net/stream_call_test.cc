#include "calls.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;
using std::chrono::milliseconds;

TEST_CASE("call: messages go out framed and come back over TCP [RFC 1035 §4.2.2, RFC 7766 §6.2.1.1]") {
  Echo echo;
  Server server(echo);
  Caller caller;
  caller.expected = 100;
  caller.start({.peer = server.at, .source = address("127.0.0.1@0")});
  std::vector<Bytes> sent;
  for (size_t i = 0; i < 100; ++i) {
    sent.push_back(message(i, i == 50 ? 65535 : 20 + i));
    caller.call->send(sent.back());
  }
  caller.run();
  CHECK(caller.end == CallEnd::Done);
  CHECK(caller.connected);
  CHECK(caller.messages == sent);
  CHECK(caller.call->tls_info().empty());
  CHECK(caller.call->local().port() != 0);
}

TEST_CASE("call: over TLS with the server's name verified, and our own certificate shown [RFC 9103 §9.3]") {
  std::vector<std::string> names;
  Answering answering([&](Exchange& exchange) {
    CHECK(exchange.transport == Transport::Tls);
    if (exchange.peer != nullptr) names = exchange.peer->names;
    exchange.response_size = 20;
  });
  Server server(answering, {}, "127.0.0.1@0", {.tls = server_context(true)});
  Caller caller;
  caller.start({.peer = server.tls_at, .tls = client_context("ns1.example", "client")});
  caller.call->send(message(1));
  caller.run();
  CHECK(caller.end == CallEnd::Done);
  CHECK(caller.call->tls_info() == "TLSv1.3 TLS_AES_128_GCM_SHA256 dot");
  CHECK(names == std::vector<std::string>{"ns2.example", "other.example"});
}

TEST_CASE("call: a server with another name or an unknown authority gets no query [RFC 8310 §5]") {
  size_t asked = 0;
  Answering answering([&](Exchange&) { ++asked; });
  Server server(answering, {}, "127.0.0.1@0", {.tls = server_context()});
  Caller caller;
  caller.start({.peer = server.tls_at, .tls = client_context("ns9.example")});
  caller.call->send(message(1));
  caller.run();
  CHECK(caller.end == CallEnd::TlsFailed);
  CHECK(caller.why == "TLS " + server.tls_at.to_text() + ": the peer's certificate: hostname mismatch");
  CHECK_FALSE(caller.connected);
  server.running.stop();
  CHECK(asked == 0);
  CHECK(server.counters().tls_failed.value() == 1);
}

TEST_CASE("call: a server that wants a certificate of us refuses the TLS, not the query [RFC 8446 §4.4.2.4]") {
  Echo echo;
  const auto& made = certificates();
  auto context = crypto::TlsServerContext::open({.certificate = made.path("server.pem"),
                                                 .key = made.path("server.key"),
                                                 .client_ca = made.path("ca.pem"),
                                                 .require_client_certificate = true});
  Server server(echo, {}, "127.0.0.1@0", {.tls = *context});
  Caller caller;
  caller.start({.peer = server.tls_at, .tls = client_context()});
  caller.call->send(message(1));
  caller.run();
  CHECK(caller.end == CallEnd::TlsFailed);
}

TEST_CASE("call: a plain server is no TLS server") {
  Echo echo;
  Server server(echo);
  Caller caller;
  caller.start({.peer = server.at, .tls = client_context(), .connect = milliseconds(100)});
  caller.run();
  CHECK((caller.end == CallEnd::TlsFailed || caller.end == CallEnd::Unreachable));
}

TEST_CASE("call: nobody there, and an address that is not ours") {
  const Nobody nobody(SOCK_STREAM);
  Caller caller;
  caller.start({.peer = nobody.at});
  CHECK_FALSE(caller.end);
  caller.run();
  CHECK(caller.end == CallEnd::Unreachable);
  CHECK(caller.why == nobody.at.to_text() + ": Connection refused");
  Caller other;
  other.start({.peer = nobody.at, .source = address("192.0.2.77@0")});
  CHECK_FALSE(other.end);
  other.run();
  CHECK(other.end == CallEnd::Unreachable);
  CHECK(other.why.find("bind 192.0.2.77@0: ") != std::string::npos);
}

TEST_CASE("call: an end between messages is the peer's, one within a message is a truncation") {
  for (const size_t cut : {0UL, 1UL, 2UL, 10UL}) {
    BareServer server([cut](int fd) {
      const Bytes two = framed(message(2));
      send_all(fd, framed(message(1)));
      send_all(fd, ByteView(two).first(cut));
    });
    Caller caller;
    caller.expected = 3;
    caller.start({.peer = server.at});
    caller.run();
    CHECK(caller.end == (cut == 0 ? CallEnd::PeerClosed : CallEnd::Truncated));
    CHECK(caller.messages == std::vector<Bytes>{message(1)});
  }
}

TEST_CASE("call: over TLS an end without close_notify is a truncation even between messages [RFC 8446 §6.1]") {
  for (const bool polite : {true, false}) {
    const auto context = server_context();
    BareServer server([&](int fd) {
      auto session = *context->accept(fd);
      Bytes room(1000);
      pollfd wait{fd, POLLIN, 0};
      while (session.read(room).outcome == crypto::TlsOutcome::Wait) poll(&wait, 1, 20'000);
      const Bytes answer = framed(message(1));
      const iovec one{const_cast<uint8_t*>(answer.data()), answer.size()};
      session.write({&one, 1});
      if (polite) session.close_notify();
      shutdown(fd, SHUT_WR);
      wait_for_close(fd);
    });
    Caller caller;
    caller.expected = 2;
    caller.start({.peer = server.at, .tls = client_context()});
    caller.call->send(message(7));
    caller.run();
    CHECK(caller.end == (polite ? CallEnd::PeerClosed : CallEnd::Truncated));
    CHECK(caller.messages.size() == 1);
  }
}

TEST_CASE("call: a peer that is silent, or never done, is given up in time") {
  BareServer silent([](int fd) { wait_for_close(fd); });
  Caller idle;
  idle.start({.peer = silent.at, .idle = milliseconds(30)});
  idle.run();
  CHECK(idle.end == CallEnd::TimedOut);
  BareServer mute([](int fd) { wait_for_close(fd); });
  Caller handshake;
  handshake.start({.peer = mute.at, .tls = client_context(), .connect = milliseconds(30)});
  handshake.run();
  CHECK(handshake.end == CallEnd::Unreachable);
  BareServer endless([](int fd) {
    const Bytes one = framed(message(1));
    while (::send(fd, one.data(), one.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  Caller whole;
  whole.expected = SIZE_MAX;
  whole.start({.peer = endless.at, .whole = milliseconds(50)});
  whole.run();
  CHECK(whole.end == CallEnd::TimedOut);
}

TEST_CASE("call: a message of no octets breaks the framing") {
  BareServer server([](int fd) {
    send_all(fd, Bytes{0, 0, 0, 1, 9});
    wait_for_close(fd);
  });
  Caller caller;
  caller.start({.peer = server.at});
  caller.run();
  CHECK(caller.end == CallEnd::Broken);
}

TEST_CASE("call: messages cut anywhere come whole, over TCP and TLS") {
  Bytes all;
  std::vector<Bytes> sent;
  for (size_t i = 0; i < 300; ++i) {
    sent.push_back(message(i, 4 + (i * i * 31) % 3'000));
    append(all, framed(sent.back()));
  }
  BareServer server([&](int fd) {
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (size_t at = 0, step = 1; at < all.size(); step = step * 7 % 4093) {
      const size_t size = std::min(step, all.size() - at);
      send_all(fd, ByteView(all).subspan(at, size));
      at += size;
    }
    wait_for_close(fd);
  });
  Caller caller;
  caller.expected = sent.size();
  caller.start({.peer = server.at});
  caller.run();
  CHECK(caller.end == CallEnd::Done);
  CHECK(caller.messages == sent);
}

TEST_CASE("call: pause() holds the peer back, and nothing is lost or delivered meanwhile") {
  for (const bool tls : {false, true}) {
    constexpr size_t count = 2'000;
    // Each query is answered by one message of 4 KiB: more than socket buffers hold.
    Answering answering([](Exchange& exchange) {
      std::fill_n(exchange.room.begin(), 4'096, exchange.request[3]);
      exchange.response_size = 4'096;
    });
    Server server(answering, {}, "127.0.0.1@0", {.tls = server_context()});
    Caller caller;
    Timer later(*caller.loop);
    bool paused = false;
    size_t pauses = 0;
    size_t got = 0;
    auto callbacks = caller.callbacks();
    callbacks.on_message = [&](ByteView message) {
      CHECK_FALSE(paused);
      CHECK(message.size() == 4'096);
      CHECK(message[0] == static_cast<uint8_t>(got));
      if (++got % 100 == 0) {
        paused = true;
        ++pauses;
        caller.call->pause();
        later.after(milliseconds(1), [&] {
          paused = false;
          caller.call->resume();
        });
      }
      return got < count;
    };
    StreamCall::Options options{.peer = tls ? server.tls_at : server.at};
    if (tls) options.tls = client_context();
    caller.call = StreamCall::start(*caller.loop, options, callbacks);
    for (size_t i = 0; i < count; ++i) caller.call->send(message(i));
    caller.run();
    CHECK(caller.end == CallEnd::Done);
    CHECK(got == count);
    CHECK(pauses == count / 100);
  }
}

TEST_CASE("call: a callback may destroy the call, and none comes after") {
  Echo echo;
  Server server(echo, {}, "127.0.0.1@0", {.tls = server_context()});
  for (const bool tls : {false, true}) {
    Caller caller;
    size_t calls = 0;
    auto callbacks = caller.callbacks();
    callbacks.on_message = [&](ByteView) {
      ++calls;
      caller.call.reset();
      caller.loop->stop();
      return true;
    };
    StreamCall::Options options{.peer = tls ? server.tls_at : server.at};
    if (tls) options.tls = client_context();
    caller.call = StreamCall::start(*caller.loop, options, callbacks);
    for (size_t i = 0; i < 10; ++i) caller.call->send(message(i));
    caller.run();
    CHECK(calls == 1);
    CHECK_FALSE(caller.end);
    CHECK(caller.call == nullptr);
  }
  Caller early;
  early.start({.peer = server.at});
  early.call.reset();
  early.loop->post([&] { early.loop->stop(); });
  early.run();
  CHECK_FALSE(early.end);
}

TEST_CASE("call: finish() ends in order") {
  Echo echo;
  Server server(echo);
  Caller caller;
  caller.expected = 5;
  auto callbacks = caller.callbacks();
  callbacks.on_message = [&](ByteView) {
    caller.call->finish();
    return true;
  };
  caller.call = StreamCall::start(*caller.loop, {.peer = server.at}, callbacks);
  caller.call->send(message(1));
  caller.run();
  CHECK(caller.end == CallEnd::Done);
}

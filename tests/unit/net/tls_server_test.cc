#include "calls.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;
using std::chrono::milliseconds;

TEST_CASE("tls server: big answers to pipelined queries come whole [RFC 7858 §3.3]") {
  Answering answering([](Exchange& exchange) {
    std::fill_n(exchange.room.begin(), 65'535, exchange.request[3]);
    exchange.response_size = 65'535;
  });
  Server server(answering, {}, "127.0.0.1@0", {.tls = server_context()});
  Caller caller;
  caller.expected = 100;
  caller.start({.peer = server.tls_at, .tls = client_context()});
  for (size_t i = 0; i < 100; ++i) caller.call->send(message(i));
  caller.run();
  CHECK(caller.end == CallEnd::Done);
  REQUIRE(caller.messages.size() == 100);
  for (size_t i = 0; i < 100; ++i) CHECK(caller.messages[i] == Bytes(65'535, static_cast<uint8_t>(i)));
  server.running.stop();
  CHECK(server.counters().tls_handshakes.value() == 1);
  CHECK(server.counters().tls_failed.value() == 0);
}

TEST_CASE("tls server: a long deferred answer is held back by a slow reader, and arrives whole") {
  // A writer as a transfer is one: it writes until Full, and goes on when there is room.
  struct Writer {
    std::unique_ptr<Reply> reply;
    size_t sent = 0;
    size_t fulls = 0;
    void go() {
      while (sent < 300) {
        const auto written = reply->write(message(sent, 60'000));
        ++sent;
        if (written == Reply::Written::Closed) break;
        if (written != Reply::Written::Full) continue;
        ++fulls;
        return reply->when_writable([this] { go(); });
      }
      reply.reset();
    }
  } writer;
  Answering answering([&](Exchange& exchange) {
    writer.reply = exchange.source->defer(exchange);
    writer.go();
  });
  Server server(answering, {}, "127.0.0.1@0", {.tls = server_context()});
  Caller caller;
  Timer later(*caller.loop);
  size_t got = 0;
  auto callbacks = caller.callbacks();
  callbacks.on_message = [&](ByteView octets) {
    CHECK(as_text(octets) == as_text(message(got, 60'000)));
    if (++got == 10) {
      caller.call->pause();
      later.after(milliseconds(20), [&] { caller.call->resume(); });
    }
    return got < 300;
  };
  caller.call = StreamCall::start(*caller.loop, {.peer = server.tls_at, .tls = client_context()}, callbacks);
  caller.call->send(message(0));
  caller.run();
  CHECK(caller.end == CallEnd::Done);
  CHECK(got == 300);
  server.running.stop();
  CHECK(writer.fulls > 0);
}

TEST_CASE("tls server: who does not come to an end with the handshake is closed in time") {
  Echo echo;
  Server server(echo, {.handshake = milliseconds(30)}, "127.0.0.1@0", {.tls = server_context()});
  Client silent(SOCK_STREAM, server.tls_at);
  Client half(SOCK_STREAM, server.tls_at);
  half.send(Bytes{0x16, 0x03, 0x01, 0x02, 0x00, 0x01});
  silent.wait_for_end();
  half.wait_for_end();
  server.running.stop();
  CHECK(server.counters().tls_failed.value() == 2);
  CHECK(server.counts->total() == 0);
}

TEST_CASE("tls server: what is no TLS is told so and closed [RFC 8446 §6.2]") {
  Echo echo;
  Server server(echo, {}, "127.0.0.1@0", {.tls = server_context()});
  Client plain(SOCK_STREAM, server.tls_at);
  plain.send(framed(message(1)));
  plain.wait_for_end();
  server.running.stop();
  CHECK(server.counters().tls_failed.value() == 1);
}

TEST_CASE("tls server: a client that goes at any moment, in order or by a reset, harms nobody [CVE-2026-12245]") {
  Answering answering([](Exchange& exchange) {
    std::fill_n(exchange.room.begin(), 60'000, uint8_t{1});
    exchange.response_size = 60'000;
  });
  Server server(answering, {.clients_per_address = 1000}, "127.0.0.1@0", {.tls = server_context()});
  const auto leave = [](Client& client, size_t number) {
    if (number % 2 == 0) client.reset();
  };
  // Within what begins a handshake.
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const FileDescriptor ours(ends[0]);
  const FileDescriptor theirs(ends[1]);
  auto greeting = *client_context()->connect(ours.get());
  CHECK(greeting.handshake() == crypto::TlsOutcome::Wait);
  Bytes hello(4096);
  const ssize_t size = recv(theirs.get(), hello.data(), hello.size(), 0);
  REQUIRE(size > 50);
  hello.resize(static_cast<size_t>(size));
  for (size_t cut = 0; cut <= hello.size(); cut += cut < 12 ? 1 : 23) {
    Client client(SOCK_STREAM, server.tls_at);
    client.send(ByteView(hello).first(cut));
    leave(client, cut);
  }
  // After it: before a query, within one, and before its answer was read.
  const Bytes queries = framed(message(1));
  for (size_t cut = 0; cut <= queries.size(); ++cut) {
    Client client(SOCK_STREAM, server.tls_at, 4096);
    auto session = *client_context()->connect(client.fd.get());
    pollfd wait{client.fd.get(), POLLIN, 0};
    while (session.handshake() == crypto::TlsOutcome::Wait) poll(&wait, 1, 20'000);
    REQUIRE(session.is_established());
    const iovec part{const_cast<uint8_t*>(queries.data()), cut};
    if (cut > 0) session.write({&part, 1});
    leave(client, cut);
  }
  Caller caller;
  caller.start({.peer = server.tls_at, .tls = client_context()});
  caller.call->send(message(1));
  caller.run();
  CHECK(caller.end == CallEnd::Done);
  caller.call.reset();
  while (server.running.on_loop([&] { return server.worker->connections(); }) > 0) std::this_thread::yield();
  CHECK(server.counts->total() == 0);
}

TEST_CASE("tls server: an idle client is told goodbye [RFC 7858 §3.4, RFC 8446 §6.1]") {
  Echo echo;
  Server server(echo, {.idle = milliseconds(500)}, "127.0.0.1@0", {.tls = server_context()});
  Caller caller;
  caller.expected = 2;
  caller.start({.peer = server.tls_at, .tls = client_context()});
  caller.call->send(message(1));
  caller.run();
  CHECK(caller.messages.size() == 1);
  CHECK(caller.end == CallEnd::PeerClosed);
}

TEST_CASE("tls server: a deferred answer knows who the client proved to be") {
  std::unique_ptr<Reply> reply;
  Answering answering([&](Exchange& exchange) {
    reply = exchange.source->defer(exchange);
    reply->write(message(1));
  });
  Server server(answering, {}, "127.0.0.1@0", {.tls = server_context(true)});
  Caller caller;
  caller.start({.peer = server.tls_at, .tls = client_context("ns1.example", "client")});
  caller.call->send(message(1));
  caller.run();
  CHECK(caller.end == CallEnd::Done);
  caller.call.reset();
  server.running.on_loop([&] {
    REQUIRE(reply->peer() != nullptr);
    CHECK(reply->peer()->names.front() == "ns2.example");
    CHECK(reply->peer()->spki_sha256 == certificates().pin("client"));
    reply.reset();
    return 0;
  });
}

TEST_CASE("tls server: without a certificate there is no listener") {
  Echo echo;
  auto listeners = open_listeners({.tls = {address("127.0.0.1@0")}});
  REQUIRE(listeners);
  REQUIRE(listeners->front().size() == 1);
  const auto loop = std::move(*Loop::open());
  const auto worker =
      Worker::open(*loop, std::move(listeners->front()), echo, {}, std::make_shared<ClientCounts>(1, 1));
  REQUIRE_FALSE(worker);
  CHECK(worker.error().what.find("(TLS): no certificate") != std::string::npos);
}

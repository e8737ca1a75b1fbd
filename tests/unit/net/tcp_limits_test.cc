#include <sys/resource.h>

#include "base/reply.hh"
#include "fixture.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;
using std::chrono::milliseconds;

namespace {

/// 60,000 octets for any query: what one client asks for outgrows every buffer.
void answer_large(Exchange& exchange) {
  std::fill_n(exchange.room.begin(), 60'000, exchange.request[3]);
  exchange.response_size = 60'000;
}

Bytes many_queries(size_t count) {
  Bytes all;
  for (size_t i = 0; i < count; ++i) append(all, framed(message(i, 12)));
  return all;
}

/// Waits for a reset without reading.
void wait_for_reset(const Client& client) {
  pollfd watched{client.fd.get(), 0, 0};
  REQUIRE(poll(&watched, 1, 20'000) == 1);
}

/// Asks the loop until it says yes, at most 20 seconds.
template <class F>
void eventually(Server& server, F predicate) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!server.running.on_loop(predicate)) REQUIRE(std::chrono::steady_clock::now() < end);
}

}  // namespace

TEST_CASE("tcp: a client that does not read stops being answered, and loses nothing when it reads on") {
  Answering responder(answer_large);
  Server server(responder, {.output = 8192, .write = milliseconds(60'000)});
  Client client(SOCK_STREAM, server.at, 4096);
  constexpr size_t count = 1000;
  CHECK(client.send(many_queries(count)));
  for (int turn = 0; turn < 10; ++turn) server.running.on_loop([] { return 0; });
  CHECK(server.counters().tcp_queries.value() < 400);  // 60 MB were asked for; the rest waits in the kernel, unread
  for (size_t i = 0; i < count; ++i) {
    const Bytes answer = client.receive_message();
    REQUIRE(answer.size() == 60'000);
    REQUIRE(answer[59'999] == static_cast<uint8_t>(i));
  }
}

TEST_CASE("tcp: a client that does not read its answers is reset in time") {
  Answering responder(answer_large);
  Server server(responder, {.output = 8192, .write = milliseconds(40)});
  Client client(SOCK_STREAM, server.at, 4096);
  CHECK(client.send(many_queries(1000)));
  wait_for_reset(client);
  eventually(server, [&] { return server.counters().tcp_slow_readers.value() == 1; });
  CHECK(server.counts->total() == 0);
}

TEST_CASE("tcp: an idle client is closed in order [RFC 7766 §6.2.3]") {
  Echo echo;
  Server server(echo, {.idle = milliseconds(500)});  // long enough to ask even where other tests are busy
  Client client(SOCK_STREAM, server.at);
  CHECK(client.send(framed(message(1))));
  CHECK(client.receive_message() == message(1));
  CHECK(client.wait_for_end());
  eventually(server, [&] { return server.counters().tcp_idle_closed.value() == 1; });
}

TEST_CASE("tcp: a message that is begun is completed in time, however its octets trickle, or reset") {
  Echo echo;
  Server server(echo, {.message = milliseconds(60)});
  Client client(SOCK_STREAM, server.at);
  const Bytes octet{0xff};  // the length is 65,535: far from complete
  while (client.send(octet)) server.running.on_loop([] { return 0; });
  server.running.stop();
  CHECK(server.counters().tcp_slow_writers.value() + server.counters().tcp_broken.value() == 1);
  CHECK(server.counters().tcp_slow_writers.value() == 1);
}

TEST_CASE("tcp: clients over the limits are refused, of one address and of all") {
  Echo echo;
  for (const bool of_address : {true, false}) {
    CAPTURE(of_address);
    Server server(echo, of_address ? StreamLimits{.clients_per_address = 2} : StreamLimits{.clients = 2});
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 2; ++i) {
      clients.push_back(std::make_unique<Client>(SOCK_STREAM, server.at));
      CHECK(clients.back()->send(framed(message(1))));
      CHECK(clients.back()->receive_message() == message(1));
    }
    Client third(SOCK_STREAM, server.at);
    CHECK_FALSE(third.wait_for_end());
    clients.pop_back();
    eventually(server, [&] { return server.counts->total() == 1; });
    Client fourth(SOCK_STREAM, server.at);
    CHECK(fourth.send(framed(message(4))));
    CHECK(fourth.receive_message() == message(4));
    const auto& refused = of_address ? server.counters().tcp_refused_address : server.counters().tcp_refused_total;
    CHECK(refused.value() == 1);
  }
}

TEST_CASE("tcp: with all places taken, the client that was idle longest makes room [RFC 7766 §6.2.3]") {
  Echo echo;
  Server server(echo, {.clients = 2});
  Client first(SOCK_STREAM, server.at);
  CHECK(first.send(framed(message(1))));
  CHECK(first.receive_message() == message(1));
  // A timer of the loop, and not a sleep, tells when the first has been idle long enough.
  std::promise<void> passed;
  std::unique_ptr<Timer> timer;
  server.running.on_loop([&] {
    timer = std::make_unique<Timer>(server.running.loop());
    timer->after(milliseconds(150), [&] { passed.set_value(); });
    return 0;
  });
  passed.get_future().wait();
  server.running.on_loop([&] { return timer.reset(), 0; });
  Client second(SOCK_STREAM, server.at);
  CHECK(second.send(framed(message(2))));
  CHECK(second.receive_message() == message(2));
  Client third(SOCK_STREAM, server.at);
  CHECK(third.send(framed(message(3))));
  CHECK(third.receive_message() == message(3));
  CHECK(first.wait_for_end());
  CHECK(second.send(framed(message(4))));
  CHECK(second.receive_message() == message(4));
}

TEST_CASE("tcp: addresses are counted as a client each, of IPv6 the /56 [RFC 6177 §2]") {
  ClientCounts counts(10, 1);
  using enum ClientCounts::Admission;
  CHECK(counts.admit(address("192.0.2.1")) == Admitted);
  CHECK(counts.admit(address("192.0.2.1@99")) == TooManyOfAddress);
  CHECK(counts.admit(address("192.0.2.2")) == Admitted);
  CHECK(counts.admit(address("::ffff:192.0.2.2")) == TooManyOfAddress);
  CHECK(counts.admit(address("2001:db8::1")) == Admitted);
  CHECK(counts.admit(address("2001:db8:0:ff::1")) == TooManyOfAddress);
  CHECK(counts.admit(address("2001:db8:0:100::1")) == Admitted);
  counts.release(address("2001:db8:0:80::9"));
  CHECK(counts.total() == 3);
  CHECK(counts.admit(address("2001:db8::1")) == Admitted);
}

TEST_CASE("tcp: a reset in the middle of a message, or with answers pending, harms nobody else") {
  Answering responder(answer_large);
  Server server(responder, {.output = 8192});
  Client other(SOCK_STREAM, server.at);
  Client half(SOCK_STREAM, server.at);
  CHECK(half.send(Bytes{0, 100, 1, 2, 3}));
  server.running.on_loop([] { return 0; });
  half.reset();
  Client unread(SOCK_STREAM, server.at, 4096);
  CHECK(unread.send(many_queries(1000)));
  server.running.on_loop([] { return 0; });
  unread.reset();
  eventually(server, [&] { return server.counters().tcp_broken.value() == 2; });
  CHECK(other.send(framed(message(1))));
  CHECK(other.receive_message().size() == 60'000);
  CHECK(server.counts->total() == 1);
}

TEST_CASE("tcp: a client that asks, shuts down and reads slowly gets all of a long answer") {
  Answering responder(answer_large);
  Server server(responder, {.output = 8192});
  Client client(SOCK_STREAM, server.at, 4096);
  CHECK(client.send(many_queries(500)));
  shutdown(client.fd.get(), SHUT_WR);
  for (size_t i = 0; i < 500; ++i) REQUIRE(client.receive_message().size() == 60'000);
  CHECK(client.wait_for_end());
}

TEST_CASE("tcp: accepting pauses without descriptors, and goes on with them") {
  Echo echo;
  Server server(echo, {.accept_pause = milliseconds(20)});
  const auto turn = [&server] { server.running.on_loop([] { return 0; }); };
  // UBSan looks at an object's type the first time with a pipe, and remembers it: without descriptors it could not.
  turn();
  const FileDescriptor client(socket(AF_INET, SOCK_STREAM, 0));
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const FileDescriptor highest(dup(client.get()));  // descriptors are given out from the lowest: none is free below
  const rlimit none{static_cast<rlim_t>(highest.get()), before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const bool connected = connect(client.get(), server.at.data(), server.at.size()) == 0;
  const auto failed = [&] { return server.counters().tcp_accept_failed.value() > 0; };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!failed() && std::chrono::steady_clock::now() < end) turn();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(connected);
  CHECK(failed());
  const Bytes query = framed(message(1));
  CHECK(send(client.get(), query.data(), query.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(query.size()));
  Bytes answer(query.size());
  CHECK(recv(client.get(), answer.data(), answer.size(), MSG_WAITALL) == static_cast<ssize_t>(query.size()));
  CHECK(answer == query);
}

TEST_CASE("tcp: a deferred answer comes out of order, from any thread, while others are answered [RFC 7766 §7]") {
  std::promise<std::unique_ptr<Reply>> later;
  Answering responder([&](Exchange& exchange) {
    exchange.response_size = exchange.request.size();
    std::memcpy(exchange.room.data(), exchange.request.data(), exchange.request.size());
    if (exchange.request[3] == 1) later.set_value(exchange.source->defer(exchange));
  });
  Server server(responder);
  Client client(SOCK_STREAM, server.at);
  Bytes all = framed(message(1));
  append(all, framed(message(2)));
  CHECK(client.send(all));
  shutdown(client.fd.get(), SHUT_WR);
  CHECK(client.receive_message() == message(2));
  auto reply = later.get_future().get();
  for (size_t i = 10; i < 14; ++i) CHECK(reply->write(message(i, 100)) == Reply::Written::Queued);
  reply.reset();
  for (size_t i = 10; i < 14; ++i) CHECK(client.receive_message() == message(i, 100));
  CHECK(client.wait_for_end());
}

TEST_CASE("tcp: reading pauses while too many answers of a client are deferred") {
  std::mutex mutex;
  std::vector<std::unique_ptr<Reply>> held;
  Answering responder([&](Exchange& exchange) {
    const std::lock_guard lock(mutex);
    held.push_back(exchange.source->defer(exchange));
  });
  Server server(responder, {.in_flight = 3});
  Client client(SOCK_STREAM, server.at);
  CHECK(client.send(many_queries(10)));
  size_t answered = 0;
  while (answered < 10) {
    std::vector<std::unique_ptr<Reply>> now;
    {
      const std::lock_guard lock(mutex);
      now.swap(held);
    }
    CHECK(now.size() <= 3);
    for (auto& reply : now) {
      CHECK(reply->write(message(7)) == Reply::Written::Queued);
      ++answered;
    }
    now.clear();
  }
  for (size_t i = 0; i < 10; ++i) CHECK(client.receive_message() == message(7));
}

namespace {

/// Writes messages as fast as the client reads them, and no faster: the shape of a zone transfer.
struct Transfer : std::enable_shared_from_this<Transfer> {
  std::unique_ptr<Reply> reply;
  size_t written = 0;
  size_t pauses = 0;
  void go() {
    while (written < 500) {
      const auto outcome = reply->write(message(written++, 16'000));
      if (outcome == Reply::Written::Closed) break;
      if (outcome == Reply::Written::Queued) continue;
      ++pauses;
      reply->when_writable([self = shared_from_this()] { self->go(); });
      return;
    }
    reply.reset();
  }
};

}  // namespace

TEST_CASE("tcp: a long transfer goes at its reader's pace, with queries answered between [RFC 5936 §2.2]") {
  std::shared_ptr<Transfer> transfer;
  Answering responder([&](Exchange& exchange) {
    if (exchange.request[3] != 1) {
      exchange.room[0] = 42;
      exchange.response_size = 1;
      return;
    }
    transfer = std::make_shared<Transfer>();
    transfer->reply = exchange.source->defer(exchange);
    transfer->go();
  });
  SUBCASE("read to its end") {
    Server server(responder, {.output = 65'536});
    Client client(SOCK_STREAM, server.at, 4096);
    CHECK(client.send(framed(message(1))));
    CHECK(client.send(framed(message(2))));
    size_t next = 0;
    bool other = false;
    while (next < 500 || !other) {
      const Bytes got = client.receive_message();
      REQUIRE_FALSE(got.empty());
      if (got.size() == 1)
        other = true;
      else
        REQUIRE(got == message(next++, 16'000));
    }
    server.running.stop();
    CHECK(transfer->pauses > 0);
    transfer.reset();
  }
  SUBCASE("broken off by a reset") {
    Server server(responder, {.output = 65'536});
    Client client(SOCK_STREAM, server.at, 4096);
    CHECK(client.send(framed(message(1))));
    CHECK(client.receive_message() == message(0, 16'000));
    client.reset();
    eventually(server, [&] { return transfer && transfer->reply == nullptr; });
    CHECK(server.counts->total() == 0);
    transfer.reset();
  }
  SUBCASE("broken off by the server's end") {
    {
      Server server(responder, {.output = 65'536});
      Client client(SOCK_STREAM, server.at, 4096);
      CHECK(client.send(framed(message(1))));
      CHECK(client.receive_message() == message(0, 16'000));
    }
    transfer.reset();
  }
}

TEST_CASE("tcp: a responder may finish one client's exchange while it answers another's") {
  std::unique_ptr<Reply> held;
  bool inside = false;
  Answering responder([&](Exchange& exchange) {
    CHECK_FALSE(inside);  // never called from within itself
    inside = true;
    if (exchange.request[3] == 1) {
      held = exchange.source->defer(exchange);
    } else {
      std::memcpy(exchange.room.data(), exchange.request.data(), exchange.request.size());
      exchange.response_size = exchange.request.size();
      if (held) CHECK(held->write(message(1)) == Reply::Written::Queued);
      held.reset();
    }
    inside = false;
  });
  Server server(responder, {.in_flight = 1});
  Client first(SOCK_STREAM, server.at);
  Bytes all = framed(message(1));
  append(all, framed(message(5)));
  CHECK(first.send(all));
  eventually(server, [&] { return held != nullptr; });
  Client second(SOCK_STREAM, server.at);
  CHECK(second.send(framed(message(2))));
  CHECK(second.receive_message() == message(2));
  CHECK(first.receive_message() == message(1));
  CHECK(first.receive_message() == message(5));
}

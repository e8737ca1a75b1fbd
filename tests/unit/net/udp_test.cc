#include "base/reply.hh"
#include "fixture.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;

TEST_CASE("udp: many datagrams that wait are answered, each to its client") {
  Echo echo;
  Server server(echo);
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < 8; ++i) clients.push_back(std::make_unique<Client>(SOCK_DGRAM, server.at));
  for (size_t round = 0; round < 20; ++round)
    for (size_t i = 0; i < clients.size(); ++i) CHECK(clients[i]->send(message(round * 8 + i)));
  for (size_t round = 0; round < 20; ++round)
    for (size_t i = 0; i < clients.size(); ++i) CHECK(clients[i]->receive() == message(round * 8 + i));
  server.running.stop();
  CHECK(server.counters().udp_queries.value() == 160);
  CHECK(server.counters().udp_answers.value() == 160);
  CHECK(server.counters().udp_answer_bytes.value() == 160 * 20);
}

TEST_CASE("udp: what waits is one batch of up to 32") {
  Echo echo;
  Server server(echo);
  Client client(SOCK_DGRAM, server.at);
  // While the loop is held, all 40 queries come to wait.
  std::promise<void> held;
  std::promise<void> go;
  server.running.loop().post([&] {
    held.set_value();
    go.get_future().wait();
  });
  held.get_future().wait();
  for (size_t i = 0; i < 40; ++i) CHECK(client.send(message(i)));
  go.set_value();
  for (size_t i = 0; i < 40; ++i) CHECK(client.receive() == message(i));
  server.running.stop();
  CHECK(echo.largest_batch == 32);
  CHECK(server.counters().udp_batches.value() == 2);
}

TEST_CASE("udp: a wildcard socket answers from the address that was asked, and tells it [RFC 1035 §7.3]") {
  SocketAddress asked;
  Answering responder([&](Exchange& exchange) {
    asked = *exchange.local;
    exchange.room[0] = 7;
    exchange.response_size = 1;
  });
  Server server(responder, {}, "0.0.0.0@0");
  for (const char* host : {"127.0.0.2", "127.0.0.1"}) {
    const auto to = address(std::string(host) + "@" + std::to_string(server.at.port()));
    Client client(SOCK_DGRAM, to);  // connected: an answer from another address would not arrive
    client.send(message(1));
    CHECK(client.receive() == Bytes{7});
    CHECK(server.running.on_loop([&] { return asked; }) == to);
  }
}

TEST_CASE("udp: IPv6 wildcard and plain sockets answer, and do not take IPv4") {
  Echo echo;
  for (const char* listen : {"::@0", "::1@0"}) {
    CAPTURE(std::string(listen));
    CHECK(try_ports([&] {
      Server server(echo, {}, listen);
      const std::string port = std::to_string(server.at.port());
      Client client(SOCK_DGRAM, address("::1@" + port));
      client.send(message(3));
      CHECK(client.receive() == message(3));
      // IPV6_V6ONLY: the IPv4 port is free for another socket.
      return open_listeners({.addresses = {address("0.0.0.0@" + port)}}).has_value();
    }));
  }
}

TEST_CASE("udp: a datagram that is longer than any we take is dropped and counted, an empty one is the responder's") {
  size_t empty = 0;
  Answering responder([&](Exchange& exchange) {
    if (exchange.request.empty()) ++empty;
    exchange.response_size = exchange.request.size();
  });
  Server server(responder);
  Client client(SOCK_DGRAM, server.at);
  client.send(message(1, 4097));
  client.send({});
  client.send(message(2, 4096));
  CHECK(client.receive().size() == 4096);
  server.running.stop();
  CHECK(server.counters().udp_truncated.value() == 1);
  CHECK(empty == 1);
  CHECK(server.counters().udp_answers.value() == 1);
}

TEST_CASE("udp: a deferred answer comes later, from another thread, and the batch sends nothing for it") {
  std::promise<std::unique_ptr<Reply>> later;
  Answering responder([&](Exchange& exchange) {
    exchange.response_size = exchange.request.size();
    if (exchange.request[3] == 1) later.set_value(exchange.source->defer(exchange));
  });
  for (const char* listen : {"127.0.0.1@0", "0.0.0.0@0"}) {
    later = {};
    Server server(responder, {}, listen);
    Client client(SOCK_DGRAM, address("127.0.0.3@" + std::to_string(server.at.port())));
    if (std::string_view(listen) == "127.0.0.1@0") continue;
    client.send(message(1));
    auto reply = later.get_future().get();
    CHECK(reply->client().port() != 0);
    client.send(message(2, 21));
    CHECK(client.receive().size() == 21);
    CHECK(reply->write(message(1, 33)) == Reply::Written::Queued);
    CHECK(client.receive() == message(1, 33));
  }
}

TEST_CASE("udp: a response of 65,535 octets has no room, and one that the kernel refuses is counted as dropped") {
  Answering responder([&](Exchange& exchange) {
    CHECK(exchange.room.size() == 4096);
    exchange.response_size = exchange.room.size();
  });
  Server server(responder);
  Client client(SOCK_DGRAM, server.at);
  client.send(message(1));
  CHECK(client.receive().size() == 4096);
}

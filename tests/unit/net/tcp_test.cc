#include <algorithm>

#include "fixture.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;
using std::chrono::milliseconds;

TEST_CASE("tcp: a message may be split at every octet [RFC 1035 §4.2.2, RFC 7766 §8]") {
  Echo echo;
  Server server(echo);
  Client client(SOCK_STREAM, server.at);
  const Bytes two = [] {
    Bytes all = framed(message(1, 30));
    append(all, framed(message(2, 300)));
    return all;
  }();
  for (size_t split = 1; split < two.size(); ++split) {
    CHECK(client.send(ByteView(two).first(split)));
    // The first part is read by the server before the second is sent, so that it sees the split.
    server.running.on_loop([] { return 0; });
    CHECK(client.send(ByteView(two).subspan(split)));
    CHECK(client.receive_message() == message(1, 30));
    CHECK(client.receive_message() == message(2, 300));
  }
  for (const uint8_t octet : two) CHECK(client.send({&octet, 1}));
  CHECK(client.receive_message() == message(1, 30));
  CHECK(client.receive_message() == message(2, 300));
}

TEST_CASE("tcp: the longest message passes both ways, and the shortest [RFC 1035 §4.2.2]") {
  Echo echo;
  Server server(echo);
  Client client(SOCK_STREAM, server.at);
  for (const size_t size : {65535UL, 4UL, 65534UL, 65535UL}) {
    std::thread sender([&] { client.send(framed(message(5, size))); });
    CHECK(client.receive_message() == message(5, size));
    sender.join();
  }
}

TEST_CASE("tcp: 100 pipelined queries are answered in batches [RFC 7766 §6.2.1.1]") {
  Echo echo;
  Server server(echo);
  Client client(SOCK_STREAM, server.at);
  Bytes all;
  for (size_t i = 0; i < 100; ++i) append(all, framed(message(i)));
  CHECK(client.send(all));
  for (size_t i = 0; i < 100; ++i) CHECK(client.receive_message() == message(i));
  server.running.stop();
  CHECK(server.counters().tcp_queries.value() == 100);
  CHECK(server.counters().tcp_answers.value() == 100);
  CHECK(echo.largest_batch > 1);
}

TEST_CASE("tcp: a client that shuts down its sending half gets its answers, then the end [RFC 7766 §6.2.4]") {
  Echo echo;
  Server server(echo);
  Client client(SOCK_STREAM, server.at);
  Bytes all = framed(message(1));
  append(all, framed(message(2)));
  append_u16(all, 40);  // an incomplete third message is nobody's
  CHECK(client.send(all));
  shutdown(client.fd.get(), SHUT_WR);
  CHECK(client.receive_message() == message(1));
  CHECK(client.receive_message() == message(2));
  CHECK(client.wait_for_end());
}

TEST_CASE("tcp: a message of no octets ends the connection after the answers before it") {
  Echo echo;
  Server server(echo);
  Client client(SOCK_STREAM, server.at);
  Bytes all = framed(message(1));
  append_u16(all, 0);
  append(all, framed(message(2)));
  CHECK(client.send(all));
  CHECK(client.receive_message() == message(1));
  CHECK(client.wait_for_end());
  server.running.stop();
  CHECK(server.counters().tcp_queries.value() == 1);
  CHECK(server.counters().tcp_broken.value() == 1);
}

#include "calls.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;
using std::chrono::milliseconds;

namespace {

/// NOTIFY for "a." of type SOA (RFC 1996 §3.3).
Bytes query(uint16_t id) {
  Bytes all;
  append_u16(all, id);
  append(all, Bytes{0x24, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 6, 0, 1});
  return all;
}

Bytes reply_to(Bytes octets) {
  octets[2] |= 0x80;
  return octets;
}

struct Udp {
  Udp() : fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), at(address("127.0.0.1@0")) {
    REQUIRE(bind_socket(fd, at));
  }
  FileDescriptor fd;
  SocketAddress at;
};

struct DatagramCaller {
  DatagramCaller() : loop(std::move(*Loop::open())) {}
  void start(DatagramCall::Options options, Bytes octets) {
    call = DatagramCall::start(*loop, std::move(options), std::move(octets),
                               {.on_reply = [this](ByteView) { return ++replies > refused; },
                                .on_end =
                                    [this](DatagramEnd how, const std::string& text) {
                                      end = how;
                                      why = text;
                                      loop->stop();
                                    }});
  }
  std::unique_ptr<Loop> loop;
  std::unique_ptr<DatagramCall> call;
  size_t replies = 0;
  size_t refused = 0;
  std::optional<DatagramEnd> end;
  std::string why;
};

}  // namespace

TEST_CASE(
    "datagram call: sent again until it is answered, and forged replies are passed over [RFC 1996 §3.6, RFC 5452 §9]") {
  Udp server;
  std::thread answering([&] {
    const timeval patience{20, 0};
    setsockopt(server.fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    Bytes room(512);
    SocketAddress from = address("127.0.0.1@0");
    for (int i = 0; i < 3; ++i) {  // two are lost
      socklen_t size = SocketAddress::capacity();
      const ssize_t got = recvfrom(server.fd.get(), room.data(), room.size(), 0, from.data(), &size);
      room.resize(got > 0 ? static_cast<size_t>(got) : 0);
      REQUIRE(room == query(0x1234));
    }
    const auto send = [&](const Bytes& octets) {
      sendto(server.fd.get(), octets.data(), octets.size(), 0, from.data(), from.size());
    };
    send(reply_to(query(0x1235)));
    send(query(0x1234));
    Bytes other = reply_to(query(0x1234));
    other[13] = 'b';
    send(other);
    send({});
    send(Bytes(5, 0x12));
    Udp stranger;
    const Bytes forged = reply_to(query(0x1234));
    sendto(stranger.fd.get(), forged.data(), forged.size(), 0, from.data(), from.size());
    send(reply_to(query(0x1234)));  // not credible: refused by the callback
    send(reply_to(query(0x1234)));
  });
  DatagramCaller caller;
  caller.refused = 1;
  caller.start({.peer = server.at, .interval = milliseconds(5), .attempts = 1000}, query(0x1234));
  caller.loop->run();
  answering.join();
  CHECK(caller.end == DatagramEnd::Answered);
  CHECK(caller.replies == 2);
  CHECK(caller.call->attempts() >= 3);
}

TEST_CASE("datagram call: given up after as many attempts as asked") {
  Udp silent;
  DatagramCaller caller;
  caller.start({.peer = silent.at, .interval = milliseconds(1), .backoff = 2, .attempts = 4}, query(1));
  CHECK_FALSE(caller.end);
  caller.loop->run();
  CHECK(caller.end == DatagramEnd::TimedOut);
  CHECK(caller.call->attempts() == 4);
  Bytes room(512);
  size_t got = 0;
  while (recv(silent.fd.get(), room.data(), room.size(), MSG_DONTWAIT) > 0) ++got;
  CHECK(got == 4);
}

TEST_CASE("datagram call: a port that nobody listens on ends it at once [RFC 1996 §3.6]") {
  const Nobody nobody(SOCK_DGRAM);
  DatagramCaller caller;
  caller.start({.peer = nobody.at}, query(1));
  caller.loop->run();
  CHECK(caller.end == DatagramEnd::Unreachable);
  CHECK(caller.why == nobody.at.to_text() + ": Connection refused");
}

TEST_CASE("datagram call: many at once, each from a port of its own [RFC 5452 §4.5]") {
  std::set<uint16_t> ports;
  Answering answering([&](Exchange& exchange) {
    ports.insert(exchange.client->port());
    std::copy(exchange.request.begin(), exchange.request.end(), exchange.room.begin());
    exchange.room[2] |= 0x80;
    exchange.response_size = exchange.request.size();
  });
  Server server(answering);
  const auto loop = std::move(*Loop::open());
  std::vector<std::unique_ptr<DatagramCall>> calls;
  size_t answered = 0;
  for (uint16_t i = 0; i < 200; ++i)
    calls.push_back(DatagramCall::start(*loop, {.peer = server.at}, query(i),
                                        {.on_reply = [](ByteView) { return true; },
                                         .on_end =
                                             [&](DatagramEnd how, const std::string&) {
                                               answered += how == DatagramEnd::Answered ? 1 : 0;
                                               if (answered == 200) loop->stop();
                                             }}));
  loop->run();
  server.running.stop();
  CHECK(answered == 200);
  CHECK(ports.size() == 200);
}

TEST_CASE("reply: ID, QR, opcode and question must be the query's, letters in any case [RFC 5452 §9.1]") {
  const Bytes asked = query(7);
  Bytes reply = reply_to(asked);
  CHECK(is_reply_to(asked, reply));
  reply[13] = 'A';
  CHECK(is_reply_to(asked, reply));
  for (const size_t changed : {0UL, 1UL, 2UL, 12UL, 13UL, 14UL, 16UL, 18UL}) {
    Bytes other = reply_to(asked);
    other[changed] ^= 0x41;
    CHECK_FALSE(is_reply_to(asked, other));
  }
  for (size_t size = 0; size < reply.size(); ++size) CHECK_FALSE(is_reply_to(asked, ByteView(reply).first(size)));
  Bytes without(asked.begin(), asked.begin() + 12);
  without[2] |= 0x80;
  without[5] = 0;
  CHECK_FALSE(is_reply_to(asked, without));
  without[3] = 1;  // FORMERR
  CHECK(is_reply_to(asked, without));
}

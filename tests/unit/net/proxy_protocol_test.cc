#include "net/proxy_protocol.hh"

#include "calls.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;
using Outcome = ProxyHeader::Outcome;

namespace {

Bytes header(uint8_t command, uint8_t family, const Bytes& body) {
  Bytes all{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, command, family};
  append_u16(all, static_cast<uint16_t>(body.size()));
  append(all, body);
  return all;
}

const Bytes inet_body{192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x00, 0x35};

Bytes inet_header(uint8_t protocol = 1) { return header(0x21, static_cast<uint8_t>(0x10 | protocol), inet_body); }

Bytes joined(Bytes first, ByteView second) {
  append(first, second);
  return first;
}

}  // namespace

TEST_CASE("proxy: addresses of both families, streams and datagrams [proxy-protocol §2.2]") {
  for (const uint8_t protocol : {uint8_t{1}, uint8_t{2}}) {
    const ProxyHeader parsed = parse_proxy_header(joined(inet_header(protocol), Bytes{1, 2, 3}));
    CHECK(parsed.outcome == Outcome::Proxied);
    CHECK(parsed.size == 28);
    CHECK(parsed.source.to_text() == "192.0.2.1@12345");
    CHECK(parsed.destination.to_text() == "198.51.100.2@53");
  }
  Bytes six(36);
  six[0] = 0x20;
  six[1] = 0x01;
  six[15] = 1;
  six[31] = 2;
  six[33] = 99;
  six[35] = 53;
  const ProxyHeader parsed = parse_proxy_header(header(0x21, 0x21, six));
  CHECK(parsed.outcome == Outcome::Proxied);
  CHECK(parsed.source.to_text() == "2001::1@99");
  CHECK(parsed.destination.to_text() == "::2@53");
}

TEST_CASE("proxy: every shorter header is incomplete, and says how much more is needed [proxy-protocol §2.2]") {
  const Bytes whole = inet_header();
  for (size_t size = 0; size < whole.size(); ++size) {
    const ProxyHeader parsed = parse_proxy_header(ByteView(whole).first(size));
    CHECK(parsed.outcome == Outcome::Incomplete);
    CHECK(parsed.size == (size < 16 ? 16 : 28));
  }
}

TEST_CASE("proxy: LOCAL speaks for the proxy itself, whatever it carries [proxy-protocol §2.2]") {
  CHECK(parse_proxy_header(header(0x20, 0x00, {})).outcome == Outcome::Local);
  const ProxyHeader parsed = parse_proxy_header(header(0x20, 0x31, Bytes(50)));
  CHECK(parsed.outcome == Outcome::Local);
  CHECK(parsed.size == 66);
}

TEST_CASE("proxy: TLVs are passed over, and must be whole [proxy-protocol §2.2]") {
  const Bytes tlvs{0x04, 0x00, 0x00, 0x30, 0x00, 0x02, 'a', 'b'};
  CHECK(parse_proxy_header(header(0x21, 0x11, joined(inet_body, tlvs))).outcome == Outcome::Proxied);
  for (const size_t cut : {1UL, 2UL, 4UL, 5UL, 6UL, 7UL})
    CHECK(parse_proxy_header(header(0x21, 0x11, joined(inet_body, ByteView(tlvs).first(cut)))).outcome ==
          Outcome::Broken);
}

TEST_CASE("proxy: what is wrong is refused [proxy-protocol §2.2]") {
  const auto outcome = [](const Bytes& octets) { return parse_proxy_header(octets).outcome; };
  CHECK(outcome(Bytes(20, 0)) == Outcome::Broken);                    // a DNS message
  CHECK(outcome(Bytes{0x0D, 0x0A, 0x0E}) == Outcome::Broken);         // told at the first wrong octet
  CHECK(outcome(header(0x11, 0x11, inet_body)) == Outcome::Broken);   // version 1
  CHECK(outcome(header(0x31, 0x11, inet_body)) == Outcome::Broken);   // version 3
  CHECK(outcome(header(0x22, 0x11, inet_body)) == Outcome::Broken);   // an unknown command
  CHECK(outcome(header(0x21, 0x00, {})) == Outcome::Broken);          // a client without an address
  CHECK(outcome(header(0x21, 0x31, Bytes(216))) == Outcome::Broken);  // AF_UNIX
  CHECK(outcome(header(0x21, 0x13, inet_body)) == Outcome::Broken);   // an unknown protocol
  CHECK(outcome(header(0x21, 0x10, inet_body)) == Outcome::Broken);
  CHECK(outcome(header(0x21, 0x21, inet_body)) == Outcome::Broken);  // too short for its family
  CHECK(outcome(header(0x21, 0x11, Bytes(11))) == Outcome::Broken);
  CHECK(outcome(header(0x21, 0x11, Bytes(5000))) == Outcome::Broken);  // longer than anybody needs
}

TEST_CASE("proxy: over UDP the client is the proxied one, and the answer goes to the proxy") {
  std::vector<std::string> clients;
  Answering answering([&](Exchange& exchange) {
    clients.push_back(exchange.client->to_text());
    std::copy(exchange.request.begin(), exchange.request.end(), exchange.room.begin());
    exchange.response_size = exchange.request.size();
  });
  Server server(answering, {}, "127.0.0.1@0", {.proxies = {*AddressBlock::from_text("127.0.0.1/32")}});
  Client proxy(SOCK_DGRAM, server.at);
  proxy.send(message(1));                         // no header: dropped
  proxy.send(ByteView(inet_header()).first(20));  // a short one
  proxy.send(joined(inet_header(), message(2)));
  CHECK(proxy.receive() == message(2));
  proxy.send(joined(header(0x20, 0, {}), message(3)));
  CHECK(proxy.receive() == message(3));
  server.running.stop();
  REQUIRE(clients.size() == 2);
  CHECK(clients[0] == "192.0.2.1@12345");
  CHECK(clients[1].starts_with("127.0.0.1@"));
  CHECK(server.counters().udp_bad_proxy.value() == 2);
}

TEST_CASE("proxy: from an address that is not listed it is an ordinary octet string") {
  std::string client_seen;
  Answering answering([&](Exchange& exchange) {
    client_seen = exchange.client->to_text();
    exchange.response_size = 1;
    exchange.room[0] = exchange.request[0];
  });
  Server server(answering, {}, "127.0.0.1@0", {.proxies = {*AddressBlock::from_text("127.0.0.9/32")}});
  Client client(SOCK_DGRAM, server.at);
  client.send(inet_header());
  CHECK(client.receive() == Bytes{0x0D});
  server.running.stop();
  CHECK(client_seen.starts_with("127.0.0.1@"));
}

TEST_CASE("proxy: a deferred answer to a datagram goes to the proxy too") {
  std::unique_ptr<Reply> reply;
  Answering answering([&](Exchange& exchange) { reply = exchange.source->defer(exchange); });
  Server server(answering, {}, "127.0.0.1@0", {.proxies = {*AddressBlock::from_text("127.0.0.1/32")}});
  Client proxy(SOCK_DGRAM, server.at);
  Client marker(SOCK_DGRAM, server.at);
  proxy.send(joined(inet_header(), message(2)));
  while (!server.running.on_loop([&] { return reply != nullptr; })) std::this_thread::yield();
  CHECK(reply->client().to_text() == "192.0.2.1@12345");
  reply->write(message(9));
  CHECK(proxy.receive() == message(9));
  reply.reset();
}

TEST_CASE("proxy: before TCP and TLS, cut at every octet") {
  std::vector<std::string> clients;
  Answering answering([&](Exchange& exchange) {
    clients.push_back(exchange.client->to_text());
    std::copy(exchange.request.begin(), exchange.request.end(), exchange.room.begin());
    exchange.response_size = exchange.request.size();
  });
  Server server(answering, {.clients_per_address = 100}, "127.0.0.1@0",
                {.tls = server_context(), .proxies = {*AddressBlock::from_text("127.0.0.1/32")}});
  {
    Client proxy(SOCK_STREAM, server.at);
    for (const uint8_t octet : inet_header()) proxy.send({&octet, 1});
    proxy.send(framed(message(4)));
    CHECK(proxy.receive_message() == message(4));
  }
  {
    Client proxy(SOCK_STREAM, server.at);
    proxy.send(joined(inet_header(), framed(message(5))));
    CHECK(proxy.receive_message() == message(5));
  }
  {
    Client proxy(SOCK_STREAM, server.tls_at);
    proxy.send(inet_header());
    auto session = *client_context()->connect(proxy.fd.get());
    pollfd wait{proxy.fd.get(), POLLIN, 0};
    while (session.handshake() == crypto::TlsOutcome::Wait) poll(&wait, 1, 20'000);
    REQUIRE(session.is_established());
    const Bytes asked = framed(message(6));
    const iovec one{const_cast<uint8_t*>(asked.data()), asked.size()};
    session.write({&one, 1});
    Bytes room(1000);
    crypto::TlsProgress read;
    while ((read = session.read(room)).outcome == crypto::TlsOutcome::Wait) poll(&wait, 1, 20'000);
    room.resize(read.octets);
    CHECK(room == asked);
  }
  {
    Client proxy(SOCK_STREAM, server.at);
    proxy.send(framed(message(7)));
    CHECK_FALSE(proxy.wait_for_end());
  }
  server.running.stop();
  CHECK(clients == std::vector<std::string>(3, "192.0.2.1@12345"));
  CHECK(server.counters().tcp_bad_proxy.value() == 1);
}

TEST_CASE("proxy: the limit of connections is the proxied client's, not the proxy's") {
  Echo echo;
  Server server(echo, {.clients_per_address = 2}, "127.0.0.1@0",
                {.proxies = {*AddressBlock::from_text("127.0.0.1/32")}});
  std::vector<std::unique_ptr<Client>> proxies;
  for (uint8_t i = 0; i < 6; ++i) {
    Bytes body = inet_body;
    body[3] = static_cast<uint8_t>(i / 2);
    proxies.push_back(std::make_unique<Client>(SOCK_STREAM, server.at));
    proxies.back()->send(joined(header(0x21, 0x11, body), framed(message(i))));
    CHECK(proxies.back()->receive_message() == message(i));
  }
  Client more(SOCK_STREAM, server.at);
  Bytes ninth = inet_body;
  ninth[3] = 9;
  more.send(joined(header(0x21, 0x11, ninth), framed(message(9))));
  CHECK(more.receive_message() == message(9));
  Bytes third = inet_body;
  third[3] = 2;
  Client refused(SOCK_STREAM, server.at);
  refused.send(header(0x21, 0x11, third));
  refused.wait_for_end();
  proxies.clear();
  while (server.running.on_loop([&] { return server.worker->connections(); }) > 1) std::this_thread::yield();
  CHECK(server.counts->total() == 1);
}

#include "client/tls_relay.hh"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/relay_message.hh"
#include "dns/message.hh"
#include "net/file_descriptor.hh"
#include "publisher_fixture.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;

namespace {

constexpr int patience_ms = 5'000;

Bytes query(bool edns = true, Bytes options = {}) {
  dns::Message message;
  message.header.id = 7;
  message.header.rd = true;
  message.question.push_back({agent_name, dns::RrType::TXT, dns::RrClass::IN});
  if (edns) message.additional.push_back(dns::make_opt(1232, true, std::move(options)));
  return message.build().value();
}

dns::Message parsed(ByteView wire) {
  auto message = dns::Message::parse(wire);
  REQUIRE(message);
  return std::move(*message);
}

/// A relay to a port where nobody listens.
std::unique_ptr<TlsRelay> relay_to_nobody() {
  auto context = crypto::TlsClientContext::open({.verify = crypto::TlsClientOptions::Verify::Nobody});
  REQUIRE(context);
  auto relay = TlsRelay::start({.registry = *SocketAddress::from_text("127.0.0.1@1"), .tls = *context});
  REQUIRE(relay);
  return std::move(*relay);
}

/// Sends one query over a connection of its own. What comes within `wait_ms`, without the length octets; no allocation,
/// so that a forked child may call it.
size_t ask(const SocketAddress& address, ByteView framed, int wait_ms, MutableByteView into) {
  const net::FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address.data(), address.size()) != 0) return 0;
  if (::send(fd.get(), framed.data(), framed.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(framed.size())) return 0;
  pollfd readable{.fd = fd.get(), .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, wait_ms) != 1) return 0;
  const ssize_t size = ::recv(fd.get(), into.data(), into.size(), 0);
  return size > 0 ? static_cast<size_t>(size) : 0;
}

Bytes framed(ByteView message) {
  Bytes out;
  append_u16(out, static_cast<uint16_t>(message.size()));
  append(out, message);
  return out;
}

}  // namespace

TEST_CASE("relay: a query gets an ID of its own and is padded to a multiple of 128 octets [RFC 8467 §4.1]") {
  const Bytes sent = relayed_query(query(), 0xBEEF);
  CHECK(sent.size() == 128);
  const dns::Message message = parsed(sent);
  CHECK(message.header.id == 0xBEEF);
  CHECK(message.question.front().name == agent_name);
  REQUIRE(message.opt() != nullptr);
  ByteView options = message.opt()->rdata;
  const auto padding = dns::next_edns_option(options);
  REQUIRE(padding);
  CHECK(padding->code == 12);
  CHECK(options.empty());
  SUBCASE("one without EDNS stays as it is, as does one that is padded [RFC 7830 §3]") {
    CHECK(relayed_query(query(false), 7) == query(false));
    Bytes padded;
    dns::append_edns_option(padded, 12, {});
    CHECK(relayed_query(query(true, padded), 7) == query(true, padded));
  }
}

TEST_CASE("relay: nothing but a plain query is carried") {
  CHECK(is_plain_query(query()));
  CHECK(is_plain_query(query(false)));
  for (size_t size = 0; size < query(false).size(); ++size)
    CHECK_FALSE(is_plain_query(ByteView(query(false)).first(size)));
  for (const auto& change :
       {std::pair<size_t, uint8_t>{2, 0x80}, {2, 0x28}, {5, 2}, {5, 0}, {7, 1}, {9, 1}, {12, 0xC0}}) {
    const size_t at = change.first;
    Bytes other = query();
    other[at] = change.second;
    CAPTURE(at);
    CHECK_FALSE(is_plain_query(other));
  }
}

TEST_CASE("relay: a referral is told from an answer and from a denial [RFC 1034 §4.3.2]") {
  dns::Message message = parsed(query(false));
  message.header.qr = true;
  message.authority.push_back({zone, dns::RrType::NS, dns::RrClass::IN, 60, Bytes{0}});
  CHECK(referral_of(*message.build()) == zone);
  message.header.aa = true;
  CHECK_FALSE(referral_of(*message.build()));
  message.header.aa = false;
  message.authority.front().owner = name("other.example.");
  CHECK_FALSE(referral_of(*message.build()));
}

TEST_CASE("relay: who cannot reach the registry is answered SERVFAIL, and told why") {
  const auto relay = relay_to_nobody();
  CHECK(relay->trouble().empty());
  CHECK(relay->address().is_loopback());
  Bytes answer(1000);
  const size_t size = ask(relay->address(), framed(query()), patience_ms, answer);
  REQUIRE(size > 2);
  const dns::Message message = parsed(ByteView(answer).subspan(2, size - 2));
  CHECK(message.header.id == 7);
  CHECK(message.header.qr);
  CHECK(message.rcode() == dns::Rcode::SERVFAIL);
  CHECK(message.question.front().name == agent_name);
  has(relay->trouble(), "127.0.0.1@1: Connection refused");
}

TEST_CASE("relay: another process gets no answer") {
  const auto relay = relay_to_nobody();
  const Bytes asked = framed(query());
  Bytes room(1000);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(ask(relay->address(), asked, 500, room) == 0 ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(relay->trouble().empty());  // nor was the registry called for it
  CHECK(ask(relay->address(), asked, patience_ms, room) > 0);
}

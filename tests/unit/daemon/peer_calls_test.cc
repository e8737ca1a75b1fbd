#include "daemon/peer_calls.hh"

#include <doctest/doctest.h>

namespace steward::daemon {
namespace {

std::string source_of(const PeerCalls& calls, const char* peer) {
  const auto source = calls.source_for(*SocketAddress::from_text(peer));
  return source ? source->to_text() : "";
}

}  // namespace

TEST_CASE("peer calls: they come from our address of the peer's family, from loopback only to this machine") {
  auto loop = net::Loop::open();
  REQUIRE(loop);
  const SystemClock clock;
  PeerCalls calls(**loop, clock);
  CHECK(source_of(calls, "192.0.2.1@53").empty());
  calls.configure(nullptr, {*SocketAddress::from_text("127.0.0.5@0"), *SocketAddress::from_text("2001:db8::5@0")});
  CHECK(source_of(calls, "127.53.0.1@53") == "127.0.0.5@0");
  CHECK(source_of(calls, "192.0.2.1@53").empty());
  CHECK(source_of(calls, "2001:db8::1@53") == "2001:db8::5@0");
  calls.configure(nullptr, {*SocketAddress::from_text("192.0.2.5@0")});
  CHECK(source_of(calls, "192.0.2.1@53") == "192.0.2.5@0");
  CHECK(source_of(calls, "2001:db8::1@53").empty());
}

}  // namespace steward::daemon

// Response rate limiting: who is limited, by what, and how it recovers.

#include <doctest/doctest.h>

#include <memory>

#include "ask.hh"
#include "serve/rate_limit.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;
using serve::RateLimiter;
using serve::RateLimitSettings;

namespace {

struct Fixture : Server {
  explicit Fixture(RateLimitSettings limits = {10, 2, {}, 1U << 10}) : limiter(std::move(limits), {1, 2}) {
    snapshot.add_zone("example.test.",
                      "@ SOA ns h 1 2 3 4 5\n@ NS ns\na A 192.0.2.1\nb A 192.0.2.2\n*.w A 192.0.2.3\ncut NS ns.other.");
    context.rate_limiter = &limiter;
    context.monotonic_ms = 1'000'000;
  }
  enum class Got { Whole, Slip, Nothing };
  Got get(std::string_view name, Transport transport = Transport::Udp, const std::optional<QueryEdns>& edns = {}) {
    const auto r = ask(make_query(name, RrType::A, edns), transport);
    if (!r) return Got::Nothing;
    return r->truncated() && r->answer.empty() ? Got::Slip : Got::Whole;
  }
  // Of `count` queries, how many were answered in full.
  int whole(int count, std::string_view name) {
    int answers = 0;
    for (int i = 0; i < count; ++i) answers += get(name) == Got::Whole ? 1 : 0;
    return answers;
  }
  void from(std::string_view address) { client = *SocketAddress::from_text(address); }

  RateLimiter limiter;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "rate limit: a burst of a second's worth, then every second one slips") {
  CHECK(whole(10, "a.example.test.") == 10);
  int slips = 0;
  for (int i = 0; i < 20; ++i) slips += get("a.example.test.") == Got::Slip ? 1 : 0;
  CHECK(slips == 10);
  CHECK(context.counters.rate_limit_slipped.get() == 10);
  CHECK(context.counters.rate_limit_dropped.get() == 10);
}

TEST_CASE_FIXTURE(Fixture, "rate limit: tokens come back with the time, a second's worth at most") {
  CHECK(whole(30, "a.example.test.") == 10);
  context.monotonic_ms += 500;
  CHECK(whole(30, "a.example.test.") == 5);
  context.monotonic_ms += 3'600'000;
  CHECK(whole(30, "a.example.test.") == 10);
  // A worker that read the clock a little earlier changes nothing.
  context.monotonic_ms -= 3;
  CHECK(whole(30, "a.example.test.") == 0);
}

TEST_CASE_FIXTURE(Fixture, "rate limit: each name has its own tokens, a wildcard and a zone's NXDOMAIN one for all") {
  CHECK(whole(10, "a.example.test.") == 10);
  CHECK(whole(10, "b.example.test.") == 10);
  int answers = 0;
  for (int i = 0; i < 30; ++i) answers += get("n" + std::to_string(i) + ".w.example.test.") == Got::Whole ? 1 : 0;
  CHECK(answers == 10);
  answers = 0;
  for (int i = 0; i < 30; ++i) answers += get("n" + std::to_string(i) + ".example.test.") == Got::Whole ? 1 : 0;
  CHECK(answers == 10);
  answers = 0;
  for (int i = 0; i < 30; ++i) answers += get("n" + std::to_string(i) + ".cut.example.test.") == Got::Whole ? 1 : 0;
  CHECK(answers == 10);
  answers = 0;
  for (int i = 0; i < 30; ++i) answers += get("n" + std::to_string(i) + ".test.") == Got::Whole ? 1 : 0;
  CHECK(answers == 10);
}

TEST_CASE_FIXTURE(Fixture, "rate limit: by /24 and /56") {
  CHECK(whole(10, "a.example.test.") == 10);
  from("192.0.2.200@53");
  CHECK(whole(10, "a.example.test.") == 0);
  from("192.0.3.1@53");
  CHECK(whole(10, "a.example.test.") == 10);
  from("2001:db8:0:0100::1@53");
  CHECK(whole(10, "a.example.test.") == 10);
  from("2001:db8:0:01ff::1@53");
  CHECK(whole(10, "a.example.test.") == 0);
  from("2001:db8:0:0200::1@53");
  CHECK(whole(10, "a.example.test.") == 10);
}

TEST_CASE_FIXTURE(Fixture, "rate limit: streams, valid cookies and loopback are exempt") {
  CHECK(whole(20, "a.example.test.") == 10);
  for (int i = 0; i < 50; ++i) CHECK(get("a.example.test.", Transport::Tcp) == Got::Whole);
  const Response first = ask("a.example.test.", RrType::A, QueryEdns{1232, false, 0, {{10, Bytes(8)}}}, Transport::Tcp);
  const QueryEdns with_cookie{1232, false, 0, {*first.opt->find(10)}};
  for (int i = 0; i < 50; ++i) CHECK(get("a.example.test.", Transport::Udp, with_cookie) == Got::Whole);
  from("127.0.0.1@53");
  CHECK(whole(50, "a.example.test.") == 50);
  from("::1@53");
  CHECK(whole(50, "a.example.test.") == 50);
}

TEST_CASE("rate limit: loopback is limited where it is listed, and slip 0 sends nothing") {
  Fixture fixture(RateLimitSettings{10, 0, {*AddressBlock::from_text("127.0.0.0/8")}, 1U << 10});
  fixture.from("127.0.0.1@53");
  CHECK(fixture.whole(50, "a.example.test.") == 10);
  CHECK(fixture.context.counters.rate_limit_dropped.get() == 40);
}

TEST_CASE("rate limit: an exempt network is not limited, and a listed part of it is") {
  RateLimitSettings limits{10, 0, {*AddressBlock::from_text("192.0.2.128/25")}, 1U << 10};
  limits.exempt = {*AddressBlock::from_text("192.0.2.0/24"), *AddressBlock::from_text("2001:db8::/32")};
  Fixture fixture(limits);
  fixture.from("192.0.2.1@53");
  CHECK(fixture.whole(50, "a.example.test.") == 50);
  fixture.from("192.0.2.129@53");
  CHECK(fixture.whole(50, "a.example.test.") == 10);
  fixture.from("2001:db8::1@53");
  CHECK(fixture.whole(50, "a.example.test.") == 50);
  fixture.from("198.51.100.1@53");
  CHECK(fixture.whole(50, "a.example.test.") == 10);
}

TEST_CASE("rate limit: a client network is as wide as the configuration has it") {
  RateLimitSettings limits{10, 0, {}, 1U << 10};
  limits.ipv4_prefix = 32;
  limits.ipv6_prefix = 80;
  Fixture fixture(limits);
  for (const auto* client : {"192.0.2.1@53", "192.0.2.2@53", "2001:db8::1:0:0:1@53", "2001:db8::2:0:0:1@53"}) {
    fixture.from(client);
    CHECK(fixture.whole(50, "a.example.test.") == 10);
  }
  fixture.from("2001:db8::2:0:0:2@53");
  CHECK(fixture.whole(50, "a.example.test.") == 0);
}

TEST_CASE("rate limit: many other clients do not refill the bucket of the one that asks too often") {
  RateLimiter limiter(RateLimitSettings{10, 0, {}, 8}, {3, 4});
  uint32_t slips = 0;
  const auto take = [&](const std::string& address) {
    return limiter.take(*SocketAddress::from_text(address), serve::ResponseClass::Positive, nullptr, 5000, slips);
  };
  int sent = 0;
  for (int i = 0; i < 200; ++i) {
    sent += take("192.0.2.1@53") == serve::RateVerdict::Send ? 1 : 0;
    (void)take("10." + std::to_string(i) + ".0.1@53");
  }
  CHECK(sent == 10);
}

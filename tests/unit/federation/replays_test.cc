// Requests that were taken are not taken again.

#include "federation/replays.hh"

#include <doctest/doctest.h>

#include "memory_octets.hh"

using namespace steward;
using namespace steward::federation;

namespace {

const UnixTime start = unix_time(1'790'000'000);

struct Request {
  std::string_view signer = "vibe._registries._agents.com.s.example.";
  uint8_t nonce = 1;
  Seconds inception{-150};  ///< from `at`
  Seconds expiration{150};
  uint16_t tag = 4711;
  UnixTime at = start;

  [[nodiscard]] auth::RegistryRequest make() const {
    auth::RegistryRequest request;
    request.sig0.signer = *dns::Name::from_text(signer);
    request.sig0.tag = tag;
    request.sig0.inception = static_cast<uint32_t>(seconds_of(at + inception));
    request.sig0.expiration = static_cast<uint32_t>(seconds_of(at + expiration));
    request.nonce.fill(nonce);
    return request;
  }
};

ReplayVerdict admit(Replays& replays, const Request& request, UnixTime now = start) {
  const auto verdict = replays.admit(request.make(), now);
  REQUIRE_MESSAGE(verdict, verdict.error().what);
  return *verdict;
}

}  // namespace

TEST_CASE("replays: a request is taken once, as long as its window is open, and over restarts") {
  test::MemoryOctets table;
  {
    Replays replays(table);
    CHECK(admit(replays, {}) == ReplayVerdict::Fresh);
    CHECK(admit(replays, {}) == ReplayVerdict::Repeated);
  }
  Replays again(table);
  CHECK(admit(again, {}) == ReplayVerdict::Repeated);
  CHECK(admit(again, {"VIBE._registries._agents.com.s.example."}) == ReplayVerdict::Repeated);
  CHECK(admit(again, {}, start + Seconds{150}) == ReplayVerdict::Repeated);
  CHECK(admit(again, {}, start + Seconds{151}) == ReplayVerdict::Stale);
}

TEST_CASE("replays: another nonce, inception, key tag or signer is another request, another expiration is not") {
  test::MemoryOctets table;
  Replays replays(table);
  Request request;
  CHECK(admit(replays, request) == ReplayVerdict::Fresh);
  request.nonce = 2;
  CHECK(admit(replays, request) == ReplayVerdict::Fresh);
  request.inception = Seconds{-149};
  CHECK(admit(replays, request) == ReplayVerdict::Fresh);
  request.tag = 4712;
  CHECK(admit(replays, request) == ReplayVerdict::Fresh);
  request.signer = "other._registries._agents.com.s.example.";
  CHECK(admit(replays, request) == ReplayVerdict::Fresh);
  request.expiration = Seconds{100};
  CHECK(admit(replays, request) == ReplayVerdict::Repeated);
  CHECK(*replays.size() == 5);
}

TEST_CASE("replays: what is not of this time is noted nowhere") {
  test::MemoryOctets table;
  Replays replays(table);
  Request late;
  late.inception = Seconds{1};
  CHECK(admit(replays, late) == ReplayVerdict::Stale);
  Request over;
  over.expiration = Seconds{-1};
  CHECK(admit(replays, over) == ReplayVerdict::Stale);
  Request wide;
  wide.expiration = Seconds{151};
  CHECK(admit(replays, wide) == ReplayVerdict::Stale);
  CHECK(table.kept.empty());
}

TEST_CASE("replays: what is stale is forgotten, and the table goes empty") {
  test::MemoryOctets table;
  Replays replays(table);
  for (uint8_t i = 0; i < 40; ++i) {
    Request request;
    request.nonce = i;
    request.signer = i % 2 == 0 ? "a.example." : "b.example.";
    CHECK(admit(replays, request) == ReplayVerdict::Fresh);
  }
  CHECK(*replays.purge(start + Seconds{150}, 100) == 0);
  CHECK(*replays.purge(start + Seconds{151}, 30) == 30);
  CHECK(*replays.size() == 10);
  CHECK(*replays.purge(start + Seconds{151}, 100) == 10);
  CHECK(*replays.size() == 0);
  CHECK(table.kept.size() == 1);  // how far it remembers
}

TEST_CASE("replays: a clock that goes back lets nothing in that was forgotten") {
  test::MemoryOctets table;
  Replays replays(table);
  CHECK(admit(replays, {}) == ReplayVerdict::Fresh);
  CHECK(*replays.purge(start + Seconds{3600}, 100) == 1);
  CHECK(admit(replays, {}) == ReplayVerdict::Stale);
  Request next;
  next.inception = Seconds{-149};
  CHECK(admit(replays, next) == ReplayVerdict::Fresh);
}

TEST_CASE("replays: the table is bounded, one signer cannot fill it, and it has room again in time") {
  test::MemoryOctets table;
  Replays replays(table, {3, 5});
  const auto from = [&](std::string_view signer, uint8_t nonce, UnixTime at = start) {
    Request request;
    request.signer = signer;
    request.nonce = nonce;
    request.at = at;
    return admit(replays, request, at);
  };
  for (uint8_t i = 0; i < 3; ++i) CHECK(from("a.example.", i) == ReplayVerdict::Fresh);
  CHECK(from("a.example.", 3) == ReplayVerdict::Full);
  CHECK(from("a.example.", 1) == ReplayVerdict::Repeated);
  CHECK(from("b.example.", 1) == ReplayVerdict::Fresh);
  CHECK(from("b.example.", 2) == ReplayVerdict::Fresh);
  CHECK(from("c.example.", 1) == ReplayVerdict::Full);
  CHECK(*replays.size() == 5);
  CHECK(from("c.example.", 1, start + Seconds{151}) == ReplayVerdict::Fresh);
  CHECK(*replays.size() == 1);
}

TEST_CASE("replays: times of SIG wrap around in 2106 [RFC 4034 §3.1.5]") {
  const UnixTime wrap = unix_time((int64_t{1} << 32) + 10);
  test::MemoryOctets table;
  Replays replays(table);
  Request request;
  request.at = wrap;
  CHECK(admit(replays, request, wrap) == ReplayVerdict::Fresh);
  CHECK(admit(replays, request, wrap + Seconds{100}) == ReplayVerdict::Repeated);
  CHECK(*replays.purge(wrap + Seconds{151}, 1) == 1);
}

TEST_CASE("replays: a table that does not hold together is told") {
  test::MemoryOctets table;
  Replays replays(table);
  table.kept[Bytes{0}] = Bytes{9};
  CHECK(replays.admit(Request{}.make(), start).error().code == Errc::Corrupt);
}

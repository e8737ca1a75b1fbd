#include "federation/clock.hh"

#include <doctest/doctest.h>

using namespace steward;
using namespace steward::federation;

TEST_CASE("clock: text forms that are one, and print as they were read") {
  for (const std::string text : {"eu-4f2a:5", "eu-4f2a:5,us-91c0:7", "a:1,a-0:2,b:9007199254740991"}) {
    const auto clock = clock_from_text(text);
    REQUIRE_MESSAGE(clock, text);
    CHECK(clock_to_text(*clock) == text);
  }
  CHECK(clock_from_text("eu-4f2a:5,us-91c0:7").value() == VectorClock{{"eu-4f2a", 5}, {"us-91c0", 7}});
}

TEST_CASE("clock: text forms that are none") {
  for (const std::string text : {"",
                                 ",",
                                 "eu",
                                 "eu:",
                                 ":5",
                                 "eu:0",
                                 "eu:05",
                                 "eu:-1",
                                 "eu:+1",
                                 "eu:5x",
                                 "eu:5,",
                                 ",eu:5",
                                 "eu:5,,us:1",
                                 "EU:5",
                                 "e_u:5",
                                 "eu :5",
                                 "eu:5, us:1",
                                 "us:1,eu:5",
                                 "eu:1,eu:2",
                                 "eu:9007199254740992",
                                 "eu:18446744073709551616",
                                 "a23456789012345678901234567890123:1",
                                 "eu:1:2"})
    CHECK_MESSAGE(!clock_from_text(text), text);
}

TEST_CASE("clock: at most 64 replicas are read") {
  std::string text;
  for (int i = 0; i < 64; ++i) text += (i == 0 ? "r" : ",r") + std::to_string(100 + i) + ":1";
  CHECK(clock_from_text(text).value().size() == 64);
  CHECK_FALSE(clock_from_text(text + ",r900:1"));
}

TEST_CASE("clock: before, after, equal and concurrent") {
  const VectorClock a{{"eu", 2}, {"us", 1}};
  CHECK(compare(a, a) == ClockOrder::Equal);
  CHECK(compare({}, {}) == ClockOrder::Equal);
  CHECK(compare({}, a) == ClockOrder::Before);
  CHECK(compare(a, {{"eu", 2}}) == ClockOrder::After);
  CHECK(compare(a, {{"eu", 2}, {"us", 2}}) == ClockOrder::Before);
  CHECK(compare(a, {{"eu", 3}}) == ClockOrder::Concurrent);
  CHECK(compare(a, {{"asia", 1}}) == ClockOrder::Concurrent);
}

TEST_CASE("clock: the join is not before either, and says nothing more") {
  const VectorClock a{{"eu", 2}, {"us", 1}};
  const VectorClock b{{"eu", 1}, {"us", 4}, {"asia", 1}};
  const VectorClock both{{"asia", 1}, {"eu", 2}, {"us", 4}};
  CHECK(join(a, b) == both);
  CHECK(join(b, a) == both);
  CHECK(join(a, a) == a);
}

TEST_CASE("clock: a stamp is above all that were seen and never behind the time") {
  const UnixTime now = unix_time(1000);
  CHECK(next_stamp(0, now, Seconds(300)).value() == 1000);
  CHECK(next_stamp(999, now, Seconds(300)).value() == 1000);
  CHECK(next_stamp(1000, now, Seconds(300)).value() == 1001);
  CHECK(next_stamp(1299, now, Seconds(300)).value() == 1300);
}

TEST_CASE("clock: a stamp too far ahead is refused, and none is made above it") {
  const UnixTime now = unix_time(1000);
  CHECK(check_stamp(1300, now, Seconds(300)));
  CHECK_FALSE(check_stamp(1301, now, Seconds(300)));
  CHECK_FALSE(check_stamp(UINT64_MAX, now, Seconds(300)));
  CHECK_FALSE(next_stamp(1300, now, Seconds(300)));
  CHECK_FALSE(next_stamp(UINT64_MAX, now, Seconds(300)));
}

#include "agent/write_stamp.hh"

#include <doctest/doctest.h>

using namespace steward;
using namespace steward::agent;

namespace {

constexpr Seconds most_ahead{300};
const UnixTime now = unix_time(1000);

}  // namespace

TEST_CASE("write stamp: the first write of a name counts one for its replica, at the time") {
  const auto first = next_write({}, "eu-4f2a", now, most_ahead);
  REQUIRE(first);
  CHECK(first->clock == std::map<std::string, uint64_t>{{"eu-4f2a", 1}});
  CHECK(first->stamp == 1000);
  CHECK(first->replica == "eu-4f2a");
}

TEST_CASE("write stamp: the next knows of all that is held, and is above it") {
  const WriteStamp seen{{{"eu-4f2a", 5}, {"us-91c0", 7}}, 1002, "us-91c0"};
  const auto next = next_write(seen, "eu-4f2a", now, most_ahead);
  REQUIRE(next);
  CHECK(next->clock == std::map<std::string, uint64_t>{{"eu-4f2a", 6}, {"us-91c0", 7}});
  CHECK(next->stamp == 1003);
  CHECK(next->replica == "eu-4f2a");
}

TEST_CASE("write stamp: writes of one name within a second go ahead of the time as far as others take, and no further") {
  WriteStamp write;
  for (uint64_t i = 0; i <= 300; ++i) {
    const auto next = next_write(write, "eu-4f2a", now, most_ahead);
    REQUIRE(next);
    CHECK(next->stamp == 1000 + i);
    write = *next;
  }
  const auto refused = next_write(write, "eu-4f2a", now, most_ahead);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::Refused);
  CHECK(next_write(write, "eu-4f2a", now + Seconds(1), most_ahead).value().stamp == 1301);
}

TEST_CASE("write stamp: a clock has room for 64 replicas") {
  WriteStamp write;
  for (int i = 0; i < 64; ++i) write = next_write(write, "r" + std::to_string(i), now, most_ahead).value();
  CHECK(next_write(write, "r0", now, most_ahead));
  const auto full = next_write(write, "r64", now, most_ahead);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == Errc::Full);
}

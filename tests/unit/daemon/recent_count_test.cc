#include "daemon/recent_count.hh"

#include <doctest/doctest.h>

using namespace steward;
using steward::daemon::RecentCount;

TEST_CASE("recent count: an hour long it counts, and then it is forgotten") {
  const UnixTime now = unix_time(1'800'000'000);
  RecentCount count;
  CHECK(count.within_hour(now) == 0);
  count.add(now);
  count.add(now + Seconds(5));
  count.add(now + Seconds(30 * 60));
  CHECK(count.within_hour(now + Seconds(30 * 60)) == 3);
  CHECK(count.within_hour(now + Seconds(59 * 60)) == 3);
  CHECK(count.within_hour(now + Seconds(60 * 60)) == 1);
  CHECK(count.within_hour(now + Seconds(90 * 60)) == 0);
  count.add(now + Seconds(30 * 24 * 3600));
  CHECK(count.within_hour(now + Seconds(30 * 24 * 3600)) == 1);
}

TEST_CASE("recent count: a clock that is set back loses nothing") {
  const UnixTime now = unix_time(1'800'000'000);
  RecentCount count;
  count.add(now);
  count.add(now - Seconds(7200));
  CHECK(count.within_hour(now - Seconds(7200)) == 2);
  CHECK(count.within_hour(now) == 2);
}

// When a registry that sends its feed asks, and when it sends.

#include "daemon/push_turns.hh"

#include <doctest/doctest.h>

namespace steward::daemon {
namespace {

using Next = PushTurns::Next;

federation::PushState state_at(uint8_t serial) { return {Bytes(22, serial), std::nullopt, {serial, {}, {}}}; }

}  // namespace

TEST_CASE("push: it asks first, sends while something lacks, and then waits for a change") {
  PushTurns turns;
  UnixTime now = unix_time(1000);
  CHECK(turns.next(now) == Next::Ask);
  turns.began();
  CHECK(turns.next(now) == Next::Nothing);
  turns.told(state_at(1), false, now);
  CHECK(turns.next(now) == Next::Send);
  turns.began();
  turns.told(state_at(2), true, now);
  CHECK(turns.next(now) == Next::Send);
  turns.found_current();
  CHECK(turns.is_current());
  CHECK(turns.next(now) == Next::Nothing);
  turns.changed();
  CHECK_FALSE(turns.is_current());
  CHECK(turns.next(now) == Next::Send);
}

TEST_CASE("push: without an answer it asks again, ever later, and at once where something else is known") {
  PushTurns turns;
  UnixTime now = unix_time(1000);
  for (const int64_t wait : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
    turns.began();
    turns.failed(now);
    CHECK((turns.not_before() - now).count() == wait);
    turns.changed();
    CHECK(turns.next(now + Seconds(wait - 1)) == Next::Nothing);
    now += Seconds(wait);
    CHECK(turns.next(now) == Next::Ask);
  }
  turns.failed(now);
  turns.turned();
  CHECK(turns.next(now) == Next::Ask);
  CHECK(turns.failures() == 0);
}

TEST_CASE("push: a parent that took nothing of what it was sent is waited for; one that has moved is not") {
  PushTurns turns;
  const UnixTime now = unix_time(1000);
  turns.told(state_at(1), false, now);
  turns.told(state_at(2), true, now);  // all of it, a part of it, or another's word
  CHECK(turns.next(now) == Next::Send);
  turns.told(state_at(2), true, now);
  CHECK(turns.next(now) == Next::Nothing);
  CHECK(turns.next(now + Seconds(1)) == Next::Send);
  turns.told(state_at(2), true, now);
  CHECK(turns.failures() == 2);
  turns.told(state_at(2), false, now);  // a question is no message
  CHECK(turns.failures() == 2);
  turns.told(state_at(3), true, now);
  CHECK(turns.failures() == 0);
}

TEST_CASE("push: what the parent holds is asked every five minutes, since it may be restored") {
  PushTurns turns;
  const UnixTime now = unix_time(1000);
  turns.told(state_at(1), false, now);
  turns.found_current();
  CHECK(turns.next(now + PushTurns::between_questions - Seconds(1)) == Next::Nothing);
  CHECK(turns.next(now + PushTurns::between_questions) == Next::Ask);
}

}  // namespace steward::daemon

#pragma once
// A secondary zone whose clock is in the test's hand.

#include <doctest/doctest.h>

#include "transfer/refresh.hh"

namespace steward::transfer::test {

using Order = RefreshOrder;
using Note = RefreshNote;
using Data = Refresh::Data;

constexpr int64_t start_time = 1'700'000'000;

// Seconds after the start; random 0 is no spread.
inline Moment at(int64_t seconds, uint32_t random = 0) { return {unix_time(start_time + seconds), random}; }

inline SoaFields fields(uint32_t serial, uint32_t refresh = 1000, uint32_t retry = 100, uint32_t expire = 10000) {
  return {serial, refresh, retry, expire, 300};
}

// Transferred at second 0, with serial 5.
inline Refresh fresh(size_t primaries = 1, const SoaFields& soa = fields(5), const RefreshLimits& limits = {}) {
  Refresh refresh(primaries, limits);
  refresh.start(at(0));
  refresh.transferred(at(0), soa);
  return refresh;
}

inline int64_t next(const Refresh& refresh) { return seconds_of(refresh.next_event()) - start_time; }

inline bool is(const RefreshStep& step, Order order, size_t primary = 0, Note note = Note::None) {
  CAPTURE(static_cast<int>(step.order));
  CAPTURE(static_cast<int>(step.note));
  CAPTURE(step.primary);
  CHECK(step.order == order);
  if (order != Order::Wait) CHECK(step.primary == primary);
  CHECK(step.note == note);
  return step.order == order && step.note == note;
}

}  // namespace steward::transfer::test

// What NOTIFY does to a secondary zone: RFC 1996.

#include "refresh_fixture.hh"

using namespace steward;
using namespace steward::transfer;
using namespace steward::transfer::test;

TEST_CASE("notify: asks the primary that sent it, at once [RFC 1996 §4.3, §4.7]") {
  Refresh refresh = fresh(2);
  is(refresh.notify(at(10), 1, 6), Order::AskSoa, 1);
  is(refresh.soa_answered(at(10), 6), Order::Ixfr, 1);
  Refresh other = fresh(2);
  is(other.notify(at(10), std::nullopt, std::nullopt), Order::AskSoa, 0);
  is(other.soa_answered(at(10), 5), Order::Wait);
  is(other.notify(at(10), 17, 6), Order::AskSoa, 0);
}

TEST_CASE("notify: a signed one is believed: IXFR at once, which may say that there is nothing new [RFC 1995 §4]") {
  RefreshLimits limits;
  limits.trusts_notify = true;
  Refresh refresh = fresh(2, fields(5), limits);
  is(refresh.notify(at(10), 1, 6), Order::Ixfr, 1);
  is(refresh.notify(at(10), 1, 6), Order::Wait);
  is(refresh.notify(at(10), 1, 7), Order::Wait, 0, Note::NotifyQueued);
  is(refresh.transferred(at(11), fields(6)), Order::Ixfr, 1);
  is(refresh.transferred(at(12), fields(7)), Order::Wait);
  // It does not have it, nor has the other one.
  is(refresh.notify(at(20), 1, 8), Order::Ixfr, 1);
  is(refresh.up_to_date(at(20), 7), Order::Ixfr, 0);
  is(refresh.up_to_date(at(20), 7), Order::Wait);
  is(refresh.tick(at(21)), Order::Ixfr, 0);
  is(refresh.transferred(at(21), fields(8)), Order::Wait);
  // Without a serial, and by the clock, the SOA is asked for.
  is(refresh.notify(at(30), 1, std::nullopt), Order::AskSoa, 1);
}

TEST_CASE("notify: of a serial that we have, or an older one, is ignored") {
  Refresh refresh = fresh();
  is(refresh.notify(at(10), 0, 5), Order::Wait, 0, Note::NotifyIgnored);
  is(refresh.notify(at(10), 0, 4), Order::Wait, 0, Note::NotifyIgnored);
  CHECK(next(refresh) == 1000);
  refresh.tick(at(20000));
  refresh.soa_failed(at(20000));
  is(refresh.notify(at(20001), 0, 4), Order::AskSoa);  // expired: anything helps
}

TEST_CASE("notify: while busy they come together to one more round [RFC 1996 §4.4]") {
  Refresh refresh = fresh();
  is(refresh.notify(at(10), 0, 6), Order::AskSoa);
  is(refresh.notify(at(10), 0, 7), Order::Wait, 0, Note::NotifyQueued);
  is(refresh.notify(at(10), 0, 8), Order::Wait, 0, Note::NotifyQueued);
  is(refresh.soa_answered(at(11), 6), Order::Ixfr);
  is(refresh.transferred(at(12), fields(6)), Order::AskSoa);
  is(refresh.soa_answered(at(12), 8), Order::Ixfr);
  is(refresh.transferred(at(13), fields(8)), Order::Wait);
  CHECK(next(refresh) == 1013);
}

TEST_CASE("notify: of what is being transferred, or came meanwhile, needs no round") {
  Refresh refresh = fresh();
  refresh.notify(at(10), 0, 6);
  is(refresh.notify(at(10), 0, 7), Order::Wait, 0, Note::NotifyQueued);
  is(refresh.soa_answered(at(11), 7), Order::Ixfr);
  is(refresh.notify(at(11), 0, 7), Order::Wait);
  is(refresh.transferred(at(12), fields(7)), Order::Wait);
  CHECK(refresh.activity() == Refresh::Activity::Idle);
}

TEST_CASE("notify: without a serial while busy means one more round, whatever others said") {
  Refresh refresh = fresh();
  refresh.notify(at(10), 0, 6);
  refresh.notify(at(10), 0, std::nullopt);
  refresh.notify(at(10), 0, 6);
  refresh.soa_answered(at(11), 6);
  is(refresh.transferred(at(12), fields(6)), Order::AskSoa);
}

TEST_CASE("notify: a serial ahead of what the primaries have is looked for a few times, then dropped") {
  Refresh refresh = fresh(2);
  is(refresh.notify(at(10), 0, 9), Order::AskSoa, 0);
  is(refresh.soa_answered(at(10), 5), Order::AskSoa, 1);
  is(refresh.soa_answered(at(10), 5), Order::Wait);
  int64_t now = 10;
  for (const int64_t wait : {1, 2, 4}) {
    CHECK(next(refresh) == now + wait);
    now += wait;
    CHECK(refresh.tick(at(now)).order == Order::AskSoa);
    CHECK(refresh.soa_answered(at(now), 5).order == Order::AskSoa);
    is(refresh.soa_answered(at(now), 5), Order::Wait, 0, wait == 4 ? Note::NotifyUnproven : Note::None);
  }
  CHECK(next(refresh) == now + 1000);
}

TEST_CASE("notify: a serial ahead is found at the second look") {
  Refresh refresh = fresh();
  refresh.notify(at(10), 0, 9);
  refresh.soa_answered(at(10), 5);
  is(refresh.tick(at(11)), Order::AskSoa);
  is(refresh.soa_answered(at(11), 9), Order::Ixfr);
  is(refresh.transferred(at(12), fields(9)), Order::Wait);
  CHECK(next(refresh) == 1012);
}

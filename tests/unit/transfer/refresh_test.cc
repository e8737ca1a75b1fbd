// The life of a secondary zone: RFC 1034 §4.3.5, RFC 1035 §3.3.13, RFC 1982.

#include "refresh_fixture.hh"

using namespace steward;
using namespace steward::transfer;
using namespace steward::transfer::test;

TEST_CASE("refresh: a zone that is not there yet is fetched at once, by AXFR [RFC 1034 §4.3.5]") {
  Refresh refresh(1);
  CHECK(refresh.data() == Data::None);
  is(refresh.start(at(0)), Order::Axfr);
  CHECK(refresh.activity() == Refresh::Activity::Transferring);
  CHECK(refresh.accepts(0));
  is(refresh.transferred(at(3), fields(5)), Order::Wait);
  CHECK(refresh.data() == Data::Valid);
  CHECK(refresh.soa().serial == 5);
  CHECK(next(refresh) == 1003);
  CHECK(seconds_of(refresh.expires()) == start_time + 10003);
}

TEST_CASE("refresh: without data the waits double up to a bound, over all primaries") {
  Refresh refresh(2);
  int64_t now = 0;
  is(refresh.start(at(now)), Order::Axfr, 0);
  for (const int64_t wait : {5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600}) {
    is(refresh.transfer_failed(at(now)), Order::Axfr, 1);
    is(refresh.transfer_failed(at(now)), Order::Wait, 1, Note::RoundFailed);
    CHECK(next(refresh) == now + wait);
    is(refresh.tick(at(now + wait - 1)), Order::Wait);
    now += wait;
    is(refresh.tick(at(now)), Order::Axfr, 0);
  }
}

TEST_CASE(
    "refresh: REFRESH seconds after the last check the SOA is asked for; the same serial is all [RFC 1035 §3.3.13]") {
  Refresh refresh = fresh();
  is(refresh.tick(at(999)), Order::Wait);
  is(refresh.tick(at(1000)), Order::AskSoa);
  CHECK(next(refresh) == 10000);  // EXPIRE only, while the answer is waited for
  is(refresh.tick(at(1001)), Order::Wait);
  is(refresh.soa_answered(at(1002), 5), Order::Wait);
  CHECK(next(refresh) == 2002);
  CHECK(seconds_of(refresh.verified()) == start_time + 1002);
}

TEST_CASE("refresh: a newer serial is fetched by IXFR from ours, with AXFR behind it [RFC 1995 §4]") {
  Refresh refresh = fresh();
  refresh.tick(at(1000));
  const RefreshStep step = refresh.soa_answered(at(1000), 7);
  is(step, Order::Ixfr);
  CHECK(step.serial == 5);
  is(refresh.fall_back(at(1001)), Order::Axfr);
  is(refresh.transferred(at(1002), fields(7)), Order::Wait);
  CHECK(refresh.soa().serial == 7);
  CHECK(next(refresh) == 2002);
}

TEST_CASE("refresh: AXFR that falls back again has failed") {
  Refresh refresh = fresh();
  refresh.tick(at(1000));
  refresh.soa_answered(at(1000), 7);
  refresh.fall_back(at(1001));
  is(refresh.fall_back(at(1002)), Order::Wait, 0, Note::RoundFailed);
}

TEST_CASE("refresh: serials compare as RFC 1982 has it") {
  Refresh refresh = fresh(1, fields(0xffffffff));
  refresh.tick(at(1000));
  is(refresh.soa_answered(at(1000), 3), Order::Ixfr);
  Refresh half = fresh(1, fields(0));
  half.tick(at(1000));
  is(half.soa_answered(at(1000), 0x80000000), Order::Wait, 0, Note::Behind);  // neither before nor after: not newer
}

TEST_CASE("refresh: RETRY while no primary answers, EXPIRE from the last check [RFC 1034 §4.3.5]") {
  Refresh refresh = fresh(1, fields(5, 1000, 100, 1250));
  CHECK(next(refresh) == 937);  // before EXPIRE, three quarters of it
  is(refresh.tick(at(1000)), Order::AskSoa);
  is(refresh.soa_failed(at(1010)), Order::Wait, 0, Note::RoundFailed);
  CHECK(next(refresh) == 1110);
  is(refresh.tick(at(1110)), Order::AskSoa);
  is(refresh.soa_failed(at(1111)), Order::Wait, 0, Note::RoundFailed);
  CHECK(next(refresh) == 1211);
  is(refresh.tick(at(1211)), Order::AskSoa);
  CHECK(next(refresh) == 1250);
  is(refresh.tick(at(1249)), Order::Wait);
  CHECK(refresh.data() == Data::Valid);
  is(refresh.tick(at(1250)), Order::Wait, 0, Note::Expired);
  CHECK(refresh.data() == Data::Expired);
  is(refresh.tick(at(1251)), Order::Wait);
  is(refresh.soa_failed(at(1260)), Order::Wait, 0, Note::RoundFailed);
  CHECK(next(refresh) == 1360);
  CHECK(refresh.failed_rounds() == 3);
}

TEST_CASE("refresh: expiry and the next round may come together") {
  Refresh refresh = fresh();
  is(refresh.tick(at(20000)), Order::AskSoa, 0, Note::Expired);
}

TEST_CASE("refresh: an expired zone that is found current is back without a transfer") {
  Refresh refresh = fresh();
  refresh.tick(at(20000));
  is(refresh.soa_answered(at(20001), 5), Order::Wait, 0, Note::Revived);
  CHECK(refresh.data() == Data::Valid);
}

TEST_CASE("refresh: an expired zone takes what the primary has, also an older serial [dns-operations 2014-02]") {
  Refresh refresh = fresh();
  refresh.tick(at(20000));
  is(refresh.soa_answered(at(20001), 3), Order::Axfr, 0, Note::Behind);
  CHECK(refresh.accepts(3));
  is(refresh.transferred(at(20002), fields(3)), Order::Wait, 0, Note::Revived);
  CHECK(refresh.soa().serial == 3);
}

TEST_CASE("refresh: an expired zone goes on from its data where the primary is newer") {
  Refresh refresh = fresh();
  refresh.tick(at(20000));
  const RefreshStep step = refresh.soa_answered(at(20001), 6);
  is(step, Order::Ixfr);
  CHECK(step.serial == 5);
}

TEST_CASE("refresh: a primary that is behind is said once, and is no check [RFC 1982; Knot DNS issue 509]") {
  Refresh refresh = fresh(2);
  is(refresh.tick(at(1000)), Order::AskSoa, 0);
  is(refresh.soa_answered(at(1000), 4), Order::AskSoa, 1, Note::Behind);
  is(refresh.soa_answered(at(1000), 4), Order::Wait, 1, Note::RoundFailed);
  CHECK(seconds_of(refresh.verified()) == start_time);
  CHECK(next(refresh) == 1100);
  // The other one may be ahead.
  is(refresh.tick(at(1100)), Order::AskSoa, 0);
  is(refresh.soa_answered(at(1100), 4), Order::AskSoa, 1);
  is(refresh.soa_answered(at(1100), 6), Order::Ixfr, 1);
  CHECK(!refresh.accepts(4));
  CHECK(refresh.accepts(6));
}

TEST_CASE("refresh: primaries in turn, beginning with the one that was good last") {
  Refresh refresh = fresh(3);
  is(refresh.tick(at(1000)), Order::AskSoa, 0);
  is(refresh.soa_failed(at(1000)), Order::AskSoa, 1);
  is(refresh.soa_answered(at(1000), 6), Order::Ixfr, 1);
  is(refresh.transfer_failed(at(1000)), Order::AskSoa, 2);
  is(refresh.soa_answered(at(1000), 6), Order::Ixfr, 2);
  is(refresh.transferred(at(1000), fields(6)), Order::Wait);
  is(refresh.tick(at(2000)), Order::AskSoa, 2);
  is(refresh.soa_failed(at(2000)), Order::AskSoa, 0);
  is(refresh.soa_failed(at(2000)), Order::AskSoa, 1);
  is(refresh.soa_failed(at(2000)), Order::Wait, 1, Note::RoundFailed);
  CHECK(next(refresh) == 2100);
}

TEST_CASE("refresh: a transfer that fails again and again is tried more and more seldom") {
  Refresh refresh = fresh();
  int64_t now = 1000;
  for (const int64_t wait : {100, 200, 400, 800, 1000, 1000}) {
    is(refresh.tick(at(now)), Order::AskSoa);
    refresh.soa_answered(at(now), 6);
    is(refresh.transfer_failed(at(now)), Order::Wait, 0, Note::RoundFailed);
    CHECK(next(refresh) - now == wait);
    now += wait;
  }
}

TEST_CASE("refresh: a primary that promised a serial by SOA and has none by IXFR is asked again soon") {
  Refresh refresh = fresh();
  refresh.tick(at(1000));
  is(refresh.soa_answered(at(1000), 6), Order::Ixfr);
  is(refresh.up_to_date(at(1000), 5), Order::Wait);
  CHECK(next(refresh) == 1001);
  is(refresh.tick(at(1001)), Order::AskSoa);
}

TEST_CASE("refresh: the operator asks, with and without looking at serials") {
  Refresh refresh = fresh();
  is(refresh.refresh_now(at(10), false), Order::AskSoa);
  is(refresh.refresh_now(at(10), true), Order::Wait);
  is(refresh.soa_answered(at(11), 5), Order::Axfr);
  CHECK(refresh.accepts(1));
  is(refresh.transferred(at(12), fields(1)), Order::Wait);
  CHECK(refresh.soa().serial == 1);
  CHECK(!refresh.accepts(0));
}

TEST_CASE("refresh: the SOA's numbers are kept within the operator's bounds") {
  const RefreshLimits limits{.min_refresh = 50,
                             .max_refresh = 500,
                             .min_retry = 20,
                             .max_retry = 40,
                             .min_expire = 1000,
                             .max_expire = 2000,
                             .bootstrap_first = 5,
                             .bootstrap_most = 60};
  Refresh low = fresh(1, fields(5, 0, 0, 0), limits);
  CHECK(next(low) == 50);
  CHECK(seconds_of(low.expires()) == start_time + 1000);
  low.tick(at(50));
  low.soa_failed(at(50));
  CHECK(next(low) == 70);
  Refresh high = fresh(1, fields(5, 0xffffffff, 0xffffffff, 0xffffffff), limits);
  CHECK(next(high) == 500);
  CHECK(seconds_of(high.expires()) == start_time + 2000);
  high.tick(at(500));
  high.soa_failed(at(500));
  CHECK(next(high) == 540);
}

TEST_CASE("refresh: zero timers neither spin nor stop it [NSD issue 104]") {
  const RefreshLimits none{.min_refresh = 0,
                           .max_refresh = 0,
                           .min_retry = 0,
                           .max_retry = 0,
                           .min_expire = 0,
                           .max_expire = 0,
                           .bootstrap_first = 0,
                           .bootstrap_most = 0};
  Refresh refresh = fresh(1, fields(5, 0, 0, 0), none);
  CHECK(next(refresh) == 1);
  CHECK(refresh.tick(at(1)).order == Order::AskSoa);
  refresh.soa_failed(at(1));
  CHECK(next(refresh) == 2);
  Refresh empty(1, none);
  empty.start(at(0));
  empty.transfer_failed(at(0));
  CHECK(next(empty) == 1);
}

TEST_CASE("refresh: chance brings the next round up to a tenth earlier, never later") {
  for (const uint32_t random : {0U, 1U, 77U, 100U, 0xffffffffU}) {
    Refresh refresh = fresh();
    refresh.tick(at(1000));
    refresh.soa_answered(at(1000, random), 5);
    CHECK(next(refresh) <= 2000);
    CHECK(next(refresh) >= 1900);
  }
}

// The life of a secondary zone: RFC 1034 §4.3.5, RFC 1035 §3.3.13, RFC 1982, RFC 1996. The clock is in the test's hand.

#include "transfer/refresh.hh"

#include <doctest/doctest.h>

using namespace steward;
using namespace steward::transfer;
using Order = RefreshOrder;
using Note = RefreshNote;
using Data = Refresh::Data;

namespace {

constexpr int64_t start_time = 1'700'000'000;

// Seconds after the start; random 0 is no spread.
Moment at(int64_t seconds, uint32_t random = 0) { return {unix_time(start_time + seconds), random}; }

SoaFields fields(uint32_t serial, uint32_t refresh = 1000, uint32_t retry = 100, uint32_t expire = 10000) {
  return {serial, refresh, retry, expire, 300};
}

// Transferred at second 0, with serial 5.
Refresh fresh(size_t primaries = 1, const SoaFields& soa = fields(5), const RefreshLimits& limits = {}) {
  Refresh refresh(primaries, limits);
  refresh.start(at(0));
  refresh.transferred(at(0), soa);
  return refresh;
}

int64_t next(const Refresh& refresh) { return seconds_of(refresh.next_event()) - start_time; }

bool is(const RefreshStep& step, Order order, size_t primary = 0, Note note = Note::None) {
  CAPTURE(static_cast<int>(step.order));
  CAPTURE(static_cast<int>(step.note));
  CAPTURE(step.primary);
  CHECK(step.order == order);
  if (order != Order::Wait) CHECK(step.primary == primary);
  CHECK(step.note == note);
  return step.order == order && step.note == note;
}

}  // namespace

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

TEST_CASE("notify: asks the primary that sent it, at once [RFC 1996 §4.3, §4.7]") {
  Refresh refresh = fresh(2);
  is(refresh.notify(at(10), 1, 6), Order::AskSoa, 1);
  is(refresh.soa_answered(at(10), 6), Order::Ixfr, 1);
  Refresh other = fresh(2);
  is(other.notify(at(10), std::nullopt, std::nullopt), Order::AskSoa, 0);
  is(other.soa_answered(at(10), 5), Order::Wait);
  is(other.notify(at(10), 17, 6), Order::AskSoa, 0);
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

TEST_CASE("refresh: EXPIRE goes on over a restart, from the last check [RFC 1035 §3.3.13]") {
  Refresh before = fresh(2, fields(5, 1000, 100, 5000));
  before.tick(at(1000));
  before.soa_failed(at(1000));
  before.soa_answered(at(1000), 5);
  const Bytes octets = before.to_octets();
  CHECK(octets.size() == Refresh::octets_size);

  auto after = Refresh::from_octets(octets, 2);
  REQUIRE(after);
  after->loaded(fields(5, 1000, 100, 5000), unix_time(start_time + 4000));  // what was noted counts
  CHECK(seconds_of(after->verified()) == start_time + 1000);
  CHECK(after->data() == Data::Valid);
  is(after->start(at(1500)), Order::Wait);
  CHECK(next(*after) == 2000);
  is(after->tick(at(2000)), Order::AskSoa, 1);  // the primary that was good

  auto late = Refresh::from_octets(octets, 2);
  late->loaded(fields(5, 1000, 100, 5000), unix_time(start_time));
  is(late->start(at(7000)), Order::AskSoa, 1, Note::Expired);

  auto fewer = Refresh::from_octets(octets, 1);
  is(fewer->start(at(2000)), Order::AskSoa, 0);
}

TEST_CASE("refresh: a round that a restart cut off is begun again") {
  Refresh before = fresh();
  before.notify(at(10), 0, 6);
  auto after = Refresh::from_octets(before.to_octets(), 1);
  after->loaded(fields(5), unix_time(start_time));
  is(after->start(at(20)), Order::AskSoa);
}

TEST_CASE("refresh: a zone of another serial than was noted is checked at once") {
  auto after = Refresh::from_octets(fresh().to_octets(), 1);
  after->loaded(fields(6), unix_time(start_time));
  CHECK(after->soa().serial == 6);
  is(after->start(at(20)), Order::AskSoa);
}

TEST_CASE("refresh: a zone that was stored without its state is checked at once, and may be expired") {
  Refresh refresh(1);
  refresh.loaded(fields(5), unix_time(start_time));
  is(refresh.start(at(20)), Order::AskSoa);
  Refresh old(1);
  old.loaded(fields(5), unix_time(start_time));
  is(old.start(at(20000)), Order::AskSoa, 0, Note::Expired);
}

TEST_CASE("refresh: stored octets that are not whole are refused") {
  const Bytes good = fresh().to_octets();
  CHECK(Refresh::from_octets(good, 1));
  for (size_t size = 0; size < good.size(); ++size) CHECK(!Refresh::from_octets(ByteView(good).first(size), 1));
  for (size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] = static_cast<uint8_t>(bad[i] ^ 0x40);
    CHECK(!Refresh::from_octets(bad, 1));
  }
}

TEST_CASE("refresh: a clock that was set back puts nothing off") {
  Refresh refresh = fresh();
  refresh.tick(at(1000));
  refresh.soa_answered(at(1000), 5);
  is(refresh.tick(at(-100000)), Order::Wait);
  CHECK(next(refresh) <= -100000 + 1000);
  CHECK(refresh.verified() <= at(-100000).now);
}

TEST_CASE("refresh: a change of the configuration gives up what is under way") {
  Refresh refresh = fresh(3);
  refresh.tick(at(1000));
  refresh.soa_failed(at(1000));
  refresh.reconfigure(1, {});
  is(refresh.soa_answered(at(1001), 6), Order::Wait);  // too late
  is(refresh.start(at(1001)), Order::AskSoa, 0);
}

TEST_CASE("refresh: outcomes that nobody waits for change nothing") {
  Refresh refresh = fresh();
  is(refresh.soa_answered(at(1), 9), Order::Wait);
  is(refresh.soa_failed(at(1)), Order::Wait);
  is(refresh.transferred(at(1), fields(9)), Order::Wait);
  is(refresh.up_to_date(at(1), 9), Order::Wait);
  is(refresh.fall_back(at(1)), Order::Wait);
  is(refresh.transfer_failed(at(1)), Order::Wait);
  CHECK(refresh.soa().serial == 5);
  CHECK(next(refresh) == 1000);
}

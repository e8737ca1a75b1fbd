// What of a secondary zone lasts over a restart, a set clock, and a change of the configuration.

#include "refresh_fixture.hh"

using namespace steward;
using namespace steward::transfer;
using namespace steward::transfer::test;

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

// What the registry holds in memory goes with the commit, and leases end by the clock.

#include "registry_fixture.hh"

using namespace steward;
using namespace steward::daemon;
using namespace steward::daemon::test;

namespace {

struct Published : World {
  Published() { allow(owner); }

  void look() {
    const int before = looks;
    while (registry->look_at_leases(*keeper, [this] { ++looks; })) {
      group->flush();
      REQUIRE(looks < before + 10);  // a look that asks for itself again would go on for ever
    }
  }

  Owner owner;
  int looks = 0;
};

}  // namespace

TEST_CASE_FIXTURE(
    Published,
    "registry zone: a commit that fails takes the index back with it, and the next publish is as the first") {
  const auto failing = [] { return fail(Errc::Io, "the disk is full"); };
  const auto outcome = admit(publish_of(owner), owner, change::UpdateLease{600, 0}, failing);
  CHECK(outcome.update.done());
  CHECK_FALSE(committed);
  CHECK(registry->index().agents() == 0);
  CHECK(registry->index().leases() == 0);
  CHECK(registry->index().agents_of_key(owner.print()) == 0);
  CHECK_FALSE(entry());
  REQUIRE(admit(publish_of(owner), owner).update.done());
  CHECK(committed);
  CHECK(registry->index().agents() == 1);
  CHECK(registry->index().agents_of_namespace(name("acme.example.")) == 1);
}

TEST_CASE_FIXTURE(Published,
                  "registry zone: a failed update of an agent leaves it as it was, in the book and in the index") {
  REQUIRE(admit(publish_of(owner), owner, change::UpdateLease{600, 0}).update.done());
  const auto until = entry()->lease_until;
  clock.time += 5;
  admit(publish_of(owner, "1.1.0"), owner, change::UpdateLease{3600, 0}, [] { return fail(Errc::Io, "no"); });
  CHECK_FALSE(committed);
  CHECK(entry()->version == "1.0.0");
  CHECK(entry()->lease_until == until);
  CHECK(registry->index().agents() == 1);
  CHECK(registry->index().leases() == 1);
  // The lease is looked at by its old end: what was rolled back does not make it longer.
  clock.time = seconds_of(*until);
  look();
  CHECK(entry()->presence == agent::Presence::Gone);
}

TEST_CASE_FIXTURE(Published,
                  "registry zone: as a lease nears its end its TTLs shrink, and at its end it is gone [RFC 9664 §5]") {
  REQUIRE(admit(publish_of(owner), owner, change::UpdateLease{600, 0}).update.done());
  const int64_t end = clock.time + 600;
  CHECK(ttl_at(bot) == 60);
  look();
  CHECK(ttl_at(bot) == 60);
  uint32_t last = 60;
  while (true) {
    const auto next = registry->index().next_look();
    REQUIRE(next);
    REQUIRE(seconds_of(*next) <= end);
    // Whoever asks just before the look keeps the answer until the end at most.
    CHECK(last <= end - seconds_of(*next) + (seconds_of(*next) == end ? last : 0));
    clock.time = seconds_of(*next);
    look();
    if (clock.time == end) break;
    const auto ttl = ttl_at(bot);
    REQUIRE(ttl);
    CHECK(*ttl < last);
    CHECK(*ttl <= end - clock.time);
    last = *ttl;
  }
  CHECK(last <= 2);
  CHECK_FALSE(ttl_at(bot));
  CHECK_FALSE(ttl_at("_registry." + std::string(bot)));
  CHECK(entry()->presence == agent::Presence::Gone);
  CHECK(registry->index().agents() == 0);
  CHECK(registry->index().leases() == 0);
  CHECK_FALSE(registry->index().next_look());
  CHECK(looks > 3);
}

TEST_CASE_FIXTURE(Published, "registry zone: a refresh near the end makes TTLs long again, and the lease runs anew") {
  const Publish publish = publish_of(owner);
  REQUIRE(admit(publish, owner, change::UpdateLease{600, 0}).update.done());
  clock.time += 590;
  look();
  CHECK(*ttl_at(bot) <= 10);
  REQUIRE(admit(publish, owner, change::UpdateLease{600, 0}).update.done());
  CHECK(ttl_at(bot) == 60);
  clock.time += 20;
  look();
  CHECK(entry()->presence == agent::Presence::Live);
  CHECK(ttl_at(bot) == 60);
}

TEST_CASE_FIXTURE(Published, "registry zone: a start knows the agents and leases that were committed") {
  REQUIRE(admit(publish_of(owner), owner, change::UpdateLease{600, 0}).update.done());
  start();
  CHECK(registry->index().agents() == 1);
  CHECK(registry->index().leases() == 1);
  clock.time += 700;
  look();
  CHECK(entry()->presence == agent::Presence::Gone);
}

#include "federation/admit.hh"

#include <doctest/doctest.h>

#include "sample_entries.hh"

using namespace steward;
using namespace steward::federation;
using namespace steward::federation::test;

namespace {

std::string rule_of(const WriteSet& set, const Holdings& held, const ChildPolicy& policy = {}) {
  const auto mark = admit(set, policy, held);
  if (mark) CHECK_FALSE(mark->reason.empty());
  return mark ? std::string(to_text(mark->rule)) : "";
}

}  // namespace

TEST_CASE("admit: a new name, and its next version") {
  const FeedEntry base = sample_write();
  CHECK(rule_of({base}, {}) == "");
  CHECK(rule_of({}, {}) == "");
  const FeedEntry next = written(publication("1.5.0", noon + 60), {base}, "eu-4f2a", noon + 60);
  CHECK(rule_of({next}, {.accepted = accepted_write(base)}) == "");
  CHECK(rule_of({base}, {.accepted = accepted_write(base)}) == "");
}

TEST_CASE("admit: a name that another holds is refused") {
  CHECK(rule_of({sample_write()}, {.holder = "this registry"}) == "first-come");
}

TEST_CASE("admit: a child has its quota, which no tombstone and no name that was there needs") {
  const FeedEntry base = sample_write();
  const ChildPolicy policy{.agents = 3};
  CHECK(rule_of({base}, {.agents_of_child = 2}, policy) == "");
  CHECK(rule_of({base}, {.agents_of_child = 3}, policy) == "quota");
  CHECK(rule_of({base}, {.accepted = accepted_write(base), .agents_of_child = 3, .is_counted = true}, policy) == "");
  const FeedEntry withdrawn =
      written(publication("1.4.2", noon + 10, first_key(), AgentStatus::Withdrawn), {}, "eu-4f2a", noon + 10);
  CHECK(rule_of({withdrawn}, {.agents_of_child = 3}, policy) == "");
}

TEST_CASE("admit: a look-alike of another publisher is refused, one's own is not") {
  agent::LookAlikes names;
  names.add("orchestrater", print_of(second_key()));
  CHECK(rule_of({sample_write()}, {.look_alikes = &names}) == "look-alike");
  names.add("orchestrater", print_of(first_key()));
  CHECK(rule_of({sample_write()}, {.look_alikes = &names}) == "");
}

TEST_CASE("admit: an old write and a lower version are refused") {
  const FeedEntry base = sample_write();
  const FeedEntry next = written(publication("1.5.0", noon + 60), {base}, "eu-4f2a", noon + 60);
  const Holdings held{.accepted = accepted_write(next)};
  CHECK(rule_of({base}, held) == "clock");
  const FeedEntry lower = written(publication("1.4.9", noon + 90), {next}, "eu-4f2a", noon + 90);
  CHECK(rule_of({lower}, held) == "version-floor");
  const FeedEntry earlier = written(publication("1.6.0", noon + 30), {next}, "eu-4f2a", noon + 90);
  CHECK(rule_of({earlier}, held) == "version-floor");
  const FeedEntry unknown = written(publication("1.4.9", noon + 90), {}, "us-91c0", noon + 90);
  CHECK(rule_of({unknown}, held) == "version-floor");
}

TEST_CASE("admit: a lower version is accepted while the higher one is the conflict's loser, and after") {
  const FeedEntry base = sample_write();
  const FeedEntry higher = written(publication("2.0.0", noon + 60), {base}, "eu-4f2a", noon + 60);
  const FeedEntry lower = written(publication("1.5.0", noon + 61), {base}, "us-91c0", noon + 61);
  const WriteSet split = set_of({higher, lower});
  REQUIRE(winner(split)->version() == "1.5.0");
  const Holdings held{.accepted = accepted_write(higher)};
  CHECK(rule_of(split, held) == "");
  // Another replica's feed, which has not seen the higher one.
  CHECK(rule_of({lower}, held) == "version-floor");
  const FeedEntry next = written(publication("1.5.1", noon + 90), split, "us-91c0", noon + 90);
  CHECK(rule_of({next}, held) == "");
  const FeedEntry later = written(publication("1.5.2", noon + 95), {next}, "us-91c0", noon + 95);
  CHECK(rule_of({later}, held) == "");
  FeedEntry forgetful = next;
  forgetful.lost.clear();
  CHECK(rule_of({forgetful}, held) == "version-floor");
}

TEST_CASE("admit: a revocation of a lower version wins, and is admitted") {
  const FeedEntry base = sample_write();
  const FeedEntry higher = written(publication("2.0.0", noon + 60), {base}, "eu-4f2a", noon + 60);
  const FeedEntry revoked =
      written(publication("1.4.2", noon + 10, first_key(), AgentStatus::Revoked), {base}, "us-91c0", noon + 10);
  CHECK(rule_of(set_of({higher, revoked}), {.accepted = accepted_write(higher)}) == "");
}

TEST_CASE("admit: a parent states no more trust than its ceiling for the child") {
  const FeedEntry base = sample_write();
  CHECK(stated_trust(base, {}) == 0.57);
  CHECK(stated_trust(base, {.trust_ceiling = 0.4}) == 0.4);
}

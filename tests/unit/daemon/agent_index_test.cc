#include "daemon/agent_index.hh"

#include <doctest/doctest.h>

#include "memory_octets.hh"

using namespace steward;
using namespace steward::daemon;

namespace {

constexpr std::string_view space = "acme-corp.com.steward-registry.org.";

dns::Name agent_named(std::string_view label) { return *dns::Name::from_text(label, *dns::Name::from_text(space)); }
dns::Name apex() { return *dns::Name::from_text(space); }

change::PublishEffect effect(std::string_view label, std::string before, std::string after,
                             std::optional<UnixTime> lease = {}) {
  return {agent_named(label), std::move(before), std::move(after), lease};
}

}  // namespace

TEST_CASE("agent index: publishes count for key and namespace, and their names are known for look-alikes") {
  AgentIndex index;
  index.apply(effect("planner", "", "sha256:a"));
  index.apply(effect("reviewer", "", "sha256:a"));
  index.keep();
  CHECK(index.agents() == 2);
  CHECK(index.agents_of_key("sha256:a") == 2);
  CHECK(index.agents_of_namespace(apex()) == 2);
  CHECK(index.look_alikes(apex()).find("planer", "sha256:b").has_value());
  index.apply(effect("planner", "sha256:a", "sha256:b"));
  index.keep();
  CHECK(index.agents() == 2);
  CHECK(index.agents_of_key("sha256:a") == 1);
  CHECK(index.agents_of_key("sha256:b") == 1);
}

TEST_CASE("agent index: what was not committed is taken back, the last change first") {
  AgentIndex index;
  index.apply(effect("planner", "", "sha256:a", unix_time(500)));
  index.keep();
  index.apply(effect("planner", "sha256:a", "sha256:b", unix_time(900)));
  index.apply(effect("planner", "sha256:b", ""));
  index.apply(effect("reviewer", "", "sha256:c"));
  CHECK(index.agents() == 1);
  CHECK(index.leases() == 0);
  index.roll_back();
  CHECK(index.agents() == 1);
  CHECK(index.leases() == 1);
  CHECK(index.agents_of_key("sha256:a") == 1);
  CHECK(index.agents_of_key("sha256:c") == 0);
  CHECK(index.look_alikes(apex()).find("planer", "sha256:z").has_value());
  CHECK(!index.look_alikes(apex()).find("reviewr", "sha256:z").has_value());
}

TEST_CASE("agent index: a lease is looked at when it is due, and only then") {
  AgentIndex index;
  index.apply(effect("first", "", "sha256:a", unix_time(1000)));
  index.apply(effect("second", "", "sha256:a", unix_time(2000)));
  index.apply(effect("third", "", "sha256:a"));
  index.keep();
  CHECK(index.due(unix_time(1), 10).size() == 2);
  index.look_again(agent_named("first"), unix_time(990));
  index.look_again(agent_named("second"), unix_time(1990));
  index.look_again(agent_named("third"), unix_time(1));
  CHECK(index.due(unix_time(1), 10).empty());
  CHECK(index.next_look() == unix_time(990));
  CHECK(index.due(unix_time(990), 10) == std::vector<dns::Name>{agent_named("first")});
  index.apply(effect("first", "sha256:a", ""));
  index.keep();
  CHECK(index.next_look() == unix_time(1990));
}

TEST_CASE("agent index: it is built from the book, without the names that are gone") {
  test::MemoryOctets agents;
  test::MemoryOctets history;
  test::MemoryOctets publishers;
  agent::Book book(apex(), agents, history, publishers);
  agent::AgentEntry entry;
  entry.version = "1.0.0";
  entry.fingerprint = "sha256:" + std::string(64, 'a');
  entry.lease_until = unix_time(77);
  REQUIRE(book.put(agent_named("planner"), entry));
  entry.presence = agent::Presence::Gone;
  entry.lease_until.reset();
  REQUIRE(book.put(agent_named("gone"), entry));
  AgentIndex index;
  REQUIRE(index.build(book));
  CHECK(index.agents() == 1);
  CHECK(index.leases() == 1);
  CHECK(index.agents_of_key(entry.fingerprint) == 1);
}

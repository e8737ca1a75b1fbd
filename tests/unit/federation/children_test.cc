// What a parent keeps of its children, of those that ask to be, and of invitations.

#include "federation/children.hh"

#include <doctest/doctest.h>

#include "agent/text_fields.hh"
#include "memory_octets.hh"

using namespace steward;
using namespace steward::federation;

namespace {

dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }
std::string print(std::string_view of) { return agent::sha256_text(as_bytes(of)); }

Child sample(std::string_view zone, std::string_view key) {
  Child child;
  child.registration.zone = name(zone);
  child.registration.space = "acme.com";
  child.registration.servers = {name("ns1.acme.com.s."), name("ns.other.")};
  child.registration.addresses = {{name("ns1.acme.com.s."), {192, 0, 2, 1}}};
  child.registration.ds = {Bytes(36, 7)};
  child.registration.key = Bytes(40, 9);
  child.fingerprint = print(key);
  child.nonce = "abc";
  child.since = unix_time(5'000'000'000);
  child.problem = "silent";
  child.failures = 3;
  child.registration.replica = "eu-4f2a";
  child.registration.feeds = {*SocketAddress::from_text("192.0.2.1@8530")};
  return child;
}

}  // namespace

TEST_CASE("children: what is put comes back, whole") {
  steward::test::MemoryOctets table;
  Children children(table);
  Child child = sample("acme.com.s.", "a");
  child.state = ChildState::Reserved;
  child.way = RegistrationWay::Proof;
  REQUIRE(children.put(child));
  const auto found = children.find(name("ACME.com.s."));
  REQUIRE(found);
  REQUIRE(*found);
  const Child& back = **found;
  CHECK(back.registration.servers == child.registration.servers);
  CHECK(back.registration.addresses[0].octets == child.registration.addresses[0].octets);
  CHECK(back.registration.ds == child.registration.ds);
  CHECK(back.registration.key == child.registration.key);
  CHECK(back.registration.space == "acme.com");
  CHECK(back.state == ChildState::Reserved);
  CHECK(back.way == RegistrationWay::Proof);
  CHECK(back.since == child.since);
  CHECK(back.problem == "silent");
  CHECK(back.failures == 3);
  CHECK(back.registration.replica == "eu-4f2a");
  CHECK(back.registration.feeds == child.registration.feeds);
  CHECK_FALSE(*children.find(name("other.com.s.")));
}

TEST_CASE("children: one from before feeds were told is read, without one") {
  steward::test::MemoryOctets table;
  Children children(table);
  Child child = sample("acme.com.s.", "a");
  child.state = ChildState::Delegated;
  child.registration.replica.clear();
  child.registration.feeds.clear();
  REQUIRE(children.put(child));
  Bytes& row = table.kept.begin()->second;
  row.resize(row.size() - 4);  // the length of no replica, the count of no endpoints, nothing sent
  row.front() = 1;
  const auto found = children.find(name("acme.com.s."));
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->registration.ds == child.registration.ds);
  CHECK((*found)->registration.replica.empty());
  row.front() = 9;
  CHECK_FALSE(children.find(name("acme.com.s.")));
}

TEST_CASE("children: one that sends its feed and is hosted; one from before that could be is read, with neither") {
  steward::test::MemoryOctets table;
  Children children(table);
  Child child = sample("acme.com.s.", "a");
  child.state = ChildState::Hosted;
  child.registration.feeds.clear();
  child.registration.pushes = true;
  REQUIRE(children.put(child));
  const auto found = children.find(name("acme.com.s."));
  REQUIRE((found && *found));
  CHECK((*found)->registration.pushes);
  CHECK((*found)->state == ChildState::Hosted);
  CHECK(to_text((*found)->state) == "hosted");
  child.state = ChildState::Delegated;
  REQUIRE(children.put(child));
  Bytes& row = table.kept.begin()->second;
  row.pop_back();
  row.front() = 2;
  const auto before = children.find(name("acme.com.s."));
  REQUIRE((before && *before));
  CHECK((*before)->registration.replica == "eu-4f2a");
  CHECK_FALSE((*before)->registration.pushes);
}

TEST_CASE("children: many keys wait for a name, and one has it") {
  steward::test::MemoryOctets table;
  Children children(table);
  REQUIRE(children.put(sample("acme.com.s.", "a")));
  REQUIRE(children.put(sample("acme.com.s.", "b")));
  REQUIRE(children.put(sample("beta.com.s.", "a")));
  CHECK(children.pending()->size() == 3);
  CHECK(children.registered()->empty());
  CHECK(*children.find_pending(name("acme.com.s."), print("b")));
  CHECK_FALSE(*children.find_pending(name("acme.com.s."), print("c")));
  CHECK_FALSE(*children.find_pending(name("acme.com.s."), "nonsense"));
  REQUIRE(children.remove(sample("acme.com.s.", "a")));
  CHECK(children.pending()->size() == 2);
  Child child = sample("acme.com.s.", "b");
  child.fingerprint = "none";
  CHECK_FALSE(children.put(child));
}

TEST_CASE("children: invitations are kept by the digest of their token") {
  steward::test::MemoryOctets table;
  Children children(table);
  const Invitation invitation{name("acme.com.s."), print("token"), unix_time(1'800'000'000)};
  REQUIRE(children.put(invitation));
  REQUIRE(children.put(sample("acme.com.s.", "a")));
  const auto all = children.invitations();
  REQUIRE(all);
  REQUIRE(all->size() == 1);
  CHECK(all->front().zone == invitation.zone);
  CHECK(all->front().digest == invitation.digest);
  CHECK(all->front().until == invitation.until);
  REQUIRE(children.remove(invitation));
  CHECK(children.invitations()->empty());
}

TEST_CASE("children: an entry that is cut short is Corrupt, not half a child") {
  steward::test::MemoryOctets table;
  Children children(table);
  REQUIRE(children.put(sample("acme.com.s.", "a")));
  Bytes& octets = table.kept.begin()->second;
  for (; !octets.empty(); octets.pop_back()) {
    if (octets.size() == 1) break;
    octets.pop_back();
    const auto found = children.pending();
    REQUIRE_FALSE(found);
    CHECK(found.error().code == Errc::Corrupt);
    octets.push_back(0);
  }
}

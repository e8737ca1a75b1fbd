// What registrations bring beside the configuration.

#include "daemon/registered.hh"

#include <doctest/doctest.h>

namespace steward::daemon {
namespace {

dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }

federation::Child child_of(const std::string& space, const std::string& replica = "eu-4f2a", const char* feed = "192.0.2.1@8530") {
  federation::Child child;
  child.registration.space = space;
  child.registration.zone = name(space + ".s.example.");
  child.registration.replica = replica;
  if (!replica.empty()) child.registration.feeds = {*SocketAddress::from_text(feed)};
  return child;
}

config::Config config_with(const std::vector<std::string>& children) {
  config::Config config;
  config.registry.emplace();
  config.registry->parent = name("s.example.");
  for (const std::string& space : children) {
    config::ChildConfig child;
    child.space_text = space;
    child.zone = name(space + ".s.example.");
    child.replica = "own";
    config.registry->children.push_back(std::move(child));
  }
  return config;
}

}  // namespace

TEST_CASE("registered: children are added behind those of the file, which stay as they are") {
  Registered found;
  found.add(child_of("acme.com"), {Bytes{1}});
  found.add(child_of("beta.com"), {Bytes{2}});
  config::Config config = config_with({"beta.com"});
  found.add_to(config);
  REQUIRE(config.registry->children.size() == 2);
  CHECK(config.registry->children[0].replica == "own");
  const config::ChildConfig& added = config.registry->children[1];
  CHECK(added.registered);
  CHECK(added.feed.to_text() == "eu-4f2a._feed.acme.com.s.example.");
  REQUIRE(added.primaries.size() == 1);
  CHECK(added.primaries[0].address.to_text() == "192.0.2.1@8530");
  REQUIRE(added.primaries[0].tls);
  CHECK(added.primaries[0].tls->registry == name("acme.com.s.example."));
  // Again, with others: these only.
  Registered().add_to(config);
  CHECK(config.registry->children.size() == 1);
}

TEST_CASE("registered: children that have registered share a ceiling and a quota, those of the file have their own") {
  Registered found;
  found.add(child_of("acme.com"), {Bytes{1}});
  found.add(child_of("beta.com"), {Bytes{2}});
  config::Config config = config_with({"beta.com"});
  config.registry->registration.trust_ceiling = 0.6;
  config.registry->registration.agents = 500;
  found.add_to(config);
  REQUIRE(config.registry->children.size() == 2);
  CHECK(config.registry->children[0].trust_ceiling == 1);
  CHECK(config.registry->children[0].agents == 0);
  CHECK(config.registry->children[1].trust_ceiling == 0.6);
  CHECK(config.registry->children[1].agents == 500);
}

TEST_CASE("registered: who has no KEY or told of no feed is known, and not followed") {
  Registered found;
  found.add(child_of("revoked.com"), {});
  found.add(child_of("silent.com", ""), {Bytes{1}});
  CHECK(found.children.empty());
  CHECK(found.keys.at("revoked.com.s.example.").empty());
  CHECK(found.keys.at("silent.com.s.example.").size() == 1);
}

TEST_CASE("registered: the parent may take our feed, and is told of its changes") {
  Registered found;
  found.parent = *SocketAddress::from_text("192.0.2.9@8530");
  config::Config config = config_with({});
  found.add_to(config);
  found.add_to(config);
  const config::FeedConfig& feed = config.registry->feed;
  REQUIRE(feed.allow_transfer.size() == 1);
  CHECK(feed.allow_transfer[0].registry == name("s.example."));
  REQUIRE(feed.notify.size() == 1);
  CHECK(feed.notify[0].address.to_text() == "192.0.2.9@8530");
  CHECK(feed.notify[0].tls->registry == name("s.example."));
  Registered().add_to(config);
  CHECK(config.registry->feed.allow_transfer.empty());
  CHECK(config.registry->feed.notify.empty());
}

TEST_CASE("registered: a child that sends its feed is followed without primaries, and hosted where it is so") {
  federation::Child child = child_of("acme.com");
  child.registration.feeds.clear();
  child.registration.pushes = true;
  Registered sent;
  sent.add(child, {Bytes{1}});
  child.state = federation::ChildState::Hosted;
  Registered hosted;
  hosted.add(child, {Bytes{1}});
  REQUIRE(hosted.children.size() == 1);
  CHECK((hosted.children[0].pushed && hosted.children[0].hosted && hosted.children[0].primaries.empty()));
  CHECK((sent.children[0].pushed && !sent.children[0].hosted));
  CHECK_FALSE(sent.is_same(hosted));
  CHECK(sent.turned_feeds(hosted).empty());
  Registered fetched;
  fetched.add(child_of("acme.com"), {Bytes{1}});
  REQUIRE(fetched.turned_feeds(sent).size() == 1);
  CHECK(fetched.turned_feeds(sent)[0].to_text() == "eu-4f2a._feed.acme.com.s.example.");
}

TEST_CASE("registered: a parent that is sent the feed does not take it") {
  Registered found;
  found.parent = *SocketAddress::from_text("192.0.2.9@8530");
  config::Config config = config_with({});
  config.registry->push = config::FeedPush::Hosted;
  found.add_to(config);
  CHECK(config.registry->feed.allow_transfer.empty());
  CHECK(config.registry->feed.notify.empty());
}

TEST_CASE("registered: what differs is a feed of another replica or from elsewhere") {
  Registered before;
  before.add(child_of("acme.com"), {Bytes{1}});
  before.add(child_of("beta.com"), {Bytes{1}});
  Registered after;
  after.add(child_of("acme.com", "eu-0001"), {Bytes{1}});
  after.add(child_of("beta.com"), {Bytes{7}});
  CHECK_FALSE(after.is_same(before));
  const auto feeds = after.differing_feeds(before);
  REQUIRE(feeds.size() == 2);
  CHECK(feeds[0].to_text() == "eu-0001._feed.acme.com.s.example.");
  CHECK(feeds[1].to_text() == "eu-4f2a._feed.acme.com.s.example.");
  Registered same = before;
  CHECK(same.is_same(before));
  CHECK(same.differing_feeds(before).empty());
  same.parent = *SocketAddress::from_text("192.0.2.9@8530");
  CHECK_FALSE(same.is_same(before));
}

}  // namespace steward::daemon

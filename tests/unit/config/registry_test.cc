// The keys of a registry that agents are published in.

#include <doctest/doctest.h>

#include "config/loader.hh"
#include "config/namespace.hh"
#include "config/value.hh"

using namespace steward;
using namespace steward::config;

namespace {

Result<Config> load(std::string_view registry) {
  std::string text = "registry:\n  namespace: acme-corp.com\n";
  text += registry;
  text += "zones:\n  - {name: acme-corp.com.steward-registry.org, file: acme.zone}\n";
  return load_text(text, "/etc/registry.yaml");
}

const std::string fingerprint = "sha256:" + std::string(64, '7');

std::string error_of(std::string_view registry) {
  const auto config = load(registry);
  return config ? "none" : config.error().what;
}

}  // namespace

TEST_CASE("config: a registry has safe defaults, which all publishing keys say") {
  const auto config = load("");
  REQUIRE(config);
  const RegistryConfig& registry = *config->registry;
  CHECK(!registry.open);
  CHECK(registry.refuse_look_alikes);
  CHECK(registry.agents_per_key == 10'000);
  CHECK(registry.min_lease == Seconds(30));
  CHECK(registry.max_lease == Seconds(7 * 86400));
  CHECK(registry.custody_key == "/etc/keys/custody.pem");
  CHECK(registry.replica == "main");
  CHECK(registry.trust.tests == doctest::Approx(0.3));
  CHECK(registry.trust.new_time == Seconds(30 * 86400));
  CHECK(registry.trust.restate_interval == Seconds(86400));
}

TEST_CASE("config: publishers stand in the registry's own namespace unless they say another") {
  const auto config = load(
      "  namespaces: [team.acme-corp.com, '*.lab.acme-corp.com']\n  publishers:\n    - {fingerprint: \"" + fingerprint +
      "\"}\n    - {fingerprint: \"" + fingerprint + "\", namespace: team.acme-corp.com, note: Ada}\n");
  REQUIRE(config);
  const auto& publishers = config->registry->publishers;
  REQUIRE(publishers.size() == 2);
  CHECK(publishers[0].space.to_text() == "acme-corp.com.steward-registry.org.");
  CHECK(publishers[1].space.to_text() == "team.acme-corp.com.steward-registry.org.");
  CHECK(publishers[1].note == "Ada");
  REQUIRE(config->registry->namespaces.size() == 2);
  CHECK(config->registry->namespaces[1].to_text() == "*.lab.acme-corp.com.steward-registry.org.");
}

TEST_CASE("config: who may have the feed, and who is told of it; nobody without it") {
  const auto config = load("  feed: {allow-transfer: [192.0.2.0/24, {address: 127.0.0.1, transport: tls}], notify: [192.0.2.1@5353]}\n");
  REQUIRE(config);
  const auto name = dns::Name::from_text("main-4f2a._feed.acme-corp.com.steward-registry.org.");
  const auto feed = feed_zone(*config, *name);
  REQUIRE(feed);
  CHECK(feed->name == *name);
  CHECK(feed->transfer_only);
  CHECK(feed->file.empty());
  CHECK_FALSE(feed->dnssec.enabled);
  CHECK(feed->allow_update.empty());
  REQUIRE(feed->allow_transfer.size() == 2);
  CHECK(feed->allow_transfer[1].over_tls);
  REQUIRE(feed->notify.size() == 1);
  CHECK(feed->notify[0].address.to_text() == "192.0.2.1@5353");
  CHECK(feed_zone(*load(""), *name)->allow_transfer.empty());
  CHECK(error_of("  feed: {allow-transfer: [{key: nobodys.}]}\n").find("registry.feed.allow-transfer: no key nobodys.") != std::string::npos);
  CHECK(error_of("  feed: {notify: [{address: 192.0.2.1, tls: {}}]}\n") != "none");
}

TEST_CASE("config: what is wrong of a registry is told with its key") {
  CHECK(error_of("  publishers: [{fingerprint: \"sha256:" + std::string(64, 'x') + "\"}]\n")
            .find("registry.publishers: fingerprint") != std::string::npos);
  CHECK(error_of("  namespaces: [other.org]\n").find("at or below") != std::string::npos);
  CHECK(error_of("  lease: {min: 1d, max: 1h}\n").find("ascending order") != std::string::npos);
  CHECK(error_of("  replica: Main\n").find("registry.replica") != std::string::npos);
  CHECK(error_of("  trust: {tests: 1.5}\n").find("registry.trust.tests: expected a number from 0 to 1") !=
        std::string::npos);
  CHECK(error_of("  look-alikes: warn\n").find("one of: refuse allow") != std::string::npos);
}

TEST_CASE("config: a hosted namespace may hold a slash before github, and a pattern begins with *") {
  CHECK(parse_hosted_namespace("User/KimEisele.github", false)->to_text() == "user/kimeisele.github.");
  CHECK(parse_hosted_namespace("org/anthropics.github", true).has_value());
  CHECK(parse_hosted_namespace("*.github", true)->to_text() == "*.github.");
  CHECK(!parse_hosted_namespace("*.github", false));
  CHECK(!parse_hosted_namespace("team.*.github", true));
  CHECK(!parse_hosted_namespace("user/*.github", true));
  CHECK(!parse_hosted_namespace("team/x.github", false));
  CHECK(!parse_hosted_namespace("user/x.gitlab", false));
  CHECK(!parse_hosted_namespace("user/x", false));
}

TEST_CASE("config: fractions have at most six digits behind the point") {
  CHECK(*parse_fraction("0.25") == 250'000);
  CHECK(*parse_fraction("1") == 1'000'000);
  CHECK(*parse_fraction(".5") == 500'000);
  CHECK(*parse_fraction("0.05") == 50'000);
  CHECK(*parse_fraction("1.000001") == 1'000'001);
  for (const char* wrong : {"", ".", "1.", "0.1234567", "a", "-1", "1e3", "0,5"}) {
    CAPTURE(wrong);
    CHECK(!parse_fraction(wrong));
  }
  CHECK(fraction_text(250'000) == "0.25");
  CHECK(fraction_text(1'000'000) == "1");
  CHECK(fraction_text(0) == "0");
}

TEST_CASE("config: children have feeds, which are transferred and answered to nobody else") {
  const auto config = load(
      "  pull-interval: 10m\n  children:\n    - {namespace: Team.acme-corp.com, replica: main-4f2a, primaries: "
      "[127.0.0.1@5301], trust-ceiling: 0.9, agents: 7}\n    - {namespace: lab.acme-corp.com, replica: eu, primaries: "
      "[{address: 127.0.0.1, tls: {name: lab.example}}]}\n");
  REQUIRE_MESSAGE(config, (config ? "" : config.error().what));
  const auto& children = config->registry->children;
  REQUIRE(children.size() == 2);
  CHECK(children[0].zone.to_text() == "team.acme-corp.com.steward-registry.org.");
  CHECK(children[0].trust_ceiling == doctest::Approx(0.9));
  CHECK(children[0].agents == 7);
  CHECK(children[1].trust_ceiling == 1);
  const auto feeds = feed_zones(*config);
  REQUIRE(feeds.size() == 2);
  CHECK(feeds[0].name.to_text() == "main-4f2a._feed.team.acme-corp.com.steward-registry.org.");
  CHECK(feeds[0].transfer_only);
  CHECK(feeds[0].allow_transfer.empty());
  CHECK(feeds[0].times.max_refresh == Seconds(600));
  CHECK(feeds[1].primaries.front().address.port() == 853);
  CHECK(load("")->registry->pull_interval == Seconds(6 * 3600));
}

TEST_CASE("config: a child that cannot be one is refused with the rule") {
  const auto child = [](std::string_view namespace_and_more) {
    return error_of("  namespaces: [hosted.acme-corp.com]\n  children: [{primaries: [127.0.0.1@5301], " +
                    std::string(namespace_and_more) + "}]\n");
  };
  const auto says = [](const std::string& error, std::string_view what) { return error.find(what) != std::string::npos; };
  CHECK(says(child("namespace: acme-corp.com, replica: eu"), "expected a namespace below acme-corp.com."));
  CHECK(says(child("namespace: vibe.com, replica: eu"), "expected a namespace below acme-corp.com."));
  CHECK(says(child("namespace: a.hosted.acme-corp.com, replica: eu"), "is hosted here"));
  CHECK(says(child("namespace: a.acme-corp.com, replica: EU"), "expected lower-case letters"));
  CHECK(says(child("namespace: a.acme-corp.com"), "the key 'replica' is missing"));
  CHECK(says(child("namespace: a.acme-corp.com, replica: eu}, {primaries: [127.0.0.1], namespace: b.a.acme-corp.com, replica: eu"),
             "no child at or below another"));
  CHECK(says(error_of("  children: [{namespace: a.acme-corp.com, replica: eu, primaries: [{address: 127.0.0.1, key: no.}]}]\n"),
             "no key no. in 'keys'"));
}

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
  for (const char* wrong : {"", ".", "1.", "0.1234567", "a", "-1", "1e3", "0,5"}) {
    CAPTURE(wrong);
    CHECK(!parse_fraction(wrong));
  }
  CHECK(fraction_text(250'000) == "0.25");
  CHECK(fraction_text(1'000'000) == "1");
  CHECK(fraction_text(0) == "0");
}

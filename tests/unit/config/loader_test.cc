#include "config/loader.hh"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "text.hh"

using namespace steward;
using namespace steward::config;

TEST_CASE("config: the defaults need no file") {
  const Config config = default_config("/srv/steward");
  CHECK(config.data == "/srv/steward/data");
  CHECK(config.control == "/srv/steward/data/control.sock");
  REQUIRE(config.listen.size() == 2);
  CHECK(config.listen[0].to_text() == "127.0.0.1@53");
  CHECK(config.listen[1].to_text() == "::1@53");
  CHECK(config.workers == 0);
  CHECK(config.udp_max_size == 1232);
  CHECK(config.rate_limit.answers_per_second == 200);
  CHECK(config.rate_limit.slip == 2);
  CHECK(config.tcp.idle_timeout == Seconds{10});
  CHECK(config.map_size == uint64_t{64} << 30);
  CHECK(config.cookies.enabled);
  CHECK(config.log.level == log::Level::Info);
  CHECK(!config.registry);
  CHECK(!config.server.identity);
}

TEST_CASE("config: a zone outside of a file has the default policy") {
  const ZoneConfig zone = default_zone(*dns::Name::from_text("Example.com."), "/z/example", "/srv");
  CHECK(zone.name.to_text() == "example.com.");
  CHECK(!zone.dnssec.enabled);
  CHECK(zone.dnssec.zsk_lifetime == Seconds{30 * 86400});
  CHECK(zone.dnssec.refresh == Seconds{7 * 86400});
  CHECK(zone.dnssec.jitter == Seconds{86400});
  CHECK(zone.dnssec.key_directory == "/srv/keys");
}

TEST_CASE("config: the file of the interface is read as it stands there") {
  const Config config = good(R"(
data: data                          # relative paths count from this file
listen: [127.0.0.1@5300, "::1@5300"]
control: data/control.sock
registry: {namespace: acme-corp.com, parent: com.steward-registry.org, apex: steward-registry.org, id: com.acme-corp,
           root: [127.53.0.1@53], trust-anchor: keys/root.ds}
zones:
  - name: acme-corp.com.steward-registry.org
    file: zones/acme-corp.com.steward-registry.org.zone
    dnssec: true
    allow-transfer: [127.0.0.0/8, {key: xfr.}]
    allow-update: [{key: xfr.}]
    notify: [127.0.0.1@5400]
  - {name: example.com, file: /zones/example.com}
keys:
  - {name: xfr., algorithm: hmac-sha256, secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}
rate-limit: 200
workers: 2
)");
  CHECK(config.data == "/etc/steward/data");
  CHECK(config.listen.at(1).to_text() == "::1@5300");
  REQUIRE(config.registry);
  CHECK(config.registry->zone.to_text() == "acme-corp.com.steward-registry.org.");
  CHECK(config.registry->id == "com.acme-corp");
  CHECK(config.registry->root.at(0).to_text() == "127.53.0.1@53");
  CHECK(config.registry->trust_anchor == "/etc/steward/keys/root.ds");
  REQUIRE(config.zones.size() == 2);
  const ZoneConfig& zone = config.zones[0];
  CHECK(zone.file == "/etc/steward/zones/acme-corp.com.steward-registry.org.zone");
  CHECK(zone.dnssec.enabled);
  CHECK(zone.dnssec.algorithm == Algorithm::ECDSAP256SHA256);
  REQUIRE(zone.allow_transfer.size() == 2);
  CHECK(zone.allow_transfer[0].block->to_text() == "127.0.0.0/8");
  CHECK(zone.allow_transfer[1].key->to_text() == "xfr.");
  CHECK(!zone.allow_transfer[1].block);
  CHECK(zone.notify.at(0).address.to_text() == "127.0.0.1@5400");
  CHECK(config.find_zone(*dns::Name::from_text("EXAMPLE.com."))->file == "/zones/example.com");
  CHECK(!config.zones[1].dnssec.enabled);
  CHECK(config.keys.at(0).secret.size() == 32);
  CHECK(config.rate_limit.answers_per_second == 200);
  CHECK(config.workers == 2);
  CHECK(config.where("zones[example.com].file") == "/etc/steward/registry.yaml:14:31");
  CHECK(config.where("no such key") == "/etc/steward/registry.yaml");
}

TEST_CASE("config: a policy is a map, and what it leaves out has its default") {
  const Config config = good(R"(
zones:
  - name: example.com
    file: z
    dnssec: {algorithm: ED25519, nsec3: {opt-out: true, iterations: 0, salt: ""}, csk: true, ksk-lifetime: 1y,
             signature-lifetime: 28d, key-directory: /keys}
rate-limit: {slip: 1, exempt: 192.0.2.0/24, limited: [127.0.0.0/8, "::1"]}
cookies: {secret-file: cookie}
)");
  const DnssecPolicy& policy = config.zones.at(0).dnssec;
  CHECK(policy.enabled);
  CHECK(policy.algorithm == Algorithm::ED25519);
  CHECK(policy.nsec3.enabled);
  CHECK(policy.nsec3.opt_out);
  CHECK(policy.csk);
  CHECK(policy.ksk_lifetime == Seconds{365 * 86400});
  CHECK(policy.refresh == Seconds{14 * 86400});
  CHECK(policy.jitter == Seconds{2 * 86400});
  CHECK(policy.cds);
  CHECK(policy.key_directory == "/keys");
  CHECK(config.rate_limit.answers_per_second == 200);
  CHECK(config.rate_limit.slip == 1);
  CHECK(config.rate_limit.exempt.size() == 1);
  CHECK(config.rate_limit.limited.size() == 2);
  CHECK(config.cookies.enabled);
  CHECK(config.cookies.secret_file == "/etc/steward/cookie");
  CHECK(good("zones: [{name: e., file: z, dnssec: {nsec3: true}}]").zones.at(0).dnssec.nsec3.enabled);
}

TEST_CASE("config: what this version does not do is refused, or warned of where that is safe") {
  for (const char* text : {"https: {listen: [\"::1\"]}", "metrics: {listen: [\"::1\"]}"})
    CHECK_MESSAGE(problems(text).find("not available in this version") != std::string::npos, text);
  const Config config = good("registry: {namespace: acme-corp.com, root: [127.0.0.1]}");
  REQUIRE(config.warnings.size() == 1);
  CHECK(config.warnings[0].find("registry.root: not used without `resolver`") != std::string::npos);
  CHECK(good("zones: [{name: e., primaries: [192.0.2.1], allow-transfer: [10.0.0.0/8], notify: [10.0.0.1]}]").warnings.empty());
}

TEST_CASE("config: a resolver is there only where it is asked for, says where it asks, and is never open [RFC 5358]") {
  const std::string registry = "registry: {namespace: a.com, root: [127.53.0.1], trust-anchor: root.ds}\n";
  CHECK(!good(registry).resolver);
  const Config config = good(registry + "resolver: {allow: [127.0.0.0/8, \"::1\"], timeout: 2s}");
  REQUIRE(config.resolver);
  CHECK(config.resolver->allow.size() == 2);
  CHECK(config.resolver->timeout == Seconds{2});
  CHECK(config.resolver->max_queries == 1000);
  CHECK(config.resolver->max_client_queries == 100);
  CHECK(config.warnings.empty());
  CHECK(problems(registry + "resolver: {timeout: 2s}").find("allow") != std::string::npos);
  for (const char* everybody : {"0.0.0.0/0", "::/0"})
    CHECK(problems(registry + "resolver: {allow: [\"" + everybody + "\"]}").find("is everybody") != std::string::npos);
  for (const char* incomplete : {"", "registry: {namespace: a.com, root: [127.53.0.1]}\n", "registry: {namespace: a.com, trust-anchor: x}\n"})
    CHECK(problems(std::string(incomplete) + "resolver: {allow: [\"::1\"]}").find("needs registry.root") != std::string::npos);
}

TEST_CASE("config: a wrong type says what was expected and what was found") {
  CHECK(problems("listen: {a: b}").find("1:9: listen: expected a list of: an address, such as 127.0.0.1@5300") == 0);
  CHECK(problems("listen: [[\"::1\"]]").find("found a list") != std::string::npos);
  CHECK(problems("zones: example.com").find("1:8: zones: expected a list of maps, found a single value") == 0);
  CHECK(problems("zones: [example.com]").find("found a single value") != std::string::npos);
  CHECK(problems("zones: [{file: z}]").find("1:9: zones[1]: the key 'name' is missing; expected a domain name") == 0);
  CHECK(
      problems("zones: [{name: e., file: z, dnssec: {nsec3: {iterations: 5}}}]").find("a whole number of exactly 0") !=
      std::string::npos);
  CHECK(problems("data:").find("data: expected a path, found nothing") != std::string::npos);
  CHECK(problems("rate-limit: fast").find("rate-limit.answers-per-second: expected a whole number from 0") !=
        std::string::npos);
  CHECK(problems("zones: [{name: e., file: z, allow-transfer: [{}]}]").find("an empty map") != std::string::npos);
  CHECK(problems("zones: [{name: e., file: z, notify: [{key: k.}]}]").find("'address' is missing") !=
        std::string::npos);
}

TEST_CASE("config: a file that is not there, not a file or open to all is told") {
  char folder[] = "/tmp/steward-config-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const Path path = Path(folder) / "registry.yaml";
  CHECK(load_file(path).error().what == path.string() + ": No such file or directory");
  CHECK(load_file(folder).error().what == std::string(folder) + ": not a regular file");
  std::ofstream(path) << "keys: [{name: k., secret: MDEyMzQ1Njc4OWFiY2RlZg==}]\n";
  ::chmod(path.c_str(), 0644);
  CHECK(load_file(path)->warnings.at(0).find("readable by all") != std::string::npos);
  ::chmod(path.c_str(), 0600);
  CHECK(load_file(path)->warnings.empty());
  std::filesystem::remove_all(folder);
}

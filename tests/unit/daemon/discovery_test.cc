// What a registry's zone and its `_discover._agents` take from each other.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "daemon/discovery.hh"
#include "sign/delegation.hh"

using namespace steward;
using namespace steward::daemon;

namespace {

dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }
Bytes wire(std::string_view text) {
  const dns::Name made = name(text);
  return Bytes(made.data(), made.data() + made.size());
}

config::RegistryConfig registry() {
  config::RegistryConfig made;
  made.zone = name("acme.com.s.");
  made.parent = name("com.s.");
  return made;
}

// The registry's apex, with these name servers.
Bytes apex(std::string_view primary, std::vector<std::string_view> servers) {
  Bytes soa = wire(primary);
  append(soa, wire("hostmaster.acme.com.s."));
  soa.resize(soa.size() + 20);
  std::vector<Bytes> ns;
  for (const std::string_view server : servers) ns.push_back(wire(server));
  std::sort(ns.begin(), ns.end());
  const std::vector<ByteView> ns_views(ns.begin(), ns.end());
  const ByteView soa_view = soa;
  const dns::Name owner = name("acme.com.s.");
  const std::vector<zone::RrsetInput> rrsets = {{dns::RrType::NS, 300, ns_views, {}},
                                                {dns::RrType::SOA, 60, {&soa_view, 1}, {}}};
  zone::NodeInput input;
  input.owner = owner;
  input.flags = zone::node_apex;
  input.rrsets = rrsets;
  Bytes blob;
  REQUIRE(zone::build_node(input, blob));
  return blob;
}

}  // namespace

TEST_CASE("discovery: the zone is delegated to the registry's primary, not to its stock secondaries") {
  const Bytes node = apex("NS1.acme.com.s.", {"ns1.acme.com.s.", "secondary.example."});
  const auto home = discover_home(zone::NodeView(node.data()), registry());
  REQUIRE(home);
  CHECK(home->servers == std::vector{name("ns1.acme.com.s.")});
  CHECK(home->contact == name("hostmaster.acme.com.s."));
  CHECK(discover_text(*home, 7).starts_with("@ 60 SOA ns1.acme.com.s. hostmaster.acme.com.s. 7 "));
}

TEST_CASE("discovery: behind a hidden primary all name servers are taken, or those that are configured") {
  const Bytes node = apex("hidden.acme.com.s.", {"a.acme.com.s.", "b.acme.com.s."});
  auto config = registry();
  CHECK(discover_home(zone::NodeView(node.data()), config)->servers.size() == 2);
  config.discover_servers = {name("B.acme.com.s.")};
  CHECK(discover_home(zone::NodeView(node.data()), config)->servers == std::vector{name("b.acme.com.s.")});
  CHECK_FALSE(discover_home(zone::NodeView(), config));
}

TEST_CASE("discovery: the DS stands from the first day, and its key is what signs") {
  std::string pattern = (std::filesystem::temp_directory_path() / "steward-keys-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  config::Config config;
  config.registry = registry();
  config.registry->discover = true;
  config.zones.push_back(config::default_zone(config.registry->zone, "zone", pattern));
  config.zones[0].dnssec.enabled = true;
  config.zones[0].dnssec.algorithm = config::Algorithm::RSASHA256;
  config.zones[0].dnssec.key_directory = pattern;
  const auto zone = config::discover_zone(config);
  REQUIRE(zone);
  CHECK(zone->name == name("_discover._agents.acme.com.s."));
  CHECK(zone->online);
  CHECK(zone->dnssec.algorithm == config::Algorithm::ECDSAP256SHA256);
  CHECK(zone->allow_transfer.empty());

  ZoneKeys keys(*zone);
  const UnixTime now = unix_time(1'800'000'000);
  REQUIRE(keys.prepare(now, 300, false));
  REQUIRE(keys.confirm());
  REQUIRE(keys.keys().size() == 1);
  const DiscoverHome home{{name("ns1.acme.com.s.")}, name("h.acme.com.s.")};
  const Delegation wanted = wanted_delegation(home, zone->name, &keys);
  CHECK(wanted.ns == std::vector<Bytes>{wire("ns1.acme.com.s.")});
  REQUIRE(wanted.ds.size() == 1);
  CHECK(*sign::ds_matches(zone->name, keys.keys()[0].dnskey(), wanted.ds[0]));
  CHECK(wanted_delegation(home, zone->name, nullptr).ds.empty());
  CHECK_FALSE(waits_for_ds(keys, now));

  // When the rules for a first key let it be submitted, it is the registry itself that has its DS.
  const UnixTime later = now + std::chrono::days(10);
  REQUIRE(keys.prepare(later, 300, true));
  REQUIRE(keys.confirm());
  CHECK(waits_for_ds(keys, later));
  CHECK(wanted_delegation(home, zone->name, &keys) == wanted);
  REQUIRE(keys.ds_seen(0, later));
  CHECK_FALSE(waits_for_ds(keys, later));

  // A rollover: once the successor is known everywhere its DS takes the place of the old one, and it signs alone.
  const auto before = discover_answers(*config.registry, zone->name, &keys);
  REQUIRE(before->key);
  CHECK(before->parent == name("com.s."));
  REQUIRE(keys.begin_rollover(true, later));
  REQUIRE(keys.prepare(later, 300, true));
  REQUIRE(keys.confirm());
  CHECK(wanted_delegation(home, zone->name, &keys) == wanted);
  CHECK(is_same(*before, *discover_answers(*config.registry, zone->name, &keys)));
  const UnixTime known = later + std::chrono::days(10);
  REQUIRE(keys.prepare(known, 300, true));
  REQUIRE(keys.confirm());
  const Delegation after = wanted_delegation(home, zone->name, &keys);
  CHECK(after.ds.size() == 1);
  CHECK(after != wanted);
  CHECK(waits_for_ds(keys, known));
  const auto answers = discover_answers(*config.registry, zone->name, &keys);
  CHECK_FALSE(is_same(*before, *answers));
  CHECK(answers->tag != before->tag);
  std::filesystem::remove_all(pattern);
}

TEST_CASE("discovery: there is no such zone where it is switched off, or the registry's is transferred or not here") {
  config::Config config;
  CHECK_FALSE(config::discover_zone(config));
  config.registry = registry();
  CHECK_FALSE(config::discover_zone(config));
  config.zones.push_back(config::default_zone(config.registry->zone, "zone", "."));
  CHECK(config::discover_zone(config));
  config.registry->discover = false;
  CHECK_FALSE(config::discover_zone(config));
  config.registry->discover = true;
  config.zones[0].primaries.emplace_back();
  CHECK_FALSE(config::discover_zone(config));
}

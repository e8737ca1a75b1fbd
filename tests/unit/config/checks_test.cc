#include "config/checks.hh"

#include <doctest/doctest.h>

#include "text.hh"

using namespace steward;
using namespace steward::config;

namespace {
bool tells(std::string_view text, std::string_view what) {
  const std::string all = problems(text);
  INFO(all);
  CHECK(all.find(what) != std::string::npos);
  return all.find(what) != std::string::npos;
}
}  // namespace

TEST_CASE("checks: a zone, a key and an address are given once") {
  tells("zones: [{name: e.com, file: a}, {name: E.com., file: b}]", "1:33: zone e.com. is given twice");
  tells("keys: [{name: k., secret: MDEyMzQ1Njc4OWFiY2RlZg==}, {name: K, secret: MDEyMzQ1Njc4OWFiY2RlZg==}]",
        "key k. is given twice");
  tells("listen: [127.0.0.1@53, 127.0.0.1]", "listen: 127.0.0.1@53 is given twice");
  tells("listen: []", "expected at least one address");
  tells("listen: [127.0.0.1@0]", "port 0");
  tells("outgoing: [127.0.0.1@53]", "expected an address without a port");
  tells("outgoing: ['::']", "a wildcard");
  tells("outgoing: [127.0.0.1, 127.0.0.2]", "the second of its family");
}

TEST_CASE("checks: a zone has a file, and the keys that it names exist") {
  tells("zones: [{name: e.com}]", "zones[e.com]: the key 'file' is missing");
  tells("zones: [{name: e.com, file: z, allow-transfer: [{key: x.}]}]",
        "1:49: zone e.com.: allow-transfer: no key x. in 'keys'");
  tells("zones: [{name: e.com, file: z, notify: [{address: 192.0.2.1, key: x.}]}]", "notify: no key x. in 'keys'");
}

TEST_CASE("checks: parent, id and namespace of a registry agree") {
  const Config config = good("registry: {namespace: Acme-Corp.com}");
  CHECK(config.registry->parent->to_text() == "com.steward-registry.org.");
  CHECK(config.registry->id == "com.acme-corp");
  CHECK(config.registry->apex.to_text() == "steward-registry.org.");
  CHECK(!good("registry: {namespace: .}").registry->parent);
  CHECK(good("registry: {namespace: a.b.com, parent: com.s.org, apex: s.org}").registry->parent->to_text() ==
        "com.s.org.");
  tells("registry: {namespace: acme-corp.com, parent: org.steward-registry.org}",
        "1:46: registry.parent: expected steward-registry.org.");
  tells("registry: {namespace: acme-corp.com, parent: org}", "registry.parent: expected");
  tells("registry: {namespace: acme-corp.com, parent: acme-corp.com.steward-registry.org}",
        "registry.parent: expected");
  tells("registry: {namespace: acme-corp.com, id: org.acme}", "registry.id: expected 'com.acme-corp'");
  tells("registry: {namespace: org/acme.github}", "hosted by the 'github' registry");
  tells("registry: {namespace: www.com}", "reserved");
  tells("registry: {}", "'namespace' is missing");
  CHECK(good("registry: {namespace: acme-corp.com}").registry->push == FeedPush::None);
  CHECK(good("registry: {namespace: acme-corp.com, identity: i, push: delegated}").registry->push == FeedPush::Delegated);
  tells("registry: {namespace: acme-corp.com, push: hosted}", "registry.push");
  tells("registry: {namespace: ., identity: i, push: hosted}", "registry.push");
}

TEST_CASE("checks: a policy holds together") {
  const auto zone = [](std::string_view policy) {
    return "zones: [{name: e., file: z, dnssec: {" + std::string(policy) + "}}]";
  };
  tells(zone("signature-lifetime: 1d, refresh: 1d"), "refresh and jitter together");
  tells(zone("signature-lifetime: 1d, refresh: 12h, jitter: 12h"), "refresh and jitter together");
  tells(zone("ksk-size: 4096"), "only keys of rsasha256 have a size");
  tells(zone("csk: true, zsk-lifetime: 1d"), "with csk there is no ZSK");
  CHECK(good(zone("algorithm: rsasha256, ksk-size: 4096")).zones.at(0).dnssec.ksk_size == 4096);
}

TEST_CASE("checks: weak TSIG keys are warned of [RFC 8945 §6, §10]") {
  CHECK(good("keys: [{name: k., secret: YWJj}]").warnings.at(0).find("can be guessed") != std::string::npos);
  CHECK(good("keys: [{name: k., algorithm: hmac-sha1, secret: MDEyMzQ1Njc4OWFiY2RlZg==}]")
            .warnings.at(0)
            .find("hmac-sha1") != std::string::npos);
}

TEST_CASE("checks: user and group, and a socket's path") {
  CHECK(good("user: steward:dns").group == "dns");
  CHECK(good("user: steward").group.empty());
  for (const char* bad : {"user: ':dns'", "user: 'a:'", "user: 'a:b:c'"}) tells(bad, "expected USER or USER:GROUP");
  tells("data: " + std::string(100, 'd'), "which a socket cannot have");
  tells("control: " + std::string(120, 'c'), "control: expected a path of 0 to 107 octets");
}

TEST_CASE("checks: a row of allow-update names who, and names of the zone") {
  const auto zone = [](std::string_view rows) {
    return "zones: [{name: e.com, file: z, allow-update: [" + std::string(rows) +
           "]}]\nkeys: [{name: k., secret: MDEyMzQ1Njc4OWFiY2RlZg==}]";
  };
  tells(zone("{names: [a.e.com]}"), "1:47: zone e.com.: allow-update: nobody is named; expected address, key, sig0 or tls");
  tells(zone("{key: x.}"), "no key x. in 'keys'");
  tells(zone("{key: k., sig0: h.e.com.}"), "key and sig0; expected one of them");
  tells(zone("{address: 192.0.2.1, names: self}"), "self without key or sig0");
  tells(zone("{key: k., names: [a.e.com, \"*.e.org\"]}"), "*.e.org. is not in the zone");
  tells(zone("{key: k., types: [TXT, NOSUCH]}"), "expected a list of: a record type");
  tells(zone("{key: k., action: permit}"), "expected one of: allow deny");
  const Config config =
      good(zone("192.0.2.0/24, {key: \"*\", names: [self, \"*.e.com\", subdomain lab.e.com], types: [TXT, svcb]}, "
                "{sig0: H.e.com, names: selfsub, action: deny}"));
  const auto& rules = config.zones[0].allow_update;
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].block);
  CHECK(rules[1].key->to_text() == "*.");
  REQUIRE(rules[1].names.size() == 3);
  CHECK(to_text(rules[1].names[0]) == "self");
  CHECK(to_text(rules[1].names[1]) == "*.e.com.");
  CHECK(to_text(rules[1].names[2]) == "subdomain lab.e.com.");
  CHECK(rules[1].types == std::vector{dns::RrType::TXT, dns::RrType::SVCB});
  CHECK(rules[2].sig0->to_text() == "h.e.com.");
  CHECK(rules[2].deny);
}

TEST_CASE("checks: limits of updates have defaults, and 0 is none") {
  const Config config =
      good("zones: [{name: e., file: z}, {name: f., file: z, update-limits: {rrset-records: 0, name-rrsets: 7}}]");
  CHECK(config.zones[0].update_limits.rrset_records == 100);
  CHECK(config.zones[0].update_limits.name_rrsets == 100);
  CHECK(config.zones[0].update_limits.name_records == 1000);
  CHECK(config.zones[0].update_limits.message_records == 4000);
  CHECK(config.zones[1].update_limits.rrset_records == 0);
  CHECK(config.zones[1].update_limits.name_rrsets == 7);
}

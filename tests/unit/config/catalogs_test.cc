// Keys of catalog zones, of templates and of ZONEMD.

#include <doctest/doctest.h>

#include "config/checks.hh"
#include "config/diff.hh"
#include "config/syntax.hh"
#include "config/walker.hh"
#include "text.hh"

using namespace steward;
using namespace steward::config;

namespace {

/// The values, whatever is wrong with them; and what is wrong beside keys that a version refuses as a whole.
Config walked(std::string_view text, std::string* wrong = nullptr) {
  Config config;
  const auto tree = parse_yaml(text);
  REQUIRE(tree);
  Walker walker(config, "/etc/steward");
  walker.walk(*tree);
  complete_and_check(config, walker.problems());
  for (const Problem& problem : walker.problems())
    if (wrong != nullptr && problem.what.find("not available in this version") == std::string::npos)
      *wrong += problem.what + "\n";
  return config;
}
std::string wrong(std::string_view text) {
  std::string all;
  walked(text, &all);
  return all;
}
bool tells(std::string_view text, std::string_view what) {
  const std::string all = wrong(text);
  INFO(all);
  CHECK(all.find(what) != std::string::npos);
  return all.find(what) != std::string::npos;
}

dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }

constexpr std::string_view consumer = R"(
templates:
  - {name: members, primaries: [192.0.2.1@5301], allow-transfer: [192.0.2.0/24]}
  - name: quick
    primaries: [{address: 192.0.2.2, key: k.}]
    zonemd-verify: required
zones:
  - name: Catalog.Example
    primaries: [192.0.2.9]
    notify: [192.0.2.8]
    catalog: consume
    catalog-template: members
    catalog-groups: [{group: fast, template: quick}, {group: "Fast lane", template: members}]
  - {name: two.example, primaries: [192.0.2.9], notify: [192.0.2.8], catalog: consume}
keys: [{name: k., secret: MDEyMzQ1Njc4OWFiY2RlZg==}]
)";

}  // namespace

TEST_CASE("catalogs: a consumer has templates by group and one for the rest") {
  CHECK(wrong(consumer).empty());
  const Config config = walked(consumer);
  REQUIRE(config.templates.size() == 2);
  REQUIRE(config.zones.size() == 2);
  const ZoneConfig& zone = config.zones[0];
  CHECK(zone.catalog == CatalogRole::Consume);
  CHECK(zone.catalog_template == name("members."));
  REQUIRE(zone.catalog_groups.size() == 2);
  CHECK(zone.catalog_groups[1].group == "Fast lane");
  CHECK(config.find_template(name("QUICK."))->primaries[0].key == name("k."));
  // Templates have the defaults of zones.
  CHECK(config.templates[0].dnssec.signature_lifetime == config.zones[0].dnssec.signature_lifetime);
  CHECK(config.templates[0].zonemd_verify == ZonemdCheck::Present);
}

TEST_CASE(
    "catalogs: a member is configured by its first known group, else the template, else as the catalog [RFC 9432 "
    "§4.4.2]") {
  const Config config = walked(consumer);
  const auto of = [&](size_t catalog, std::vector<std::string> groups) {
    return member_zone(config, config.zones[catalog], name("A.Example."), groups);
  };
  const ZoneConfig plain = of(0, {});
  CHECK(plain.name == name("a.example."));
  CHECK(plain.catalog == CatalogRole::None);
  CHECK(plain.catalog_groups.empty());
  CHECK(plain.primaries[0].address.to_text() == "192.0.2.1@5301");
  CHECK(plain.allow_transfer.size() == 1);
  CHECK(of(0, {"unknown", "fast"}).primaries[0].address.to_text() == "192.0.2.2@53");
  CHECK(of(0, {"fast"}).zonemd_verify == ZonemdCheck::Required);
  // In the order of the configuration, not of the catalog; case counts.
  CHECK(of(0, {"Fast lane", "fast"}).zonemd_verify == ZonemdCheck::Required);
  CHECK(of(0, {"FAST"}).zonemd_verify == ZonemdCheck::Present);
  const ZoneConfig like_catalog = of(1, {"fast"});
  CHECK(like_catalog.primaries[0].address.to_text() == "192.0.2.9@53");
  CHECK(like_catalog.notify.size() == 1);
  CHECK(like_catalog.catalog == CatalogRole::None);
}

TEST_CASE("catalogs: a producer needs no file, its members name it") {
  const std::string_view text =
      "zones: [{name: catalog.example, catalog: produce}, {name: e.com, file: z, catalog-member: Catalog.Example, "
      "catalog-group: [fast, slow], catalog-coo: new.example}]";
  CHECK(wrong(text).empty());
  const Config config = walked(text);
  CHECK(config.zones[0].catalog == CatalogRole::Produce);
  CHECK(config.zones[1].catalog_entry.catalog == name("catalog.example."));
  CHECK(config.zones[1].catalog_entry.groups == std::vector<std::string>{"fast", "slow"});
  CHECK(config.zones[1].catalog_entry.coo == name("new.example."));
}

TEST_CASE("catalogs: what does not fit together is told at its place") {
  tells("zones: [{name: c., catalog: make}]", "expected one of: none consume produce");
  tells("zones: [{name: c., file: z, catalog: produce}]",
        "zones[c].file: a catalog with catalog: produce is made here");
  tells("zones: [{name: c., primaries: [192.0.2.1], catalog: produce}]", "zones[c].primaries: a catalog");
  tells("zones: [{name: c., file: z, catalog: consume}]", "the key 'catalog-template' is missing");
  tells("zones: [{name: c., file: z, catalog: consume, catalog-template: t}]",
        "zones[c].catalog-template: no template t.");
  tells("zones: [{name: c., file: z, catalog: consume, catalog-groups: [{group: g, template: t}]}]",
        "catalog-groups: no template t.");
  tells("zones: [{name: c., file: z, catalog: consume, catalog-groups: [{group: g}]}]",
        "the key 'template' is missing");
  tells("zones: [{name: c., file: z, catalog-template: t}]",
        "zones[c].catalog-template: expected only with catalog: consume");
  tells("zones: [{name: c., file: z, catalog-group: g}]", "zones[c].catalog-group: expected only with catalog-member");
  tells("zones: [{name: e., file: z, catalog-member: c}]", "expected a zone with catalog: produce, found c.");
  tells("zones: [{name: c., catalog: produce, catalog-member: c.}]", "a catalog is no member of itself");
  tells("zones: [{name: c., catalog: produce}, {name: e., file: z, catalog-member: c., catalog-coo: c.}]",
        "expected another catalog");
  tells("zones: [{name: e., file: z, catalog-member: c., catalog-group: ''}]",
        "expected a list of: text of 1 to 255 octets");
}

TEST_CASE("catalogs: a template has primaries and nothing of a file or a catalog") {
  tells("templates: [{name: t}]", "templates[t]: the key 'primaries' is missing");
  tells("templates: [{name: t, primaries: [192.0.2.1], file: z}]", "templates[t].file: is no matter of a template");
  tells("templates: [{name: t, primaries: [192.0.2.1], catalog: consume}]",
        "templates[t].catalog: is no matter of a template");
  tells("templates: [{name: t, primaries: [192.0.2.1], zonemd: sha384}]",
        "templates[t].zonemd: is no matter of a template");
  tells("templates: [{name: t, primaries: [192.0.2.1]}, {name: T, primaries: [192.0.2.1]}]",
        "the template is given twice");
  tells("templates: [{primaries: [192.0.2.1]}]", "the key 'name' is missing");
  tells("templates: [{name: t, primaries: [192.0.2.1], colour: red}]", "unknown key 'colour' in templates[t]");
  tells("templates: [{name: t, primaries: [192.0.2.1], dnssec: true}]", "dnssec and primaries");
  tells("templates: [{name: t, primaries: [{address: 192.0.2.1, key: x}]}]", "no key x. in 'keys'");
}

TEST_CASE("catalogs: a change of a template is seen as one") {
  const auto with = [](std::string_view verify) {
    return walked("templates: [{name: t, primaries: [192.0.2.1], zonemd-verify: " + std::string(verify) + "}]");
  };
  const auto changes = diff(with("off"), with("required"));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key == "templates[t].zonemd-verify");
  CHECK(diff(with("off"), with("off")).empty());
  CHECK(diff(walked("{}"), with("off")).size() == 1);
}

TEST_CASE("zonemd: made for zones of ours, checked for those of others") {
  CHECK(good("zones: [{name: e., file: z}]").zones[0].zonemd == ZonemdDigest::None);
  CHECK(good("zones: [{name: e., file: z}]").zones[0].zonemd_verify == ZonemdCheck::Off);
  CHECK(good("zones: [{name: e., file: z, zonemd: sha512}]").zones[0].zonemd == ZonemdDigest::Sha512);
  CHECK(good("zones: [{name: e., file: z, zonemd-verify: required}]").zones[0].zonemd_verify == ZonemdCheck::Required);
  CHECK(walked("zones: [{name: e., primaries: [192.0.2.1]}]").zones[0].zonemd_verify == ZonemdCheck::Present);
  CHECK(walked("zones: [{name: e., primaries: [192.0.2.1], zonemd-verify: off}]").zones[0].zonemd_verify ==
        ZonemdCheck::Off);
  tells("zones: [{name: e., primaries: [192.0.2.1], zonemd: sha384}]", "zonemd and primaries");
  tells("zones: [{name: e., file: z, zonemd: sha256}]", "expected one of: off sha384 sha512");
}

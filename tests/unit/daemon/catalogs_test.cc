// Catalogs over a store: what an update of one writes, and what a start finds.

#include "daemon/catalogs.hh"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "change/rewrite.hh"
#include "config/loader.hh"
#include "zone/file_loader.hh"

namespace steward::daemon {
namespace {

dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }

constexpr const char* configuration = R"(
zones:
  - {name: a.cat, primaries: [192.0.2.1], catalog: consume}
  - {name: b.cat, primaries: [192.0.2.1], catalog: consume}
  - {name: own.test, primaries: [192.0.2.1]}
)";

struct World {
  World() {
    std::string pattern = (std::filesystem::temp_directory_path() / "steward-catalogs-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    store = std::move(*store::Store::open({folder, uint64_t{1} << 30, uint64_t{1} << 34}));
    catalogs = std::make_unique<Catalogs>(*store);
    configure(configuration);
  }
  ~World() {
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  void configure(const std::string& text) {
    auto loaded = config::load_text(text, "/tmp/registry.yaml");
    if (!loaded) FAIL(loaded.error().what);
    config = std::make_shared<const config::Config>(std::move(*loaded));
    catalogs->configure(config);
  }
  void put(std::string_view catalog, std::string_view rows, std::string_view version = "2") {
    const std::string text = "$TTL 0\n@ SOA invalid. invalid. 1 3600 600 86400 0\n@ NS invalid.\nversion TXT " + std::string(version) + "\n" +
                             std::string(rows);
    auto loaded = zone::load_zone_text(text, "catalog", name(catalog));
    REQUIRE(loaded.image);
    auto write = std::move(*store->begin_write());
    const store::ZoneRecord* before = write->find_zone(name(catalog));
    const uint32_t id = before != nullptr ? before->info.id : write->add_zone(name(catalog)).info.id;
    change::RewriteRequest request;
    request.zone = id;
    request.apex = name(catalog);
    request.image = loaded.image.get();
    Parallel parallel(1);
    REQUIRE(change::rewrite_zone(request, write->nodes(id), write->nsec3(id), parallel));
    REQUIRE(write->commit());
  }
  Catalogs::Update update(std::string_view catalog) {
    auto update = catalogs->update(name(catalog));
    if (!update) FAIL(update.error().what);
    return std::move(*update);
  }
  [[nodiscard]] std::string owner(std::string_view zone) const {
    const auto* found = catalogs->find(name(zone));
    return found != nullptr ? found->catalog.to_text() : "";
  }
  [[nodiscard]] std::optional<uint32_t> id(std::string_view zone) const {
    const auto record = store->find_zone(name(zone));
    return record ? std::optional(record->info.id) : std::nullopt;
  }

  std::string folder;
  std::unique_ptr<store::Store> store;
  std::shared_ptr<const config::Config> config;
  std::unique_ptr<Catalogs> catalogs;
};

}  // namespace

TEST_CASE("catalogs: members are entered with why they are here, and found again by a start") {
  World world;
  world.put("a.cat.", "u1.zones PTR m.test.\ngroup.u1.zones TXT \"fast \\255\"\nu2.zones PTR own.test.\n");
  const auto update = world.update("a.cat.");
  CHECK(update.changes.size() == 1);
  CHECK(update.warnings.size() == 1);
  CHECK(world.owner("m.test.") == "a.cat.");
  CHECK(world.owner("own.test.").empty());
  CHECK(world.store->find_zone(name("m.test."))->info.availability == zone::Availability::NotLoaded);
  CHECK(world.update("a.cat.").changes.empty());
  CHECK(world.update("a.cat.").warnings.empty());

  const auto found = stored_memberships(*world.store, *world.config);
  REQUIRE(found.size() == 1);
  CHECK(found.begin()->second.groups == std::vector<std::string>{"fast \xff"});
  CHECK(zones_with_members(*world.config, found).size() == 4);
}

TEST_CASE("catalogs: what is dropped is gone from the store, what has another label is another zone [RFC 9432 §5.3, §5.4]") {
  World world;
  world.put("a.cat.", "u1.zones PTR m.test.\nu2.zones PTR n.test.\n");
  (void)world.update("a.cat.");
  const auto before = world.id("m.test.");
  world.put("a.cat.", "u3.zones PTR m.test.\n");
  const auto update = world.update("a.cat.");
  CHECK(update.changes.size() == 2);
  CHECK(world.id("m.test.") != before);
  CHECK_FALSE(world.id("n.test."));
  CHECK(world.owner("n.test.").empty());
}

TEST_CASE("catalogs: a broken one changes nothing and is told once [RFC 9432 §5.1]") {
  World world;
  world.put("a.cat.", "u1.zones PTR m.test.\n");
  (void)world.update("a.cat.");
  world.put("a.cat.", "", "3");
  const auto update = world.update("a.cat.");
  CHECK(update.is_new);
  CHECK(update.broken.find("schema version") != std::string::npos);
  CHECK_FALSE(world.update("a.cat.").is_new);
  CHECK(world.owner("m.test.") == "a.cat.");
  world.put("a.cat.", "u1.zones PTR m.test.\n");
  CHECK(world.update("a.cat.").broken.empty());
}

TEST_CASE("catalogs: a zone that one hands over is taken by the other with its data, whichever is read first [RFC 9432 §4.3.1]") {
  World world;
  world.put("a.cat.", "u1.zones PTR m.test.\n");
  world.put("b.cat.", "u1.zones PTR m.test.\n");
  (void)world.update("a.cat.");
  CHECK(world.update("b.cat.").warnings.size() == 1);
  CHECK(world.owner("m.test.") == "a.cat.");
  const auto before = world.id("m.test.");
  world.put("a.cat.", "u1.zones PTR m.test.\ncoo.u1.zones PTR b.cat.\n");
  (void)world.update("a.cat.");
  CHECK(world.owner("m.test.") == "b.cat.");
  CHECK(world.id("m.test.") == before);
}

TEST_CASE("catalogs: members of one that left the configuration stay stored, for it alone") {
  World world;
  world.put("a.cat.", "u1.zones PTR m.test.\n");
  world.put("b.cat.", "u1.zones PTR m.test.\n");
  (void)world.update("a.cat.");
  const auto before = world.id("m.test.");
  world.configure("zones: [{name: b.cat, primaries: [192.0.2.1], catalog: consume}]");
  CHECK(world.catalogs->members().empty());
  world.configure(configuration);
  CHECK(world.owner("m.test.") == "a.cat.");
  world.configure("zones: [{name: b.cat, primaries: [192.0.2.1], catalog: consume}]");
  (void)world.update("b.cat.");
  CHECK(world.owner("m.test.") == "b.cat.");
  CHECK(world.id("m.test.") != before);
}

TEST_CASE("catalogs: one that has expired says nothing [RFC 9432 §5.1]") {
  World world;
  world.put("a.cat.", "u1.zones PTR m.test.\n");
  (void)world.update("a.cat.");
  world.put("a.cat.", "");
  auto write = std::move(*world.store->begin_write());
  write->zone(write->find_zone(name("a.cat."))->info.id).info.availability = zone::Availability::Expired;
  REQUIRE(write->commit());
  write.reset();
  CHECK(world.update("a.cat.").changes.empty());
  CHECK(world.owner("m.test.") == "a.cat.");
}

TEST_CASE("catalogs: what is made lists the zones that say so") {
  World world;
  world.configure("zones: [{name: p.cat, catalog: produce}, {name: x.test, file: x, catalog-member: p.cat, catalog-group: [fast]}, {name: y.test, file: y}]");
  const auto text = produced_text(*world.config, world.config->zones[0], 7);
  REQUIRE(text);
  CHECK(text->find("PTR x.test.") != std::string::npos);
  CHECK(text->find("fast") != std::string::npos);
  CHECK(text->find("y.test.") == std::string::npos);
}

}  // namespace steward::daemon

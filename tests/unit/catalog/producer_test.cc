#include "catalog/producer.hh"

#include <algorithm>

#include "catalog_text.hh"

using namespace steward;
using namespace steward::catalog;
using namespace steward::catalog::test;

namespace {
CatalogProducer producer(std::string_view apex = "catalog.example.") {
  auto made = CatalogProducer::create(name(apex));
  if (!made) FAIL(made.error().what);
  return std::move(*made);
}
}  // namespace

TEST_CASE("producer: a catalog of ours is one, and passes the checks of zone files [RFC 9432 §4]") {
  auto made = producer();
  REQUIRE(made.add({name("b.example."), {"fast", "two words \"quoted\""}}));
  REQUIRE(made.add({name("A.Example."), {}, name("other.example.")}));
  const std::string zone = made.zone_text(7);
  const auto loaded = zone::load_zone_text(zone, "made", name("catalog.example."));
  CHECK(loaded.errors.empty());
  CHECK(loaded.warnings.empty());
  REQUIRE(loaded.image);
  zone::ImageRecords records(*loaded.image);
  const auto catalog = read_catalog(records);
  REQUIRE(catalog);
  CHECK(catalog->warnings.empty());
  CHECK(lines(*catalog) ==
        Lines{"a.example. under " + unique_label(name("a.example.")) + " -> other.example.",
              "b.example. under " + unique_label(name("b.example.")) + " [fast,two words \"quoted\"]"});
}

TEST_CASE("producer: SOA and NS are of invalid., the version is 2, every TTL 0 [RFC 9432 §4, §4.2.1]") {
  CHECK(producer().zone_text(7) ==
        "$ORIGIN catalog.example.\n$TTL 0\n@ SOA invalid. invalid. 7 3600 600 2419200 0\n@ NS invalid.\nversion TXT "
        "\"2\"\n");
}

TEST_CASE("producer: labels stay over restarts and differ between zones and generations [RFC 9432 §4.1, §5.4]") {
  CHECK(unique_label(name("example.com.")) == unique_label(name("EXAMPLE.com.")));
  CHECK(unique_label(name("example.com.")) == "902e9c464fa43fcab109d1a6b95ddf83");
  CHECK(unique_label(name("example.com.")) != unique_label(name("example.net.")));
  CHECK(unique_label(name("example.com.")) != unique_label(name("example.com."), 1));
  CHECK(unique_label(name("example.com."), 1) != unique_label(name("example.com."), 2));
}

TEST_CASE("producer: the order in which members and groups come makes no difference") {
  auto forward = producer();
  auto backward = producer();
  const std::vector<std::string> zones{"a.", "b.a.", "c.", "d.c."};
  for (const auto& zone : zones) REQUIRE(forward.add({name(zone), {"x", "y"}}));
  for (auto zone = zones.rbegin(); zone != zones.rend(); ++zone) REQUIRE(backward.add({name(*zone), {"y", "x", "y"}}));
  CHECK(forward.zone_text(1) == backward.zone_text(1));
}

TEST_CASE("producer: a zone is a member once, and never of itself [RFC 9432 §4.1]") {
  auto made = producer();
  REQUIRE(made.add({name("a.example.")}));
  CHECK(made.add({name("A.EXAMPLE.")}).error().code == Errc::Exists);
  CHECK(made.add({name("Catalog.example.")}).error().code == Errc::Invalid);
  CHECK(made.size() == 1);
}

TEST_CASE("producer: a group has 1 to 255 octets, of any octets [RFC 9432 §4.3.2, CVE-2026-42396]") {
  auto made = producer();
  CHECK(!made.add({name("a.example."), {""}}));
  CHECK(!made.add({name("a.example."), {std::string(256, 'g')}}));
  CHECK(made.add({name("a.example."), {std::string(255, 'g'), std::string("\0\\\"\n", 4)}}));
  const auto catalog = read(made.zone_text(1));
  REQUIRE(catalog);
  CHECK(catalog->members[0].groups == std::vector<std::string>{std::string("\0\\\"\n", 4), std::string(255, 'g')});
}

TEST_CASE("producer: any name is a member, one of 255 octets and the root too [RFC 9432 §4.1]") {
  auto made = producer();
  const std::string label(63, 'm');
  const std::string longest = fmt::format("{0}.{0}.{0}.{1}.", label, std::string(61, 'n'));
  REQUIRE(made.add({name(longest), {"g"}, name(longest)}));
  REQUIRE(made.add({name(".")}));
  REQUIRE(made.add({name("\\000\\;\\\".\\@.example.")}));
  const auto catalog = read(made.zone_text(1));
  REQUIRE(catalog);
  CHECK(catalog->members.size() == 3);
  CHECK(catalog->find(name("\\000\\;\\\".\\@.example.")) != nullptr);
}

TEST_CASE("producer: a catalog whose own name leaves no room for its members is refused") {
  const std::string label(63, 'c');
  const std::string fits = fmt::format("{0}.{0}.{0}.{1}.", label, std::string(16, 'c'));
  CHECK(name(fits).size() == 210);
  auto made = producer(fits);
  REQUIRE(made.add({name("a.example."), {"g"}}));
  CHECK(read(made.zone_text(1), fits));
  CHECK(!CatalogProducer::create(name(fmt::format("{0}.{0}.{0}.{1}.", label, std::string(17, 'c')))));
}

#include "config/namespace.hh"

#include <doctest/doctest.h>

using namespace steward;
using namespace steward::config;

TEST_CASE("namespace: a domain name whose labels are letters, digits and hyphens, folded") {
  CHECK(parse_namespace("Acme-Corp.COM")->to_text() == "acme-corp.com.");
  CHECK(parse_namespace("acme-corp.com.")->to_text() == "acme-corp.com.");
  CHECK(parse_namespace("com")->to_text() == "com.");
  CHECK(parse_namespace("xn--bcher-kva.de")->to_text() == "xn--bcher-kva.de.");
  CHECK(parse_namespace(".")->view().is_root());
  CHECK(parse_namespace("ns100.com"));
  CHECK(parse_namespace("ns01.com"));
}

TEST_CASE("namespace: what is not a namespace is refused with the reason, never mangled") {
  const auto why = [](std::string_view text) {
    const auto name = parse_namespace(text);
    return name ? std::string() : name.error().what;
  };
  CHECK(why("").find("empty label") != std::string::npos);
  CHECK(why("a..b").find("empty label") != std::string::npos);
  CHECK(why(".com").find("empty label") != std::string::npos);
  CHECK(why("a_b.com").find("something else than letters") != std::string::npos);
  CHECK(why("a b.com").find("something else than letters") != std::string::npos);
  CHECK(why("bücher.de").find("something else than letters") != std::string::npos);
  CHECK(why("a\\046b.com").find("something else than letters") != std::string::npos);
  CHECK(why("-a.com").find("hyphen") != std::string::npos);
  CHECK(why("a-.com").find("hyphen") != std::string::npos);
  CHECK(why(std::string(64, 'a') + ".com").find("over 63") != std::string::npos);
  for (const char* word : {"replicas", "ns", "ns1", "ns99", "www", "localhost"})
    CHECK(why(std::string(word) + ".com").find("reserved") != std::string::npos);
}

TEST_CASE("namespace: one with a slash is hosted by the github registry") {
  const auto name = parse_namespace("user/kimeisele.github");
  REQUIRE(!name);
  CHECK(name.error().code == Errc::Refused);
  CHECK(name.error().what.find("github") != std::string::npos);
}

TEST_CASE("namespace: zone and id follow from it") {
  const auto apex = dns::Name::from_text(default_apex);
  CHECK(zone_of_namespace(*parse_namespace("acme-corp.com"), *apex)->to_text() ==
        "acme-corp.com.steward-registry.org.");
  CHECK(zone_of_namespace(*parse_namespace("."), *apex)->to_text() == "steward-registry.org.");
  CHECK(id_of_namespace(*parse_namespace("acme-corp.com")) == "com.acme-corp");
  CHECK(id_of_namespace(*parse_namespace(".")) == "root");
  const std::string label(60, 'a');
  CHECK(!zone_of_namespace(*parse_namespace(label + "." + label + "." + label), *apex));
}

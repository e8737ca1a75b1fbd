#include "catalog_text.hh"

using namespace steward;
using namespace steward::catalog;
using namespace steward::catalog::test;

namespace {
std::string broken(std::string_view zone_text, std::string_view apex = "catalog.example.") {
  const auto catalog = read(zone_text, apex);
  REQUIRE_MESSAGE(!catalog, zone_text);
  CHECK(catalog.error().code == Errc::Invalid);
  return catalog.error().what;
}
std::string with_version(std::string_view version) {
  return fmt::format(
      "$TTL 0\n@ SOA invalid. invalid. 1 3600 600 2147483646 0\n@ NS invalid.\n{}\na.zones PTR a.example.\n", version);
}
}  // namespace

TEST_CASE("catalog: members are the PTR records directly below zones [RFC 9432 §4.1]") {
  const Catalog catalog = valid(
      "unique-1.zones PTR example.com.\n"
      "unique-2.zones PTR example.net.\n"
      "unique-3.zones PTR example.org.\n");
  CHECK(catalog.name == name("catalog.example."));
  CHECK(lines(catalog) ==
        Lines{"example.com. under unique-1", "example.net. under unique-2", "example.org. under unique-3"});
  CHECK(catalog.warnings.empty());
  REQUIRE(catalog.find(name("EXAMPLE.net.")) != nullptr);
  CHECK(catalog.find(name("example.edu.")) == nullptr);
}

TEST_CASE("catalog: one without members is as good as any [RFC 9432 §4.1]") { CHECK(valid("").members.empty()); }

TEST_CASE("catalog: names and labels are told apart whatever their case [RFC 9432 §4.1]") {
  const auto zone = read(
      "$TTL 0\n@ SOA . . 1 1 1 1 1\n@ NS invalid.\nVERSION TXT 2\nUniQue.ZONES PTR Example.COM.\nGROUP.unique.zones "
      "TXT Fast\n",
      "CATALOG.example.");
  REQUIRE(zone);
  CHECK(zone->name == name("catalog.example."));
  CHECK(lines(*zone) == Lines{"example.com. under unique [Fast]"});
}

TEST_CASE("catalog: more than one PTR at a member node breaks it [RFC 9432 §4.1]") {
  const auto why = broken(text("a.zones PTR one.example.\na.zones PTR two.example.\nb.zones PTR three.example."));
  CHECK(why ==
        "catalog.example. is a broken catalog: 2 PTR records at a.zones.catalog.example., expected one (RFC 9432 "
        "section 4.1)");
}

TEST_CASE("catalog: a zone under two labels breaks it [RFC 9432 §4.1]") {
  const auto why = broken(text("a.zones PTR One.example.\nb.zones PTR one.EXAMPLE."));
  CHECK(why ==
        "catalog.example. is a broken catalog: one.example. is listed twice, under the labels a and b (RFC 9432 "
        "section 4.1)");
}

TEST_CASE("catalog: without a version it is none [RFC 9432 §4.2.1]") {
  CHECK(broken(with_version("")).find("no TXT record at version.catalog.example.") != std::string::npos);
  CHECK(broken(with_version("version PTR \"2\"")).find("no TXT record") != std::string::npos);
  CHECK(broken(with_version("version.ext TXT \"2\"")).find("no TXT record") != std::string::npos);
  CHECK(broken(with_version("version.zones TXT \"2\"")).find("no TXT record") != std::string::npos);
}

TEST_CASE("catalog: exactly one version, and that is 2 [RFC 9432 §4.2.1]") {
  CHECK(broken(with_version("version TXT \"2\"\nversion TXT \"3\"")).find("2 TXT records at version") !=
        std::string::npos);
  CHECK(broken(with_version("version TXT \"1\"")).find("schema version '1'") != std::string::npos);
  CHECK(broken(with_version("version TXT \"02\"")).find("schema version '02'") != std::string::npos);
  CHECK(broken(with_version("version TXT \"\"")).find("schema version ''") != std::string::npos);
  CHECK(broken(with_version("version TXT \"2\" \"\"")).find("several strings") != std::string::npos);
  CHECK(broken(with_version("version TXT \"\\010\\200\"")).find("'\\010\\200'") != std::string::npos);
}

TEST_CASE("catalog: that of BIND's first draft, version 1 with masters and zones, is not processed [RFC 9432 §4.2.1]") {
  CHECK(broken(with_version("version IN TXT \"1\"\nmasters IN A 192.0.2.1\n"
                            "5960775ba382e7a4e09263fc06e7c00569b6a05c.zones IN PTR domain1.example.\n"
                            "masters.5960775ba382e7a4e09263fc06e7c00569b6a05c.zones IN A 192.0.2.2\n"))
            .find("expected '2'") != std::string::npos);
}

TEST_CASE("catalog: unknown properties, types and custom properties are passed over [RFC 9432 §4.2, §4.4]") {
  const Catalog catalog = valid(
      "a.zones PTR a.example.\n"
      "a.zones TXT \"of no meaning here\"\n"
      "a.zones A 192.0.2.1\n"
      "zones PTR not.a.member.example.\n"
      "@ PTR nor.this.example.\n"
      "version A 192.0.2.1\n"
      "masters A 192.0.2.1\n"
      "primaries.a.zones A 192.0.2.1\n"
      "color.ext.a.zones TXT blue\ncolor.ext TXT red\n"
      "group.ext.a.zones TXT none\n"
      "coo.a.zones TXT \"no PTR\"\n"
      "group.a.zones PTR no.txt.example.\n"
      "deep.below.group.a.zones TXT none\n"
      "group TXT global\ncoo PTR global.example.\n");
  CHECK(lines(catalog) == Lines{"a.example. under a"});
}

TEST_CASE("catalog: properties of a node that is no member mean nothing [RFC 9432 §4.3]") {
  CHECK(valid("group.a.zones TXT fast\ncoo.a.zones PTR other.example.\na.zones TXT none\n").members.empty());
}

TEST_CASE("catalog: coo names the catalog that may take over, once [RFC 9432 §4.3.1]") {
  CHECK(lines(valid("a.zones PTR a.example.\ncoo.a.zones PTR New.Catalog.\n")) ==
        Lines{"a.example. under a -> new.catalog."});
  CHECK(broken(text("a.zones PTR a.example.\ncoo.a.zones PTR one.example.\ncoo.a.zones PTR two.example.\n"))
            .find("section 4.3.1") != std::string::npos);
  // Also where the node is no member: a property with an illegal number of records breaks the catalog (§4.2).
  CHECK(broken(text("coo.a.zones PTR one.example.\ncoo.a.zones PTR two.example.\n")).find("section 4.3.1") !=
        std::string::npos);
  const Catalog to_itself = valid("a.zones PTR a.example.\ncoo.a.zones PTR catalog.example.\n");
  CHECK(lines(to_itself) == Lines{"a.example. under a"});
  CHECK(to_itself.warnings.size() == 1);
}

TEST_CASE("catalog: a member has any number of groups; values that are no string are ignored [RFC 9432 §4.3.2]") {
  const Catalog catalog = valid(
      "a.zones PTR a.example.\ngroup.a.zones TXT operator-y-nsec3\ngroup.a.zones TXT operator-x-sign-with-nsec3\n"
      "b.zones PTR b.example.\ngroup.b.zones TXT two words\ngroup.b.zones TXT \"\"\ngroup.b.zones TXT \"one word\"\n");
  CHECK(lines(catalog) ==
        Lines{"a.example. under a [operator-y-nsec3,operator-x-sign-with-nsec3]", "b.example. under b [one word]"});
  CHECK(catalog.warnings.size() == 2);
}

TEST_CASE("catalog: any label will do, of 63 octets, of any octets, a wildcard [RFC 9432 §4.1]") {
  const std::string longest(63, 'x');
  const Catalog catalog = valid(longest +
                                ".zones PTR a.example.\n\\000\\.\\255.zones PTR b.example.\n*.zones PTR "
                                "c.example.\nzones.zones PTR d.example.\n");
  CHECK(lines(catalog) == Lines{"a.example. under " + longest, "b.example. under \\000.\\255", "c.example. under *",
                                "d.example. under zones"});
}

TEST_CASE("catalog: a member's name may have 255 octets, and be the root [RFC 9432 §4.1]") {
  const std::string label(63, 'm');
  const std::string longest = fmt::format("{0}.{0}.{0}.{1}.", label, std::string(61, 'n'));
  CHECK(name(longest).size() == 255);
  const Catalog catalog = valid(fmt::format("a.zones PTR {}\nb.zones PTR .\n", longest));
  CHECK(lines(catalog) == Lines{". under b", longest + " under a"});
}

TEST_CASE("catalog: its own name may leave little room below it") {
  const std::string label(63, 'c');
  const std::string apex = fmt::format("{0}.{0}.{0}.{1}.", label, std::string(48, 'c'));
  // `version` still fits, `u.zones` as well, `coo.u.zones` does as its last.
  CHECK(name(apex).size() == 242);
  CHECK(read(text("u.zones PTR a.example.\ncoo.u.zones PTR b.example.\n"), apex)->members.size() == 1);
}

TEST_CASE("catalog: a signed one is read as if it were not [RFC 9432 §3]") {
  const Catalog catalog = valid(
      "@ NSEC version NS SOA RRSIG NSEC\n"
      "a.zones PTR a.example.\na.zones NSEC version PTR RRSIG NSEC\n"
      "a.zones RRSIG PTR 13 4 0 20300101000000 20200101000000 1 catalog.example. AAAA\n"
      "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG\n");
  CHECK(lines(catalog) == Lines{"a.example. under a"});
}

TEST_CASE(
    "catalog: what stands below a cut or a DNAME in it counts all the same, nobody resolves names there [RFC 9432 "
    "§4]") {
  CHECK(valid("zones NS elsewhere.example.\na.zones PTR a.example.\n").members.size() == 1);
  CHECK(valid("zones DNAME elsewhere.example.\na.zones PTR a.example.\n").members.size() == 1);
}

TEST_CASE("catalog: one that knotd 3.2 generated, as it was transferred") {
  const auto catalog = read(
      "catalog.test. 0 IN SOA invalid. invalid. 1795418567 3600 600 2147483646 0\n"
      "catalog.test. 0 IN NS invalid.\n"
      "version.catalog.test. 0 IN TXT \"2\"\n"
      "0d5a343ac4029d1a.zones.catalog.test. 0 IN PTR two.test.\n"
      "group.0d5a343ac4029d1a.zones.catalog.test. 0 IN TXT \"fast\"\n"
      "a63543bf4d4c2896.zones.catalog.test. 0 IN PTR a\\.b.three.test.\n"
      "c0bf01bb1f6e4797.zones.catalog.test. 0 IN PTR one.test.\n",
      "catalog.test.");
  REQUIRE(catalog);
  CHECK(lines(*catalog) == Lines{"one.test. under c0bf01bb1f6e4797", "a\\.b.three.test. under a63543bf4d4c2896",
                                 "two.test. under 0d5a343ac4029d1a [fast]"});
}

TEST_CASE("catalog: 20,000 members in any order are found") {
  std::string members;
  for (int i = 0; i < 20000; ++i) members += fmt::format("l{}.zones PTR z{}.example.\n", i, (i * 7919) % 20000);
  const Catalog catalog = valid(members);
  CHECK(catalog.members.size() == 20000);
  CHECK(catalog.find(name("z19999.example.")) != nullptr);
}

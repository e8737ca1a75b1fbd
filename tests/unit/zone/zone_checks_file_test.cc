#include "file_fixture.hh"
#include "zone/zone_writer.hh"

using namespace steward;
using namespace steward::zone;
using namespace steward::zone::test;

namespace {

using Lines = std::vector<std::string>;

// Three lines that every zone has; a test's own records begin at line 4.
const std::string head = "$TTL 300\n@ SOA ns.other. host 1 2 3 4 5\n@ NS ns.other.\n";

Lines problems(std::string_view records, std::string_view start = head) {
  const auto result = load(std::string(start) + std::string(records));
  CHECK((result.image == nullptr) == !result.errors.empty());
  Lines all = errors(result);
  for (const auto& warning : warnings(result)) all.push_back("warning " + warning);
  return all;
}

}  // namespace

TEST_CASE("zone checks: a sound zone has no problem") {
  CHECK(problems("") == Lines{});
  CHECK(problems("@ MX 0 .\na A 192.0.2.1\n@ MX 1 a\n_x._tcp SRV 0 0 1 a\n  SRV 0 0 0 .\n@ NS a\nw CNAME a\n*.w A "
                 "192.0.2.1\n@ MX 5 b.w\n"
                 "sub NS ns.sub\nsub NS ns.kid\nns.sub A 192.0.2.1\nkid NS ns.kid\nkid DS 1 8 2 "
                 "00112233445566778899aabbccddeeff"
                 "00112233445566778899aabbccddeeff\nns.kid AAAA 2001:db8::1\nself NS self\nself A 192.0.2.1\n") ==
        Lines{});
}

TEST_CASE("zone checks: exactly one SOA, at the apex, and NS beside it [RFC 1035 §5.2, RFC 1034 §4.2.1]") {
  CHECK(problems("", "$TTL 1\na A 192.0.2.1\n") ==
        Lines{"z.zone: zone has no SOA record (RFC 1035 §5.2), \"example.\"",
              "z.zone: zone has no NS records at its apex (RFC 1034 §4.2.1), \"example.\""});
  CHECK(problems("", "").size() == 2);
  CHECK(problems("", "$TTL 1\n@ SOA a. b. 1 2 3 4 5\n") ==
        Lines{"z.zone: zone has no NS records at its apex (RFC 1034 §4.2.1), \"example.\""});
  CHECK(problems("@ SOA a. b. 0 2 3 4 5\n") ==
        Lines{"z.zone:4: second SOA record: a zone has exactly one (RFC 1035 §5.2), \"example. SOA\""});
  CHECK(problems("\nsub SOA a. b. 1 2 3 4 5\n") ==
        Lines{"z.zone:5: SOA record below the zone's apex (RFC 1034 §4.2.1), \"sub.example. SOA\""});
  CHECK(problems("@ SOA NS.other. HOST 1 2 3 4 5\n") == Lines{});  // the same once more
}

TEST_CASE("zone checks: CNAME stands alone, but for DNSSEC [RFC 2181 §10.1, RFC 4034 §3, §4]") {
  CHECK(problems("a CNAME b.other.\na TXT x\n") ==
        Lines{"z.zone:5: CNAME and other data at one name (RFC 1034 §3.6.2, RFC 2181 §10.1), \"a.example. TXT\""});
  CHECK(problems("a TXT x\na CNAME b.other.\n") ==
        Lines{"z.zone:5: CNAME and other data at one name (RFC 1034 §3.6.2, RFC 2181 §10.1), \"a.example. CNAME\""});
  CHECK(problems("a CNAME b.other.\na CNAME a.other.\n") ==
        Lines{"z.zone:5: more than one CNAME at a name (RFC 2181 §10.1), \"a.example. CNAME\""});
  CHECK(problems("@ CNAME b.other.\n").size() == 1);
  CHECK(problems("a CNAME b.other.\na NSEC b CNAME RRSIG NSEC\na RRSIG CNAME 13 2 300 20300101000000 20200101000000 1 "
                 "example. c2ln\n") == Lines{});
}

TEST_CASE("zone checks: DNAME is alone of its type, without NS, with nothing below [RFC 6672 §2.3, §2.4]") {
  CHECK(problems("a DNAME b.other.\na DNAME c.other.\n") ==
        Lines{"z.zone:5: more than one DNAME at a name (RFC 6672 §2.4), \"a.example. DNAME\""});
  CHECK(problems("a DNAME b.other.\na TXT x\nx.y.a TXT x\nab TXT x\n") ==
        Lines{"z.zone:6: name below a DNAME (RFC 6672 §2.4); a.example., \"x.y.a.example. TXT\""});
  CHECK(problems("a DNAME b.other.\na NS c.other.\n") ==
        Lines{"z.zone:4: DNAME and NS at a name that is not the apex (RFC 6672 §2.3), \"a.example. DNAME\"",
              "warning z.zone:4: record at or below a delegation that is no glue: it is never answered (RFC 1034 "
              "§4.2.1); a.example., "
              "\"a.example. DNAME\""});
  CHECK(problems("@ DNAME b.other.\n") == Lines{});
}

TEST_CASE("zone checks: targets of NS, MX and SRV [RFC 2181 §10.3, RFC 2782]") {
  CHECK(problems("c CNAME x.other.\n@ NS c\n@ MX 1 c\n@ SRV 1 1 1 C\n") ==
        Lines{"warning z.zone:5: NS points at a CNAME (RFC 2181 §10.3); c.example., \"example. NS\"",
              "warning z.zone:6: MX points at a CNAME (RFC 2181 §10.3); c.example., \"example. MX\"",
              "warning z.zone:7: SRV points at a CNAME (RFC 2782); C.example., \"example. SRV\""});
  CHECK(problems("@ NS n\n@ MX 1 m\n@ SRV 1 1 1 s\ns TXT x\n") ==
        Lines{"z.zone:4: NS points at a name of this zone that has no address; n.example., \"example. NS\"",
              "warning z.zone:5: MX points at a name of this zone that has no address; m.example., \"example. MX\"",
              "warning z.zone:6: SRV points at a name of this zone that has no address; s.example., \"example. SRV\""});
  // An address by a wildcard is one, but not past a name that exists.
  CHECK(problems("* A 192.0.2.1\n@ MX 1 any.thing\n") == Lines{});
  CHECK(problems("* A 192.0.2.1\n@ MX 1 any.thing\nthing TXT x\n").size() == 1);
}

TEST_CASE("zone checks: delegations have their glue, and nothing else is below them [RFC 1034 §4.2.1, RFC 9471]") {
  CHECK(problems("a NS ns.a\nb NS ns.c\nc NS x.other.\n") ==
        Lines{"warning z.zone:4: name server lies in the delegated zone and has no glue (RFC 1034 §4.2.1, RFC 9471); "
              "ns.a.example., \"a.example. NS\"",
              "warning z.zone:5: name server lies in another delegated zone and has no glue (RFC 9471 §2.2); "
              "ns.c.example., \"b.example. NS\""});
  CHECK(
      problems(
          "a NS ns.a\nns.a A 192.0.2.1\nns.a AAAA ::1\nns.a TXT x\nz.a A 192.0.2.1\na MX 1 x\ndeep.a NS x.other.\n") ==
      Lines{"warning z.zone:9: record at or below a delegation that is no glue: it is never answered (RFC 1034 "
            "§4.2.1); a.example., "
            "\"a.example. MX\"",
            "warning z.zone:9: MX points at a name of this zone that has no address; x.example., \"a.example. MX\"",
            "warning z.zone:10: record at or below a delegation that is no glue: it is never answered (RFC 1034 "
            "§4.2.1); a.example., "
            "\"deep.a.example. NS\"",
            "warning z.zone:7: record at or below a delegation that is no glue: it is never answered (RFC 1034 "
            "§4.2.1); a.example., "
            "\"ns.a.example. TXT\"",
            "warning z.zone:8: record at or below a delegation that is no glue: it is never answered (RFC 1034 "
            "§4.2.1); a.example., "
            "\"z.a.example. A\""});
  CHECK(problems("*.a NS x.other.\n") == Lines{"warning z.zone:4: NS or DNAME at a wildcard: what it means is "
                                               "undefined (RFC 4592 §4.2, §4.4), \"*.a.example. NS\""});
}

TEST_CASE("zone checks: DS belongs to a delegation [RFC 4035 §2.4]") {
  const std::string ds = " DS 1 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
  CHECK(problems("a" + ds + "@" + ds) ==
        Lines{"warning z.zone:5: DS at the zone's own apex: it belongs to the parent (RFC 4035 §2.4), \"example. DS\"",
              "warning z.zone:4: DS without NS (RFC 4035 §2.4), \"a.example. DS\""});
}

TEST_CASE("zone checks: TTLs of an RRset and its RRSIGs [RFC 2181 §5.2, RFC 4034 §3]") {
  const std::string sig = " 13 2 300 20300101000000 20200101000000 1 example. c2ln\n";
  const auto result =
      load(head + "a 7 TXT x\na 5 TXT y\na 9 RRSIG TXT" + sig + "a RRSIG A" + sig + "lone RRSIG A" + sig);
  REQUIRE_MESSAGE(result.image != nullptr, lines(result)[0]);
  CHECK(warnings(result) ==
        Lines{"z.zone:7: RRSIG covers no RRset of this name and is left out (RFC 4035 §2.2), \"a.example. RRSIG\"",
              "z.zone:5: TTLs of one RRset differ: the smallest is taken (RFC 2181 §5.2); 5 s, \"a.example. TXT\"",
              "z.zone:6: TTL of the RRSIG is not that of the RRset, which is taken (RFC 4034 §3), \"a.example. RRSIG\"",
              "z.zone:8: RRSIG covers no RRset of this name and is left out (RFC 4035 §2.2), \"lone.example. RRSIG\""});
  CHECK(result.image->node_count() == 2);
  CHECK(result.image->record_count() == 5);
  CHECK(lines(result)[3] == "a.example. 5 TXT \"y\"");
}

TEST_CASE("zone checks: NSEC3 and NSEC3PARAM [RFC 5155 §3, §4, RFC 9276 §3.1]") {
  const std::string hash(32, '0');
  CHECK(problems("@ NSEC3PARAM 1 0 0 -\n" + hash + " NSEC3 1 1 0 - " + hash + " A\n") == Lines{});
  CHECK(problems("@ DNAME x.other.\n@ NSEC3PARAM 1 0 0 -\n" + hash + " NSEC3 1 1 0 - " + hash + " A\n") == Lines{});
  CHECK(problems("@ NSEC3PARAM 1 0 10 -\n") == Lines{"warning z.zone:4: NSEC3 with iterations: validators may take the "
                                                     "zone for unsigned (RFC 9276 §3.2); 10 iterations, "
                                                     "\"example. NSEC3PARAM\""});
  CHECK(problems("@ NSEC3PARAM 2 0 0 -\na NSEC3PARAM 1 0 0 -\n") ==
        Lines{"z.zone:4: NSEC3 hash algorithm is not 1, SHA-1 (RFC 5155 §11), \"example. NSEC3PARAM\"",
              "z.zone:5: NSEC3PARAM below the zone's apex (RFC 5155 §4), \"a.example. NSEC3PARAM\""});
  CHECK(problems("@ NSEC3PARAM 1 0 0 -\n" + hash + " NSEC3 1 0 0 ab " + hash + " A\nshort NSEC3 1 0 0 - " + hash +
                 " A\n") == Lines{"z.zone:6: owner of NSEC3 is not one label of 32 base32hex digits below the apex "
                                  "(RFC 5155 §3), \"short.example. NSEC3\"",
                                  "warning z.zone:5: NSEC3 whose parameters no NSEC3PARAM has (RFC 5155 §7.1), \"" +
                                      hash + ".example. NSEC3\""});
}

TEST_CASE("zone checks: an RRset that no message can carry is refused [RFC 1035 §4.2.2]") {
  std::string texts;
  const std::string long_text(240, 'x');
  for (int i = 0; i < 254; ++i) texts += fmt::format("big TXT {}{:03}\n", long_text, i);
  CHECK(problems(texts) == Lines{});  // 254 * (12 + 244) octets; one more is over 65535 - 12 - 259 - 11
  texts.clear();
  for (int i = 0; i < 300; ++i) texts += fmt::format("big TXT {}{:03}\n", long_text, i);
  CHECK(problems(texts) ==
        Lines{"z.zone:4: RRset with its RRSIGs is larger than a message can carry (RFC 1035 §4.2.2); 76800 octets, "
              "\"big.example. TXT\""});
  // Names that end in the owner's are sent compressed.
  texts.clear();
  for (int i = 0; i < 3000; ++i) texts += fmt::format("a.rather.long.name PTR n{}.a.rather.long.name\n", i);
  CHECK(problems(texts) == Lines{});
}

TEST_CASE("zone checks: a severity can be set") {
  LoadOptions options;
  options.severities[static_cast<size_t>(ZoneRule::NoApexNs)] = Severity::Warning;
  options.severities[static_cast<size_t>(ZoneRule::OutOfZone)] = Severity::Ignore;
  const auto result = load("$TTL 1\n@ SOA a. b. 1 2 3 4 5\nx.other. A 192.0.2.1\n A 192.0.2.2\n", options);
  CHECK(lines(result) == Lines{"example. 1 SOA a. b. 1 2 3 4 5"});
  CHECK(warnings(result).size() == 1);
  for (size_t i = 0; i < zone_rule_count; ++i) CHECK(static_cast<size_t>(zone_rules()[i].rule) == i);
}

TEST_CASE("zone writer: what it writes is read back the same, to the octet and the case") {
  const auto source = load(head +
                           "IN A 192.0.2.1\n\\@ TXT \"q\\\"\\\\;()\\000\\255\" \"\"\n$ORIGIN Example.\nCase.eXAMPLE. 5 "
                           "NS X.y.Other.\n$ORIGIN example.\n"
                           "\\$TTL TYPE731 \\# 3 abcdef\na\\.b\\032c CNAME \\;\nt RRSIG TXT 13 2 300 20300101000000 "
                           "20200101000000 1 example. c2ln\n"
                           "t TXT x\n* SVCB 1 a alpn=\"h2,h3\" key65401=\"a b\\\"\"\n@ NSEC t NS SOA RRSIG NSEC\n");
  REQUIRE_MESSAGE(source.image != nullptr, lines(source)[0]);
  std::string text;
  ZoneWriter writer(source.image->apex(), 300, [&](std::string_view block) -> Result<void> {
    text += block;
    return {};
  });
  source.image->rewind();
  ZoneImage::Node node;
  while (source.image->next(node))
    for (const auto& rrset : node.rrsets) REQUIRE(writer.write(node.owner, rrset));
  REQUIRE(writer.finish());
  CHECK(
      text.starts_with("$ORIGIN example.\n$TTL 300\n@ IN NS ns.other.\n@ IN SOA ns.other. host.example. 1 2 3 4 5\n"));
  const auto again = load(text);
  REQUIRE_MESSAGE(again.image != nullptr, lines(again)[0]);
  CHECK(lines(again) == lines(source));
  CHECK(digests(again) == digests(source));
}

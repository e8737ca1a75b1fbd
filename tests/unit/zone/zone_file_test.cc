#include "file_fixture.hh"

using namespace steward;
using namespace steward::zone;
using namespace steward::zone::test;

namespace {
using Lines = std::vector<std::string>;
const std::string ttl = "$TTL 300\n";
}  // namespace

TEST_CASE("zone file: the RFC's example is read [RFC 1035 §5.3]") {
  const auto result = load(R"(
@   IN  SOA     VENERA      Action\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VENERA
        NS      VAXA
        MX      10      VENERA
        MX      20      VAXA

A       A       26.3.0.103

VENERA  A       10.1.0.52
        A       128.9.0.32

VAXA    A       10.2.0.27
        A       128.9.0.33

$INCLUDE <SUBSYS>ISI-MAILBOXES.TXT
)",
                           {}, "ISI.EDU.", {{"<SUBSYS>ISI-MAILBOXES.TXT", R"(
    MOE     MB      A.ISI.EDU.
    LARRY   MB      A.ISI.EDU.
)"}});
  // The RFC indents what its $INCLUDE reads; by its own rule those lines have no owner, but the last one.
  CHECK(errors(result) ==
        Lines{"<SUBSYS>ISI-MAILBOXES.TXT:2:5: unknown type; TYPEnnn names one by its number (RFC 3597 §5), \"MOE\"",
              "<SUBSYS>ISI-MAILBOXES.TXT:3:5: unknown type; TYPEnnn names one by its number (RFC 3597 §5), \"LARRY\""});
  const auto flush =
      load(R"(
@   IN  SOA     VENERA      Action\.domains ( 20 7200 600 3600000 60)
        NS      A.ISI.EDU.
        NS      VENERA
        MX      20      VAXA
        MX      10      VENERA
A       A       26.3.0.103
VENERA  A       128.9.0.32
        A       10.1.0.52
VAXA    A       10.2.0.27
$INCLUDE boxes
)",
           {}, "ISI.EDU.", {{"boxes", "MOE     MB      A.ISI.EDU.\nSTOOGES MB      MOE\n        MB      MOE"}});
  CHECK(lines(flush) == Lines{"ISI.EDU. 60 NS A.ISI.EDU.", "ISI.EDU. 60 NS VENERA.ISI.EDU.",
                              "ISI.EDU. 60 SOA VENERA.ISI.EDU. Action\\.domains.ISI.EDU. 20 7200 600 3600000 60",
                              "ISI.EDU. 60 MX 10 VENERA.ISI.EDU.", "ISI.EDU. 60 MX 20 VAXA.ISI.EDU.",
                              "A.ISI.EDU. 60 A 26.3.0.103", "MOE.ISI.EDU. 60 MB A.ISI.EDU.",
                              "STOOGES.ISI.EDU. 60 MB MOE.ISI.EDU.", "VAXA.ISI.EDU. 60 A 10.2.0.27",
                              "VENERA.ISI.EDU. 60 A 10.1.0.52", "VENERA.ISI.EDU. 60 A 128.9.0.32"});
  CHECK(flush.files == Lines{"z.zone", "boxes"});
  CHECK(flush.image->files() == flush.files);
  CHECK(flush.image->node_count() == 6);
  CHECK(flush.image->record_count() == 11);
}

TEST_CASE("zone file: TTL and class stand in either order or not at all [RFC 1035 §5.1]") {
  CHECK(lines(load_records(ttl +
                           "a A 192.0.2.1\nb IN A 192.0.2.1\nc 5 A 192.0.2.1\nd IN 5 A 192.0.2.1\ne 5 IN A 192.0.2.1\n"
                           "f 1h30m class1 TYPE1 192.0.2.1\ng in 0 a 192.0.2.1\n")) ==
        Lines{"a.example. 300 A 192.0.2.1", "b.example. 300 A 192.0.2.1", "c.example. 5 A 192.0.2.1",
              "d.example. 5 A 192.0.2.1", "e.example. 5 A 192.0.2.1", "f.example. 5400 A 192.0.2.1",
              "g.example. 0 A 192.0.2.1"});
}

TEST_CASE("zone file: the first column is an owner whatever it looks like") {
  CHECK(lines(load_records(ttl +
                           "IN A 192.0.2.1\n3600 A 192.0.2.2\nA A 192.0.2.3\nTXT 5 IN TXT TXT\nCLASS1 IN A 192.0.2.4\n"
                           "\\$TTL A 192.0.2.5\n\\@ A 192.0.2.6\n* A 192.0.2.7\n@ A 192.0.2.8\n  A 192.0.2.9\n")) ==
        Lines{"example. 300 A 192.0.2.8", "example. 300 A 192.0.2.9", "\\$TTL.example. 300 A 192.0.2.5",
              "*.example. 300 A 192.0.2.7", "3600.example. 300 A 192.0.2.2", "\\@.example. 300 A 192.0.2.6",
              "A.example. 300 A 192.0.2.3", "CLASS1.example. 300 A 192.0.2.4", "IN.example. 300 A 192.0.2.1",
              "TXT.example. 5 TXT \"TXT\""});
}

TEST_CASE("zone file: $ORIGIN may be relative, and does not change the last owner [RFC 1035 §5.1]") {
  CHECK(
      lines(load_records(ttl + "a A 192.0.2.1\n$ORIGIN sub\n  A 192.0.2.2\na A 192.0.2.3\n$ORIGIN sub\n@ A 192.0.2.4\n"
                               "$ORIGIN example.\na A 192.0.2.5\n$origin .\n\"b.example\" A 192.0.2.6\n")) ==
      Lines{"a.example. 300 A 192.0.2.1", "a.example. 300 A 192.0.2.2", "a.example. 300 A 192.0.2.5",
            "b.example. 300 A 192.0.2.6", "a.sub.example. 300 A 192.0.2.3", "sub.sub.example. 300 A 192.0.2.4"});
}

TEST_CASE("zone file: $TTL, else the last TTL named, else the SOA's MINIMUM is the default [RFC 2308 §4]") {
  const auto with = load_records(
      "a 7 A 192.0.2.1\n$TTL 1h\na A 192.0.2.2\nb A 192.0.2.1\n$TTL 0\nc A 192.0.2.1\nd 9 A 192.0.2.1\n"
      "e A 192.0.2.1\n");
  CHECK(lines(with) == Lines{"a.example. 7 A 192.0.2.1", "a.example. 7 A 192.0.2.2", "b.example. 3600 A 192.0.2.1",
                             "c.example. 0 A 192.0.2.1", "d.example. 9 A 192.0.2.1", "e.example. 0 A 192.0.2.1"});
  CHECK(warnings(with) ==
        Lines{"z.zone:3: TTLs of one RRset differ: the smallest is taken (RFC 2181 §5.2); 7 s, \"a.example. A\""});

  const auto last = load_records("a 7 A 192.0.2.1\nb A 192.0.2.1\nc A 192.0.2.1\n");
  CHECK(lines(last) == Lines{"a.example. 7 A 192.0.2.1", "b.example. 7 A 192.0.2.1", "c.example. 7 A 192.0.2.1"});
  CHECK(warnings(last) ==
        Lines{"z.zone:2:3: record without a TTL, and no $TTL: the last one named, 7 s, is taken here and below "
              "(RFC 1035 §5.1), \"A\""});

  const auto soa = load_records("@ SOA ns h 1 2 3 4 55\na A 192.0.2.1\nb 6 A 192.0.2.1\nc A 192.0.2.1\n");
  CHECK(lines(soa) == Lines{"example. 55 SOA ns.example. h.example. 1 2 3 4 55", "a.example. 55 A 192.0.2.1",
                            "b.example. 6 A 192.0.2.1", "c.example. 55 A 192.0.2.1"});
  CHECK(warnings(soa) ==
        Lines{"z.zone:1:3: SOA without a TTL, and no $TTL: its MINIMUM, 55 s, is taken as the default, \"SOA\""});

  CHECK(
      errors(load_records("a A 192.0.2.1\n")) ==
      Lines{
          "z.zone:1:3: record without a TTL, and neither $TTL nor a record before it gives one (RFC 2308 §4), \"A\""});
}

TEST_CASE("zone file: unknown types, classes and RDATA are written by number [RFC 3597 §5]") {
  CHECK(lines(load_records(ttl + "a CLASS1 TYPE731 \\# 6 abcd ( ef 01 23 45 )\na TYPE1 \\# 4 C0000201\nb A \\# 4 "
                                 "0a000001\nb IN TYPE62347 \\# 0\n")) ==
        Lines{"a.example. 300 A 192.0.2.1", "a.example. 300 TYPE731 \\# 6 ABCDEF012345", "b.example. 300 A 10.0.0.1",
              "b.example. 300 TYPE62347 \\# 0"});
  CHECK(errors(load_records(ttl + "e IN A \\# 3 0a0000\n")).size() == 1);
  CHECK(errors(load_records(ttl + "e CLASS32 TYPE731 \\# 0\n")) ==
        Lines{"z.zone:2:3: class is not IN: this server has no other, \"CLASS32\""});
}

TEST_CASE("zone file: $INCLUDE has its own origin and owner, and the parent's are as before after it [RFC 1035 §5.1]") {
  const Files files = {
      {"sub/inc", "  A 192.0.2.9\na A 192.0.2.2\n$ORIGIN deep\nb A 192.0.2.3\n$INCLUDE \"in ner\"\n$TTL 9\n"},
      {"sub/in ner", "c A 192.0.2.4\n"}};
  const auto result = load_records(ttl + "a A 192.0.2.1\n$INCLUDE sub/inc x\n  A 192.0.2.5\nd A 192.0.2.6\n", files);
  CHECK(lines(result) == Lines{"a.example. 9 A 192.0.2.1", "a.example. 9 A 192.0.2.5", "a.example. 9 A 192.0.2.9",
                               "d.example. 9 A 192.0.2.6", "a.x.example. 300 A 192.0.2.2",
                               "b.deep.x.example. 300 A 192.0.2.3", "c.deep.x.example. 300 A 192.0.2.4"});
  CHECK(result.files == Lines{"z.zone", "sub/inc", "sub/in ner"});
  // A record's file is known after the load too.
  CHECK(warnings(result) ==
        Lines{"z.zone:4: TTLs of one RRset differ: the smallest is taken (RFC 2181 §5.2); 9 s, \"a.example. A\""});
}

TEST_CASE("zone file: $INCLUDE of itself, of too many, of nothing is refused with its place") {
  const auto loop = load_records("$INCLUDE a\n", {{"a", "\n$INCLUDE b\n"}, {"b", "$INCLUDE ./a\n"}});
  CHECK(errors(loop) == Lines{"b:1:10: $INCLUDE: the file includes itself, \"./a\""});
  CHECK(loop.files == Lines{"z.zone", "a", "b"});
  CHECK(errors(load_records("$INCLUDE none\n")) == Lines{"z.zone:1:10: $INCLUDE: none: no such file, \"none\""});
  CHECK(errors(load_records("$INCLUDE\n$INCLUDE a b c\n")) ==
        Lines{"z.zone:1:1: the directive is $INCLUDE file [origin] (RFC 1035 §5.1), \"$INCLUDE\"",
              "z.zone:2:14: the directive is $INCLUDE file [origin] (RFC 1035 §5.1), \"c\""});
  Files deep;
  for (int i = 0; i < 20; ++i) deep[fmt::format("f{}", i)] = fmt::format("$INCLUDE f{}\n", i + 1);
  CHECK(errors(load_records("$INCLUDE f0\n", deep)) ==
        Lines{"f15:1:10: $INCLUDE: files are nested more than 16 deep, \"f16\""});
  LoadOptions options;
  options.max_includes = 3;
  CHECK(errors(load("$INCLUDE a\n$INCLUDE a\n$INCLUDE a\n$INCLUDE a\n", options, "example.", {{"a", ""}}))[0] ==
        "z.zone:4:10: $INCLUDE: more than 3 in one zone, \"a\"");
}

TEST_CASE("zone file: $GENERATE makes records as BIND's does") {
  CHECK(lines(load_records(ttl + "$GENERATE 1-3 h$ A 192.0.2.$\n")) ==
        Lines{"h1.example. 300 A 192.0.2.1", "h2.example. 300 A 192.0.2.2", "h3.example. 300 A 192.0.2.3"});
  CHECK(lines(load_records(ttl + "$generate 0-20/10 ${5,4,x}-${-0,2,o}-${250,3,X}.x 60 IN CNAME $$$\\$${1}\n")) ==
        Lines{"0005-00-0FA.x.example. 60 CNAME \\$0\\$1.example.",
              "000f-12-104.x.example. 60 CNAME \\$10\\$11.example.",
              "0019-24-10E.x.example. 60 CNAME \\$20\\$21.example."});
  CHECK(lines(load_records("$GENERATE 26-27 ${0,7,n} 5 PTR h${0,3,N}.\n", {}, "."))[0] == "a.1.0.0. 5 PTR hA.1.");
  CHECK(lines(load_records(ttl + "$GENERATE 7-7 m$ MX \"10 mail${1}\"\n$GENERATE 7-7 t TXT \"a $\" \"b c\"\n")) ==
        Lines{"m7.example. 300 MX 10 mail8.example.", "t.example. 300 TXT \"a 7\" \"b c\""});
  // It does not change the last owner.
  CHECK(lines(load_records(ttl + "a A 192.0.2.1\n$GENERATE 1-1 b A 192.0.2.2\n  A 192.0.2.3\n")) ==
        Lines{"a.example. 300 A 192.0.2.1", "a.example. 300 A 192.0.2.3", "b.example. 300 A 192.0.2.2"});
}

TEST_CASE("zone file: what is wrong with a $GENERATE is said at its word") {
  const auto one = [](std::string_view text) {
    const auto all = errors(load_records(ttl + std::string(text)));
    return all.size() == 1 ? all[0] : fmt::format("{} errors", all.size());
  };
  CHECK(one("$GENERATE 1-3 a A") ==
        "z.zone:2:17: $GENERATE: $GENERATE takes a range, an owner, a type and RDATA, \"A\"");
  CHECK(one("$GENERATE 1..3 a A 192.0.2.1") ==
        "z.zone:2:11: $GENERATE: range is not start-stop or start-stop/step, \"1..3\"");
  CHECK(one("$GENERATE 3-1 a A 192.0.2.1").starts_with("z.zone:2:11: $GENERATE: range goes from 0 to 2147483647"));
  CHECK(one("$GENERATE 1-3/0 a A 192.0.2.1").starts_with("z.zone:2:11: $GENERATE: range goes"));
  CHECK(one("$GENERATE 0-2147483647 a A 192.0.2.1")
            .starts_with("z.zone:2:11: $GENERATE: range makes 2147483648 records"));
  CHECK(one("$GENERATE 1-3 ${-2} A 192.0.2.1")
            .starts_with("z.zone:2:15: $GENERATE: offset makes a number that is negative"));
  CHECK(one("$GENERATE 1-3 a${0,2,b} A 192.0.2.1") ==
        "z.zone:2:15: $GENERATE: base is none of d, o, x, X, n, N, \"a${0,2,b}\"");
  CHECK(one("$GENERATE 1-3 a A 192.0.2.${0,").starts_with("z.zone:2:19: $GENERATE: not ${offset}"));
  CHECK(one("$GENERATE 1-3 a$ A 192.0.2.${0,300}").starts_with("z.zone:2:20: $GENERATE: width is over 253"));
  CHECK(one("$GENERATE 255-256 a$ A 192.0.2.$").starts_with("z.zone:2:1: A: "));
  CHECK(one("$GENERATE 1-1 a$ \\# 192.0.2.$").starts_with("z.zone:2:1: unknown type"));
}

TEST_CASE("zone file: every syntax error has its line, column and text") {
  const auto one = [](std::string_view text) {
    const auto all = errors(load_records(ttl + std::string(text)));
    return all.size() == 1 ? all[0] : fmt::format("{} errors", all.size());
  };
  CHECK(one("a\n") == "z.zone:2:1: record ends before its type (RFC 1035 §5.1), \"a\"");
  CHECK(one("a 5 IN\n") == "z.zone:2:5: record ends before its type (RFC 1035 §5.1), \"IN\"");
  CHECK(one("a 5 6 A 192.0.2.1\n") ==
        "z.zone:2:5: second TTL in a record, or a type that begins with a digit (RFC 1035 §5.1), \"6\"");
  CHECK(one("a IN IN A 192.0.2.1\n") == "z.zone:2:6: second class in a record (RFC 1035 §5.1), \"IN\"");
  CHECK(one("a CH A 192.0.2.1\n") == "z.zone:2:3: class is not IN: this server has no other, \"CH\"");
  CHECK(one("a IN AA 192.0.2.1\n") ==
        "z.zone:2:6: unknown type; TYPEnnn names one by its number (RFC 3597 §5), \"AA\"");
  CHECK(one("a ANY x\n") == "z.zone:2:3: type is for queries and messages, not for zones (RFC 6895 §3.1), \"ANY\"");
  CHECK(one("a OPT x\n") == "z.zone:2:3: type is for queries and messages, not for zones (RFC 6895 §3.1), \"OPT\"");
  CHECK(one("a TYPE0 \\# 0\n") ==
        "z.zone:2:3: type is for queries and messages, not for zones (RFC 6895 §3.1), \"TYPE0\"");
  CHECK(one("a \"TXT\" x\n") ==
        "z.zone:2:3: quoted string where a type, class or TTL must stand (RFC 1035 §5.1), \"TXT\"");
  CHECK(one("\"\" TXT x\n") == "z.zone:2:1: owner: empty name");
  CHECK(one("a..b TXT x\n") == "z.zone:2:1: owner: empty label (RFC 1035 §3.1), \"a..b\"");
  CHECK(one(std::string(64, 'l') + " TXT x\n")
            .starts_with("z.zone:2:1: owner: label is longer than 63 octets (RFC 1035 §3.1)"));
  CHECK(one("a 4294967296 A 192.0.2.1\n").starts_with("z.zone:2:3: "));
  CHECK(one("a 2147483648 A 192.0.2.1\n").starts_with("z.zone:2:3: "));
  CHECK(one("a A 192.0.2.256\n").starts_with("z.zone:2:5: A: "));
  CHECK(one("a A\n").starts_with("z.zone:2:4: A: "));
  CHECK(one("a A 192.0.2.1 x\n").starts_with("z.zone:2:15: A: "));
  CHECK(one("a MX (\n 10 ) ; nothing more\n").starts_with("z.zone:3:4: MX: "));
  CHECK(one("  $TTL 5\n") ==
        "z.zone:2:3: record without an owner, and no record before it has one (RFC 1035 §5.1), \"$TTL\"");
  CHECK(one("a A 192.0.2.1\n  $TTL 5\n") ==
        "z.zone:3:3: directive must begin in the first column (RFC 1035 §5.1), \"$TTL\"");
  CHECK(one("$BOGUS x\n").starts_with("z.zone:2:1: unknown directive"));
  CHECK(one("$TTL\n") == "z.zone:2:1: the directive is $TTL seconds (RFC 2308 §4), \"$TTL\"");
  CHECK(one("$TTL 5 6\n") == "z.zone:2:8: the directive is $TTL seconds (RFC 2308 §4), \"6\"");
  CHECK(one("$TTL x\n").starts_with("z.zone:2:6: $TTL: "));
  CHECK(one("$ORIGIN\n") == "z.zone:2:1: the directive is $ORIGIN name (RFC 1035 §5.1), \"$ORIGIN\"");
  CHECK(one("$ORIGIN a..b\n") == "z.zone:2:9: $ORIGIN: empty label (RFC 1035 §3.1), \"a..b\"");
  CHECK(one("a.other. A 192.0.2.1\n  A 192.0.2.2\n") ==
        "z.zone:2:1: owner is not in the zone; zone example., \"a.other.\"");
  CHECK(one("a TXT \"x\n") ==
        "z.zone:2:7: quote is not closed on its line; a line feed in a string is written \\010, \"\"x\"");
}

TEST_CASE("zone file: all errors of a file are listed, up to twenty, and no image is given") {
  std::string text = ttl;
  for (int i = 0; i < 30; ++i) text += "a A x\n";
  const auto result = load_records(text + "a TXT fine\n");
  CHECK(result.image == nullptr);
  CHECK(result.errors.size() == 20);
  CHECK(result.more_errors == 1);
  CHECK(result.errors.back().line == 21);
  CHECK(load_records(ttl + "a A x\nb TXT \"\nc TXT x\nd d d\n").errors.size() == 3);
}

TEST_CASE("zone file: one zone in two spellings is one zone") {
  const auto a = load(R"($TTL 3600
@ SOA ns host 1 7200 600 3600000 60
@ NS ns
ns A 192.0.2.1
ns A 192.0.2.2
t TXT "a b" c
s SVCB 1 . alpn="h2,h3" port=443
)");
  const auto b = load(
      "$ORIGIN .\r\n$TTL 1\r\nT.Example 60M IN TYPE16 (\r\n a\\ b \"\\099\" )\r\nns.eXample 1H A 192.0.2.2\r\n"
      " 3600 IN A 192.0.2.1\r\n IN 3600 TYPE1 \\# 4 c0000202\r\n$ORIGIN example.\r\ns 3600 SVCB 1 . port=443 "
      "alpn=h2,h3\r\n"
      "$ORIGIN .\r\nexample 3600 NS ns.example\r\n        3600 SOA ns.example. host.example ( 1 2h 10M 3600000 ; x\r\n "
      "1m )");
  REQUIRE_MESSAGE(a.image != nullptr, lines(a)[0]);
  REQUIRE_MESSAGE(b.image != nullptr, lines(b)[0]);
  CHECK(digests(a) == digests(b));
  CHECK(a.image->record_count() == 6);
  CHECK(b.image->record_count() == 6);
  for (const uint64_t digest : digests(a)) CHECK(digest != 0);
  // Any difference in what the zone says is a difference, the case of a name in RDATA too, as it is served.
  const auto other = [&](std::string_view record) { return digests(load_records(ttl + std::string(record)))[0]; };
  CHECK(other("a NS x\n") != other("a NS X\n"));
  CHECK(other("a NS x\n") != other("a 5 NS x\n"));
  CHECK(other("a NS x\n") != other("a PTR x\n"));
  CHECK(other("a TXT ab\n") != other("a TXT a b\n"));
  CHECK(other("a TXT a\na TXT b\n") != other("a TXT a\n"));
}

TEST_CASE(
    "zone file: RDATA is in canonical order, repeats are gone whatever their case, the first one's stays [RFC 4034 "
    "§6.3]") {
  CHECK(lines(load_records(ttl + "A NS z\na NS B\nA NS a\na NS b\na MX 2 x\na MX 1 X\na MX 1 x\na TXT b\na TXT B\n")) ==
        Lines{"A.example. 300 NS a.example.", "A.example. 300 NS B.example.", "A.example. 300 NS z.example.",
              "A.example. 300 MX 1 X.example.", "A.example. 300 MX 2 x.example.", "A.example. 300 TXT \"B\"",
              "A.example. 300 TXT \"b\""});
}

TEST_CASE("zone file: nodes are in canonical order [RFC 4034 §6.1]") {
  const auto result = load_records(
      "$TTL 1\nz A 192.0.2.1\n\\200.z A 192.0.2.1\n*.z A 192.0.2.1\n\\001.z A 192.0.2.1\nzABC.a.EXAMPLE. A "
      "192.0.2.1\nZ.a A 192.0.2.1\n"
      "yljkjljk.a A 192.0.2.1\na A 192.0.2.1\n@ A 192.0.2.1\naaaaaaaaaaaaaaaaaaaaaaaab A "
      "192.0.2.1\naaaaaaaaaaaaaaaaaaaaaaaaa A 192.0.2.1\n"
      "\\000.z A 192.0.2.1\nx.aaaaaaaaaaaaaaaaaaaaaaaaa A 192.0.2.1\naaaaaaaaaaaaaaaaaaaaaaaa A 192.0.2.1\n");
  Lines owners;
  ZoneImage::Node node;
  REQUIRE(result.image != nullptr);
  while (result.image->next(node)) owners.push_back(node.owner.to_text());
  CHECK(owners == Lines{"example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.",
                        "aaaaaaaaaaaaaaaaaaaaaaaa.example.", "aaaaaaaaaaaaaaaaaaaaaaaaa.example.",
                        "x.aaaaaaaaaaaaaaaaaaaaaaaaa.example.", "aaaaaaaaaaaaaaaaaaaaaaaab.example.", "z.example.",
                        "\\000.z.example.", "\\001.z.example.", "*.z.example.", "\\200.z.example."});
  CHECK_FALSE(result.image->next(node));
  result.image->rewind();
  CHECK(result.image->next(node));
}

TEST_CASE("zone file: RRSIGs are with the RRset that they cover [RFC 4034 §3]") {
  CHECK(
      lines(load_records(
          ttl +
          "a RRSIG MX 13 2 300 20300101000000 20200101000000 1 example. c2ln\na RRSIG TXT 13 2 300 20300101000000 "
          "20200101000000 1 example. c2ln\na RRSIG A 13 2 300 20300101000000 20200101000000 1 example. c2ln\na TXT x\n"
          "a A 192.0.2.1\na 5 RRSIG A 13 2 300 20300101000000 20200101000000 2 EXAMPLE. c2ln\n")) ==
      Lines{"a.example. 300 A 192.0.2.1",
            "a.example. 300 RRSIG A 13 2 300 20300101000000 20200101000000 1 example. c2ln",
            "a.example. 300 RRSIG A 13 2 300 20300101000000 20200101000000 2 EXAMPLE. c2ln", "a.example. 300 TXT \"x\"",
            "a.example. 300 RRSIG TXT 13 2 300 20300101000000 20200101000000 1 example. c2ln"});
}

TEST_CASE("zone file: text that holds everything is read the same whatever the block") {
  const std::string text =
      "$TTL 300\n@ SOA ns host ( 1 2 ; c\n 3 4 5 )\n @ NS ns\nbad A x\n$GENERATE 1-9 g$ A 192.0.2.$\n$INCLUDE i\nq TXT "
      "\"\\\"x\"\n";
  const Files files = {{"i", "i TXT ( a\n b )\n"}};
  LoadOptions options;
  options.checks = false;
  const auto whole = lines(load(text, options, "example.", files));
  for (options.block = 1; options.block < 100; ++options.block)
    CHECK(lines(load(text, options, "example.", files)) == whole);
}

// RFC 1034 §4.3.2: what each kind of name is answered with, in a zone without DNSSEC.

#include <doctest/doctest.h>

#include "ask.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;

namespace {

constexpr std::string_view zone_text = R"(
$TTL 3600
@        SOA   ns1 hostmaster 1 7200 3600 604800 300
@        NS    ns1
@        NS    ns.Elsewhere.test.
@        MX    10 mail
@        MX    20 mail.other.test.
ns1      A     192.0.2.1
ns1      AAAA  2001:db8::1
mail     A     192.0.2.2
WWW      A     192.0.2.3
alias    CNAME www
alias2   CNAME alias
out      CNAME www.other.test.
loop1    CNAME loop2
loop2    CNAME loop1
dangling CNAME nowhere
a.b.c    TXT   "deep"
sub      NS    ns.sub
sub      NS    ns.sibling
sub      NS    ns.other.test.
sub      NS    ns1
ns.sub   A     192.0.2.10
ns.sub   AAAA  2001:db8::10
sibling  NS    ns.sibling
ns.sibling A   192.0.2.11
_s._tcp  SRV   0 0 80 www
_s._tcp  SRV   1 0 80 mail
svc      SVCB  0 svc2
svc2     SVCB  1 . port=443
svc2     SVCB  2 www port=444
svc2     A     192.0.2.20
svc3     HTTPS 1 . alpn=h2
svc3     AAAA  2001:db8::20
svc4     SVCB  0 .
svc4     A     192.0.2.21
tocut    CNAME host.sub
)";

struct Fixture : Server {
  Fixture() { snapshot.add_zone("example.test.", zone_text); }
};

const std::string soa = "@ 300 SOA ns1 hostmaster 1 7200 3600 604800 300\n";

#define CHECK_SECTION(section, text) CHECK(lines_of(section) == lines_of(text, "example.test."))

}  // namespace

TEST_CASE_FIXTURE(Fixture, "query: an existing RRset is answered with AA [RFC 1034 §4.3.2]") {
  const Response r = ask("www.example.test.", RrType::A);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK(r.flags == 0x8400);
  CHECK(r.id == 0x1234);
  CHECK(r.question_count == 1);
  CHECK_SECTION(r.answer, "www A 192.0.2.3");
  CHECK(r.authority.empty());
  CHECK(r.additional.empty());
  CHECK(!r.opt);
}

TEST_CASE_FIXTURE(Fixture, "query: the match ignores case, the answer echoes the question's [RFC 4343 §4]") {
  const Response r = ask("wWw.ExAmPlE.tEsT.", RrType::A);
  REQUIRE(r.answer.size() == 1);
  CHECK(r.qname.to_text() == "wWw.ExAmPlE.tEsT.");
  CHECK(r.answer[0].owner.to_text() == "wWw.ExAmPlE.tEsT.");
}

TEST_CASE_FIXTURE(Fixture, "query: NODATA has the SOA with the negative TTL [RFC 2308 §3]") {
  const Response r = ask("www.example.test.", RrType::AAAA);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK(r.authoritative());
  CHECK(r.answer.empty());
  CHECK_SECTION(r.authority, soa);
}

TEST_CASE_FIXTURE(Fixture, "query: NXDOMAIN has the SOA [RFC 2308 §2.1]") {
  const Response r = ask("nothing.example.test.", RrType::A);
  CHECK(r.rcode == Rcode::NXDOMAIN);
  CHECK(r.authoritative());
  CHECK_SECTION(r.authority, soa);
}

TEST_CASE_FIXTURE(Fixture, "query: an empty non-terminal is NODATA, below it is NXDOMAIN [RFC 8020 §2]") {
  CHECK(ask("c.example.test.", RrType::A).rcode == Rcode::NOERROR);
  CHECK(ask("b.c.example.test.", RrType::TXT).rcode == Rcode::NOERROR);
  CHECK(ask("x.b.c.example.test.", RrType::TXT).rcode == Rcode::NXDOMAIN);
  CHECK(ask("x.y.z.a.b.c.example.test.", RrType::TXT).rcode == Rcode::NXDOMAIN);
}

TEST_CASE_FIXTURE(Fixture, "query: CNAMEs are followed inside the zone, in order [RFC 1034 §3.6.2]") {
  const Response r = ask("alias2.example.test.", RrType::A);
  REQUIRE(r.answer.size() == 3);
  CHECK(r.answer[0].owner.to_text() == "alias2.example.test.");
  CHECK(r.answer[1].owner.to_text() == "alias.example.test.");
  CHECK_SECTION(r.answer, "alias2 CNAME alias\nalias CNAME www\nwww A 192.0.2.3");
  CHECK_SECTION(ask("alias2.example.test.", RrType::CNAME).answer, "alias2 CNAME alias");
}

TEST_CASE_FIXTURE(Fixture, "query: RRSIG, NSEC and KEY at an alias that has none follow it [RFC 6840 §4.3]") {
  for (const RrType type : {RrType::RRSIG, RrType::NSEC, RrType::KEY})
    CHECK_SECTION(ask("tocut.example.test.", type).answer, "tocut CNAME host.sub");
}

TEST_CASE_FIXTURE(Fixture, "query: a chain to NXDOMAIN or NODATA has the code of its last name [RFC 6604 §3]") {
  const Response r = ask("dangling.example.test.", RrType::A);
  CHECK(r.rcode == Rcode::NXDOMAIN);
  CHECK_SECTION(r.answer, "dangling CNAME nowhere");
  CHECK_SECTION(r.authority, soa);
  const Response nodata = ask("alias.example.test.", RrType::TXT);
  CHECK(nodata.rcode == Rcode::NOERROR);
  CHECK_SECTION(nodata.authority, soa);
}

TEST_CASE_FIXTURE(Fixture, "query: a chain ends where it leaves our zones, and a loop ends") {
  const Response r = ask("out.example.test.", RrType::A);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_SECTION(r.answer, "out CNAME www.other.test.");
  CHECK(r.authority.empty());
  CHECK_SECTION(ask("loop1.example.test.", RrType::A).answer, "loop1 CNAME loop2\nloop2 CNAME loop1");
}

TEST_CASE_FIXTURE(Fixture, "query: a chain goes on in another zone of ours") {
  snapshot.add_zone("other.test.", "@ SOA ns h 1 2 3 4 5\n@ NS ns\nwww A 192.0.2.99");
  CHECK_SECTION(ask("out.example.test.", RrType::A).answer, "out CNAME www.other.test.\nwww.other.test. A 192.0.2.99");
}

TEST_CASE_FIXTURE(Fixture, "query: a referral has NS without AA, and glue [RFC 1034 §4.3.2, RFC 9471 §3]") {
  const Response r = ask("host.sub.example.test.", RrType::A);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK(!r.authoritative());
  CHECK(r.answer.empty());
  CHECK_SECTION(r.authority, "sub NS ns.sub\nsub NS ns.sibling\nsub NS ns.other.test.\nsub NS ns1");
  CHECK_SECTION(r.additional,
                "ns.sub A 192.0.2.10\nns.sub AAAA 2001:db8::10\nns.sibling A 192.0.2.11\n"
                "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1");
  for (const char* name : {"sub.example.test.", "ns.sub.example.test.", "x.ns.sub.example.test."})
    CHECK_SECTION(ask(name, RrType::A).authority,
                  "sub NS ns.sub\nsub NS ns.sibling\nsub NS ns.other.test.\nsub NS ns1");
  const Response chained = ask("tocut.example.test.", RrType::A);
  CHECK(chained.authoritative());
  CHECK_SECTION(chained.answer, "tocut CNAME host.sub");
  CHECK(chained.authority.size() == 4);
}

TEST_CASE("query: a referral out of an unsigned zone has no DS, asked with DO or not [RFC 4035 §3.1]") {
  Server server;
  server.snapshot.add_zone("example.test.",
                           "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.test.\ncut NS ns.test.\n"
                           "cut DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B");
  const Response r = server.ask_dnssec("www.cut.example.test.", RrType::A);
  CHECK(lines_of(r.authority) == lines_of("cut 60 NS ns.test.", "example.test."));
  CHECK(server.ask_dnssec("cut.example.test.", RrType::DS).answer.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "query: DS at a cut is the parent's to answer [RFC 4035 §3.1.4.1]") {
  const Response r = ask("sub.example.test.", RrType::DS);
  CHECK(r.authoritative());
  CHECK_SECTION(r.authority, soa);
  CHECK(ask("host.sub.example.test.", RrType::DS).authority.size() == 4);
  snapshot.add_zone("sub.example.test.", "@ SOA ns h 1 2 3 4 5\n@ NS ns\nhost A 192.0.2.99");
  CHECK_SECTION(ask("sub.example.test.", RrType::DS).authority, soa);
  CHECK_SECTION(ask("host.sub.example.test.", RrType::A).answer, "host.sub A 192.0.2.99");
  // At our topmost apex nobody above is served: NODATA of the zone itself.
  CHECK_SECTION(ask("example.test.", RrType::DS).authority, soa);
}

TEST_CASE_FIXTURE(Fixture, "query: a DS under a cut, at the apex of a zone of ours, is NODATA of that zone") {
  snapshot.add_zone("x.sub.example.test.", "@ SOA ns h 1 2 3 4 5\n@ NS ns");
  const Response r = ask("x.sub.example.test.", RrType::DS);
  CHECK(r.authoritative());
  REQUIRE(r.authority.size() == 1);
  CHECK(r.authority[0].owner.to_text() == "x.sub.example.test.");
}

TEST_CASE_FIXTURE(Fixture, "query: addresses go along with NS, MX, SRV [RFC 1035 §3.3.9, RFC 2782]") {
  CHECK_SECTION(ask("example.test.", RrType::NS).additional, "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1");
  CHECK_SECTION(ask("example.test.", RrType::MX).additional, "mail A 192.0.2.2");
  CHECK_SECTION(ask("_s._tcp.example.test.", RrType::SRV).additional, "www A 192.0.2.3\nmail A 192.0.2.2");
}

TEST_CASE("query: of an RRset of very many names the first are looked up, no more [CVE-2024-11187]") {
  Server server;
  std::string text = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.test.\nm63 A 192.0.2.63\nm64 A 192.0.2.64\n";
  for (int i = 0; i < 500; ++i) text += "many MX " + std::to_string(i) + " m" + std::to_string(i) + "\n";
  server.snapshot.add_zone("example.test.", text);
  const Response r = server.ask("many.example.test.", RrType::MX, {}, Transport::Tcp);
  CHECK(r.answer.size() == 500);
  CHECK(lines_of(r.additional) == lines_of("m63 60 A 192.0.2.63", "example.test."));
}

TEST_CASE_FIXTURE(Fixture, "query: SVCB and HTTPS bring their targets along [RFC 9460 §4.1]") {
  CHECK_SECTION(ask("svc.example.test.", RrType::SVCB).additional,
                "svc2 SVCB 1 . port=443\nsvc2 SVCB 2 www port=444\nsvc2 A 192.0.2.20\nwww A 192.0.2.3");
  CHECK_SECTION(ask("svc2.example.test.", RrType::SVCB).additional, "svc2 A 192.0.2.20\nwww A 192.0.2.3");
  CHECK_SECTION(ask("svc3.example.test.", RrType::HTTPS).additional, "svc3 AAAA 2001:db8::20");
  // RFC 9460 §2.5.1: AliasMode to "." says that there is no service.
  CHECK(ask("svc4.example.test.", RrType::SVCB).additional.empty());
}

TEST_CASE_FIXTURE(Fixture, "query: ANY is answered with one RRset [RFC 8482 §4.1]") {
  const Response r = ask("example.test.", RrType::ANY);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK(r.answer.size() >= 1);
  for (const Record& record : r.answer) CHECK(record.type == r.answer[0].type);
  CHECK_SECTION(ask("alias.example.test.", RrType::ANY).answer, "alias CNAME www");
  CHECK_SECTION(ask("c.example.test.", RrType::ANY).authority, soa);
}

TEST_CASE_FIXTURE(Fixture, "query: REFUSED outside our zones, with the extended error [RFC 8914 §4.21]") {
  CHECK(ask("example.com.", RrType::A).rcode == Rcode::REFUSED);
  const Response r = ask("test.", RrType::A, QueryEdns{});
  CHECK(r.rcode == Rcode::REFUSED);
  CHECK(!r.authoritative());
  CHECK(r.extended_error() == 20);
}

TEST_CASE_FIXTURE(Fixture, "query: an expired zone is SERVFAIL, with the extended error") {
  snapshot.info("example.test.").availability = zone::Availability::Expired;
  const Response r = ask("www.example.test.", RrType::A, QueryEdns{});
  CHECK(r.rcode == Rcode::SERVFAIL);
  CHECK(r.extended_error() == 24);
}

TEST_CASE("query: the root zone is served like any other") {
  Server server;
  server.snapshot.add_zone(".", ". SOA a. b. 1 2 3 4 5\n. NS a.\na. A 192.0.2.1\ncom. NS ns.com.\nns.com. A 192.0.2.2");
  CHECK(lines_of(server.ask(".", RrType::NS).answer) == lines_of(". NS a."));
  CHECK(server.ask("nothing.", RrType::A).rcode == Rcode::NXDOMAIN);
  CHECK(lines_of(server.ask("x.y.com.", RrType::A).authority) == lines_of("com. NS ns.com."));
  CHECK(server.ask(".", RrType::DS).rcode == Rcode::NOERROR);
}

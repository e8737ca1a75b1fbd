// Wildcards (RFC 4592) and DNAME (RFC 6672).

#include <doctest/doctest.h>

#include "ask.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;

namespace {

// RFC 4592 §2.2.1
constexpr std::string_view wildcard_zone = R"(
$TTL 3600
@      SOA   ns.example.com. h.example.com. 1 2 3 4 5
@      NS    ns.example.com.
@      NS    ns.example.net.
*      TXT   "this is a wildcard"
*      MX    10 host1
sub.*  TXT   "this is not a wildcard"
host1  A     192.0.2.1
_ssh._tcp.host1 SRV 0 0 22 host1
_ssh._tcp.host2 SRV 0 0 22 host2
subdel NS    ns.example.com.
subdel NS    ns.example.net.
)";

const std::string soa = "@ 5 SOA ns.example.com. h.example.com. 1 2 3 4 5";

struct Wildcards : Server {
  Wildcards() { snapshot.add_zone("example.", wildcard_zone); }
};

struct Dnames : Server {
  Dnames() {
    snapshot.add_zone("example.com.", R"(
@ SOA ns h 1 2 3 4 5
@ NS ns
x  600 DNAME example.net.
x  A 192.0.2.1
b  DNAME target.b2
www.target.b2 A 192.0.2.2
cyc DNAME c.cyc2
self DNAME self
deep DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.net.
grow DNAME more.grow
cname CNAME www.b
*.wild CNAME www.b
)");
  }
};

#define CHECK_EXAMPLE(section, text) CHECK(lines_of(section) == lines_of(text, "example."))
#define CHECK_COM(section, text) CHECK(lines_of(section) == lines_of(text, "example.com."))

}  // namespace

TEST_CASE_FIXTURE(Wildcards, "wildcard: what is synthesized [RFC 4592 §2.2.1]") {
  CHECK_EXAMPLE(ask("host3.example.", RrType::MX).answer, "host3 MX 10 host1");
  CHECK_EXAMPLE(ask("host3.example.", RrType::MX).additional, "host1 A 192.0.2.1");
  const Response nodata = ask("host3.example.", RrType::A);
  CHECK(nodata.rcode == Rcode::NOERROR);
  CHECK_EXAMPLE(nodata.authority, soa);
  CHECK_EXAMPLE(ask("foo.bar.example.", RrType::TXT).answer, "foo.bar TXT \"this is a wildcard\"");
}

TEST_CASE_FIXTURE(Wildcards, "wildcard: what is not synthesized [RFC 4592 §2.2.1]") {
  CHECK(ask("host1.example.", RrType::MX).rcode == Rcode::NOERROR);
  CHECK(ask("host1.example.", RrType::MX).answer.empty());
  CHECK(ask("sub.*.example.", RrType::MX).answer.empty());
  CHECK(ask("sub.*.example.", RrType::MX).rcode == Rcode::NOERROR);
  CHECK(ask("_telnet._tcp.host1.example.", RrType::SRV).rcode == Rcode::NXDOMAIN);
  CHECK_EXAMPLE(ask("host.subdel.example.", RrType::A).authority,
                "subdel NS ns.example.com.\nsubdel NS ns.example.net.");
  CHECK(ask("ghost.*.example.", RrType::MX).rcode == Rcode::NXDOMAIN);
  // An empty non-terminal blocks it too.
  CHECK(ask("host2.example.", RrType::TXT).rcode == Rcode::NOERROR);
  CHECK(ask("host2.example.", RrType::TXT).answer.empty());
  CHECK(ask("x.host2.example.", RrType::TXT).rcode == Rcode::NXDOMAIN);
}

TEST_CASE_FIXTURE(Wildcards, "wildcard: asked for itself it is a name like any other [RFC 4592 §2.3]") {
  CHECK_EXAMPLE(ask("*.example.", RrType::TXT).answer, "* TXT \"this is a wildcard\"");
  CHECK_EXAMPLE(ask("*.host3.example.", RrType::TXT).answer, "*.host3 TXT \"this is a wildcard\"");
}

TEST_CASE("wildcard: one that is an empty non-terminal is NODATA [RFC 4592 §3.3.1]") {
  Server server;
  server.snapshot.add_zone("example.", "@ SOA ns. h. 1 2 3 4 5\n@ NS ns.\nsub.* TXT \"x\"");
  const Response r = server.ask("host.example.", RrType::TXT);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_EXAMPLE(r.authority, "@ 5 SOA ns. h. 1 2 3 4 5");
}

TEST_CASE("wildcard: MX and SRV keep their targets where the owner changes its length") {
  Server server;
  server.snapshot.add_zone("example.",
                           "@ SOA ns h 1 2 3 4 5\n@ NS ns\n*.w MX 1 mail.w\n*.w MX 2 w\nmail.w A 192.0.2.1");
  CHECK_EXAMPLE(server.ask("a.rather.long.name.w.example.", RrType::MX).answer,
                "a.rather.long.name.w MX 1 mail.w\na.rather.long.name.w MX 2 w");
  CHECK_EXAMPLE(server.ask("a.w.example.", RrType::MX).additional, "mail.w A 192.0.2.1");
}

TEST_CASE("wildcard: a CNAME of one leads on, with a proof for each step [RFC 4035 §3.1.3.3]") {
  Server server;
  server.snapshot.add_signed_zone("example.", R"(
@ SOA ns h 1 2 3 4 5
@ NS ns
@ NSEC *.a NS SOA RRSIG NSEC
*.a CNAME x.b
*.a NSEC *.b CNAME RRSIG NSEC
*.b CNAME end
*.b NSEC end CNAME RRSIG NSEC
end A 192.0.2.1
end NSEC @ A RRSIG NSEC)");
  const Response r = server.ask_dnssec("q.a.example.", RrType::A);
  CHECK(lines_without_sigs(r.answer) == lines_of("q.a CNAME x.b\nx.b CNAME end\nend A 192.0.2.1", "example."));
  CHECK(lines_without_sigs(r.authority) ==
        lines_of("*.a NSEC *.b CNAME RRSIG NSEC\n*.b NSEC end CNAME RRSIG NSEC", "example."));
  CHECK((is_signed(r.answer) && is_signed(r.authority)));
  const Response nodata = server.ask_dnssec("q.a.example.", RrType::AAAA);
  CHECK(lines_without_sigs(nodata.authority) == lines_of("@ 5 SOA ns h 1 2 3 4 5\n*.a NSEC *.b CNAME RRSIG NSEC\n*.b "
                                                         "NSEC end CNAME RRSIG NSEC\nend NSEC @ A RRSIG NSEC",
                                                         "example."));
}

TEST_CASE_FIXTURE(Dnames,
                  "dname: a name below it is redirected, with a CNAME of the DNAME's TTL [RFC 6672 §2.2, §3.1]") {
  const Response r = ask("a.x.example.com.", RrType::A);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK(r.authoritative());
  CHECK_COM(r.answer, "x 600 DNAME example.net.\na.x 600 CNAME a.example.net.");
  CHECK(r.answer[0].type == RrType::DNAME);
  CHECK_COM(ask("a.b.c.x.example.com.", RrType::A).answer,
            "x 600 DNAME example.net.\na.b.c.x 600 CNAME a.b.c.example.net.");
  // The CNAME is what was asked for, and the end (§3.2 step 3 c).
  CHECK_COM(ask("www.b.example.com.", RrType::CNAME).answer, "b DNAME target.b2\nwww.b CNAME www.target.b2");
}

TEST_CASE_FIXTURE(Dnames, "dname: its own name is not redirected [RFC 6672 §2.3]") {
  CHECK_COM(ask("x.example.com.", RrType::A).answer, "x A 192.0.2.1");
  CHECK_COM(ask("x.example.com.", RrType::DNAME).answer, "x 600 DNAME example.net.");
  CHECK(ask("x.example.com.", RrType::TXT).authority.size() == 1);
  CHECK(ask("ab.example.com.", RrType::A).rcode == Rcode::NXDOMAIN);
}

TEST_CASE_FIXTURE(Dnames, "dname: the redirected name is looked for in turn [RFC 6672 §3.2]") {
  CHECK_COM(ask("www.b.example.com.", RrType::A).answer,
            "b DNAME target.b2\nwww.b CNAME www.target.b2\nwww.target.b2 A 192.0.2.2");
  CHECK_COM(ask("cname.example.com.", RrType::A).answer,
            "cname CNAME www.b\nb DNAME target.b2\nwww.b CNAME www.target.b2\nwww.target.b2 A 192.0.2.2");
  CHECK_COM(ask("q.wild.example.com.", RrType::A).answer,
            "q.wild CNAME www.b\nb DNAME target.b2\nwww.b CNAME www.target.b2\nwww.target.b2 A 192.0.2.2");
  const Response r = ask("nothing.b.example.com.", RrType::A);
  CHECK(r.rcode == Rcode::NXDOMAIN);
  CHECK(r.answer.size() == 2);
}

TEST_CASE_FIXTURE(Dnames, "dname: a name that grows over 255 octets is YXDOMAIN, with the DNAME [RFC 6672 §2.2]") {
  const std::string label(60, 'a');
  const std::string prefix = label + "." + label + "." + label;
  const Response r = ask(prefix + ".deep.example.com.", RrType::A);
  CHECK(r.rcode == Rcode::YXDOMAIN);
  CHECK(r.authoritative());
  REQUIRE(r.answer.size() == 1);
  CHECK(r.answer[0].type == RrType::DNAME);
  // 255 octets exactly still fit: 12 and 64 of the target leave 179 for the prefix.
  const std::string fits = label + "." + label + "." + std::string(56 - 1, 'a');
  CHECK(ask(fits + ".deep.example.com.", RrType::A).rcode == Rcode::NOERROR);
  CHECK(ask(fits + "a.deep.example.com.", RrType::A).answer.size() <= 2);
}

TEST_CASE_FIXTURE(Dnames, "dname: a loop ends, and each record is sent once") {
  const Response loop = ask("a.self.example.com.", RrType::A);
  CHECK_COM(loop.answer, "self DNAME self\na.self CNAME a.self");
  const Response grows = ask("a.grow.example.com.", RrType::A, {}, Transport::Tcp);
  const auto lines = lines_of(grows.answer);
  CHECK(std::adjacent_find(lines.begin(), lines.end()) == lines.end());
  CHECK(grows.answer.size() == 1 + serve::max_links + 1);
}

TEST_CASE("dname: at the apex everything below is redirected [RFC 6672 §2.3]") {
  Server server;
  server.snapshot.add_zone("example.com.", "@ SOA ns. h. 1 2 3 4 5\n@ NS ns.\n@ DNAME example.net.");
  CHECK(lines_of(server.ask("a.b.example.com.", RrType::A).answer) ==
        lines_of("example.com. DNAME example.net.\na.b.example.com. CNAME a.b.example.net."));
  CHECK(server.ask("example.com.", RrType::NS).answer.size() == 1);
}

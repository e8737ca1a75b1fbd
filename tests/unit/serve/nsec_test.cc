// The example zone of RFC 4035 Appendix A and the responses of its Appendix B (of ours without the optional NS RRset).

#include <doctest/doctest.h>

#include "ask.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;

namespace {

constexpr std::string_view zone_text = R"(
$TTL 3600
@      SOA    ns1 bugs.x.w 1081539377 3600 300 3600000 3600
@      NS     ns1
@      NS     ns2
@      MX     1 xx
@      NSEC   a NS SOA MX RRSIG NSEC DNSKEY
@      DNSKEY 256 3 5 AQOy1bZVvpPqhg4j7EJoM9rI3ZmyEx2OzDBVrZy/lvI5
a      NS     ns1.a
a      NS     ns2.a
a      DS     57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B
a      NSEC   ai NS DS RRSIG NSEC
ns1.a  A      192.0.2.5
ns2.a  A      192.0.2.6
ai     A      192.0.2.9
ai     HINFO  "KLH-10" "ITS"
ai     AAAA   2001:db8::f00:baa9
ai     NSEC   b A HINFO AAAA RRSIG NSEC
b      NS     ns1.b
b      NS     ns2.b
b      NSEC   ns1 NS RRSIG NSEC
ns1.b  A      192.0.2.7
ns2.b  A      192.0.2.8
ns1    A      192.0.2.1
ns1    NSEC   ns2 A RRSIG NSEC
ns2    A      192.0.2.2
ns2    NSEC   *.w A RRSIG NSEC
*.w    MX     1 ai
*.w    NSEC   x.w MX RRSIG NSEC
x.w    MX     1 xx
x.w    NSEC   x.y.w MX RRSIG NSEC
x.y.w  MX     1 xx
x.y.w  NSEC   xx MX RRSIG NSEC
xx     A      192.0.2.10
xx     HINFO  "KLH-10" "TOPS-20"
xx     AAAA   2001:db8::f00:baaa
xx     NSEC   @ A HINFO AAAA RRSIG NSEC
)";

const std::string soa = "@ 3600 SOA ns1 bugs.x.w 1081539377 3600 300 3600000 3600\n";
const std::string nsec_apex = "@ NSEC a NS SOA MX RRSIG NSEC DNSKEY\n";
const std::string nsec_b = "b NSEC ns1 NS RRSIG NSEC\n";
const std::string nsec_xyw = "x.y.w NSEC xx MX RRSIG NSEC\n";

struct Fixture : Server {
  Fixture() { snapshot.add_signed_zone("example.", zone_text); }
};

#define CHECK_SECTION(section, text) CHECK(lines_without_sigs(section) == lines_of(text, "example."))

}  // namespace

TEST_CASE_FIXTURE(Fixture, "query: an answer with its signatures, and those of the additional data [RFC 4035 B.1]") {
  const Response r = ask_dnssec("x.w.example.", RrType::MX);
  CHECK(r.authoritative());
  CHECK_SECTION(r.answer, "x.w MX 1 xx");
  CHECK(r.authority.empty());
  CHECK_SECTION(r.additional, "xx A 192.0.2.10\nxx AAAA 2001:db8::f00:baaa");
  CHECK((is_signed(r.answer) && is_signed(r.additional)));
  CHECK(r.opt->flags == 0x8000);
}

TEST_CASE_FIXTURE(Fixture, "query: without DO nothing of DNSSEC is sent unasked [RFC 4035 §3.1]") {
  CHECK(lines_of(ask("x.w.example.", RrType::MX).answer) == lines_of("x.w.example. MX 1 xx.example."));
  CHECK(lines_of(ask("ml.example.", RrType::A).authority) == lines_of(soa, "example."));
  CHECK(lines_of(ask("mc.a.example.", RrType::A).authority) ==
        lines_of("a.example. NS ns1.a.example.\na.example. NS ns2.a.example."));
  CHECK_SECTION(ask("ns1.example.", RrType::NSEC).answer, "ns1 NSEC ns2 A RRSIG NSEC");
}

TEST_CASE_FIXTURE(Fixture, "query: a name error is proven by the name's and the wildcard's absence [RFC 4035 B.2]") {
  const Response r = ask_dnssec("ml.example.", RrType::A);
  CHECK(r.rcode == Rcode::NXDOMAIN);
  CHECK_SECTION(r.authority, soa + nsec_b + nsec_apex);
  CHECK(is_signed(r.authority));
}

TEST_CASE_FIXTURE(Fixture, "query: one NSEC that proves both is sent once [RFC 4035 §3.1.3.2]") {
  // The closest encloser is ns2.example.: the NSEC there is before the name and the wildcard below it.
  const Response r = ask_dnssec("*.nothing.ns2.example.", RrType::A);
  CHECK(r.rcode == Rcode::NXDOMAIN);
  CHECK_SECTION(r.authority, soa + "ns2 NSEC *.w A RRSIG NSEC");
}

TEST_CASE_FIXTURE(Fixture, "query: NODATA is proven by the NSEC of the name [RFC 4035 B.3]") {
  const Response r = ask_dnssec("ns1.example.", RrType::MX);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_SECTION(r.authority, soa + "ns1 NSEC ns2 A RRSIG NSEC");
  CHECK(is_signed(r.authority));
}

TEST_CASE_FIXTURE(Fixture,
                  "query: NODATA at an empty non-terminal is proven by the NSEC before it [RFC 4035 §3.1.3.2]") {
  const Response r = ask_dnssec("y.w.example.", RrType::MX);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_SECTION(r.authority, soa + "x.w NSEC x.y.w MX RRSIG NSEC");
}

TEST_CASE_FIXTURE(Fixture, "query: a referral to a signed zone has its DS [RFC 4035 B.4]") {
  const Response r = ask_dnssec("mc.a.example.", RrType::MX);
  CHECK(!r.authoritative());
  CHECK_SECTION(r.authority, "a NS ns1.a\na NS ns2.a\na DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B");
  CHECK(is_signed(r.authority, {RrType::NS}));
  CHECK_SECTION(r.additional, "ns1.a A 192.0.2.5\nns2.a A 192.0.2.6");
  CHECK(is_signed(r.additional, {RrType::A}));
  const Response ds = ask_dnssec("a.example.", RrType::DS);
  CHECK(ds.authoritative());
  CHECK_SECTION(ds.answer, "a DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B");
}

TEST_CASE_FIXTURE(Fixture, "query: a referral to an unsigned zone proves that there is no DS [RFC 4035 B.5]") {
  const Response r = ask_dnssec("mc.b.example.", RrType::MX);
  CHECK_SECTION(r.authority, "b NS ns1.b\nb NS ns2.b\n" + nsec_b);
  CHECK(is_signed(r.authority, {RrType::NS}));
  CHECK_SECTION(ask_dnssec("b.example.", RrType::DS).authority, soa + nsec_b);
}

TEST_CASE_FIXTURE(Fixture, "query: a wildcard's answer proves that nothing closer exists [RFC 4035 B.6]") {
  const Response r = ask_dnssec("a.z.w.example.", RrType::MX);
  CHECK_SECTION(r.answer, "a.z.w MX 1 ai");
  CHECK(is_signed(r.answer));
  CHECK(r.answer[1].rdata[3] == 2);  // the labels of *.w.example. without the asterisk
  CHECK_SECTION(r.authority, nsec_xyw);
  CHECK_SECTION(r.additional, "ai A 192.0.2.9\nai AAAA 2001:db8::f00:baa9");
}

TEST_CASE_FIXTURE(Fixture, "query: NODATA at a wildcard proves both [RFC 4035 B.7]") {
  const Response r = ask_dnssec("a.z.w.example.", RrType::AAAA);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_SECTION(r.authority, soa + nsec_xyw + "*.w NSEC x.w MX RRSIG NSEC");
  CHECK(is_signed(r.authority));
}

TEST_CASE_FIXTURE(Fixture, "query: the DS of our own apex is NODATA [RFC 4035 B.8]") {
  const Response r = ask_dnssec("example.", RrType::DS);
  CHECK_SECTION(r.authority, soa + nsec_apex);
}

TEST_CASE_FIXTURE(Fixture, "query: RRSIG is answered with the signatures of one RRset [RFC 8482 §7]") {
  const Response r = ask_dnssec("ai.example.", RrType::RRSIG);
  REQUIRE(r.answer.size() == 1);
  CHECK(r.answer[0].type == RrType::RRSIG);
  CHECK_SECTION(ask_dnssec("y.w.example.", RrType::RRSIG).authority, soa + "x.w NSEC x.y.w MX RRSIG NSEC");
  const Response any = ask_dnssec("ai.example.", RrType::ANY);
  CHECK(any.answer.size() == 2);
  CHECK(is_signed(any.answer));
}

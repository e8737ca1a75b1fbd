// The example zone of RFC 5155 Appendix A and the responses of its Appendix B (of ours without the optional NS RRset).

#include <doctest/doctest.h>

#include "ask.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;

namespace {

constexpr std::string_view zone_text = R"(
$TTL 3600
@      SOA    ns1 bugs.x.w 1 3600 300 3600000 3600
@      NS     ns1
@      NS     ns2
@      MX     1 xx
@      DNSKEY 257 3 7 AwEAAcUlFV1vhmqx6NSOUOq2R/dsR7Xm3upJj7IommWSpJABVfW8Q0rOvXdM6kzt
@      NSEC3PARAM 1 0 12 aabbccdd
2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127
a      NS     ns1.a
a      NS     ns2.a
a      DS     58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C
ns1.a  A      192.0.2.5
ns2.a  A      192.0.2.6
ai     A      192.0.2.9
ai     HINFO  "KLH-10" "ITS"
ai     AAAA   2001:db8::f00:baa9
c      NS     ns1.c
c      NS     ns2.c
ns1.c  A      192.0.2.7
ns2.c  A      192.0.2.8
ns1    A      192.0.2.1
ns2    A      192.0.2.2
*.w    MX     1 ai
x.w    MX     1 xx
x.y.w  MX     1 xx
xx     A      192.0.2.10
xx     HINFO  "KLH-10" "TOPS-20"
xx     AAAA   2001:db8::f00:baaa
)";

const std::string soa = "@ 3600 SOA ns1 bugs.x.w 1 3600 300 3600000 3600\n";
const std::string h0p9m =  // example.
    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr "
    "MX DNSKEY NS SOA NSEC3PARAM RRSIG\n";
const std::string h2t7b =  // ns1.example.
    "2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG\n";
const std::string h2vpt =  // x.y.w.example.
    "2vptu5timamqttgl4luu9kg21e0aor3s NSEC3 1 1 12 aabbccdd 35mthgpgcu1qg68fab165klnsnk3dpvl MX RRSIG\n";
const std::string h35mt =  // a.example.
    "35mthgpgcu1qg68fab165klnsnk3dpvl NSEC3 1 1 12 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG\n";
const std::string hb4um =  // x.w.example.
    "b4um86eghhds6nea196smvmlo4ors995 NSEC3 1 1 12 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG\n";
const std::string hgjeq =  // ai.example.
    "gjeqe526plbf1g8mklp59enfd789njgi NSEC3 1 1 12 aabbccdd ji6neoaepv8b5o6k4ev33abha8ht9fgc HINFO A AAAA RRSIG\n";
const std::string hji6n =  // y.w.example.
    "ji6neoaepv8b5o6k4ev33abha8ht9fgc NSEC3 1 1 12 aabbccdd k8udemvp1j2f7eg6jebps17vp3n8i58h\n";
const std::string hk8ud =  // w.example.
    "k8udemvp1j2f7eg6jebps17vp3n8i58h NSEC3 1 1 12 aabbccdd kohar7mbb8dc2ce8a9qvl8hon4k53uhi\n";
const std::string hkoha =  // 2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.
    "kohar7mbb8dc2ce8a9qvl8hon4k53uhi NSEC3 1 1 12 aabbccdd q04jkcevqvmu85r014c7dkba38o0ji5r A RRSIG\n";
const std::string hq04j =  // ns2.example.
    "q04jkcevqvmu85r014c7dkba38o0ji5r NSEC3 1 1 12 aabbccdd r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG\n";
const std::string hr53b =  // *.w.example.
    "r53bq7cc2uvmubfu5ocmm6pers9tk9en NSEC3 1 1 12 aabbccdd t644ebqk9bibcna874givr6joj62mlhv MX RRSIG\n";
const std::string ht644 =  // xx.example.
    "t644ebqk9bibcna874givr6joj62mlhv NSEC3 1 1 12 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom HINFO A AAAA RRSIG\n";

struct Fixture : Server {
  Fixture() {
    snapshot.add_signed_zone("example.", std::string(zone_text) + h0p9m + h2t7b + h2vpt + h35mt + hb4um + hgjeq +
                                             hji6n + hk8ud + hkoha + hq04j + hr53b + ht644);
  }
};

#define CHECK_SECTION(section, text) CHECK(lines_without_sigs(section) == lines_of(text, "example."))

}  // namespace

TEST_CASE_FIXTURE(Fixture, "query: a name error is proven with three NSEC3 [RFC 5155 B.1]") {
  const Response r = ask_dnssec("a.c.x.w.example.", RrType::A);
  CHECK(r.rcode == Rcode::NXDOMAIN);
  CHECK_SECTION(r.authority, soa + h0p9m + hb4um + h35mt);
  CHECK(is_signed(r.authority));
}

TEST_CASE_FIXTURE(Fixture, "query: NODATA is proven by the matching NSEC3 [RFC 5155 B.2]") {
  const Response r = ask_dnssec("ns1.example.", RrType::MX);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_SECTION(r.authority, soa + h2t7b);
  CHECK(is_signed(r.authority));
}

TEST_CASE_FIXTURE(Fixture, "query: an empty non-terminal has an NSEC3 of its own [RFC 5155 B.2.1]") {
  const Response r = ask_dnssec("y.w.example.", RrType::A);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_SECTION(r.authority, soa + hji6n);
}

TEST_CASE_FIXTURE(Fixture, "query: a referral to an opted-out zone [RFC 5155 B.3]") {
  const Response r = ask_dnssec("mc.c.example.", RrType::MX);
  CHECK(!r.authoritative());
  CHECK_SECTION(r.authority, "c NS ns1.c\nc NS ns2.c\n" + h35mt + h0p9m);
  CHECK(is_signed(r.authority, {RrType::NS}));
  CHECK_SECTION(r.additional, "ns1.c A 192.0.2.7\nns2.c A 192.0.2.8");
  CHECK_SECTION(ask_dnssec("c.example.", RrType::DS).authority, soa + h35mt + h0p9m);
}

TEST_CASE_FIXTURE(Fixture, "query: a wildcard's answer covers the next closer name [RFC 5155 B.4]") {
  const Response r = ask_dnssec("a.z.w.example.", RrType::MX);
  CHECK_SECTION(r.answer, "a.z.w MX 1 ai");
  CHECK(is_signed(r.answer));
  CHECK_SECTION(r.authority, hq04j);
  CHECK_SECTION(r.additional, "ai A 192.0.2.9\nai AAAA 2001:db8::f00:baa9");
}

TEST_CASE_FIXTURE(Fixture, "query: NODATA at a wildcard [RFC 5155 B.5]") {
  const Response r = ask_dnssec("a.z.w.example.", RrType::AAAA);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_SECTION(r.authority, soa + hk8ud + hq04j + hr53b);
}

TEST_CASE_FIXTURE(Fixture, "query: the DS of our own apex is NODATA [RFC 5155 B.6]") {
  CHECK_SECTION(ask_dnssec("example.", RrType::DS).authority, soa + h0p9m);
}

TEST_CASE_FIXTURE(Fixture, "query: a name that only has an NSEC3 does not exist [RFC 5155 §7.2.8]") {
  CHECK(ask_dnssec("b4um86eghhds6nea196smvmlo4ors995.example.", RrType::NSEC3).rcode == Rcode::NXDOMAIN);
  // One that has a record of its own beside is found for that, and has no NSEC3.
  CHECK_SECTION(ask_dnssec("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", RrType::A).answer,
                "2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127");
  const Response r = ask_dnssec("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", RrType::NSEC3);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK_SECTION(r.authority, soa + hkoha);
}

TEST_CASE(
    "query: below an empty non-terminal that opt-out left unproved, proofs are of its ancestor [RFC 5155 §7.2.2]") {
  Server server;
  server.snapshot.add_signed_zone("example.", std::string(zone_text) + "opted.e4 NS ns1.c\n" + h0p9m + h2t7b + h2vpt +
                                                  h35mt + hb4um + hgjeq + hji6n + hk8ud + hkoha + hq04j + hr53b +
                                                  ht644);
  const Response r = server.ask_dnssec("x.e4.example.", RrType::A);
  CHECK(r.rcode == Rcode::NXDOMAIN);
  // The match for the apex, which also covers e4, and what covers *.example (not *.e4.example).
  CHECK_SECTION(r.authority, soa + h0p9m + hgjeq);
}

TEST_CASE_FIXTURE(Fixture,
                  "query: more iterations than we compute are SERVFAIL with the extended error [RFC 9276 §3.2]") {
  snapshot.info("example.").nsec3_iterations = 151;
  const Response r = ask_dnssec("a.c.x.w.example.", RrType::A);
  CHECK(r.rcode == Rcode::SERVFAIL);
  CHECK(!r.authoritative());
  CHECK(r.authority.empty());
  CHECK(r.extended_error() == 27);
  // What needs no hash is answered.
  CHECK(ask_dnssec("ns1.example.", RrType::A).rcode == Rcode::NOERROR);
  CHECK(ask("a.c.x.w.example.", RrType::A).rcode == Rcode::NXDOMAIN);
}

// EDNS (RFC 6891) and its options: NSID, padding, keepalive, extended errors; sizes and truncation.

#include <doctest/doctest.h>

#include "ask.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;

namespace {

constexpr std::string_view zone_text = R"(
$TTL 3600
@     SOA   ns1 hostmaster 1 7200 3600 604800 300
@     NS    ns1
@     MX    1 mail1
@     MX    2 mail2
@     MX    3 mail3
ns1   A     192.0.2.1
mail1 A     192.0.2.2
mail1 AAAA  2001:db8::2
mail2 A     192.0.2.3
mail3 A     192.0.2.4
big   TXT   "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big   TXT   "1123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big   TXT   "2123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big   TXT   "3123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big   TXT   "4123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big   TXT   "5123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
link1 CNAME link2
link2 CNAME big
cut   NS    ns1.cut
cut   NS    ns2.cut
cut   NS    ns3.cut
cut   NS    ns4.cut
cut   NS    ns.beside
ns1.cut A   192.0.2.11
ns1.cut AAAA 2001:db8::11
ns2.cut A   192.0.2.12
ns2.cut AAAA 2001:db8::12
ns3.cut A   192.0.2.13
ns3.cut AAAA 2001:db8::13
ns4.cut A   192.0.2.14
ns4.cut AAAA 2001:db8::14
beside NS   ns.beside
ns.beside A 192.0.2.15
)";

struct Fixture : Server {
  Fixture() {
    settings.nsid = {'n', 's', '-', '1'};
    snapshot.add_signed_zone("example.test.", zone_text);
  }
  Response with(std::vector<Option> options, Transport transport = Transport::Udp) {
    return ask("ns1.example.test.", RrType::A, QueryEdns{1232, false, 0, std::move(options)}, transport);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "edns: a response has an OPT where the request had one, with our size [RFC 6891 §6.1.1, §6.2.3]") {
  CHECK(!ask("ns1.example.test.", RrType::A).opt);
  const Response r = ask("ns1.example.test.", RrType::A, QueryEdns{});
  REQUIRE(r.opt);
  CHECK(r.opt->udp_size == 1232);
  CHECK(r.opt->version == 0);
  CHECK(r.opt->flags == 0);
  CHECK(r.opt->options.empty());
}

TEST_CASE_FIXTURE(Fixture, "edns: DO is copied, the other flags are not [RFC 3225 §3, RFC 6891 §6.1.4]") {
  Bytes query = make_query("ns1.example.test.", RrType::A, QueryEdns{});
  store_u16(&query[query.size() - 4], 0xffff);
  CHECK(ask(query)->opt->flags == 0x8000);
}

TEST_CASE_FIXTURE(Fixture, "edns: a version above ours is BADVERS with our own [RFC 6891 §6.1.3]") {
  const Response r = ask("ns1.example.test.", RrType::A, QueryEdns{1232, true, 1, {{10, {1}}}});
  CHECK(r.rcode == Rcode::BADVERS);
  CHECK(r.opt->version == 0);
  CHECK(r.answer.empty());
  CHECK(r.question_count == 1);
}

TEST_CASE_FIXTURE(Fixture, "edns: unknown options are ignored [RFC 6891 §6.1.2]") {
  const Response r = with({{65001, {1, 2, 3}}, {8, {0, 1, 24, 0, 192, 0, 2}}, {9, {}}});
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK(r.opt->options.empty());
}

TEST_CASE_FIXTURE(Fixture, "edns: a second OPT, or one off the root, is FORMERR [RFC 6891 §6.1.1]") {
  Bytes twice = make_query("ns1.example.test.", RrType::A, QueryEdns{});
  const Bytes opt(twice.end() - 11, twice.end());
  append(twice, opt);
  twice[11] = 2;
  CHECK(ask(twice)->rcode == Rcode::FORMERR);
  Bytes owned = make_query("ns1.example.test.", RrType::A, QueryEdns{});
  owned.insert(owned.end() - 11, {1, 'a'});
  CHECK(ask(owned)->rcode == Rcode::FORMERR);
  Bytes pointed = make_query("ns1.example.test.", RrType::A, QueryEdns{});
  pointed[pointed.size() - 11] = 0xc0;
  pointed.insert(pointed.end() - 10, 12);
  CHECK(ask(pointed)->rcode == Rcode::FORMERR);
}

TEST_CASE_FIXTURE(Fixture, "edns: options that do not add up are FORMERR, answered with an OPT [RFC 6891 §6.1.2]") {
  Bytes query = make_query("ns1.example.test.", RrType::A, QueryEdns{1232, false, 0, {{3, {}}}});
  query[query.size() - 1] = 1;
  const auto r = ask(query);
  CHECK(r->rcode == Rcode::FORMERR);
  CHECK(r->opt);
  Bytes cut = make_query("ns1.example.test.", RrType::A, QueryEdns{});
  append(cut, Bytes{0, 3, 0});
  store_u16(&cut[cut.size() - 5], 3);
  CHECK(ask(cut)->rcode == Rcode::FORMERR);
}

TEST_CASE_FIXTURE(Fixture, "edns: NSID is sent to who asks for it [RFC 5001 §2.1]") {
  const Response r = with({{3, {}}});
  REQUIRE(r.opt->find(3) != nullptr);
  CHECK(r.opt->find(3)->data == Bytes{'n', 's', '-', '1'});
  settings.nsid.clear();
  CHECK(with({{3, {}}}).opt->options.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "edns: padding to 468 octets on encrypted streams, where asked for [RFC 7830 §4, RFC 8467 §4.1]") {
  for (const Transport transport : {Transport::Tls, Transport::Https}) {
    CHECK(with({{12, {0, 0, 0}}}, transport).size == 468);
    const Response big = ask("big.example.test.", RrType::TXT, QueryEdns{1232, true, 0, {{12, {}}}}, transport);
    CHECK(big.size == 936);
    for (const uint8_t octet : big.opt->find(12)->data) CHECK(octet == 0);
  }
  CHECK(with({}, Transport::Tls).opt->options.empty());
  CHECK(with({{12, {}}}, Transport::Udp).opt->options.empty());
  CHECK(with({{12, {}}}, Transport::Tcp).opt->options.empty());
}

TEST_CASE_FIXTURE(Fixture, "edns: keepalive says our idle time, on streams [RFC 7828 §3.3.2]") {
  settings.keepalive_timeout = 150;
  for (const Transport transport : {Transport::Tcp, Transport::Tls}) {
    const Response r = with({{11, {}}}, transport);
    REQUIRE(r.opt->find(11) != nullptr);
    CHECK(r.opt->find(11)->data == Bytes{0, 150});
    // A client that sends a timeout breaks the protocol (§3.2.1).
    CHECK(with({{11, {0, 1}}}, transport).rcode == Rcode::FORMERR);
  }
  // §3.2.2: over UDP it is ignored, whatever it holds.
  CHECK(with({{11, {}}}).opt->options.empty());
  CHECK(with({{11, {0, 1}}}).rcode == Rcode::NOERROR);
}

TEST_CASE_FIXTURE(Fixture, "edns: UDP sizes are 512 at least and ours at most [RFC 6891 §6.2.3, §6.2.5]") {
  CHECK(ask("big.example.test.", RrType::TXT).truncated());
  CHECK(ask("big.example.test.", RrType::TXT, QueryEdns{0, false, 0, {}}).size <= 512);
  CHECK(ask("big.example.test.", RrType::TXT, QueryEdns{0, false, 0, {}}).truncated());
  CHECK(!ask("big.example.test.", RrType::TXT, QueryEdns{1232, false, 0, {}}).truncated());
  settings.udp_size = 600;
  CHECK(ask("big.example.test.", RrType::TXT, QueryEdns{4096, false, 0, {}}).truncated());
  CHECK(!ask("big.example.test.", RrType::TXT, {}, Transport::Tcp).truncated());
}

TEST_CASE_FIXTURE(Fixture, "truncation: at every size an RRset is whole or absent, and TC says so [RFC 2181 §9]") {
  settings.udp_size = 4096;
  for (const auto& [name, type] : {std::pair{"link1.example.test.", RrType::TXT},
                                   {"example.test.", RrType::MX},
                                   {"x.cut.example.test.", RrType::A},
                                   {"nothing.example.test.", RrType::A}}) {
    const Response whole = ask(name, type, QueryEdns{4096, true, 0, {}});
    CHECK(!whole.truncated());
    for (uint16_t size = 512; size <= whole.size + 1; ++size) {
      const Response r = ask(name, type, QueryEdns{size, true, 0, {}});
      REQUIRE(r.size <= size);
      REQUIRE(r.opt);
      // Sections are filled from the front: what is there is what the whole one has.
      const auto check_section = [&](const std::vector<Record>& part, const std::vector<Record>& all, bool required) {
        size_t found = 0;
        for (const Record& record : all) {
          const auto same_rrset = [&](const Record& other) {
            const auto covered = [](const Record& x) {
              return x.type == RrType::RRSIG ? static_cast<RrType>(load_u16(x.rdata.data())) : x.type;
            };
            return other.owner == record.owner && covered(other) == covered(record);
          };
          const auto here = std::count_if(part.begin(), part.end(), same_rrset);
          if (here == 0) continue;
          ++found;
          REQUIRE(here == std::count_if(all.begin(), all.end(), same_rrset));
        }
        REQUIRE(found == part.size());
        if (required && !r.truncated()) REQUIRE(part.size() == all.size());
      };
      check_section(r.answer, whole.answer, true);
      check_section(r.authority, whole.authority, true);
      check_section(r.additional, whole.additional, false);
      if (r.truncated()) REQUIRE(r.size < whole.size);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "truncation: additional data gives way silently, in-domain glue with TC [RFC 9471 §3.1]") {
  settings.udp_size = 4096;
  const Response mx = ask("example.test.", RrType::MX, QueryEdns{512, true, 0, {}});
  CHECK(!mx.truncated());
  CHECK(mx.additional.size() < ask("example.test.", RrType::MX, QueryEdns{4096, true, 0, {}}).additional.size());

  // The largest size at which glue is missing: sibling glue alone may be, without TC (§3.2).
  const Response whole = ask("x.cut.example.test.", RrType::A, QueryEdns{4096, false, 0, {}});
  REQUIRE(whole.additional.size() == 9);
  const auto sibling = [](const Record& record) { return record.owner.to_text() == "ns.beside.example.test."; };
  CHECK(sibling(whole.additional.back()));
  // 16 octets less than all: the sibling's address does not fit. The question's name is padded to reach 512.
  std::string label(63, 'x');
  const std::string padded = label + "." + label + "." + label + "." + std::string(20, 'y') + ".cut.example.test.";
  const size_t full = ask(padded, RrType::A, QueryEdns{4096, false, 0, {}}).size;
  REQUIRE(full > 512);
  for (size_t drop = 0; drop < full - 512; drop += 1) {
    const auto size = static_cast<uint16_t>(full - drop);
    const Response r = ask(padded, RrType::A, QueryEdns{size, false, 0, {}});
    if (r.additional.size() == 8)
      CHECK(r.truncated() == std::any_of(r.additional.begin(), r.additional.end(), sibling));
    if (r.additional.size() < 8) CHECK(r.truncated());
  }
}

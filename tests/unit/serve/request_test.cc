// What is refused, dropped and answered before any zone is looked at; class CH; hostile requests.

#include <doctest/doctest.h>

#include <random>

#include "ask.hh"
#include "dns/message.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;

namespace {

constexpr std::string_view zone_text = R"(
$TTL 3600
@     SOA   ns1 hostmaster 1 7200 3600 604800 300
@     NS    ns1
@     NSEC  *.w NS SOA RRSIG NSEC
*.w   CNAME www
*.w   NSEC  ns1 CNAME RRSIG NSEC
ns1   A     192.0.2.1
ns1   NSEC  www A RRSIG NSEC
www   SVCB  1 ns1 port=443
www   NSEC  @ SVCB RRSIG NSEC
d     DNAME w
cut   NS    ns.cut
ns.cut A    192.0.2.2
)";

struct Fixture : Server {
  Fixture() { snapshot.add_signed_zone("example.test.", zone_text); }
  Bytes query(RrType type = RrType::A) { return make_query("ns1.example.test.", type); }
  // The response to a query whose octet at `at` was set.
  std::optional<Response> with_octet(size_t at, uint8_t octet) {
    Bytes changed = query();
    changed[at] = octet;
    return ask(changed);
  }
  std::optional<Response> chaos(std::string_view name, RrType type) {
    return ask(make_query(name, type, std::nullopt, dns::RrClass::CH));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "request: a response, or less than a header, is never answered") {
  CHECK(!with_octet(2, 0x80));
  const Bytes whole = query();
  for (size_t size = 0; size < 12; ++size) CHECK(!ask(ByteView(whole).first(size)));
  CHECK(context.counters.dropped.get() == 13);
}

TEST_CASE_FIXTURE(Fixture, "request: an opcode that we do not have is NOTIMP, header only [RFC 1035 §4.1.1]") {
  for (const unsigned opcode : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 15U}) {
    const auto r = with_octet(2, static_cast<uint8_t>(opcode << 3 | 1));
    CHECK(r->rcode == Rcode::NOTIMP);
    CHECK(r->size == 12);
    CHECK((r->flags >> 11 & 15) == opcode);
    CHECK((r->flags & 0x0100) != 0);
  }
}

TEST_CASE_FIXTURE(Fixture, "request: RD is copied, RA, AD and CD are clear [RFC 1035 §4.1.1, RFC 4035 §3.1.6]") {
  Bytes all = query();
  all[2] = 0x07;  // AA, TC and RD mean nothing in a query but the last
  all[3] = 0xff;
  const auto r = ask(all);
  CHECK(r->rcode == Rcode::NOERROR);
  CHECK(r->flags == 0x8500);
}

TEST_CASE_FIXTURE(Fixture, "request: counts that no query has are FORMERR [RFC 9619 §3]") {
  CHECK(with_octet(5, 2)->rcode == Rcode::FORMERR);
  CHECK(with_octet(5, 0)->rcode == Rcode::FORMERR);
  CHECK(with_octet(7, 1)->rcode == Rcode::FORMERR);
  CHECK(with_octet(9, 1)->rcode == Rcode::FORMERR);
  CHECK(with_octet(11, 1)->rcode == Rcode::FORMERR);
}

TEST_CASE_FIXTURE(Fixture, "request: octets left over, or a question cut short, are FORMERR") {
  Bytes longer = query();
  append_u8(longer, 0);
  CHECK(ask(longer)->rcode == Rcode::FORMERR);
  const Bytes whole = query();
  for (size_t size = 12; size < whole.size(); ++size) CHECK(ask(ByteView(whole).first(size))->rcode == Rcode::FORMERR);
}

TEST_CASE_FIXTURE(Fixture, "request: a compressed or overlong name in the question is FORMERR") {
  Bytes pointer = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1};
  CHECK(ask(pointer)->rcode == Rcode::FORMERR);
  Bytes reserved = query();
  reserved[12] = 0x43;
  CHECK(ask(reserved)->rcode == Rcode::FORMERR);
  Bytes longest = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  for (int i = 0; i < 127; ++i) append(longest, Bytes{1, 'a'});
  Bytes over = longest;
  append(over, Bytes{1, 'a'});
  append(longest, Bytes{0, 0, 1, 0, 1});
  append(over, Bytes{0, 0, 1, 0, 1});
  CHECK(ask(longest)->rcode == Rcode::REFUSED);
  CHECK(ask(over)->rcode == Rcode::FORMERR);
}

TEST_CASE_FIXTURE(Fixture, "request: other classes are REFUSED, ANY is answered without AA [RFC 1035 §6.2]") {
  CHECK(ask(make_query("ns1.example.test.", RrType::A, {}, dns::RrClass::HS))->rcode == Rcode::REFUSED);
  CHECK(ask(make_query("ns1.example.test.", RrType::A, {}, dns::RrClass::NONE))->rcode == Rcode::REFUSED);
  const auto any = ask(make_query("ns1.example.test.", RrType::A, {}, dns::RrClass::ANY));
  CHECK(any->answer.size() == 1);
  CHECK(!any->authoritative());
}

TEST_CASE_FIXTURE(Fixture,
                  "request: transfers are REFUSED where none are set up, AXFR is not for UDP [RFC 5936 §4.2]") {
  CHECK(ask("example.test.", RrType::AXFR).rcode == Rcode::FORMERR);
  CHECK(ask("example.test.", RrType::AXFR, {}, Transport::Tcp).rcode == Rcode::REFUSED);
  CHECK(ask("example.test.", RrType::IXFR, {}, Transport::Tls).rcode == Rcode::REFUSED);
  CHECK(ask("example.test.", RrType::IXFR).rcode == Rcode::REFUSED);
  CHECK(ask("ns1.example.test.", RrType::IXFR).rcode == Rcode::NOTAUTH);
}

TEST_CASE_FIXTURE(Fixture, "request: types that no question has are refused [RFC 6895 §3.1, RFC 9824 §3.5]") {
  for (const RrType type : {RrType::OPT, RrType::TSIG, RrType::TKEY})
    CHECK(ask("example.test.", type).rcode == Rcode::FORMERR);
  for (const RrType type : {RrType::MAILA, RrType::MAILB}) CHECK(ask("example.test.", type).rcode == Rcode::NOTIMP);
  const Response r = ask("example.test.", RrType::NXNAME, QueryEdns{});
  CHECK(r.rcode == Rcode::FORMERR);
  CHECK(r.extended_error() == 30);
}

TEST_CASE_FIXTURE(Fixture, "chaos: version and identity as configured, REFUSED otherwise [RFC 4892 §2]") {
  CHECK(chaos("version.server.", RrType::TXT)->rcode == Rcode::REFUSED);
  settings.version = "steward";
  settings.identity = "eu-1";
  for (const char* name : {"version.server.", "VERSION.bind."}) {
    const auto r = chaos(name, RrType::TXT);
    CHECK(r->authoritative());
    REQUIRE(r->answer.size() == 1);
    CHECK(r->answer[0].ttl == 0);
    CHECK(as_text(r->answer[0].rdata) == "\7steward");
  }
  CHECK(as_text(chaos("id.server.", RrType::TXT)->answer.at(0).rdata) == "\4eu-1");
  CHECK(as_text(chaos("hostname.bind.", RrType::ANY)->answer.at(0).rdata) == "\4eu-1");
  CHECK(chaos("version.server.", RrType::A)->rcode == Rcode::REFUSED);
  CHECK(chaos("authors.bind.", RrType::TXT)->rcode == Rcode::REFUSED);
  CHECK(chaos("example.test.", RrType::SOA)->rcode == Rcode::REFUSED);
}

TEST_CASE_FIXTURE(Fixture, "pipeline: a batch of any size is answered, each for itself") {
  std::vector<Bytes> queries;
  std::vector<Bytes> rooms(100, Bytes(1232));
  std::vector<Exchange> batch(100);
  for (size_t i = 0; i < batch.size(); ++i) {
    queries.push_back(make_query(i % 3 == 0   ? "ns1.example.test."
                                 : i % 3 == 1 ? "x.example.test."
                                              : "example.com.",
                                 RrType::A));
    queries[i][1] = static_cast<uint8_t>(i);
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i].request = queries[i];
    batch[i].room = rooms[i];
    batch[i].client = &client;
  }
  pipeline.answer(batch, snapshot, context);
  for (size_t i = 0; i < batch.size(); ++i) {
    const Response r = parse_response(ByteView(rooms[i]).first(batch[i].response_size));
    CHECK((r.id & 0xff) == i);
    CHECK(r.rcode == (i % 3 == 0 ? Rcode::NOERROR : i % 3 == 1 ? Rcode::NXDOMAIN : Rcode::REFUSED));
  }
  CHECK(context.counters.queries[0].get() == 100);
  CHECK(context.counters.query_types[1].get() == 100);
  CHECK(context.counters.responses[3].get() == 33);
}

TEST_CASE_FIXTURE(Fixture, "pipeline: a room too small for the question is not overrun") {
  const Bytes request = make_query("ns1.example.test.", RrType::A, QueryEdns{1232, true, 0, {{10, Bytes(8)}}});
  for (size_t size = 0; size < 200; ++size) {
    const auto room = std::make_unique<uint8_t[]>(size);
    Exchange exchange;
    exchange.request = request;
    exchange.room = MutableByteView(room.get(), size);
    exchange.client = &client;
    pipeline.answer(std::span<Exchange>(&exchange, 1), snapshot, context);
    CHECK(exchange.response_size <= size);
    if (exchange.response_size != 0) parse_response(exchange.room.first(exchange.response_size));
  }
}

TEST_CASE_FIXTURE(Fixture, "hostile: whatever a query is turned into, the response parses") {
  std::mt19937 random(20260101);
  const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  std::vector<Bytes> seeds;
  for (const char* name : {"ns1.example.test.", "a.b.w.example.test.", "x.d.example.test.", "h.cut.example.test.",
                           "example.test.", "nothing.example.test.", "www.example.test."})
    for (const RrType type : {RrType::A, RrType::SVCB, RrType::ANY, RrType::DS, RrType::NSEC})
      seeds.push_back(
          make_query(name, type, QueryEdns{1232, true, 0, {{10, Bytes(24)}, {3, {}}, {12, Bytes(7)}, {11, {}}}}));
  for (const Bytes& seed : seeds)
    for (size_t size = 0; size <= seed.size(); ++size) (void)ask(ByteView(seed).first(size));
  size_t answered = 0;
  for (int i = 0; i < 100'000; ++i) {
    Bytes query = seeds[below(seeds.size())];
    for (size_t changes = 1 + below(4); changes > 0; --changes) switch (below(4)) {
        case 0: query[below(query.size())] = static_cast<uint8_t>(below(256)); break;
        case 1: query.erase(query.begin() + static_cast<ptrdiff_t>(below(query.size()))); break;
        case 2:
          query.insert(query.begin() + static_cast<ptrdiff_t>(below(query.size())), static_cast<uint8_t>(below(256)));
          break;
        default: query[below(query.size())] ^= static_cast<uint8_t>(1U << below(8)); break;
      }
    const auto transport = static_cast<Transport>(below(4));
    std::optional<Response> r;
    REQUIRE_NOTHROW(r = ask(query, transport));
    if (!r) continue;
    ++answered;
    // The other parser of the house agrees.
    const auto message = dns::Message::parse(octets());
    REQUIRE_MESSAGE(message.has_value(), (message ? "" : message.error().what));
    REQUIRE(r->id == load_u16(query.data()));
  }
  CHECK(answered > 50'000);
  CHECK(context.counters.failures.get() == 0);
}

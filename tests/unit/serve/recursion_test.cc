// Questions that are resolved for clients: RFC 1034 §4.3.1, RFC 5358, RFC 6840 §5.8.

#include <doctest/doctest.h>

#include "serve/recursion.hh"
#include "transfer_world.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;

namespace {

struct FakeRecursion final : serve::Recursion {
  void resolve(serve::RecursiveResponse response) override { asked.push_back(std::move(response)); }
  std::vector<serve::RecursiveResponse> asked;
};

dns::Record record(std::string_view owner, RrType type, Bytes rdata) {
  return {*dns::Name::from_text(owner), type, dns::RrClass::IN, 60, std::move(rdata)};
}

// A registry below the apex s., and a zone elsewhere.
struct Fixture : TransferWorld {
  Fixture() {
    snapshot.add_zone("acme.com.s.", R"(
$TTL 60
@ SOA ns h 1 2 3 4 60
@ NS ns
ns A 192.0.2.1
child NS ns.child
ns.child A 192.0.2.2
inside CNAME ns
above CNAME other.com.s.
)");
    snapshot.add_zone("example.", "$TTL 60\n@ SOA ns h 1 2 3 4 60\n@ NS ns\nns A 192.0.2.9\nbelow NS ns.below\nns.below A 192.0.2.9\n");
    auto rights = std::make_shared<serve::RecursionRights>();
    rights->apex = *dns::Name::from_text("s.");
    rights->allow = {*AddressBlock::from_text("192.0.2.0/30")};
    settings.recursion = rights;
    context.recursion = &recursion;
  }
  static dns::Message query(std::string_view name, RrType type = RrType::A) {
    dns::Message request = make_request(name, type);
    request.header.rd = true;
    return request;
  }
  // What is sent at once; nothing where it is handed on.
  std::optional<dns::Message> now(const dns::Message& request, Transport transport = Transport::Udp) {
    stream = send(*request.build(), transport);
    if (stream->messages.empty()) return std::nullopt;
    return *dns::Message::parse(stream->messages[0]);
  }
  dns::Message later() {
    REQUIRE(stream->messages.size() == 1);
    CHECK(stream->finished);
    return *dns::Message::parse(stream->messages[0]);
  }
  FakeRecursion recursion;
  std::shared_ptr<Stream> stream;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "recursion: names below the apex that are not ours, from who may, are handed on [RFC 1034 §4.3.1]") {
  for (const char* name : {"other.com.S.", "com.s.", "x.child.acme.com.s.", "above.acme.com.s."}) {
    recursion.asked.clear();
    CHECK_MESSAGE(!now(query(name)), name);
    REQUIRE(recursion.asked.size() == 1);
    CHECK(recursion.asked[0].question().name.to_text() == name);
    CHECK(recursion.asked[0].question().type == RrType::A);
    CHECK(recursion.asked[0].client() == client);
  }
  CHECK(context.counters.recursions.get() == 4);
}

TEST_CASE_FIXTURE(Fixture, "recursion: what our zones answer to its end they answer, with authority, and RA says that more is to be had") {
  for (const char* name : {"ns.acme.com.s.", "nobody.acme.com.s.", "inside.acme.com.s."}) {
    const auto answer = now(query(name));
    REQUIRE_MESSAGE(answer, name);
    CHECK(answer->header.aa);
    CHECK(answer->header.ra);
    CHECK(!answer->header.ad);
  }
  // An alias itself, asked for as such, leads nowhere.
  CHECK(now(query("above.acme.com.s.", RrType::CNAME))->answer.size() == 1);
  CHECK(recursion.asked.empty());
}

TEST_CASE_FIXTURE(Fixture, "recursion: never open: without RD, for strangers and outside of the apex all is as without it [RFC 5358]") {
  dns::Message plain = query("other.com.s.");
  plain.header.rd = false;
  CHECK(now(plain)->rcode() == Rcode::REFUSED);
  plain = query("x.child.acme.com.s.");
  plain.header.rd = false;
  CHECK(now(plain)->authority.size() == 1);
  CHECK(!now(plain)->header.ra);
  for (const char* name : {"www.elsewhere.", "s-.", "xs."}) CHECK(now(query(name))->rcode() == Rcode::REFUSED);
  const auto referral = now(query("x.below.example."));
  CHECK(referral->authority.size() == 1);
  CHECK(!referral->header.ra);
  client = *SocketAddress::from_text("192.0.2.4@5353");
  CHECK(now(query("other.com.s."))->rcode() == Rcode::REFUSED);
  CHECK(now(query("above.acme.com.s."))->answer.size() == 1);
  CHECK(!now(query("ns.acme.com.s."))->header.ra);
  CHECK(recursion.asked.empty());
}

TEST_CASE_FIXTURE(Fixture, "recursion: nothing is handed on that is no plain question of class IN") {
  dns::Message request = query("other.com.s.", RrType::ANY);
  CHECK(now(request)->rcode() == Rcode::REFUSED);
  request = query("other.com.s.");
  request.question[0].klass = dns::RrClass::ANY;
  CHECK(now(request)->rcode() == Rcode::REFUSED);
  CHECK(now(query("other.com.s.", RrType::AXFR), Transport::Tcp)->rcode() == Rcode::NOTAUTH);
  Bytes is_signed = *query("other.com.s.").build();
  REQUIRE(auth::sign_request(is_signed, key, clock.now()));
  stream = send(is_signed);
  CHECK(!stream->messages.empty());
  CHECK(recursion.asked.empty());
}

TEST_CASE_FIXTURE(Fixture, "recursion: the response has what was found; proofs and AD for who asks for them [RFC 4035 §3.2.1, RFC 6840 §5.8]") {
  serve::Resolution found;
  found.secure = true;
  found.answer = {record("other.com.s.", RrType::A, {192, 0, 2, 7}),
                  record("other.com.s.", RrType::RRSIG, Bytes(40, 0))};
  struct Case { bool dnssec_ok; bool ad; size_t records; bool said; };
  for (const auto& [dnssec_ok, ad, records, said] : {Case{false, false, 1, false}, Case{false, true, 1, true}, Case{true, false, 2, true}}) {
    dns::Message request = query("Other.com.s.");
    request.header.ad = ad;
    request.additional.push_back(dns::make_opt(1232, dnssec_ok));
    recursion.asked.clear();
    now(request);
    // An RRSIG that no parser has to take: only its type counts here.
    auto shown = found;
    shown.answer[1].rdata = Bytes{0, 1, 13, 3, 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1};
    recursion.asked.at(0).send(shown);
    const dns::Message answer = later();
    CHECK(answer.header.id == 0x1234);
    CHECK(answer.header.qr);
    CHECK(answer.header.rd);
    CHECK(answer.header.ra);
    CHECK(!answer.header.aa);
    CHECK(answer.header.ad == said);
    CHECK(answer.question[0].name.to_text() == "Other.com.s.");
    CHECK(answer.answer.size() == records);
    REQUIRE(answer.opt() != nullptr);
  }
  recursion.asked.clear();
  now(query("other.com.s."));
  found.answer.pop_back();
  found.secure = false;
  recursion.asked.at(0).send(found);
  CHECK(!later().header.ad);
  CHECK(later().opt() == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "recursion: what does not fit is truncated over UDP and whole over TCP [RFC 2181 §9]") {
  serve::Resolution found;
  found.secure = true;
  for (uint8_t i = 0; i < 100; ++i) found.answer.push_back(record("other.com.s.", RrType::A, {192, 0, 2, i}));
  for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
    recursion.asked.clear();
    now(query("other.com.s."), transport);
    recursion.asked.at(0).send(found);
    CHECK(later().header.tc == (transport == Transport::Udp));
    CHECK(later().answer.size() == (transport == Transport::Udp ? 0 : 100));
    CHECK(stream->messages[0].size() <= (transport == Transport::Udp ? 512 : 65535));
  }
}

TEST_CASE_FIXTURE(Fixture, "recursion: a failure says why in an extended error, cut to a word for people [RFC 8914 §2]") {
  dns::Message request = query("other.com.s.");
  request.additional.push_back(dns::make_opt(1232, false));
  now(request);
  recursion.asked.at(0).fail(Rcode::SERVFAIL, serve::ExtendedError::DnssecBogus, std::string(300, 'x'));
  const dns::Message answer = later();
  CHECK(answer.rcode() == Rcode::SERVFAIL);
  CHECK(answer.header.ra);
  ByteView options = answer.opt()->rdata;
  const auto error = dns::next_edns_option(options);
  REQUIRE(error);
  CHECK(error->code == 15);
  CHECK(error->data.size() == 242);
  CHECK(load_u16(error->data.data()) == 6);
}

TEST_CASE_FIXTURE(Fixture, "recursion: a client's questions count for its rate limit") {
  serve::RateLimitSettings limits;
  limits.per_second = 2;
  limits.slip = 1;
  serve::RateLimiter limiter(limits, {1, 2});
  context.rate_limiter = &limiter;
  context.monotonic_ms = 1000;
  for (int i = 0; i < 2; ++i) CHECK(!now(query("other.com.s.")));
  const auto limited = now(query("other.com.s."));
  REQUIRE(limited);
  CHECK(limited->header.tc);
  CHECK(recursion.asked.size() == 2);
  CHECK(!now(query("other.com.s."), Transport::Tcp));
}

TEST_CASE("recursion: what comes from outside of the apex is not passed on, nor anything proved without it") {
  const dns::Name apex = *dns::Name::from_text("s.");
  serve::Resolution found;
  found.secure = true;
  found.answer = {record("a.s.", RrType::A, {1, 2, 3, 4})};
  serve::keep_below(found, apex);
  CHECK(found.secure);
  CHECK(found.answer.size() == 1);
  found.answer.push_back(record("www.elsewhere.", RrType::A, {1, 2, 3, 4}));
  found.authority = {record("elsewhere.", RrType::A, {1, 2, 3, 4})};
  serve::keep_below(found, apex);
  CHECK(found.answer.size() == 1);
  CHECK(found.authority.empty());
  CHECK(!found.secure);
}

// A secondary's queries, the answer to SOA, and NOTIFY.

#include "transfer/notify_message.hh"
#include "transfer_fixture.hh"

using namespace steward;
using namespace steward::transfer;
using namespace steward::transfer::test;

namespace {

const dns::Name zone = name("example.");

dns::Message parsed(const Result<Bytes>& wire_form) {
  REQUIRE(wire_form);
  auto message = dns::Message::parse(*wire_form);
  REQUIRE(message);
  return *message;
}

dns::Message soa_answer(std::vector<dns::Record> answers) {
  dns::Message message = response(axfr(), std::move(answers));
  message.question[0].type = RrType::SOA;
  return message;
}
SoaAnswer parse(const dns::Message& message, bool datagram = true) {
  return parse_soa_answer(wire(message), query_id, zone, datagram);
}

}  // namespace

TEST_CASE("queries: SOA and AXFR have one question and nothing else [RFC 5936 §2.1]") {
  for (const auto& [built, type] :
       {std::pair{build_soa_query(7, zone), RrType::SOA}, std::pair{build_axfr_query(7, zone), RrType::AXFR}}) {
    const dns::Message message = parsed(built);
    CHECK(message.header == dns::Header{.id = 7});
    REQUIRE(message.question.size() == 1);
    CHECK(message.question[0].name == zone);
    CHECK(message.question[0].type == type);
    CHECK(message.question[0].klass == dns::RrClass::IN);
    CHECK(message.answer.size() + message.authority.size() + message.additional.size() == 0);
  }
}

TEST_CASE("queries: IXFR has our SOA in the authority section [RFC 1995 §3]") {
  const dns::Record ours = soa(41);
  const dns::Message message = parsed(build_ixfr_query(7, zone, ours.rdata, 300, QueryEdns{1400}));
  CHECK(message.question[0].type == RrType::IXFR);
  CHECK(message.answer.empty());
  REQUIRE(message.authority.size() == 1);
  CHECK(message.authority[0].type == RrType::SOA);
  CHECK(message.authority[0].owner == zone);
  CHECK(message.authority[0].rdata == ours.rdata);
  REQUIRE(message.opt() != nullptr);
  CHECK(dns::value(message.opt()->klass) == 1400);
}

TEST_CASE("soa answer: the numbers of the SOA [RFC 1035 §3.3.13]") {
  const SoaAnswer answer = parse(soa_answer({soa(5)}));
  CHECK(answer.kind == SoaAnswer::Kind::Soa);
  CHECK(answer.soa == SoaFields{5, 3600, 600, 86400, 300});
  CHECK(answer.ttl == 300);
}

TEST_CASE("soa answer: another ID, question or opcode is another's answer") {
  dns::Message message = soa_answer({soa(5)});
  SUBCASE("ID") { message.header.id = 1; }
  SUBCASE("a query") { message.header.qr = false; }
  SUBCASE("opcode") { message.header.opcode = dns::Opcode::NOTIFY; }
  SUBCASE("name") { message.question[0].name = name("example.org."); }
  SUBCASE("type") { message.question[0].type = RrType::NS; }
  SUBCASE("class") { message.question[0].klass = dns::RrClass::CH; }
  CHECK(parse(message).kind == SoaAnswer::Kind::NotOurs);
}

TEST_CASE("soa answer: what does not help is refused, and says why") {
  dns::Message message = soa_answer({soa(5)});
  std::string_view words;
  SUBCASE("not authoritative") { message.header.aa = false, words = "not authoritative"; }
  SUBCASE("no SOA") { message.answer.clear(), words = "has none"; }
  SUBCASE("SOA of another zone") { message.answer = {soa(5, "a.example.")}, words = "has none"; }
  SUBCASE("two SOAs") { message.answer.push_back(soa(6)), words = "more than one"; }
  SUBCASE("no question") { message.question.clear(), words = "question"; }
  const SoaAnswer answer = parse(message);
  CHECK(answer.kind == SoaAnswer::Kind::Refused);
  CHECK(answer.what.find(words) != std::string::npos);
}

TEST_CASE("soa answer: response codes") {
  dns::Message message = soa_answer({});
  message.header.rcode = static_cast<uint8_t>(dns::Rcode::REFUSED);
  message.question.clear();
  CHECK(parse(message).kind == SoaAnswer::Kind::Refused);
  CHECK(parse(message).rcode == dns::Rcode::REFUSED);
}

TEST_CASE("soa answer: TC asks for TCP, and is passed over there") {
  dns::Message message = soa_answer({soa(5)});
  message.header.tc = true;
  CHECK(parse(message, true).kind == SoaAnswer::Kind::Truncated);
  CHECK(parse(message, false).kind == SoaAnswer::Kind::Soa);
}

TEST_CASE("soa answer: hostile octets") {
  const Bytes whole = wire(soa_answer({soa(5)}));
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK(parse_soa_answer(ByteView(whole).first(size), query_id, zone, true).kind != SoaAnswer::Kind::Soa);
  Bytes longer = whole;
  longer.push_back(0);
  CHECK(parse_soa_answer(longer, query_id, zone, true).kind == SoaAnswer::Kind::Refused);
}

TEST_CASE("notify: what we send has QTYPE SOA, AA, and the new SOA [RFC 1996 §3.3, §3.7]") {
  const auto built = build_notify(9, zone, soa(5).rdata, 300);
  const dns::Message message = parsed(built);
  CHECK(message.header == dns::Header{.id = 9, .opcode = dns::Opcode::NOTIFY, .aa = true});
  CHECK(message.question[0].type == RrType::SOA);
  REQUIRE(message.answer.size() == 1);
  CHECK(soa_fields(message.answer[0].rdata).serial == 5);

  const IncomingNotify taken = parse_notify(*built);
  CHECK(taken.kind == IncomingNotify::Kind::Notify);
  CHECK(taken.zone == zone);
  CHECK(taken.serial == 5);
}

TEST_CASE("notify: the SOA is a hint that may be absent, or no hint for this zone [RFC 1996 §3.7]") {
  dns::Message message = parsed(build_notify(9, zone, soa(5).rdata, 300));
  SUBCASE("absent") { message.answer.clear(); }
  SUBCASE("another zone's") { message.answer = {soa(5, "example.org.")}; }
  SUBCASE("another type") { message.answer = {rr("example. A 192.0.2.1")}; }
  const IncomingNotify taken = parse_notify(wire(message));
  CHECK(taken.kind == IncomingNotify::Kind::Notify);
  CHECK(!taken.serial);
}

TEST_CASE("notify: responses and what is no message are met with silence [RFC 1996 §3]") {
  dns::Message message = parsed(build_notify(9, zone, soa(5).rdata, 300));
  message.header.qr = true;
  CHECK(parse_notify(wire(message)).kind == IncomingNotify::Kind::Silence);
  CHECK(parse_notify({}).kind == IncomingNotify::Kind::Silence);
  CHECK(parse_notify(Bytes(11)).kind == IncomingNotify::Kind::Silence);
  message.header.qr = false;
  message.header.opcode = dns::Opcode::QUERY;
  CHECK(parse_notify(wire(message)).kind == IncomingNotify::Kind::Silence);
}

TEST_CASE("notify: FORMERR where it is malformed, NOTIMP where it is not about the SOA [RFC 1996 §3.3, §3.6]") {
  dns::Message message = parsed(build_notify(9, zone, soa(5).rdata, 300));
  auto rcode = dns::Rcode::FORMERR;
  SUBCASE("no question") { message.question.clear(); }
  SUBCASE("two questions") { message.question.push_back(message.question[0]); }
  SUBCASE("class") { message.question[0].klass = dns::RrClass::CH; }
  SUBCASE("type") { message.question[0].type = RrType::CDS, rcode = dns::Rcode::NOTIMP; }
  const IncomingNotify taken = parse_notify(wire(message));
  CHECK(taken.kind == IncomingNotify::Kind::Wrong);
  CHECK(taken.rcode == rcode);
  const dns::Message answer = parsed(build_notify_response(taken, taken.rcode));
  CHECK(answer.header.id == 9);
  CHECK(answer.header.qr);
  CHECK(answer.header.opcode == dns::Opcode::NOTIFY);
  CHECK(answer.header.rcode == static_cast<uint8_t>(rcode));
  CHECK(answer.question.size() == (rcode == dns::Rcode::NOTIMP ? 1 : 0));
}

TEST_CASE("notify: cut at any octet behind the header it is FORMERR") {
  const Bytes whole = *build_notify(9, zone, soa(5).rdata, 300);
  for (size_t size = 12; size < whole.size(); ++size) {
    const IncomingNotify taken = parse_notify(ByteView(whole).first(size));
    CHECK(taken.kind == IncomingNotify::Kind::Wrong);
    CHECK(taken.rcode == dns::Rcode::FORMERR);
    CHECK(taken.header.id == 9);
  }
}

TEST_CASE("notify: the response repeats ID and question, and is known again [RFC 1996 §3.8, §4.7]") {
  const IncomingNotify taken = parse_notify(*build_notify(9, zone, soa(5).rdata, 300));
  const auto built = build_notify_response(taken, dns::Rcode::NOERROR);
  const dns::Message answer = parsed(built);
  CHECK(answer.header == dns::Header{.id = 9, .qr = true, .opcode = dns::Opcode::NOTIFY, .aa = true});
  CHECK(answer.question.size() == 1);
  CHECK(answer.answer.empty());
  CHECK(parse_notify_response(*built, 9, zone) == dns::Rcode::NOERROR);
  CHECK(!parse_notify_response(*built, 8, zone));
  CHECK(!parse_notify_response(*built, 9, name("example.org.")));
  CHECK(!parse_notify_response(*build_notify(9, zone, soa(5).rdata, 300), 9, zone));
  const auto refused = build_notify_response(taken, dns::Rcode::REFUSED);
  CHECK(parse_notify_response(*refused, 9, zone) == dns::Rcode::REFUSED);
}

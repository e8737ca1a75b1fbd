// Whether a message is an answer to our query, how much of it is borne with, and where it ends: RFC 5936 §2.2.1.

#include "transfer_fixture.hh"

using namespace steward;
using namespace steward::transfer;
using namespace steward::transfer::test;

TEST_CASE("axfr: an answer that is not one to our query is refused [RFC 5936 §2.2.1]") {
  dns::Message message = response(axfr(), small_zone());
  std::string_view words;
  SUBCASE("ID") { message.header.id = query_id + 1, words = "ID"; }
  SUBCASE("no response") { message.header.qr = false, words = "no response"; }
  SUBCASE("opcode") { message.header.opcode = dns::Opcode::NOTIFY, words = "opcode"; }
  SUBCASE("truncated on a stream") { message.header.tc = true, words = "truncated"; }
  SUBCASE("no question") { message.question.clear(), words = "no question"; }
  SUBCASE("another name") { message.question[0].name = name("example.org."), words = "question is not"; }
  SUBCASE("another type") { message.question[0].type = RrType::IXFR, words = "question is not"; }
  SUBCASE("another class") { message.question[0].klass = dns::RrClass::CH, words = "question is not"; }
  CHECK_REFUSED(run(axfr(), std::vector<Bytes>{wire(message)}), words);
}

TEST_CASE("axfr: an answer without AA is taken, as Knot DNS 3.2 sends it [RFC 5936 §2.2.1]") {
  dns::Message message = response(axfr(), small_zone());
  message.header.aa = false;
  CHECK(run(axfr(), std::vector<Bytes>{wire(message)}).step == IncomingTransfer::Step::Done);
}

TEST_CASE("axfr: a message of another ID in the middle is refused") {
  TransferQuery other = axfr();
  other.id = 1;
  CHECK_REFUSED(run(axfr(), {wire(axfr(), {soa(5)}), wire(other, {soa(5)})}), "message 2: ID");
}

TEST_CASE("axfr: a response code other than NOERROR ends it [RFC 5936 §2.2.1]") {
  for (const auto rcode : {dns::Rcode::REFUSED, dns::Rcode::NOTAUTH, dns::Rcode::SERVFAIL, dns::Rcode::NOTIMP}) {
    dns::Message message = response(axfr(), {});
    message.header.rcode = static_cast<uint8_t>(rcode);
    message.header.aa = false;
    const Outcome first = run(axfr(), std::vector<Bytes>{wire(message)});
    CHECK_REFUSED(first, dns::to_text(rcode));
    CHECK(first.rcode == rcode);
    CHECK(first.code == Errc::Refused);
    CHECK_REFUSED(run(axfr(), {wire(axfr(), {soa(5)}), wire(message)}), dns::to_text(rcode));
  }
}

TEST_CASE("axfr: the response code's upper bits stand in OPT [RFC 6891 §6.1.3]") {
  dns::Message message = response(axfr(), {});
  message.additional.push_back(dns::make_opt(1232, false));
  message.additional[0].ttl = 1U << 24;  // BADVERS is 16
  message.answer = {soa(5)};
  const Outcome outcome = run(axfr(), std::vector<Bytes>{wire(message)});
  CHECK_REFUSED(outcome, "BADVERS");
  CHECK(outcome.rcode == dns::Rcode::BADVERS);
}

TEST_CASE("axfr: authority and additional sections are passed over, whatever they hold [RFC 5936 §2.2.4, §2.2.5]") {
  dns::Message message = response(axfr(), small_zone());
  message.authority.push_back(rr("elsewhere. NS ns.elsewhere."));
  message.additional.push_back(dns::make_opt(1232, false));
  const Outcome outcome = run(axfr(), std::vector<Bytes>{wire(message)});
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.lines.size() == 5);
}

TEST_CASE("axfr: messages without records are borne with only so often") {
  std::vector<Bytes> messages{wire(axfr(), {soa(5)})};
  TransferLimits limits;
  limits.max_empty_messages = 3;
  for (int i = 0; i < 3; ++i) messages.push_back(wire(axfr(), {}));
  messages.push_back(wire(axfr(), {rr("example. NS ns.example.")}));
  for (int i = 0; i < 3; ++i) messages.push_back(wire(axfr(), {}));
  auto good = messages;
  good.push_back(wire(axfr(), {soa(5)}));
  CHECK(run(axfr(), good, limits).step == Step::Done);
  messages.push_back(wire(axfr(), {}));
  CHECK_REFUSED(run(axfr(), messages, limits), "in a row without a record");
}

TEST_CASE("axfr: limits of records and octets [CVE-2016-6170, CVE-2016-6171, CVE-2016-6172, CVE-2016-6173]") {
  TransferLimits limits;
  limits.max_records = 4;
  const std::vector<Bytes> messages{wire(axfr(), small_zone())};
  CHECK(run(axfr(), messages, limits).step == Step::Done);
  limits.max_records = 3;
  const Outcome records = run(axfr(), messages, limits);
  CHECK_REFUSED(records, "limit of 3 records");
  CHECK(records.code == Errc::Full);
  limits = {};
  limits.max_octets = messages[0].size();
  CHECK(run(axfr(), messages, limits).step == Step::Done);
  --limits.max_octets;
  CHECK_REFUSED(run(axfr(), messages, limits), "octets");
}

TEST_CASE("axfr: a connection that ends early leaves no zone [RFC 5936 §2.2; CVE-2022-27227]") {
  Recorder sink;
  IncomingTransfer transfer(axfr(), sink);
  CHECK(transfer.take(wire(axfr(), {soa(5), rr("example. NS ns.example.")})) == Step::More);
  CHECK(transfer.closed() == Step::Refused);
  CHECK(transfer.error().code == Errc::Io);
  CHECK(transfer.take(wire(axfr(), {soa(5)})) == Step::Refused);
  CHECK(sink.lines.back() != "end");

  IncomingTransfer empty(axfr(), sink);
  CHECK(empty.closed() == Step::Refused);
}

TEST_CASE("axfr: a closed connection changes nothing after the end") {
  Recorder sink;
  IncomingTransfer transfer(axfr(), sink);
  CHECK(transfer.take(wire(axfr(), small_zone())) == Step::Done);
  CHECK(transfer.closed() == Step::Done);
  CHECK(transfer.records() == 4);
  CHECK(transfer.messages() == 1);
  CHECK(transfer.kind() == TransferKind::Axfr);
}

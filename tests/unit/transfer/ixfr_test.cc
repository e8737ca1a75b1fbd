// Incoming IXFR: RFC 1995, and what hostile or broken primaries make of it.

#include "transfer/ixfr_changes.hh"
#include "transfer_fixture.hh"

using namespace steward;
using namespace steward::transfer;
using namespace steward::transfer::test;

namespace {

// RFC 1995 §7: the zone JAIN.AD.JP from serial 1 to 3.
TransferQuery jain(uint32_t serial) { return {query_id, name("jain.ad.jp."), RrType::IXFR, serial, false}; }
dns::Record jain_soa(uint32_t serial) {
  return rr(fmt::format("JAIN.AD.JP. SOA NS.JAIN.AD.JP. mohta.jain.ad.jp. {} 600 600 3600000 604800", serial));
}
std::vector<dns::Record> rfc_differences() {
  return {jain_soa(3),
          jain_soa(1),
          rr("NEZU.JAIN.AD.JP. A 133.69.136.5"),
          jain_soa(2),
          rr("JAIN-BB.JAIN.AD.JP. A 133.69.136.4"),
          rr("JAIN-BB.JAIN.AD.JP. A 192.41.197.2"),
          jain_soa(2),
          rr("JAIN-BB.JAIN.AD.JP. A 133.69.136.4"),
          jain_soa(3),
          rr("JAIN-BB.JAIN.AD.JP. A 133.69.136.3"),
          jain_soa(3)};
}

const Lines rfc_lines{"ixfr JAIN.AD.JP. 1 3",
                      "from 1",
                      "- NEZU.JAIN.AD.JP. 300 A 133.69.136.5",
                      "to 2",
                      "+ JAIN-BB.JAIN.AD.JP. 300 A 133.69.136.4",
                      "+ JAIN-BB.JAIN.AD.JP. 300 A 192.41.197.2",
                      "from 2",
                      "- JAIN-BB.JAIN.AD.JP. 300 A 133.69.136.4",
                      "to 3",
                      "+ JAIN-BB.JAIN.AD.JP. 300 A 133.69.136.3",
                      "end"};

dns::Record a(int last) { return rr(fmt::format("a.example. A 192.0.2.{}", last)); }

}  // namespace

TEST_CASE("ixfr: the incremental response of the RFC [RFC 1995 §7]") {
  const Outcome outcome = run(jain(1), rfc_differences());
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.serial == 3);
  CHECK(outcome.lines == rfc_lines);
}

TEST_CASE(
    "ixfr: one record a message; an SOA of the announced serial is not yet the end [RFC 1995 §4; miekg/dns 512]") {
  std::vector<Bytes> messages;
  for (const dns::Record& record : rfc_differences()) messages.push_back(wire(jain(1), {record}));
  const Outcome outcome = run(jain(1), messages);
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.taken == messages.size());
  CHECK(outcome.lines == rfc_lines);
}

TEST_CASE("ixfr: split between any two records") {
  const auto records = rfc_differences();
  for (size_t at = 1; at < records.size(); ++at) {
    const auto middle = records.begin() + static_cast<ptrdiff_t>(at);
    const Outcome outcome =
        run(jain(1), {wire(jain(1), {records.begin(), middle}), wire(jain(1), {middle, records.end()})});
    CHECK(outcome.step == Step::Done);
    CHECK(outcome.lines == rfc_lines);
  }
}

TEST_CASE("ixfr: the condensed response of the RFC [RFC 1995 §5, §7]") {
  const Outcome outcome =
      run(jain(1), {jain_soa(3), jain_soa(1), rr("NEZU.JAIN.AD.JP. A 133.69.136.5"), jain_soa(3),
                    rr("JAIN-BB.JAIN.AD.JP. A 133.69.136.3"), rr("JAIN-BB.JAIN.AD.JP. A 192.41.197.2"), jain_soa(3)});
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.lines.size() == 7);
}

TEST_CASE("ixfr: a difference may remove and add nothing but the SOA") {
  const Outcome outcome = run(ixfr(1), {soa(2), soa(1), soa(2), soa(2)});
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.lines == Lines{"ixfr example. 1 2", "from 1", "to 2", "end"});
}

TEST_CASE("ixfr: answered by the whole zone [RFC 1995 §4; PowerDNS issue 12984: one SOA only]") {
  const Outcome outcome = run(ixfr(1), {soa(2), rr("example. NS ns.example."), a(1), soa(2)});
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.lines == Lines{"axfr example. 2", "example. 300 SOA 2", "example. 300 NS ns.example.",
                               "a.example. 300 A 192.0.2.1", "end"});
}

TEST_CASE("ixfr: a whole zone that begins with one record a message") {
  const Outcome outcome =
      run(ixfr(1), {wire(ixfr(1), {soa(2)}), wire(ixfr(1), {rr("example. NS ns.example.")}), wire(ixfr(1), {soa(2)})});
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.lines.front() == "axfr example. 2");
}

TEST_CASE("ixfr: a whole zone that is cut off, or ends with another SOA, is none [CVE-2022-27227]") {
  Recorder sink;
  IncomingTransfer transfer(ixfr(1), sink);
  CHECK(transfer.take(wire(ixfr(1), {soa(2), rr("example. NS ns.example.")})) == Step::More);
  CHECK(transfer.closed() == Step::Refused);
  CHECK_REFUSED(run(ixfr(1), {soa(2), a(1), soa(3)}), "another SOA");
  CHECK_REFUSED(run(ixfr(1), {soa(2), a(1), soa(1)}), "another SOA");
}

TEST_CASE("ixfr: one SOA that is ours, or older, means up to date [RFC 1995 §2, §4]") {
  CHECK(run(ixfr(5), {soa(5)}).step == Step::UpToDate);
  const Outcome older = run(ixfr(5), {soa(4)});
  CHECK(older.step == Step::UpToDate);
  CHECK(older.serial == 4);
  CHECK(older.lines.empty());
}

TEST_CASE("ixfr: serials go round [RFC 1982 §3.2]") {
  CHECK(run(ixfr(0xffffffff), {soa(0), soa(0xffffffff), a(1), soa(0), a(2), soa(0)}).step == Step::Done);
  CHECK(run(ixfr(0), {soa(0xffffffff)}).step == Step::UpToDate);
  CHECK(run(ixfr(0), {soa(0x7fffffff), soa(0), soa(0x7fffffff), soa(0x7fffffff)}).step == Step::Done);
  // 2^31 apart: neither is newer.
  CHECK(run(ixfr(0), {soa(0x80000000), soa(0), soa(0x80000000), soa(0x80000000)}).step == Step::UpToDate);
  const Outcome through_zero = run(
      ixfr(0xfffffffe), {soa(1), soa(0xfffffffe), soa(0xffffffff), soa(0xffffffff), soa(0), soa(0), soa(1), soa(1)});
  CHECK(through_zero.step == Step::Done);
}

TEST_CASE("ixfr: a primary that sends the zone whatever our serial is is not read on [PowerDNS issue 1192]") {
  CHECK(run(ixfr(5), {soa(5), rr("example. NS ns.example."), soa(5)}).step == Step::UpToDate);
}

TEST_CASE("ixfr: one newer SOA and then nothing is no news [RFC 1995 §4; PowerDNS issue 1835]") {
  Recorder sink;
  IncomingTransfer transfer(ixfr(1), sink);
  CHECK(transfer.take(wire(ixfr(1), {soa(2)})) == Step::More);
  CHECK(transfer.closed() == Step::FallBackToAxfr);
  CHECK(sink.lines.empty());
}

TEST_CASE("ixfr: over UDP one newer SOA, or TC, sends us to TCP [RFC 1995 §2, §4]") {
  CHECK(run(ixfr(1, true), {soa(2)}).step == Step::RetryOverTcp);
  dns::Message truncated = response(ixfr(1, true), {});
  truncated.header.tc = true;
  CHECK(run(ixfr(1, true), std::vector<Bytes>{wire(truncated)}).step == Step::RetryOverTcp);
  // Differences that do not end with the datagram.
  CHECK(run(ixfr(1, true), {soa(2), soa(1), a(1)}).step == Step::RetryOverTcp);
  CHECK(run(ixfr(1, true), {soa(2), soa(1), a(1), soa(2), a(2), soa(2)}).step == Step::Done);
  CHECK(run(ixfr(2, true), {soa(2)}).step == Step::UpToDate);
}

TEST_CASE("ixfr: the first difference starts at our serial [RFC 1995 §4]") {
  CHECK_FALLS_BACK(run(ixfr(1), {soa(3), soa(2), soa(3), soa(3)}), "first difference is from serial 2, ours is 1");
  CHECK_FALLS_BACK(run(ixfr(2), {soa(3), soa(1), soa(2), soa(2), soa(3), soa(3)}), "from serial 1, ours is 2");
}

TEST_CASE("ixfr: each difference starts where the one before ended [RFC 1995 §4; Technitium issue 2053]") {
  CHECK_FALLS_BACK(run(ixfr(1), {soa(4), soa(1), soa(2), soa(3), soa(4), soa(4)}), "3 follows 2");
  // The closing SOA before the announced version is reached.
  CHECK_FALLS_BACK(run(ixfr(1), {soa(4), soa(1), soa(2), a(1), soa(4)}), "4 follows 2");
}

TEST_CASE("ixfr: no difference at all is no zone either: AXFR tells [RFC 1995 §4]") {
  CHECK_FALLS_BACK(run(ixfr(1), {soa(2), soa(2)}), "without a difference");
}

TEST_CASE("ixfr: serials advance, and never past the announced one: no endless response [RFC 1982 §3.2]") {
  CHECK_FALLS_BACK(run(ixfr(1), {soa(2), soa(1), a(1), soa(1), a(2)}), "from 1 to 1");
  CHECK_FALLS_BACK(run(ixfr(1), {soa(3), soa(1), soa(2), soa(2), soa(1)}), "from 2 to 1");
  CHECK_FALLS_BACK(run(ixfr(1), {soa(3), soa(1), soa(4)}), "from 1 to 4");
  CHECK_FALLS_BACK(run(ixfr(10), {soa(12), soa(10), soa(9)}), "from 10 to 9");
  // Half way round and back again.
  CHECK_FALLS_BACK(run(ixfr(1), {soa(3), soa(1), soa(0x80000000)}), "does not lead toward 3");
}

TEST_CASE("ixfr: the number of differences is bounded") {
  TransferLimits limits;
  limits.max_differences = 2;
  const std::vector<dns::Record> two{soa(3), soa(1), soa(2), soa(2), soa(3), soa(3)};
  CHECK(run(ixfr(1), {wire(ixfr(1), two)}, limits).step == Step::Done);
  limits.max_differences = 1;
  CHECK_FALLS_BACK(run(ixfr(1), {wire(ixfr(1), two)}, limits), "more than 1 differences");
}

TEST_CASE("ixfr: the last SOA is the announced one, in the difference and at the end [RFC 1995 §4]") {
  const auto other = rr("example. SOA ns.example. other.example. 2 3600 600 86400 300");
  CHECK_FALLS_BACK(run(ixfr(1), {soa(2), soa(1), other, a(1), soa(2)}), "not the announced one");
  CHECK_FALLS_BACK(run(ixfr(1), {soa(2), soa(1), soa(2), a(1), other}), "another SOA");
  CHECK_FALLS_BACK(run(ixfr(1), {soa(2), soa(1), soa(2), a(1), soa(3)}), "serial 2 and 3");
}

TEST_CASE("ixfr: nothing may follow the closing SOA [RFC 1995 §4; bind-users 2011-10, xfrin: EXTRADATA]") {
  const Outcome outcome = run(ixfr(1), {soa(2), soa(1), soa(2), soa(2), a(1)});
  CHECK_REFUSED(outcome, "record after the closing SOA");
  CHECK(outcome.lines.back() != "end");
}

TEST_CASE("ixfr: an SOA of another name is refused wherever it stands [CVE-2021-25214]") {
  const auto other = soa(2, "sub.example.");
  CHECK_REFUSED(run(ixfr(1), {other}), "does not begin with the zone's SOA");
  CHECK_REFUSED(run(ixfr(1), {soa(2), soa(1, "sub.example.")}), "below the zone's apex");
  CHECK_REFUSED(run(ixfr(1), {soa(2), soa(1), other, soa(2), soa(2)}), "below the zone's apex");
  CHECK_REFUSED(run(ixfr(1), {soa(2), soa(1), soa(2), other, soa(2)}), "below the zone's apex");
}

TEST_CASE("ixfr: records that no zone may hold are refused in removals and additions") {
  dns::Record chaos = a(1);
  chaos.klass = dns::RrClass::CH;
  dns::Record any = rr("a.example. TYPE65280 \\# 1 00");
  any.type = RrType::ANY;
  const auto outside = rr("example.org. A 192.0.2.1");
  for (const auto& bad : {chaos, any, outside}) {
    CHECK(run(ixfr(1), {soa(2), soa(1), bad, soa(2), soa(2)}).step == Step::Refused);
    CHECK(run(ixfr(1), {soa(2), soa(1), soa(2), bad, soa(2)}).step == Step::Refused);
  }
}

TEST_CASE("ixfr: a primary that does no IXFR is asked for AXFR [RFC 1995 §4; NSD issue 479: SERVFAIL]") {
  for (const auto rcode : {dns::Rcode::NOTIMP, dns::Rcode::FORMERR, dns::Rcode::SERVFAIL}) {
    dns::Message message = response(ixfr(1), {});
    message.header.rcode = static_cast<uint8_t>(rcode);
    message.header.aa = false;
    message.question.clear();
    const Outcome outcome = run(ixfr(1), std::vector<Bytes>{wire(message)});
    CHECK_FALLS_BACK(outcome, dns::to_text(rcode));
    CHECK(outcome.rcode == rcode);
  }
  CHECK_FALLS_BACK(run(ixfr(1), std::vector<dns::Record>{}), "empty");
}

TEST_CASE("ixfr: a primary that refuses is not asked again by AXFR") {
  for (const auto rcode : {dns::Rcode::REFUSED, dns::Rcode::NOTAUTH, dns::Rcode::NXDOMAIN}) {
    dns::Message message = response(ixfr(1), {});
    message.header.rcode = static_cast<uint8_t>(rcode);
    CHECK_REFUSED(run(ixfr(1), std::vector<Bytes>{wire(message)}), dns::to_text(rcode));
  }
  dns::Message late = response(ixfr(1), {});
  late.header.rcode = static_cast<uint8_t>(dns::Rcode::SERVFAIL);
  CHECK_REFUSED(run(ixfr(1), {wire(ixfr(1), {soa(2), soa(1)}), wire(late)}), "SERVFAIL");
}

TEST_CASE("ixfr: the question is IXFR also where the answer is a whole zone") {
  CHECK_REFUSED(run(ixfr(1), {wire(axfr(), {soa(2), a(1), soa(2)})}), "question is not");
}

TEST_CASE("ixfr: changes that do not fit the zone fall back to AXFR, a disk that fails does not") {
  const std::vector<dns::Record> records{soa(2), soa(1), a(1), soa(2), a(2), soa(2)};
  for (const auto& [code, step] :
       {std::pair{Errc::NotFound, Step::FallBackToAxfr}, std::pair{Errc::Exists, Step::FallBackToAxfr},
        std::pair{Errc::Full, Step::FallBackToAxfr}, std::pair{Errc::Corrupt, Step::FallBackToAxfr},
        std::pair{Errc::Io, Step::Refused}, std::pair{Errc::Refused, Step::Refused}}) {
    for (const char* line : {"- a.example. 300 A 192.0.2.1", "+ a.example. 300 A 192.0.2.2", "from 1", "to 2", "end"}) {
      Recorder sink;
      sink.fail_at = line;
      sink.error = code;
      IncomingTransfer transfer(ixfr(1), sink);
      CHECK(transfer.take(wire(ixfr(1), records)) == step);
      CHECK(transfer.error().code == code);
    }
  }
}

TEST_CASE("ixfr: a message cut at any octet is never applied") {
  const Bytes whole = wire(jain(1), rfc_differences());
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK(run(jain(1), {Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))}).step == Step::Refused);
}

TEST_CASE("changes: the differences of the RFC, gathered [RFC 1995 §7]") {
  IxfrChanges changes;
  IncomingTransfer transfer(jain(1), changes);
  REQUIRE(transfer.take(wire(jain(1), rfc_differences())) == Step::Done);
  CHECK(transfer.kind() == TransferKind::Ixfr);
  CHECK(transfer.differences() == 2);
  CHECK(changes.from() == 1);
  CHECK(changes.to() == 3);
  CHECK(changes.record_count() == 5);
  REQUIRE(changes.size() == 2);
  const auto texts = [](const ChangeRange& range) {
    Lines lines;
    for (const TransferRecord& record : range) lines.push_back(text_of(record));
    CHECK(lines.size() == range.size());
    return lines;
  };
  const IxfrDifference first = changes[0];
  CHECK(first.from == 1);
  CHECK(first.to == 2);
  CHECK(text_of(first.old_soa) == "JAIN.AD.JP. 300 SOA 1");
  CHECK(text_of(first.new_soa) == "JAIN.AD.JP. 300 SOA 2");
  CHECK(texts(first.removed) == Lines{"NEZU.JAIN.AD.JP. 300 A 133.69.136.5"});
  CHECK(texts(first.added) ==
        Lines{"JAIN-BB.JAIN.AD.JP. 300 A 133.69.136.4", "JAIN-BB.JAIN.AD.JP. 300 A 192.41.197.2"});
  const IxfrDifference second = changes[1];
  CHECK(second.to == 3);
  CHECK(texts(second.removed) == Lines{"JAIN-BB.JAIN.AD.JP. 300 A 133.69.136.4"});
  CHECK(texts(second.added) == Lines{"JAIN-BB.JAIN.AD.JP. 300 A 133.69.136.3"});
}

TEST_CASE("changes: a difference without removals and additions has empty ranges") {
  IxfrChanges changes;
  IncomingTransfer transfer(ixfr(1), changes);
  REQUIRE(transfer.take(wire(ixfr(1), {soa(2), soa(1), soa(2), soa(2)})) == Step::Done);
  CHECK(changes[0].removed.empty());
  CHECK(changes[0].added.empty());
  CHECK(changes[0].removed.begin() == changes[0].removed.end());
}

TEST_CASE("changes: beyond the limit of octets it is an AXFR") {
  const Bytes message = wire(jain(1), rfc_differences());
  for (size_t limit = 0; limit < 600; limit += 50) {
    IxfrChanges changes(limit);
    IncomingTransfer transfer(jain(1), changes);
    CHECK(transfer.take(message) == Step::FallBackToAxfr);
    CHECK(transfer.error().code == Errc::Full);
    CHECK(changes.octets() <= limit);
  }
}

TEST_CASE("changes: a whole zone does not go there") {
  IxfrChanges changes;
  IncomingTransfer transfer(ixfr(1), changes);
  CHECK(transfer.take(wire(ixfr(1), {soa(2), a(1), soa(2)})) == Step::Refused);
}

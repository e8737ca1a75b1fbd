// Incoming AXFR: RFC 5936, and what hostile or broken primaries make of it.

#include "transfer_fixture.hh"

using namespace steward;
using namespace steward::transfer;
using namespace steward::transfer::test;

namespace {

// A message by hand: `answers` in wire form, with the count that it is said to have.
Bytes raw(size_t count, const Bytes& answers, const TransferQuery& query = axfr()) {
  Bytes message = wire(query, {});
  store_u16(&message[6], static_cast<uint16_t>(count));
  append(message, answers);
  return message;
}

// Owner in wire form, then the rest of a record.
Bytes raw_record(ByteView owner, uint16_t type, uint16_t klass, uint32_t ttl, ByteView rdata) {
  Bytes out(owner.begin(), owner.end());
  append_u16(out, type);
  append_u16(out, klass);
  append_u32(out, ttl);
  append_u16(out, static_cast<uint16_t>(rdata.size()));
  append(out, rdata);
  return out;
}
Bytes raw_record(const dns::Record& record) {
  return raw_record(record.owner.view().wire(), dns::value(record.type), dns::value(record.klass), record.ttl,
                    record.rdata);
}
Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) append(all, part);
  return all;
}

Outcome with(const dns::Record& record) { return run(axfr(), {soa(5), record, soa(5)}); }

}  // namespace

TEST_CASE("axfr: a zone in one message [RFC 5936 §2.2]") {
  const Outcome outcome = run(axfr(), small_zone());
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.serial == 5);
  CHECK(outcome.lines == Lines{"axfr example. 5", "example. 300 SOA 5", "example. 300 NS ns.example.",
                               "ns.example. 300 A 192.0.2.1", "end"});
}

TEST_CASE("axfr: one record a message, the question only in the first [RFC 5936 §2.2.1]") {
  std::vector<Bytes> messages;
  for (const dns::Record& record : small_zone()) {
    dns::Message message = response(axfr(), {record});
    if (!messages.empty()) message.question.clear();
    messages.push_back(wire(message));
  }
  const Outcome outcome = run(axfr(), messages);
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.taken == 4);
  CHECK(outcome.lines.size() == 5);
}

TEST_CASE("axfr: the first message may hold the SOA alone") {
  const Outcome outcome = run(axfr(), {wire(axfr(), {soa(5)}), wire(axfr(), {rr("example. NS ns.example."), soa(5)})});
  CHECK(outcome.step == Step::Done);
}

TEST_CASE("axfr: owners are told apart where messages point to other places [RFC 1035 §4.1.4]") {
  // The owner's pointer in the second message leads to another name than the same pointer in the first.
  const Bytes first = wire(axfr(), {soa(5), rr("aaa.example. A 192.0.2.1"), rr("aaa.example. A 192.0.2.2")});
  dns::Message message = response(axfr(), {rr("bbb.example. A 192.0.2.3"), rr("bbb.example. A 192.0.2.4"), soa(5)});
  message.question.clear();
  const Outcome outcome = run(axfr(), {first, wire(message)});
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.lines[3] == "aaa.example. 300 A 192.0.2.2");
  CHECK(outcome.lines[4] == "bbb.example. 300 A 192.0.2.3");
  CHECK(outcome.lines[5] == "bbb.example. 300 A 192.0.2.4");
}

TEST_CASE("axfr: an owner that points into the header is refused, also as the first of a message") {
  const Bytes pointer{0xc0, 0x00};
  const Bytes second = raw(1, raw_record(pointer, 1, 1, 300, Bytes{192, 0, 2, 1}));
  CHECK_REFUSED(run(axfr(), {wire(axfr(), {soa(5), rr("a.example. A 192.0.2.1")}), second}), "header");
}

TEST_CASE("axfr: the case of names is kept") {
  const Outcome outcome = run(axfr(), {soa(5, "Example."), rr("WWW.example. MX 1 Mail.Example."), soa(5)});
  CHECK(outcome.step == Step::Done);
  CHECK(outcome.lines[0] == "axfr Example. 5");
  CHECK(outcome.lines[2] == "WWW.example. 300 MX 1 Mail.Example.");
}

TEST_CASE("axfr: the closing SOA may differ in case and TTL, not in what it says [RFC 5936 §2.2, RFC 4343 §3]") {
  CHECK(run(axfr(), {soa(5), rr("EXAMPLE. SOA NS.example. ADMIN.Example. 5 3600 600 86400 300", 60)}).step ==
        Step::Done);
  CHECK_REFUSED(run(axfr(), {soa(5), rr("example. SOA ns.example. admin.example. 5 3600 600 86400 301")}),
                "another SOA");
}

TEST_CASE("axfr: another serial at the end is a zone that changed meanwhile [RFC 5936 §2.2; PowerDNS issue 16366]") {
  CHECK_REFUSED(run(axfr(), {soa(5), rr("example. NS ns.example."), soa(6)}), "serial 5 and 6");
}

TEST_CASE("axfr: an SOA in the middle does not end it early or restart it") {
  CHECK_REFUSED(run(axfr(), {soa(5), soa(4), rr("example. NS ns.example."), soa(5)}), "another SOA");
  CHECK_REFUSED(run(axfr(), {soa(5), soa(5), rr("example. NS ns.example."), soa(5)}), "record after the closing SOA");
}

TEST_CASE("axfr: an SOA below the apex is refused [CVE-2021-25214]") {
  CHECK_REFUSED(with(soa(5, "sub.example.")), "below the zone's apex");
  CHECK_REFUSED(run(axfr(), {soa(5, "sub.example."), soa(5, "sub.example.")}), "does not begin with the zone's SOA");
}

TEST_CASE("axfr: what does not begin with the SOA is refused [RFC 5936 §2.2]") {
  CHECK_REFUSED(run(axfr(), {rr("example. NS ns.example."), soa(5)}), "does not begin");
  CHECK_REFUSED(run(axfr(), std::vector<dns::Record>{}), "does not begin");
}

TEST_CASE("axfr: records after the end are refused, in the same message and in the next [RFC 5936 §2.2]") {
  auto records = small_zone();
  records.push_back(rr("late.example. A 192.0.2.9"));
  const Outcome outcome = run(axfr(), records);
  CHECK_REFUSED(outcome, "record after the closing SOA");
  CHECK(outcome.lines.back() != "end");

  Recorder sink;
  IncomingTransfer transfer(axfr(), sink);
  CHECK(transfer.take(wire(axfr(), small_zone())) == Step::Done);
  CHECK(transfer.take(wire(axfr(), small_zone())) == Step::Refused);
}

TEST_CASE("axfr: a record outside of the zone refuses the whole transfer") {
  CHECK_REFUSED(with(rr("www.example.org. A 192.0.2.1")), "www.example.org. is not in the zone example.");
  CHECK_REFUSED(with(rr("xexample. A 192.0.2.1")), "is not in the zone");
  CHECK_REFUSED(with(rr(". NS ns.example.")), "is not in the zone");
}

TEST_CASE("axfr: a record of another class refuses the whole transfer") {
  for (const auto klass : {dns::RrClass::CH, dns::RrClass::NONE, dns::RrClass::ANY, static_cast<dns::RrClass>(0)}) {
    dns::Record record = rr("www.example. A 192.0.2.1");
    record.klass = klass;
    CHECK_REFUSED(with(record), "class is");
  }
}

TEST_CASE("axfr: types of messages and queries cannot be in a zone [RFC 6895 §3.1]") {
  for (const int type : {0, 41, 128, 249, 250, 251, 252, 253, 254, 255}) {
    dns::Record record = rr("www.example. TYPE65280 \\# 1 00");
    record.type = static_cast<RrType>(type);
    CHECK_REFUSED(with(record), "cannot be in a zone");
  }
  CHECK(with(rr("www.example. TYPE65280 \\# 1 00")).step == Step::Done);
}

TEST_CASE("axfr: a TTL with the top bit set counts as 0 [RFC 2181 §8]") {
  CHECK(with(rr("a.example. A 192.0.2.1", 0x80000000)).lines[2] == "a.example. 0 A 192.0.2.1");
  CHECK(with(rr("a.example. A 192.0.2.1", 0xffffffff)).lines[2] == "a.example. 0 A 192.0.2.1");
  CHECK(with(rr("a.example. A 192.0.2.1", 0x7fffffff)).lines[2] == "a.example. 2147483647 A 192.0.2.1");
}

TEST_CASE("axfr: RDATA that its type does not allow is refused") {
  const Bytes owner = [] {
    const dns::Name at = name("a.example.");
    return Bytes(at.data(), at.data() + at.size());
  }();
  const auto taking = [&](RrType type, const Bytes& rdata) {
    return run(
        axfr(),
        {raw(3, join({raw_record(soa(5)), raw_record(owner, dns::value(type), 1, 1, rdata), raw_record(soa(5))}))});
  };
  CHECK_REFUSED(taking(RrType::A, {192, 0, 2}), "A RDATA");
  CHECK_REFUSED(taking(RrType::A, {192, 0, 2, 1, 0}), "A RDATA");
  CHECK_REFUSED(taking(RrType::A, {}), "A RDATA");
  CHECK_REFUSED(taking(RrType::TXT, {}), "TXT RDATA");
  CHECK_REFUSED(taking(RrType::TXT, {5, 'a'}), "TXT RDATA");
  CHECK_REFUSED(taking(RrType::MX, {0}), "MX RDATA");
  // The SOA's RDATA too long, and too short.
  dns::Record large = soa(5);
  large.rdata.push_back(0);
  CHECK_REFUSED(run(axfr(), {raw(1, raw_record(large))}), "SOA RDATA");
  large.rdata.resize(large.rdata.size() - 2);
  CHECK_REFUSED(run(axfr(), {raw(1, raw_record(large))}), "SOA RDATA");
}

TEST_CASE(
    "axfr: names of RFC 1035's types come decompressed, those of later types may not be compressed [RFC 3597 §4]") {
  // 0xc00c points at the question's name.
  const Bytes pointer{0xc0, 0x0c};
  const auto taking = [&](RrType type, const Bytes& rdata) {
    return run(
        axfr(),
        {raw(3, join({raw_record(soa(5)), raw_record(pointer, dns::value(type), 1, 1, rdata), raw_record(soa(5))}))});
  };
  CHECK(taking(RrType::NS, {2, 'n', 's', 0xc0, 0x0c}).lines[2] == "example. 1 NS ns.example.");
  CHECK_REFUSED(taking(RrType::DNAME, {2, 'n', 's', 0xc0, 0x0c}), "DNAME RDATA");
  CHECK_REFUSED(taking(RrType::NSEC, {0xc0, 0x0c, 0, 1, 0x40}), "NSEC RDATA");
}

TEST_CASE("axfr: loops of compression pointers end [RFC 1035 §4.1.4]") {
  const size_t start = wire(axfr(), {}).size();
  const auto to = [](size_t at) { return Bytes{static_cast<uint8_t>(0xc0 | at >> 8), static_cast<uint8_t>(at)}; };
  CHECK_REFUSED(run(axfr(), {raw(1, raw_record(to(start), 6, 1, 1, soa(5).rdata))}), "does not point backward");
  CHECK_REFUSED(run(axfr(), {raw(1, join({{1, 'a'}, raw_record(to(start), 6, 1, 1, soa(5).rdata)}))}),
                "does not point backward");
  CHECK_REFUSED(run(axfr(), {raw(1, raw_record(to(0x3fff), 6, 1, 1, soa(5).rdata))}), "owner");
}

TEST_CASE("axfr: names of 255 octets are taken, longer ones are not [RFC 1035 §3.1]") {
  std::string longest;
  for (int i = 0; i < 3; ++i) longest += std::string(63, 'x') + ".";
  longest += std::string(53, 'y') + ".example.";
  CHECK(name(longest).size() == 255);
  CHECK(with(rr(longest + " A 192.0.2.1")).step == Step::Done);
  CHECK(with(rr("a.example. NS " + longest)).step == Step::Done);

  // One octet more, by a pointer to it.
  const Bytes soa_and_longest = join({raw_record(soa(5)), raw_record(rr(longest + " A 192.0.2.1"))});
  const size_t place = wire(axfr(), {}).size() + raw_record(soa(5)).size();
  const Bytes pointed{1, 'z', static_cast<uint8_t>(0xc0 | place >> 8), static_cast<uint8_t>(place)};
  const Bytes too_long = raw_record(pointed, 1, 1, 1, Bytes{192, 0, 2, 1});
  CHECK_REFUSED(run(axfr(), {raw(3, join({soa_and_longest, too_long}))}), "255 octets");
}

TEST_CASE("axfr: counts that do not hold refuse the transfer [RFC 1035 §4.1.1]") {
  const Bytes whole = wire(axfr(), small_zone());
  SUBCASE("more records than there are") {
    Bytes message = whole;
    store_u16(&message[6], 5);
    CHECK_REFUSED(run(axfr(), {message}), "");
  }
  SUBCASE("fewer records than there are") {
    Bytes message = whole;
    store_u16(&message[6], 3);
    CHECK_REFUSED(run(axfr(), {message}), "left over");
  }
  SUBCASE("an additional record that is not there") {
    Bytes message = whole;
    store_u16(&message[10], 1);
    CHECK_REFUSED(run(axfr(), {message}), "cut short");
  }
  SUBCASE("more than one question") {
    Bytes message = whole;
    store_u16(&message[4], 2);
    CHECK_REFUSED(run(axfr(), {message}), "more than one question");
  }
  SUBCASE("octets behind the last record [PowerDNS issue 363]") {
    Bytes message = whole;
    message.push_back(0);
    CHECK_REFUSED(run(axfr(), {message}), "left over");
  }
  SUBCASE("RDATA that is longer than the message") {
    const Bytes soa_record = raw_record(soa(5));
    Bytes message = raw(1, soa_record);
    store_u16(&message[message.size() - soa(5).rdata.size() - 2], 0xffff);
    CHECK_REFUSED(run(axfr(), {message}), "runs past the end");
  }
}

TEST_CASE("axfr: a message cut at any octet is refused") {
  const Bytes whole = wire(axfr(), small_zone());
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK(run(axfr(), {Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))}).step == Step::Refused);
}

TEST_CASE("axfr: any octet may be wrong") {
  const Bytes whole = wire(axfr(), small_zone());
  for (size_t at = 0; at < whole.size(); ++at)
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes message = whole;
      message[at] = static_cast<uint8_t>(message[at] ^ flip);
      const Step step = run(axfr(), {message}).step;
      CHECK((step == Step::Done || step == Step::Refused || step == Step::More));
    }
}

TEST_CASE("axfr: what the sink refuses is refused, with its place") {
  Recorder sink;
  sink.fail_at = "example. 300 NS ns.example.";
  sink.error = Errc::Full;
  IncomingTransfer transfer(axfr(), sink);
  CHECK(transfer.take(wire(axfr(), small_zone())) == Step::Refused);
  CHECK(transfer.error().what == "message 1, answer record 2: the sink says no");
  CHECK(transfer.error().code == Errc::Full);
}

TEST_CASE("axfr: the root zone is a zone too") {
  const TransferQuery query{query_id, dns::Name(), RrType::AXFR, 0, false};
  const auto root_soa = rr(". SOA a.root-servers.net. nstld. 1 1800 900 604800 86400");
  CHECK(run(query, {root_soa, rr("com. NS a.gtld-servers.net."), root_soa}).step == Step::Done);
}

// IXFR out (RFC 1995): from the journal, condensed or not, over streams and UDP; what falls back and to what.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

#include "serve/condense.hh"
#include "transfer_world.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;
using serve::TransferKind;
using serve::TransferOutcome;

namespace {

constexpr std::string_view origin = "example.test.";

std::string soa(uint32_t serial) { return "@ 3600 SOA ns1 host " + std::to_string(serial) + " 2 3 4 5\n"; }

struct Fixture : TransferWorld {
  Fixture() {
    snapshot.add_zone(origin, soa(9) + "@ 60 NS ns1\nns1 60 A 192.0.2.1\nnew 60 A 192.0.2.9\n");
    auto table = std::make_shared<serve::AccessTable>();
    serve::ZoneAccess access;
    serve::AccessRow row;
    row.block = *AddressBlock::from_text("192.0.2.0/24");
    access.transfer = serve::AccessList({row});
    table->set(*dns::Name::from_text(origin), access);
    settings.access = table;
    source.octets = 100'000;
  }
  void add(uint32_t from, std::string_view removed, uint32_t to, std::string_view added) {
    source.journal.push_back(make_difference(soa(from) + std::string(removed), soa(to) + std::string(added), origin));
  }
  std::vector<std::string> ixfr(uint32_t serial, Transport transport = Transport::Tcp) {
    return answer_of(fetch(make_ixfr(origin, serial), transport));
  }
  // Owner, type and RDATA of expected records, as answer_of() has them.
  static std::vector<std::string> lines(std::string_view text) {
    std::vector<std::string> lines;
    for (const Record& record : parse_zone_text(text, *dns::Name::from_text(origin)))
      lines.push_back(line_of(record.owner, record.type, record.ttl, record.rdata));
    return lines;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "ixfr: one difference, framed by the present SOA [RFC 1995 §4]") {
  add(8, "old 60 A 192.0.2.8\n", 9, "new 60 A 192.0.2.9\n");
  CHECK(ixfr(8) == lines(soa(9) + soa(8) + "old 60 A 192.0.2.8\n" + soa(9) + "new 60 A 192.0.2.9\n" + soa(9)));
  REQUIRE(operations.ended.size() == 1);
  CHECK(operations.ended[0].kind == TransferKind::Ixfr);
  CHECK(operations.ended[0].from == 8U);
  CHECK(operations.ended[0].serial == 9);
  CHECK(context.counters.transfers_ixfr.get() == 1);
}

TEST_CASE_FIXTURE(Fixture, "ixfr: several differences become one where that is smaller [RFC 1995 §5]") {
  add(7, "a 60 A 192.0.2.7\n", 8, "b 60 A 192.0.2.8\nnew 60 A 192.0.2.9\n");
  add(8, "b 60 A 192.0.2.8\n", 9, "a 60 A 192.0.2.7\nb 30 A 192.0.2.8\n");
  CHECK(ixfr(7) == lines(soa(9) + soa(7) + soa(9) + "b 30 A 192.0.2.8\nnew 60 A 192.0.2.9\n" + soa(9)));
  // The second one alone is what it is.
  CHECK(ixfr(8).size() == 7);
}

TEST_CASE_FIXTURE(Fixture,
                  "ixfr: a history too long to be condensed is sent difference by difference, piece by piece") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "n" + std::to_string(i) + " 60 TXT \"" + std::string(250, 't') + "\"\n";
  for (uint32_t serial = 5; serial < 9; ++serial)
    add(serial, serial % 2 == 1 ? text : "", serial + 1, serial % 2 == 1 ? "" : text);
  source.octets = 1U << 30;
  source.part_records = 500;
  REQUIRE(source.journal_extent(*snapshot.find_zone(*dns::Name::from_text(origin)), 5)->octets > 2U << 20);
  const auto stream = send(make_ixfr(origin, 5));
  CHECK(!stream->finished);
  stream->run();
  std::vector<std::string> got;
  for (const Bytes& octets : stream->messages) {
    const auto message = dns::Message::parse(octets);
    REQUIRE(message);
    for (const dns::Record& record : message->answer)
      got.push_back(line_of(record.owner, record.type, record.ttl, record.rdata));
  }
  std::string expected = soa(9);
  for (uint32_t serial = 5; serial < 9; ++serial)
    expected += soa(serial) + (serial % 2 == 1 ? text : "") + soa(serial + 1) + (serial % 2 == 1 ? "" : text);
  CHECK(got == lines(expected + soa(9)));
  CHECK(operations.ended[0].outcome == TransferOutcome::Done);
}

TEST_CASE_FIXTURE(Fixture, "ixfr: a journal that loses what is being sent ends the transfer with SERVFAIL") {
  std::string text;
  for (int i = 0; i < 12000; ++i) text += "n" + std::to_string(i) + " 60 TXT \"" + std::string(250, 't') + "\"\n";
  add(8, "", 9, text);
  source.octets = 1U << 30;
  source.part_records = 500;
  const auto stream = send(make_ixfr(origin, 8));
  source.journal.clear();
  stream->run();
  const auto last = dns::Message::parse(stream->messages.back());
  CHECK(last->rcode() == Rcode::SERVFAIL);
  CHECK(last->answer.empty());
  CHECK(stream->finished);
  CHECK(operations.ended[0].outcome == TransferOutcome::Failed);
  CHECK(slots->taken() == 0);
}

TEST_CASE_FIXTURE(Fixture, "ixfr: a client that is current or ahead gets the SOA alone [RFC 1995 §2, RFC 1982 §3.2]") {
  add(8, "", 9, "new 60 A 192.0.2.9\n");
  for (const uint32_t serial : {9U, 10U, 0x7fffffffU})
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
      const auto messages = fetch(make_ixfr(origin, serial), transport);
      REQUIRE(messages.size() == 1);
      CHECK(messages[0].header.aa);
      CHECK(answer_of(messages) == lines(soa(9)));
    }
  CHECK(operations.began.empty());
  CHECK(context.counters.transfers_current.get() == 6);
  // Behind, counting round: the journal has nothing of it.
  CHECK(ixfr(0xfffffff0U).size() == 5);
}

TEST_CASE_FIXTURE(
    Fixture, "ixfr: the zone is sent where the journal does not reach back, and the report says axfr [RFC 1995 §4]") {
  add(8, "", 9, "new 60 A 192.0.2.9\n");
  const auto got = ixfr(3);
  CHECK(got.front() == lines(soa(9))[0]);
  CHECK(got.back() == lines(soa(9))[0]);
  CHECK(got.size() == 5);
  CHECK(got[1] != lines(soa(3))[0]);
  CHECK(operations.ended[0].kind == TransferKind::Axfr);
  CHECK(operations.ended[0].from == 3U);
}

TEST_CASE_FIXTURE(Fixture, "ixfr: the zone is sent where that is smaller than its differences [RFC 1995 §4]") {
  source.octets = 100;
  add(8, "a 60 TXT \"" + std::string(200, 'a') + "\"\n", 9, "");
  ixfr(8);
  CHECK(operations.ended[0].kind == TransferKind::Axfr);
  source.octets = 1000;
  ixfr(8);
  CHECK(operations.ended[1].kind == TransferKind::Ixfr);
  source.octets = 0;
  ixfr(8);
  CHECK(operations.ended[2].kind == TransferKind::Ixfr);
}

TEST_CASE_FIXTURE(Fixture, "ixfr: a journal that ends before the present falls back to the zone") {
  add(7, "", 8, "new 60 A 192.0.2.9\n");
  add(8, "", 10, "");
  ixfr(7);
  CHECK(operations.ended[0].kind == TransferKind::Axfr);
}

TEST_CASE_FIXTURE(Fixture, "ixfr: over UDP all of it where it fits, else the SOA alone, never TC [RFC 1995 §2, §4]") {
  add(8, "old 60 A 192.0.2.8\n", 9, "new 60 A 192.0.2.9\n");
  CHECK(ixfr(8, Transport::Udp) ==
        lines(soa(9) + soa(8) + "old 60 A 192.0.2.8\n" + soa(9) + "new 60 A 192.0.2.9\n" + soa(9)));
  CHECK(context.counters.transfers_ixfr.get() == 1);
  std::string text;
  for (int i = 0; i < 30; ++i) text += "n" + std::to_string(i) + " 60 A 192.0.2.1\n";
  source.journal.clear();
  add(8, "", 9, text);
  auto messages = fetch(make_ixfr(origin, 8), Transport::Udp);
  CHECK(answer_of(messages) == lines(soa(9)));
  CHECK(!messages[0].header.tc);
  CHECK(ixfr(3, Transport::Udp) == lines(soa(9)));
  // With EDNS there is more room.
  auto request = *dns::Message::parse(make_ixfr(origin, 8));
  request.additional.push_back(dns::make_opt(1232, false));
  messages = fetch(*request.build(), Transport::Udp);
  CHECK(messages[0].answer.size() == 34);
  CHECK(messages[0].opt() != nullptr);
  CHECK(operations.began.empty());
}

TEST_CASE_FIXTURE(Fixture, "ixfr: signed, over UDP and TCP, the SOA alone too [RFC 8945 §5.3]") {
  add(8, "old 60 A 192.0.2.8\n", 9, "new 60 A 192.0.2.9\n");
  for (const uint32_t serial : {8U, 9U})
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
      Bytes request = make_ixfr(origin, serial);
      auto verifier = auth::sign_request(request, key, clock.now());
      const auto stream = send(request, transport);
      stream->run();
      REQUIRE(stream->messages.size() == 1);
      CHECK(verifier->verify(stream->messages[0], clock.now()) == auth::TsigReply::Good);
      CHECK(dns::Message::parse(stream->messages[0])->answer.size() == (serial == 8 ? 6 : 1));
    }
}

TEST_CASE_FIXTURE(Fixture, "ixfr: a request without the client's SOA, or with another's, is FORMERR [RFC 1995 §3]") {
  const auto rcode = [&](dns::Message request) {
    const auto messages = fetch(*request.build());
    REQUIRE(messages.size() == 1);
    return messages[0].rcode();
  };
  const dns::Message whole = *dns::Message::parse(make_ixfr(origin, 9));
  CHECK(rcode(whole) == Rcode::NOERROR);
  dns::Message request = make_request(origin, RrType::IXFR);
  CHECK(rcode(request) == Rcode::FORMERR);
  request = whole;
  request.authority[0].owner = *dns::Name::from_text("other.test.");
  CHECK(rcode(request) == Rcode::FORMERR);
  request = whole;
  request.authority[0].klass = dns::RrClass::CH;
  CHECK(rcode(request) == Rcode::FORMERR);
  request = whole;
  request.authority[0].type = RrType::A;
  request.authority[0].rdata = {1, 2, 3, 4};
  CHECK(rcode(request) == Rcode::FORMERR);
  request = whole;
  request.authority.push_back(request.authority[0]);
  CHECK(rcode(request) == Rcode::FORMERR);
  // RDATA cut short, and too long.
  for (const uint8_t size : {uint8_t{21}, uint8_t{23}}) {
    Bytes wire = *whole.build();
    const size_t rdlength = wire.size() - 22 - 2;
    wire[rdlength + 1] = size;
    wire.resize(rdlength + 2 + size);
    CHECK(fetch(wire)[0].rcode() == Rcode::FORMERR);
  }
  CHECK(operations.began.empty());
}

TEST_CASE_FIXTURE(Fixture, "ixfr: permitted as AXFR is, of our zones only") {
  client = *SocketAddress::from_text("198.51.100.1@1");
  for (const Transport transport : {Transport::Udp, Transport::Tcp})
    CHECK(fetch(make_ixfr(origin, 9), transport)[0].rcode() == Rcode::REFUSED);
  CHECK(fetch(make_ixfr("sub.example.test.", 9))[0].rcode() == Rcode::NOTAUTH);
}

TEST_CASE("condense: malformed differences are refused") {
  CHECK(!serve::condense({}));
  const auto whole = make_difference(soa(1) + "a 1 A 192.0.2.1\n", soa(2) + "b 1 A 192.0.2.1\n", origin);
  CHECK(serve::condense(whole.records) == whole.records);
  for (size_t size = 1; size < whole.records.size(); ++size) {
    const auto cut = serve::condense(ByteView(whole.records).first(size));
    if (cut) CHECK(zone::DifferenceReader(*cut).ok());
  }
  // A SOA where none may stand, and none where one has to.
  Bytes twice = whole.records;
  append(twice, make_difference("", soa(3), origin).records);
  CHECK(!serve::condense(twice));
  CHECK(!serve::condense(make_difference("a 1 A 192.0.2.1\n", soa(2), origin).records));
}

TEST_CASE("condense: applied to a zone, the one difference does what all of them do [RFC 1995 §5]") {
  std::mt19937 engine(1);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  using Key = std::pair<std::string, std::string>;  // owner and RDATA
  using Zone = std::map<Key, uint32_t>;             // TTL
  const auto apply = [](Zone& zone, ByteView records) {
    zone::DifferenceReader reader(records);
    while (const auto record = reader.next()) {
      if (record->type == RrType::SOA) continue;
      const Key key{record->owner.to_text(), std::string(as_text(record->rdata))};
      if (record->added) {
        CHECK(zone.emplace(key, record->ttl).second);
      } else {
        const auto at = zone.find(key);
        REQUIRE(at != zone.end());
        CHECK(at->second == record->ttl);
        zone.erase(at);
      }
    }
    CHECK(reader.ok());
  };
  for (int round = 0; round < 300; ++round) {
    Zone zone;
    for (int i = 0; i < 20; ++i)
      if (random() % 2 == 0) zone[{"n" + std::to_string(i) + ".example.test.", "\1\2\3\4"}] = 60;
    Zone all = zone;
    Bytes differences;
    const uint32_t count = 1 + random() % 6;
    for (uint32_t serial = 1; serial <= count; ++serial) {
      Zone next = all;
      for (uint32_t changes = random() % 8; changes > 0; --changes) {
        const Key key{"n" + std::to_string(random() % 20) + ".example.test.", "\1\2\3\4"};
        if (random() % 3 == 0)
          next.erase(key);
        else
          next[key] = 60 + random() % 3;
      }
      Bytes removed;
      Bytes added;
      for (const auto& [from, to] : {std::pair{&all, &next}, {&next, &all}})
        for (const auto& [key, ttl] : *from) {
          const auto at = to->find(key);
          if (at != to->end() && at->second == ttl) continue;
          const dns::Name owner = *dns::Name::from_text(key.first);
          const bool adds = from == &next;
          zone::append_difference_record(adds ? added : removed, {adds, owner, RrType::A, ttl, as_bytes(key.second)});
        }
      const Bytes soas[2] = {make_difference(soa(serial), "", origin).records,
                             make_difference("", soa(serial + 1), origin).records};
      append(differences, soas[0]);
      append(differences, removed);
      append(differences, soas[1]);
      append(differences, added);
      all = next;
    }
    const auto one = serve::condense(differences);
    REQUIRE(one);
    CHECK(one->size() <= differences.size());
    apply(zone, *one);
    CHECK(zone == all);
    // Once more there is nothing left to net.
    const auto again = serve::condense(*one);
    REQUIRE(again);
    CHECK(again->size() == one->size());
  }
}

TEST_CASE("condense: a spelling that changed is a removal and an addition [RFC 4343 §4]") {
  const auto first = make_difference(soa(1) + "Name 1 A 192.0.2.1\n", soa(2), origin);
  const auto second = make_difference(soa(2), soa(3) + "name 1 A 192.0.2.1\n", origin);
  Bytes both = first.records;
  append(both, second.records);
  const auto whole = make_difference(soa(1) + "Name 1 A 192.0.2.1\n", soa(3) + "name 1 A 192.0.2.1\n", origin);
  CHECK(serve::condense(both) == whole.records);
}

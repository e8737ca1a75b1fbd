// UPDATE messages: RFC 2136 §2 and §3.1, and what hostile ones try.

#include <doctest/doctest.h>

#include "update_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

Rcode rcode_of(ByteView wire) {
  const auto request = parse_update(wire);
  if (request) return Rcode::NOERROR;
  CHECK(request.error().why);
  return request.error().rcode;
}

// Header and zone section of an UPDATE of example., with the counts as given.
Bytes head(uint16_t prerequisites, uint16_t updates, uint16_t additional = 0) {
  Bytes wire{0, 1, 0x28, 0, 0, 1};
  for (const uint16_t count : {prerequisites, updates, additional}) append_u16(wire, count);
  const dns::Name zone = name("example.");
  append(wire, zone.view().wire());
  append_u16(wire, 6);
  append_u16(wire, 1);
  return wire;
}

void append_record(Bytes& wire, ByteView owner, uint16_t type, uint16_t klass, ByteView rdata) {
  append(wire, owner);
  append_u16(wire, type);
  append_u16(wire, klass);
  append_u32(wire, 0);
  append_u16(wire, static_cast<uint16_t>(rdata.size()));
  append(wire, rdata);
}

}  // namespace

TEST_CASE("update: the sections come out as they went in, names decompressed [RFC 2136 §2]") {
  Script script;
  script.exists("a").absent("b", RrType::A).exists("C", RrType::MX, "10 Mail");
  script.add("a", RrType::TXT, "hello", 60).remove("a", RrType::A, "192.0.2.9").remove("b").remove("@", RrType::MX);
  const auto request = parse_update(script.wire());
  REQUIRE(request);
  CHECK(request->id == 4711);
  CHECK(request->zone.to_text() == "example.");
  REQUIRE(request->prerequisites.size() == 3);
  CHECK(request->prerequisites[0].klass == RrClass::ANY);
  CHECK(request->prerequisites[0].rdata.empty());
  CHECK(request->prerequisites[2].owner.to_text() == "C.example.");
  CHECK(Bytes(request->prerequisites[2].rdata.begin(), request->prerequisites[2].rdata.end()) ==
        rdata_of(RrType::MX, "10 Mail"));
  REQUIRE(request->updates.size() == 4);
  CHECK(request->updates[0].ttl == 60);
  CHECK(request->updates[1].klass == RrClass::NONE);
  CHECK(request->updates[3].owner == name("example.").view());
}

TEST_CASE("update: a request that moved still holds its records") {
  auto request = parse_update(Script().add("host", RrType::A, "192.0.2.1").wire());
  REQUIRE(request);
  const UpdateRequest moved = *std::move(request);
  CHECK(moved.updates[0].owner.to_text() == "host.example.");
  CHECK(moved.updates[0].rdata.size() == 4);
}

TEST_CASE("update: header and zone section are as they must be [RFC 2136 §2.2, §2.3, §3.1.1]") {
  const Bytes good = Script().wire();
  CHECK(rcode_of(good) == Rcode::NOERROR);
  Bytes bad = good;
  bad[2] |= 0x80;
  CHECK(rcode_of(bad) == Rcode::FORMERR);
  bad = good;
  bad[2] = 0;
  CHECK(rcode_of(bad) == Rcode::FORMERR);
  for (const uint8_t count : {uint8_t{0}, uint8_t{2}}) {
    bad = good;
    bad[5] = count;
    CHECK(rcode_of(bad) == Rcode::FORMERR);
  }
  Script script;
  script.message.question[0].type = RrType::A;
  CHECK(rcode_of(script.wire()) == Rcode::FORMERR);
  script.message.question.clear();
  CHECK(rcode_of(script.wire()) == Rcode::FORMERR);
  CHECK(rcode_of({}) == Rcode::FORMERR);
}

TEST_CASE("update: a message cut at any octet is FORMERR, one with octets behind as well") {
  Script script;
  script.exists("a", RrType::A, "192.0.2.1").add("b", RrType::MX, "10 mail").remove("c");
  script.message.additional.push_back(dns::make_opt(1232, false));
  Bytes wire = script.wire();
  for (size_t size = 0; size < wire.size(); ++size) {
    CAPTURE(size);
    CHECK(rcode_of(ByteView(wire).first(size)) == Rcode::FORMERR);
  }
  CHECK(rcode_of(wire) == Rcode::NOERROR);
  wire.push_back(0);
  CHECK(rcode_of(wire) == Rcode::FORMERR);
}

TEST_CASE("update: RDATA that its type does not have is FORMERR, where RDATA counts [RFC 2136 §2.5]") {
  const auto try_update = [](RrType type, RrClass klass, Bytes rdata) {
    Script script;
    script.message.authority.push_back(record("a", type, klass, 0, std::move(rdata)));
    return rcode_of(script.wire());
  };
  CHECK(try_update(RrType::A, RrClass::IN, {192, 0, 2}) == Rcode::FORMERR);
  CHECK(try_update(RrType::A, RrClass::NONE, {192, 0, 2}) == Rcode::FORMERR);
  CHECK(try_update(RrType::A, RrClass::IN, {}) == Rcode::FORMERR);
  CHECK(try_update(RrType::A, RrClass::ANY, {}) == Rcode::NOERROR);
  CHECK(try_update(RrType::SVCB, RrClass::IN, {0, 1, 0, 0, 3, 0, 2, 1, 1, 0, 1, 0, 0}) == Rcode::FORMERR);
  CHECK(try_update(RrType::TXT, RrClass::IN, {}) == Rcode::FORMERR);
  CHECK(try_update(static_cast<RrType>(65280), RrClass::IN, {}) == Rcode::NOERROR);
  CHECK(try_update(static_cast<RrType>(65280), RrClass::NONE, {}) == Rcode::NOERROR);
}

TEST_CASE("update: OPT, TSIG and SIG(0) are stepped over, whatever they hold [RFC 3007 §2]") {
  Bytes wire = head(0, 0, 3);
  append_record(wire, Bytes{0}, 41, 1232, Bytes{0, 10, 0});
  append_record(wire, Bytes{0}, 24, 255, Bytes{1, 2, 3});
  append_record(wire, Bytes{0xc0, 12}, 250, 255, {});
  CHECK(rcode_of(wire) == Rcode::NOERROR);
  wire[11] = 2;  // taken off, but for its count
  CHECK(rcode_of(wire) == Rcode::FORMERR);
}

TEST_CASE("update: counts are a claim, memory is taken for what is there") {
  Bytes wire = head(65535, 65535, 65535);
  CHECK(rcode_of(wire) == Rcode::FORMERR);
  append_record(wire, Bytes{0xc0, 12}, 1, 255, {});
  CHECK(rcode_of(wire) == Rcode::FORMERR);
}

TEST_CASE("update: five thousand records that share an owner keep it once") {
  Bytes wire = head(0, 0);
  uint16_t count = 0;
  for (; wire.size() + 12 <= 65535; ++count) append_record(wire, Bytes{0xc0, 12}, 65280, 1, {});
  store_u16(&wire[8], count);
  const auto request = parse_update(wire);
  REQUIRE(request);
  CHECK(request->updates.size() == count);
  CHECK(request->updates.size() > 5000);
  CHECK(request->octets.size() == name("example.").size());
}

TEST_CASE("update: a chain of compression pointers is cut off, not followed for each of thousands of records") {
  Bytes wire = head(0, 0);
  Bytes chain;
  const size_t start = wire.size() + 13 + 10;
  // Pointers that each point at the one before; the first at the zone's name.
  append_u16(chain, 0xc00c);
  while (chain.size() < 8000) append_u16(chain, static_cast<uint16_t>(0xc000 | (start + chain.size() - 2)));
  append_record(wire, Bytes{1, 'x', 9, 'e', 'l', 's', 'e', 'w', 'h', 'e', 'r', 'e', 0}, 65280, 1, chain);
  const auto last = static_cast<uint16_t>(0xc000 | (start + chain.size() - 2));
  append_record(wire, Bytes{static_cast<uint8_t>(last >> 8), static_cast<uint8_t>(last)}, 65280, 1, {});
  store_u16(&wire[8], 2);
  CHECK(rcode_of(wire) == Rcode::FORMERR);
}

TEST_CASE("update: pointers that loop, point ahead, or into the header are FORMERR") {
  for (const unsigned pointer : {0xc000U, 0xc018U, 0xc019U, 0xffffU}) {
    Bytes wire = head(0, 1);
    append_record(wire, Bytes{static_cast<uint8_t>(pointer >> 8), static_cast<uint8_t>(pointer)}, 1, 255, {});
    CAPTURE(pointer);
    CHECK(rcode_of(wire) == Rcode::FORMERR);
  }
}

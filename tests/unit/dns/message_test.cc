#include "dns/message.hh"

#include "dns/compressed_name.hh"
#include "rdata_support.hh"

using namespace steward;
using namespace steward::dns;
using T = RrType;

namespace {

Name name(std::string_view text) { return *Name::from_text(text); }

Message sample() {
  Message message;
  message.header = {.id = 0x1234, .qr = true, .aa = true, .rd = true, .rcode = 3};
  message.question = {{name("Www.Example.COM."), T::MX, RrClass::IN}};
  message.answer = {
      {name("Www.Example.COM."), T::MX, RrClass::IN, 300, sound_rdata(T::MX, "10 mail.Example.COM.")},
      {name("www.example.com."), T::SRV, RrClass::IN, 300, sound_rdata(T::SRV, "1 2 3 mail.Example.COM.")}};
  message.authority = {
      {name("Example.COM."), T::SOA, RrClass::IN, 60, sound_rdata(T::SOA, "ns.Example.COM. h.Example.COM. 1 2 3 4 5")}};
  message.additional = {{name("mail.Example.COM."), T::A, RrClass::IN, 300, sound_rdata(T::A, "192.0.2.1")},
                        make_opt(1232, true)};
  return message;
}

bool same(const Record& a, const Record& b) {
  return hex_of(a.owner.view().wire()) == hex_of(b.owner.view().wire()) && a.type == b.type && a.klass == b.klass &&
         a.ttl == b.ttl && a.rdata == b.rdata;
}

Bytes changed(Bytes wire, size_t at, uint8_t octet) {
  wire[at] = octet;
  return wire;
}

}  // namespace

TEST_CASE("message: what is built is parsed again, with the case of every name") {
  const Message message = sample();
  const auto wire = message.build();
  REQUIRE(wire);
  const auto parsed = Message::parse(*wire);
  REQUIRE(parsed);
  CHECK(parsed->header == message.header);
  REQUIRE(parsed->question.size() == 1);
  CHECK(parsed->question[0].name.to_text() == "Www.Example.COM.");
  REQUIRE(parsed->answer.size() == 2);
  for (size_t i = 0; i < 2; ++i) CHECK(same(parsed->answer[i], message.answer[i]));
  REQUIRE(parsed->authority.size() == 1);
  CHECK(same(parsed->authority[0], message.authority[0]));
  REQUIRE(parsed->additional.size() == 2);
  for (size_t i = 0; i < 2; ++i) CHECK(same(parsed->additional[i], message.additional[i]));
  REQUIRE(parsed->opt() != nullptr);
  CHECK(static_cast<unsigned>(parsed->opt()->klass) == 1232);
}

TEST_CASE("message: names are compressed in owners and in the types of RFC 1035 only [RFC 3597 §4]") {
  Message message;
  message.question = {{name("a.b."), T::NS, RrClass::IN}};
  message.answer = {{name("a.b."), T::NS, RrClass::IN, 1, sound_rdata(T::NS, "c.b.")},
                    {name("c.b."), T::SRV, RrClass::IN, 1, sound_rdata(T::SRV, "0 0 0 a.b.")}};
  const auto wire = message.build();
  REQUIRE(wire);
  CHECK(hex_of(*wire) ==
        "000000000001000200000000"
        "016101620000020001"
        "c00c00020001000000010004"
        "0163c00e"
        "c02100210001000000010"
        "00b"
        "000000000000"
        "0161016200");
}

TEST_CASE("message: every truncation of a message is refused") {
  const auto wire = sample().build();
  REQUIRE(wire);
  for (size_t size = 0; size < wire->size(); ++size) {
    const Bytes cut(wire->begin(), wire->begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(Message::parse(cut));
  }
  Bytes longer = *wire;
  longer.push_back(0);
  CHECK_FALSE(Message::parse(longer));
}

TEST_CASE("message: a changed octet never leads out of bounds") {
  const auto wire = sample().build();
  REQUIRE(wire);
  for (size_t at = 0; at < wire->size(); ++at)
    for (const uint8_t octet : std::initializer_list<uint8_t>{0x00, 0x01, 0x3f, 0x40, 0xc0, 0xff})
      if (const auto parsed = Message::parse(changed(*wire, at, octet))) CHECK(parsed->build());
}

TEST_CASE("message: OPT and TSIG stand where they must [RFC 6891 §6.1.1, RFC 8945 §5.1]") {
  const Record tsig{name("k."), T::TSIG, RrClass::ANY, 0, from_hex("00")};
  const auto parses = [](const Message& message) { return Message::parse(*message.build()).has_value(); };
  Message message;
  message.additional = {make_opt(1232, false), tsig};
  CHECK(parses(message));
  message.additional = {tsig, make_opt(1232, false)};
  CHECK_FALSE(parses(message));
  message.additional = {make_opt(1232, false), make_opt(1232, false)};
  CHECK_FALSE(parses(message));
  message.additional = {make_opt(1232, false)};
  message.additional[0].owner = name("a.");
  CHECK_FALSE(parses(message));
  message.additional = {make_opt(1232, false, from_hex("000a0008aabb"))};
  CHECK_FALSE(parses(message));
  message.additional.clear();
  message.answer = {make_opt(1232, false)};
  CHECK_FALSE(parses(message));
}

TEST_CASE("message: the response code has twelve bits with EDNS [RFC 6891 §6.1.3]") {
  Message message = sample();
  CHECK(message.rcode() == Rcode::NXDOMAIN);
  message.header.rcode = 0;
  message.additional.back().ttl = 0x01000000;
  CHECK(Message::parse(*message.build())->rcode() == Rcode::BADVERS);
}

TEST_CASE("message: UPDATE's records without RDATA are taken with class ANY and NONE only [RFC 2136 §2.4, §2.5]") {
  Message message;
  message.header.opcode = Opcode::UPDATE;
  message.question = {{name("ex."), T::SOA, RrClass::IN}};
  message.answer = {{name("a.ex."), T::A, RrClass::NONE, 0, {}}, {name("a.ex."), T::ANY, RrClass::ANY, 0, {}}};
  message.authority = {{name("a.ex."), T::A, RrClass::ANY, 0, {}},
                       {name("a.ex."), T::A, RrClass::NONE, 0, sound_rdata(T::A, "192.0.2.1")}};
  const auto parsed = Message::parse(*message.build());
  REQUIRE(parsed);
  CHECK(parsed->header.opcode == Opcode::UPDATE);
  CHECK(parsed->authority[1].rdata.size() == 4);
  message.authority[0].klass = RrClass::IN;
  CHECK_FALSE(Message::parse(*message.build()));
}

TEST_CASE("message: what does not fit is Full") {
  Message message = sample();
  const size_t size = message.build()->size();
  CHECK(message.build(size));
  const auto small = message.build(size - 1);
  REQUIRE_FALSE(small);
  CHECK(small.error().code == Errc::Full);
}

TEST_CASE("message: EDNS options are stepped through [RFC 6891 §6.1.2]") {
  Bytes options;
  append_edns_option(options, 3, {});
  append_edns_option(options, 10, from_hex("0102030405060708"));
  ByteView rest = options;
  CHECK(next_edns_option(rest)->code == 3);
  const auto cookie = next_edns_option(rest);
  REQUIRE(cookie);
  CHECK(cookie->code == 10);
  CHECK(cookie->data.size() == 8);
  CHECK_FALSE(next_edns_option(rest));
  CHECK(rest.empty());
}

TEST_CASE("message: a name has no more compression pointers than labels, however they lead [RFC 1035 §4.1.4]") {
  Bytes wire(12, 0);
  append_u8(wire, 0);
  append_u8(wire, 0);
  for (size_t at = 14; at < 14 + 2 * 128; at += 2) append_u16(wire, static_cast<uint16_t>(0xc000 | (at - 2)));
  size_t used = 0;
  CHECK(name_from_message(wire, 14 + 2 * 126, wire.size(), used));
  CHECK(used == 2);
  CHECK_FALSE(name_from_message(wire, 14 + 2 * 127, wire.size(), used));
}

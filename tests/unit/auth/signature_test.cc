// Where a signature may stand [RFC 8945 §5.1, RFC 2931 §3].

#include "auth/signature.hh"

#include "dnspython_vectors.hh"
#include "peer_vectors.hh"
#include "support.hh"

using namespace steward;
using namespace steward::auth;
using namespace steward::auth::test;

namespace {

constexpr std::string_view question = "03777777076578616d706c650000010001";
constexpr std::string_view a_record = "c00c000100010000003c0004c0000201";
// key.example., ANY, TTL 0, 1 octet of RDATA: find_signature does not look into it.
constexpr std::string_view tsig = "036b6579076578616d706c650000fa00ff00000000000100";
// The root, ANY, TTL 0: covers type 0.
constexpr std::string_view sig0 = "00001800ff0000000000020000";

SignatureKind kind_of(std::initializer_list<std::string_view> parts) {
  Bytes message;
  for (const std::string_view part : parts) append(message, unhex(part));
  return find_signature(message).kind;
}

}  // namespace

TEST_CASE("signature: messages without one, with TSIG and with SIG(0) are told apart [RFC 8945 §5.1, RFC 2931 §3]") {
  CHECK(kind_of({"000001000001000000000000", question}) == SignatureKind::None);
  CHECK(kind_of({"000001000000000000000000"}) == SignatureKind::None);
  CHECK(kind_of({"000001000001000000000001", question, tsig}) == SignatureKind::Tsig);
  CHECK(kind_of({"000001000001000100000001", question, a_record, tsig}) == SignatureKind::Tsig);
  CHECK(kind_of({"000001000001000000000001", question, sig0}) == SignatureKind::Sig0);
}

TEST_CASE("signature: it is described by its place, and its owner is in lower case") {
  const Bytes message = unhex(dnspython::request_upper_case);
  const FoundSignature found = find_signature(message);
  REQUIRE(found.kind == SignatureKind::Tsig);
  CHECK(found.message_size == plain_query().size());
  CHECK(found.rdata_at + found.rdata_size == message.size());
  CHECK(found.owner.to_text() == "key.example.");  // "KEY" and a compression pointer on the wire
}

TEST_CASE("signature: a TSIG that is not the last record is malformed [RFC 8945 §5.1, CVE-2016-7074]") {
  CHECK(kind_of({"000001000001000000000002", question, tsig, a_record}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000002", question, tsig, tsig}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000002", question, tsig, sig0}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000002", question, sig0, tsig}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000002", question, sig0, sig0}) == SignatureKind::Malformed);
}

TEST_CASE("signature: a TSIG in the answer or authority section is malformed, also as the message's last record") {
  CHECK(kind_of({"000001000001000100000000", question, tsig}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000010000", question, tsig}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000100000001", question, tsig, a_record}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000010000", question, sig0}) == SignatureKind::Malformed);
}

TEST_CASE("signature: a TSIG whose class is not ANY or whose TTL is not 0 is malformed [RFC 8945 §4.2]") {
  constexpr std::string_view in_class = "036b6579076578616d706c650000fa000100000000000100";
  constexpr std::string_view with_ttl = "036b6579076578616d706c650000fa00ff00000001000100";
  CHECK(kind_of({"000001000001000000000001", question, in_class}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000001", question, with_ttl}) == SignatureKind::Malformed);
}

TEST_CASE("signature: owner, class and TTL of a SIG(0) mean nothing [RFC 2931 §3]") {
  CHECK(kind_of({"000001000001000000000001", question, "c00c0018000100000e1000020000"}) == SignatureKind::Sig0);
}

TEST_CASE(
    "signature: a SIG that covers a type, or has no RDATA as in an UPDATE, is a record like others [RFC 2136 §2.5.2]") {
  CHECK(kind_of({"000001000001000000000001", question, "00001800ff0000000000020001"}) == SignatureKind::None);
  CHECK(kind_of({"000028000001000000010000", question, "c00c001800ff000000000000"}) == SignatureKind::None);
}

TEST_CASE("signature: asking for type TSIG is not signing") {
  CHECK(kind_of({"000001000001000000000000", "03777777076578616d706c650000fa0001"}) == SignatureKind::None);
}

TEST_CASE("signature: counts that do not hold and octets left over are malformed") {
  CHECK(kind_of({"000001000001000000000001", question}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000002000000000001", question, tsig}) == SignatureKind::Malformed);
  CHECK(kind_of({"0000010000010000000000", "00", question, "00"}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000001", question, tsig, "00"}) == SignatureKind::Malformed);
  CHECK(kind_of({"00000100ffffffffffffffff"}) == SignatureKind::Malformed);
  CHECK(find_signature({}).kind == SignatureKind::Malformed);
}

TEST_CASE("signature: owners with pointers that loop, lead forward or into the header are malformed") {
  constexpr std::string_view rest = "00fa00ff00000000000100";
  CHECK(kind_of({"000001000001000000000001", question, "c01d", rest}) == SignatureKind::Malformed);  // itself
  CHECK(kind_of({"000001000001000000000001", question, "c020", rest}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000001", question, "c000", rest}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000001", question, "4000", rest}) == SignatureKind::Malformed);
  CHECK(kind_of({"000001000001000000000001", question, "8000", rest}) == SignatureKind::Malformed);
}

TEST_CASE("signature: names over 255 octets are malformed where they stand [RFC 1035 §3.1]") {
  Bytes message = unhex("000001000001000000000000");
  for (int i = 0; i < 128; ++i) append(message, unhex("0161"));
  append(message, unhex("0000010001"));
  CHECK(find_signature(message).kind == SignatureKind::Malformed);
  message.erase(message.begin() + 12, message.begin() + 14);
  CHECK(find_signature(message).kind == SignatureKind::None);  // 255 octets
}

TEST_CASE("signature: every prefix of a signed message is malformed") {
  for (const std::string_view text :
       {dnspython::request_sha256, peers::nsupdate_ecdsap256sha256.update.message, peers::nsupdate_sha224.message}) {
    const Bytes message = unhex(text);
    for (size_t size = 0; size < message.size(); ++size) {
      CHECK(find_signature(ByteView(message).first(size)).kind == SignatureKind::Malformed);
    }
  }
}

TEST_CASE("signature: a TSIG is found at the end of 65,535 octets of the smallest records") {
  Bytes message = unhex("000001000000000000000000");
  const Bytes record = unhex("0000010001000000000000");  // the root, A, IN, no RDATA
  const size_t room = dns::max_message_size - message.size() - tsig.size() / 2;
  uint16_t count = 0;
  for (; (count + size_t{1}) * record.size() <= room; ++count) append(message, record);
  append(message, unhex(tsig));
  store_u16(&message[6], count);
  store_u16(&message[10], 1);
  const FoundSignature found = find_signature(message);
  CHECK(found.kind == SignatureKind::Tsig);
  CHECK(found.message_size == message.size() - tsig.size() / 2);
}

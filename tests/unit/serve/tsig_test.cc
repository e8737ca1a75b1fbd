// TSIG on what the pipeline answers (RFC 8945): verified before all else, signed in place, counted against the size.

#include <doctest/doctest.h>

#include "transfer_world.hh"

using namespace steward;
using namespace steward::test;
using auth::TsigReply;
using dns::Rcode;
using dns::RrType;

namespace {

constexpr std::string_view zone_text = R"(
$TTL 3600
@     SOA   ns1 hostmaster 1 7200 3600 604800 300
@     NS    ns1
ns1   A     192.0.2.1
long  TXT   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
long  TXT   "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
long  TXT   "caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
long  TXT   "daaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)";

struct Fixture : TransferWorld {
  Fixture() { snapshot.add_zone("example.test.", zone_text); }
  struct Answer {
    dns::Message message;
    TsigReply tsig;
    uint16_t error;
  };
  Answer ask_signed(Bytes request, const auth::TsigKey& with, UnixTime at, Transport transport = Transport::Udp) {
    auto verifier = auth::sign_request(request, with, at);
    REQUIRE(verifier);
    return judge(request, *verifier, at, transport);
  }
  Answer judge(ByteView request, auth::TsigVerifier& verifier, UnixTime at, Transport transport = Transport::Udp) {
    const auto stream = send(request, transport);
    REQUIRE(stream->messages.size() == 1);
    const TsigReply reply = verifier.verify(stream->messages[0], at);
    return {*dns::Message::parse(stream->messages[0]), reply, verifier.peer_error()};
  }
  static Bytes query(std::string_view name, RrType type, bool edns = false) {
    dns::Message request = make_request(name, type);
    if (edns) request.additional.push_back(dns::make_opt(1232, false));
    return *request.build();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "tsig: a signed query is answered as any other, signed [RFC 8945 §5.3]") {
  for (const bool edns : {false, true})
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
      const Answer answer = ask_signed(query("ns1.example.test.", RrType::A, edns), key, clock.now(), transport);
      CHECK(answer.tsig == TsigReply::Good);
      CHECK(answer.message.rcode() == Rcode::NOERROR);
      CHECK(answer.message.answer.size() == 1);
      CHECK((answer.message.opt() != nullptr) == edns);
      CHECK(answer.message.additional.back().type == RrType::TSIG);
    }
  CHECK(context.counters.tsig_good.get() == 4);
  // The same worker, the next query: nothing of the signature is left.
  CHECK(ask("ns1.example.test.", RrType::A).additional.empty());
}

TEST_CASE_FIXTURE(Fixture, "tsig: errors are signed too [RFC 8945 §5.3]") {
  CHECK(ask_signed(query("other.test.", RrType::A), key, clock.now()).tsig == TsigReply::Good);
  CHECK(ask_signed(query("x.example.test.", RrType::A), key, clock.now()).message.rcode() == Rcode::NXDOMAIN);
  dns::Message request = make_request("example.test.", RrType::SOA);
  request.additional.push_back(dns::make_opt(1232, false));
  request.additional[0].ttl |= 1U << 16;  // EDNS version 1
  const Answer answer = ask_signed(*request.build(), key, clock.now());
  CHECK(answer.tsig == TsigReply::Good);
  CHECK(answer.message.rcode() == Rcode::BADVERS);
}

TEST_CASE_FIXTURE(Fixture, "tsig: what does not fit beside the TSIG is truncated [RFC 8945 §5.3]") {
  const Answer cut = ask_signed(query("long.example.test.", RrType::TXT), key, clock.now());
  CHECK(cut.tsig == TsigReply::Good);
  CHECK(cut.message.header.tc);
  CHECK(cut.message.answer.empty());
  CHECK(!ask("long.example.test.", RrType::TXT).truncated());
  const Answer whole = ask_signed(query("long.example.test.", RrType::TXT), key, clock.now(), Transport::Tcp);
  CHECK(whole.message.answer.size() == 4);
}

TEST_CASE_FIXTURE(Fixture, "tsig: an unknown key is NOTAUTH and BADKEY, unsigned [RFC 8945 §5.2.1, §5.3.2]") {
  const auto other = *auth::TsigKey::from_text("other.key.", "hmac-sha256", "c2VjcmV0IG9mIHRoZSB0ZXN0");
  const Answer answer = ask_signed(query("ns1.example.test.", RrType::A), other, clock.now());
  CHECK(answer.message.rcode() == Rcode::NOTAUTH);
  CHECK(answer.message.answer.empty());
  CHECK(answer.tsig == TsigReply::PeerError);
  CHECK(answer.error == static_cast<uint16_t>(auth::TsigError::BADKEY));
  // So is any key where there are none.
  settings.keys.reset();
  CHECK(ask_signed(query("ns1.example.test.", RrType::A), key, clock.now()).error == 17);
  CHECK(context.counters.tsig_bad.get() == 2);
}

TEST_CASE_FIXTURE(Fixture, "tsig: a wrong MAC is BADSIG, whatever was changed [RFC 8945 §5.2.2]") {
  const auto forged = *auth::TsigKey::from_text("transfer.key.", "hmac-sha256", "b3RoZXI=");
  CHECK(ask_signed(query("ns1.example.test.", RrType::A), forged, clock.now()).error == 16);
  Bytes request = query("ns1.example.test.", RrType::A);
  auto verifier = auth::sign_request(request, key, clock.now());
  request[13] = static_cast<uint8_t>(request[13] ^ 0x20U);  // a letter's case
  CHECK(judge(request, *verifier, clock.now()).error == 16);
}

TEST_CASE_FIXTURE(Fixture, "tsig: out of time is BADTIME, signed, with our time [RFC 8945 §5.2.3]") {
  for (const int64_t off : {-301, 301}) {
    Bytes request = query("ns1.example.test.", RrType::A);
    const UnixTime at = clock.now() + Seconds(off);
    auto verifier = auth::sign_request(request, key, at);
    const Answer answer = judge(request, *verifier, at);
    CHECK(answer.message.rcode() == Rcode::NOTAUTH);
    CHECK(answer.error == 18);
    CHECK(verifier->peer_error_is_authentic());
    CHECK(verifier->peer_time() == static_cast<uint64_t>(seconds_of(clock.now())));
  }
  CHECK(ask_signed(query("ns1.example.test.", RrType::A), key, clock.now() - Seconds(299)).tsig == TsigReply::Good);
}

TEST_CASE_FIXTURE(Fixture, "tsig: a TSIG that is not last, or cut short, is FORMERR without one [RFC 8945 §5.2]") {
  Bytes request = query("ns1.example.test.", RrType::A);
  REQUIRE(auth::sign_request(request, key, clock.now()));
  Bytes twice = request;
  append(twice, ByteView(request).subspan(query("ns1.example.test.", RrType::A).size()));
  twice[11] = 2;
  const auto formerr = [&](ByteView wire) {
    const auto stream = send(wire, Transport::Udp);
    const auto message = dns::Message::parse(stream->messages.at(0));
    return message->rcode() == Rcode::FORMERR && message->additional.empty();
  };
  CHECK(formerr(twice));
  // Inside the RDATA: the record holds, its fields do not.
  Bytes broken = request;
  const size_t rdata = request.size() - (13 + 16 + 32);
  broken[rdata + 13 + 8] = 0xff;  // MAC size
  CHECK(formerr(broken));
  for (size_t size = 12; size < request.size(); ++size) {
    const auto stream = send(ByteView(request).first(size), Transport::Udp);
    if (!stream->messages.empty()) CHECK(dns::Message::parse(stream->messages[0])->rcode() == Rcode::FORMERR);
  }
}

TEST_CASE_FIXTURE(Fixture, "tsig: every octet of a signed request changed: answered or dropped, never accepted") {
  Bytes request = query("ns1.example.test.", RrType::A, true);
  REQUIRE(auth::sign_request(request, key, clock.now()));
  for (size_t at = 0; at < request.size(); ++at)
    for (const int bit : {1, 128}) {
      Bytes changed = request;
      changed[at] = static_cast<uint8_t>(changed[at] ^ bit);
      const auto stream = send(changed, Transport::Udp);
      if (stream->messages.empty()) continue;
      const auto message = dns::Message::parse(stream->messages[0]);
      REQUIRE(message);
      // But for the ID, which a forwarder changes: Original ID counts (RFC 8945 §5.1). Of another type than TSIG, the
      // record is no signature, and the query nobody's.
      const bool has_tsig = !message->additional.empty() && message->additional.back().type == RrType::TSIG;
      if (at >= 2 && has_tsig) CHECK(message->answer.empty());
      if (at >= 2) CHECK(context.counters.tsig_good.get() == 4);
    }
}

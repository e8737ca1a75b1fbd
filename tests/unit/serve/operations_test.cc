// NOTIFY (RFC 1996) and UPDATE (RFC 2136) as far as the pipeline goes: who may, what is passed on, what is said at
// once.

#include <doctest/doctest.h>

#include "transfer_world.hh"

using namespace steward;
using namespace steward::test;
using dns::Opcode;
using dns::Rcode;
using dns::RrType;

namespace {

constexpr std::string_view zone_text = "$TTL 60\n@ SOA ns1 host 5 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n";

struct Fixture : TransferWorld {
  Fixture() {
    snapshot.add_zone("primary.test.", zone_text);
    auto table = std::make_shared<serve::AccessTable>();
    serve::ZoneAccess access;
    serve::AccessRow by_key;
    by_key.key = key.name;
    access.update = serve::AccessList({by_key});
    table->set(*dns::Name::from_text("Primary.test."), access);
    // A secondary that has nothing yet.
    const config::Peer primary{*SocketAddress::from_text("192.0.2.1@53"), {}, {}};
    access.notify = serve::AccessList::from_peers(std::span(&primary, 1));
    access.secondary = true;
    table->set(*dns::Name::from_text("secondary.test."), access);
    settings.access = table;
  }
  static dns::Message notify(std::string_view zone) { return make_request(zone, RrType::SOA, Opcode::NOTIFY); }
  static dns::Message update(std::string_view zone) {
    dns::Message request = make_request(zone, RrType::SOA, Opcode::UPDATE);
    request.authority.push_back(
        {*dns::Name::from_text("new." + std::string(zone)), RrType::A, dns::RrClass::IN, 60, Bytes{192, 0, 2, 7}});
    return request;
  }
  dns::Message only(const Bytes& request, Transport transport = Transport::Udp) {
    auto messages = fetch(request, transport);
    REQUIRE(messages.size() == 1);
    return std::move(messages[0]);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "notify: from a primary it is passed on and acknowledged [RFC 1996 §3.7, §4.7]") {
  dns::Message request = notify("SECONDARY.test.");
  request.header.aa = true;
  Bytes rdata = {0, 0};
  append_u32(rdata, 77);
  rdata.resize(22);
  request.answer.push_back({request.question[0].name, RrType::SOA, dns::RrClass::IN, 0, rdata});
  const dns::Message response = only(*request.build());
  CHECK(response.header.opcode == Opcode::NOTIFY);
  CHECK(response.header.qr);
  CHECK(response.header.aa);
  CHECK(response.rcode() == Rcode::NOERROR);
  CHECK(response.question[0].name.to_text() == "SECONDARY.test.");
  CHECK(response.answer.empty());
  REQUIRE(operations.notifications.size() == 1);
  CHECK(operations.notifications[0].zone.to_text() == "secondary.test.");
  CHECK(operations.notifications[0].serial == 77U);
  CHECK(operations.notifications[0].asker.client == client);
  // Without the hint, and with one that is none (§3.7: it is only a hint).
  only(*notify("secondary.test.").build());
  CHECK(!operations.notifications[1].serial);
  request.answer[0].owner = *dns::Name::from_text("other.test.");
  only(*request.build());
  CHECK(!operations.notifications[2].serial);
  CHECK(context.counters.notifies.get() == 3);
}

TEST_CASE_FIXTURE(Fixture,
                  "notify: from a stranger it is REFUSED, for a zone of another role NOTAUTH [RFC 1996 §3.10]") {
  CHECK(only(*notify("primary.test.").build()).rcode() == Rcode::NOTAUTH);
  CHECK(only(*notify("x.secondary.test.").build()).rcode() == Rcode::NOTAUTH);
  client = *SocketAddress::from_text("192.0.2.2@53");
  CHECK(only(*notify("secondary.test.").build()).rcode() == Rcode::REFUSED);
  CHECK(operations.notifications.empty());
  CHECK(context.counters.notifies_refused.get() == 3);
}

TEST_CASE_FIXTURE(Fixture, "notify: only of a SOA, one question, class IN [RFC 1996 §3.6]") {
  CHECK(only(*make_request("secondary.test.", RrType::A, Opcode::NOTIFY).build()).rcode() == Rcode::FORMERR);
  dns::Message request = notify("secondary.test.");
  request.question.push_back(request.question[0]);
  CHECK(only(*request.build()).rcode() == Rcode::FORMERR);
  request.question.clear();
  CHECK(only(*request.build()).rcode() == Rcode::FORMERR);
  request = notify("secondary.test.");
  request.question[0].klass = dns::RrClass::CH;
  CHECK(only(*request.build()).rcode() == Rcode::NOTAUTH);
  Bytes wire = *notify("secondary.test.").build();
  wire.push_back(0);
  CHECK(only(wire).rcode() == Rcode::FORMERR);
  CHECK(operations.notifications.empty());
}

TEST_CASE_FIXTURE(Fixture, "notify: signed, the acknowledgement is signed and the key is known [RFC 8945 §5.3]") {
  Bytes request = *notify("secondary.test.").build();
  auto verifier = auth::sign_request(request, key, clock.now());
  const auto stream = send(request, Transport::Udp);
  CHECK(verifier->verify(stream->messages.at(0), clock.now()) == auth::TsigReply::Good);
  CHECK(operations.notifications.at(0).asker.key == key.name);
}

TEST_CASE_FIXTURE(Fixture, "update: passed on without its TSIG, answered later, signed [RFC 2136 §3.8]") {
  for (const Transport transport : {Transport::Udp, Transport::Tls}) {
    operations.updates.clear();
    const Bytes plain = *update("primary.TEST.").build();
    Bytes request = plain;
    auto verifier = auth::sign_request(request, key, clock.now());
    const auto stream = send(request, transport);
    CHECK(stream->messages.empty());
    REQUIRE(operations.updates.size() == 1);
    serve::UpdateRequest& received = operations.updates[0];
    CHECK(received.message == plain);
    CHECK(received.zone.to_text() == "primary.test.");
    CHECK(received.asker.key == key.name);
    CHECK(received.asker.transport == transport);
    CHECK(!received.has_sig0);
    CHECK(received.response.client() == client);
    serve::DeferredResponse response = std::move(received.response);
    response.send(Rcode::YXDOMAIN, clock.now());
    CHECK(stream->finished);
    REQUIRE(stream->messages.size() == 1);
    CHECK(verifier->verify(stream->messages[0], clock.now()) == auth::TsigReply::Good);
    const auto message = dns::Message::parse(stream->messages[0]);
    CHECK(message->rcode() == Rcode::YXDOMAIN);
    CHECK(message->header.opcode == Opcode::UPDATE);
    CHECK(message->header.id == 0x1234);
    CHECK(message->question[0].name.to_text() == "primary.TEST.");
    CHECK(message->authority.empty());
    CHECK(!message->header.aa);
  }
  CHECK(context.counters.updates.get() == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "update: an OPT is answered with one, an extended error in it [RFC 6891 §6.1.1, RFC 8914 §2]") {
  dns::Message request = update("primary.test.");
  request.additional.push_back(dns::make_opt(1232, true));
  Bytes wire = *request.build();
  REQUIRE(auth::sign_request(wire, key, clock.now()));
  const auto stream = send(wire, Transport::Tcp);
  operations.updates.at(0).response.send(Rcode::REFUSED, clock.now(), serve::ExtendedError::Prohibited);
  const auto message = dns::Message::parse(stream->messages.at(0));
  REQUIRE(message->opt() != nullptr);
  CHECK(message->opt()->rdata == Bytes{0, 15, 0, 2, 0, 18});
  CHECK((message->opt()->ttl & 0x8000) != 0);
}

TEST_CASE_FIXTURE(
    Fixture, "update: an Update Lease of either form is passed on, and what is granted is answered [RFC 9664 §4]") {
  const auto with_option = [&](Bytes data, uint16_t length) {
    dns::Message request = update("primary.test.");
    request.additional.push_back(dns::make_opt(1232, false));
    Bytes& rdata = request.additional.back().rdata;
    append_u16(rdata, 2);
    append_u16(rdata, length);
    append(rdata, data);
    Bytes wire = *request.build();
    REQUIRE(auth::sign_request(wire, key, clock.now()));
    return wire;
  };
  const Bytes both{0, 0, 0x0e, 0x10, 0, 0, 0x1c, 0x20};
  const auto stream = send(with_option(both, 8), Transport::Tcp);
  auto lease = operations.updates.at(0).lease;
  REQUIRE(lease);
  CHECK(lease->lease == 3600);
  CHECK(lease->key_lease == 7200);
  operations.updates.at(0).response.grant({1800, 7200});
  operations.updates.at(0).response.send(Rcode::NOERROR, clock.now());
  const auto message = dns::Message::parse(stream->messages.at(0));
  REQUIRE(message->opt() != nullptr);
  CHECK(message->opt()->rdata == Bytes{0, 2, 0, 8, 0, 0, 7, 8, 0, 0, 0x1c, 0x20});

  const auto stream_of_short = send(with_option({0xff, 0xff, 0xff, 0xff}, 4), Transport::Tcp);
  lease = operations.updates.at(1).lease;
  REQUIRE(lease);
  CHECK(lease->lease == 0xffffffff);
  CHECK(lease->key_lease == 0);
  operations.updates.at(1).response.grant({30, 0});
  operations.updates.at(1).response.send(Rcode::NOERROR, clock.now());
  CHECK(dns::Message::parse(stream_of_short->messages.at(0))->opt()->rdata == Bytes{0, 2, 0, 4, 0, 0, 0, 30});

  // Any other length, and one that the OPT does not hold, is FORMERR, and nobody sees the update.
  for (size_t size = 0; size <= 16; ++size)
    if (size != 4 && size != 8)
      CHECK(only(with_option(Bytes(size, 1), static_cast<uint16_t>(size)), Transport::Tcp).rcode() == Rcode::FORMERR);
  CHECK(only(with_option(both, 9), Transport::Tcp).rcode() == Rcode::FORMERR);
  CHECK(only(with_option({0, 0, 0}, 4), Transport::Tcp).rcode() == Rcode::FORMERR);
  CHECK(operations.updates.size() == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "update: a forwarded one's response is the primary's, with our ID and TSIG [RFC 2136 §6.2]") {
  Bytes request = *update("primary.test.").build();
  auto verifier = auth::sign_request(request, key, clock.now());
  const auto stream = send(request, Transport::Tcp);
  // What the primary says, signed with a key that is between us and it.
  dns::Message theirs = make_request("primary.test.", RrType::SOA, Opcode::UPDATE);
  theirs.header.id = 0x9999;
  theirs.header.qr = true;
  theirs.header.rcode = 8;
  Bytes relayed = *theirs.build();
  const auto between = *auth::TsigKey::from_text("between.", "hmac-sha512", "YmV0d2Vlbg==");
  auth::TsigSigner signer(between, Bytes(64));
  REQUIRE(signer.sign(relayed, clock.now()));
  operations.updates.at(0).response.relay(relayed, clock.now());
  CHECK(verifier->verify(stream->messages.at(0), clock.now()) == auth::TsigReply::Good);
  const auto message = dns::Message::parse(stream->messages[0]);
  CHECK(message->header.id == 0x1234);
  CHECK(message->rcode() == Rcode::NXRRSET);
  CHECK(message->additional.size() == 1);

  // What is no response at all.
  request = *update("primary.test.").build();
  REQUIRE(auth::sign_request(request, key, clock.now()));
  const auto failed = send(request, Transport::Tcp);
  operations.updates.at(1).response.relay(ByteView(relayed).first(20), clock.now());
  CHECK(dns::Message::parse(failed->messages.at(0))->rcode() == Rcode::SERVFAIL);
}

TEST_CASE_FIXTURE(Fixture,
                  "update: who may not is REFUSED, a zone that is not ours is NOTAUTH [RFC 2136 §3.1.2, §3.3]") {
  CHECK(only(*update("primary.test.").build()).rcode() == Rcode::REFUSED);
  CHECK(only(*update("other.test.").build()).rcode() == Rcode::NOTAUTH);
  CHECK(only(*update("sub.primary.test.").build()).rcode() == Rcode::NOTAUTH);
  settings.access.reset();
  CHECK(only(*update("primary.test.").build()).rcode() == Rcode::REFUSED);
  CHECK(operations.updates.empty());
  CHECK(context.counters.updates_refused.get() == 4);
}

TEST_CASE_FIXTURE(Fixture, "update: a SIG(0) is left in place for whoever verifies it [RFC 2931 §3]") {
  dns::Message request = update("primary.test.");
  Bytes wire = *request.build();
  // The root as owner, SIG, IN; type covered 0.
  Bytes record = {0, 0, 24, 0, 1, 0, 0, 0, 0, 0, 83, 0, 0, 13, 0};
  record.resize(11 + 83);
  append(wire, record);
  wire[11] = 1;
  const auto stream = send(wire, Transport::Tcp);
  REQUIRE(operations.updates.size() == 1);
  CHECK(operations.updates[0].has_sig0);
  CHECK(operations.updates[0].message == wire);
  CHECK(!operations.updates[0].asker.key);
  CHECK(!stream->finished);
  operations.updates.clear();
  CHECK(stream->finished);
  CHECK(stream->messages.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "update: a zone section that is none, sections that do not hold: FORMERR [RFC 2136 §3.1.1]") {
  CHECK(only(*make_request("primary.test.", RrType::A, Opcode::UPDATE).build()).rcode() == Rcode::FORMERR);
  dns::Message request = update("primary.test.");
  request.question.clear();
  CHECK(only(*request.build()).rcode() == Rcode::FORMERR);
  Bytes wire = *update("primary.test.").build();
  for (size_t size = 12; size < wire.size(); ++size)
    CHECK(only(Bytes(wire.begin(), wire.begin() + static_cast<long>(size))).rcode() == Rcode::FORMERR);
  for (const size_t count : {7U, 9U, 11U}) {
    Bytes changed = wire;
    changed[count] = 200;
    CHECK(only(changed).rcode() == Rcode::FORMERR);
  }
  request = update("primary.test.");
  request.question[0].klass = dns::RrClass::CH;
  CHECK(only(*request.build()).rcode() == Rcode::NOTAUTH);
  CHECK(operations.updates.empty());
}

TEST_CASE_FIXTURE(Fixture, "update, notify: NOTIMP with the header alone where nobody takes them") {
  context.operations = nullptr;
  for (const Opcode opcode : {Opcode::NOTIFY, Opcode::UPDATE}) {
    const dns::Message response = only(*make_request("primary.test.", RrType::SOA, opcode).build());
    CHECK(response.rcode() == Rcode::NOTIMP);
    CHECK(response.question.empty());
  }
}

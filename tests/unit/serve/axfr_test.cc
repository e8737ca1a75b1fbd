// AXFR out (RFC 5936): what is in it and in which order, who gets it, readers that are slow or gone, TSIG on every
// message.

#include <doctest/doctest.h>

#include <algorithm>

#include "transfer_world.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;
using serve::TransferOutcome;

namespace {

constexpr std::string_view zone_text = R"(
$TTL 3600
@        SOA   Ns1 hostmaster 7 7200 3600 604800 300
@        NS    ns1
@        NS    ns.elsewhere.test.
@        MX    10 mail.Example.Test.
@        MX    20 mail
@        NSEC  a.b.c NS SOA MX RRSIG NSEC
a.b.c    TXT   "deep"
a.b.c    NSEC  @ TXT RRSIG NSEC
NS1      A     192.0.2.1
ns1      AAAA  2001:db8::1
mail     A     192.0.2.2
*.w      CNAME www.w
sub      NS    ns.sub
ns.sub   A     192.0.2.10
x.ns.sub TXT   "hidden below the cut"
d        DNAME elsewhere.test.
x.d      TXT   "hidden below the DNAME"
ptr      PTR   ptr
)";

serve::AccessRow row_for(std::string_view block) {
  serve::AccessRow row;
  row.block = *AddressBlock::from_text(block);
  return row;
}

struct Fixture : TransferWorld {
  explicit Fixture(serve::TransferLimits limits = {64, 8}) : TransferWorld(limits) {
    snapshot.add_signed_zone("Example.Test.", zone_text);
    allow(row_for("192.0.2.0/24"));
  }
  void allow(serve::AccessRow row, std::string_view zone = "example.test.") {
    auto table = std::make_shared<serve::AccessTable>();
    serve::ZoneAccess access;
    access.transfer = serve::AccessList({std::move(row)});
    table->set(*dns::Name::from_text(zone), access);
    settings.access = table;
  }
  // A zone of many messages.
  void add_large_zone(size_t names = 3000) {
    std::string text = "$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n";
    for (size_t i = 0; i < names; ++i)
      text += "n" + std::to_string(i) + ".agents TXT \"" + std::string(40, 'x') + "\"\n";
    snapshot.add_signed_zone("large.test.", text);
    allow(row_for("192.0.2.0/24"), "large.test.");
  }
  static Bytes axfr(std::string_view zone) { return *make_request(zone, RrType::AXFR).build(); }
  // What the transfer has, without the second SOA, sorted.
  static std::vector<std::string> content(std::vector<std::string> lines) {
    REQUIRE(!lines.empty());
    lines.pop_back();
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  static std::vector<dns::Message> parsed(const Stream& stream) {
    std::vector<dns::Message> messages;
    for (const Bytes& message : stream.messages) messages.push_back(*dns::Message::parse(message));
    return messages;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "axfr: all records once, the SOA first and last, nothing else [RFC 5936 §2.2]") {
  const auto messages = fetch(axfr("example.test."));
  const auto lines = answer_of(messages);
  CHECK(messages.size() == 1);
  CHECK(messages[0].answer.front().type == RrType::SOA);
  CHECK(messages[0].answer.back().type == RrType::SOA);
  CHECK(lines.front() == lines.back());
  CHECK(content(lines) == records_of(snapshot.nodes("example.test.")));
  REQUIRE(operations.ended.size() == 1);
  CHECK(operations.ended[0].outcome == TransferOutcome::Done);
  CHECK(operations.ended[0].serial == 7);
  CHECK(operations.ended[0].messages == 1);
  CHECK(operations.began.size() == 1);
  CHECK(context.counters.transfers_axfr.get() == 1);
  CHECK(slots->taken() == 0);
  CHECK(source.copies == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "axfr: header as the request's, AA, the question in the first message only [RFC 5936 §2.2.1]") {
  add_large_zone();
  dns::Message request = make_request("LARGE.test.", RrType::AXFR);
  request.header.rd = true;
  request.additional.push_back(dns::make_opt(1400, true));
  const auto messages = fetch(*request.build());
  REQUIRE(messages.size() > 10);
  for (size_t i = 0; i < messages.size(); ++i) {
    const dns::Message& message = messages[i];
    CHECK(message.header.id == 0x1234);
    CHECK(message.header.qr);
    CHECK(message.header.aa);
    CHECK(message.header.rd);
    CHECK(!message.header.tc);
    CHECK(message.rcode() == Rcode::NOERROR);
    CHECK(message.question.size() == (i == 0 ? 1 : 0));
    CHECK(message.authority.empty());
    REQUIRE(message.opt() != nullptr);
    CHECK(message.additional.size() == 1);
  }
  CHECK(messages[0].question[0].name.to_text() == "LARGE.test.");
  CHECK(content(answer_of(messages)) == records_of(snapshot.nodes("large.test.")));
}

TEST_CASE_FIXTURE(Fixture,
                  "axfr: messages are filled as far as pointers reach, and a TLS record with its length octets") {
  add_large_zone();
  const auto stream = send(axfr("large.test."));
  stream->run();
  REQUIRE(stream->messages.size() > 10);
  for (size_t i = 0; i < stream->messages.size(); ++i) {
    CHECK(stream->messages[i].size() <= 16382);
    if (i + 1 < stream->messages.size()) CHECK(stream->messages[i].size() > 15800);
  }
}

TEST_CASE_FIXTURE(Fixture, "axfr: without EDNS in the request none is in the response [RFC 6891 §7]") {
  CHECK(fetch(axfr("example.test."))[0].additional.empty());
}

TEST_CASE_FIXTURE(Fixture, "axfr: the names of an NSEC3 chain go with the zone, up to 255 octets [RFC 5155 §7.1]") {
  const std::string label(63, 'a');
  const std::string apex = label + "." + label + "." + label + "." + std::string(28, 'b') + ".";  // 222 octets
  std::string text = "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS .\n@ NSEC3PARAM 1 0 0 -\n";
  text += "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 2p9mhaveqvm6t7vbl5lop2u3t2rp3tom NS SOA RRSIG\n";
  snapshot.add_signed_zone(apex, text);
  allow(row_for("192.0.2.0/24"), apex);
  const auto messages = fetch(axfr(apex));
  CHECK(content(answer_of(messages)) == records_of(snapshot.nodes(apex)));
  CHECK(std::any_of(messages[0].answer.begin(), messages[0].answer.end(),
                    [](const dns::Record& record) { return record.owner.size() == 255; }));
}

TEST_CASE_FIXTURE(Fixture, "axfr: the root zone, whose owner has no label to point at") {
  snapshot.add_signed_zone(".", "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n@ NS a.\n@ NS b.\na. A 192.0.2.1\ntest. NS a.\n");
  allow(row_for("192.0.2.0/24"), ".");
  CHECK(content(answer_of(fetch(axfr(".")))) == records_of(snapshot.nodes(".")));
}

TEST_CASE_FIXTURE(Fixture, "axfr: an RRset larger than a message is spread over several") {
  std::string text = "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\n";
  for (int i = 0; i < 200; ++i) text += "big TXT \"" + std::to_string(1000 + i) + std::string(240, 'y') + "\"\n";
  text += "c TXT \"after\"\n";
  snapshot.add_signed_zone("big.test.", text);
  allow(row_for("192.0.2.0/24"), "big.test.");
  const auto messages = fetch(axfr("big.test."));
  CHECK(messages.size() > 3);
  CHECK(content(answer_of(messages)) == records_of(snapshot.nodes("big.test.")));
}

TEST_CASE_FIXTURE(
    Fixture,
    "axfr: a record of nearly 64 KiB has a message of its own; with a TSIG that does not fit it ends with SERVFAIL") {
  const auto add = [&](std::string_view zone) {
    std::string text = "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\nbig TXT";
    for (size_t i = 0; i < 254; ++i) text += " \"" + std::string(255, 'z') + "\"";
    snapshot.add_zone(zone, text + " \"" + std::string(180, 'z') + "\"\nc TXT \"after\"\n");
    allow(row_for("192.0.2.0/24"), zone);
  };
  add("big.test.");
  CHECK(content(answer_of(fetch(axfr("big.test.")))) == records_of(snapshot.nodes("big.test.")));
  Bytes request = axfr("big.test.");
  REQUIRE(auth::sign_request(request, key, clock.now()));
  CHECK(content(answer_of(fetch(request))) == records_of(snapshot.nodes("big.test.")));

  // The longest name of a key leaves no room.
  const std::string label(63, 'k');
  auth::TsigKey long_key = key;
  long_key.name = *dns::Name::from_text(label + "." + label + "." + label + "." + std::string(61, 'k') + ".");
  settings.keys = std::make_shared<auth::Keyring>(*auth::Keyring::create({long_key}));
  request = axfr("big.test.");
  REQUIRE(auth::sign_request(request, long_key, clock.now()));
  const auto messages = fetch(request);
  CHECK(messages.back().rcode() == Rcode::SERVFAIL);
  CHECK(messages.back().answer.empty());
  CHECK(!messages.back().header.aa);
  CHECK(operations.ended.back().outcome == TransferOutcome::Failed);
  CHECK(slots->taken() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "axfr: who is not permitted is REFUSED with EDE 18, what is not ours is NOTAUTH [RFC 5936 §2.2.1]") {
  const auto ask_edns = [&](std::string_view zone) { return ask(zone, RrType::AXFR, QueryEdns{}, Transport::Tcp); };
  client = *SocketAddress::from_text("198.51.100.1@1");
  const Response refused = ask_edns("example.test.");
  CHECK(refused.rcode == Rcode::REFUSED);
  CHECK(refused.extended_error() == 18);
  client = *SocketAddress::from_text("192.0.2.9@1");
  CHECK(ask_edns("ns1.example.test.").rcode == Rcode::NOTAUTH);
  CHECK(ask_edns("other.test.").rcode == Rcode::NOTAUTH);
  CHECK(ask_edns("test.").rcode == Rcode::NOTAUTH);
  // No way to send anything later: the pipeline was asked without a source.
  CHECK(ask_edns("example.test.").rcode == Rcode::SERVFAIL);
  snapshot.info("example.test.").availability = zone::Availability::Expired;
  const Response expired = ask_edns("example.test.");
  CHECK(expired.rcode == Rcode::SERVFAIL);
  CHECK(expired.extended_error() == 24);
  settings.access.reset();
  CHECK(ask_edns("example.test.").rcode == Rcode::REFUSED);
  CHECK(context.counters.transfers_refused.get() == 7);
  CHECK(operations.began.empty());
}

TEST_CASE_FIXTURE(Fixture, "axfr: over UDP FORMERR, of another class than IN REFUSED [RFC 5936 §4.2]") {
  CHECK(fetch(axfr("example.test."), Transport::Udp)[0].rcode() == Rcode::FORMERR);
  dns::Message request = make_request("example.test.", RrType::AXFR);
  request.question[0].klass = dns::RrClass::ANY;
  CHECK(fetch(*request.build())[0].rcode() == Rcode::REFUSED);
}

TEST_CASE_FIXTURE(Fixture, "access: a row's key, transport and certificate all have to hold [RFC 9103 §9.3]") {
  serve::AccessRow row = row_for("192.0.2.0/24");
  row.key = key.name;
  row.tls = true;
  row.peer_name = "secondary.test";
  allow(row);
  Bytes signed_request = axfr("example.test.");
  REQUIRE(auth::sign_request(signed_request, key, clock.now()));
  CHECK(fetch(signed_request)[0].rcode() == Rcode::REFUSED);
  CHECK(fetch(signed_request, Transport::Tls)[0].rcode() == Rcode::REFUSED);
  peer = {{"other.test", "secondary.test"}, "pin"};
  CHECK(fetch(axfr("example.test."), Transport::Tls)[0].rcode() == Rcode::REFUSED);
  CHECK(fetch(signed_request, Transport::Tls)[0].rcode() == Rcode::NOERROR);
  REQUIRE(operations.ended.size() == 1);
  CHECK(operations.ended[0].asker.key == key.name);
  CHECK(operations.ended[0].asker.transport == Transport::Tls);
  CHECK(operations.ended[0].asker.peer->names[1] == "secondary.test");
  peer.names = {"*.test"};
  CHECK(fetch(signed_request, Transport::Tls)[0].rcode() == Rcode::REFUSED);
}

TEST_CASE("access: a row without conditions, and an empty list, permit nobody") {
  const serve::Asker asker{*SocketAddress::from_text("127.0.0.1@1"), Transport::Tcp, {}, {}};
  CHECK(!serve::AccessList().allows(asker));
  CHECK(!serve::AccessList({serve::AccessRow{}}).allows(asker));
  CHECK(serve::AccessList({serve::AccessRow{}, row_for("127.0.0.0/8")}).allows(asker));
}

TEST_CASE("access: a row for a registry asks for that one, wherever it comes from") {
  serve::AccessRow row;
  row.registry = *dns::Name::from_text("com.s.example.");
  const serve::AccessList list({row_for("192.0.2.0/24"), row});
  CHECK(list.registries() == std::vector{*row.registry});
  CHECK(serve::AccessList({row_for("192.0.2.0/24")}).registries().empty());
  serve::AccessRow other;
  other.registry = *dns::Name::from_text("net.s.example.");
  CHECK(serve::AccessList({row, other, row}).registries() == std::vector{*row.registry, *other.registry});
  serve::Asker asker{*SocketAddress::from_text("198.51.100.1@1"), Transport::Tls, {}, {}};
  CHECK(!list.allows(asker));
  asker.registry = *dns::Name::from_text("org.s.example.");
  CHECK(!list.allows(asker));
  asker.registry = row.registry;
  CHECK(list.allows(asker));
}

TEST_CASE_FIXTURE(Fixture, "axfr: every message is signed, in one chain [RFC 8945 §5.3.1]") {
  add_large_zone();
  Bytes request = axfr("large.test.");
  auto verifier = auth::sign_request(request, key, clock.now());
  REQUIRE(verifier);
  const auto stream = send(request);
  stream->run();
  REQUIRE(stream->messages.size() > 10);
  for (const Bytes& message : stream->messages) {
    CHECK(verifier->verify(message, clock.now()) == auth::TsigReply::Good);
    CHECK(message.size() <= 16382);
  }
  CHECK(verifier->may_end());
  CHECK(content(answer_of(parsed(*stream))) == records_of(snapshot.nodes("large.test.")));
}

TEST_CASE_FIXTURE(Fixture, "axfr: a key that goes while it is in use signs to the end of the transfer") {
  add_large_zone();
  Bytes request = axfr("large.test.");
  auto verifier = auth::sign_request(request, key, clock.now());
  const auto stream = send(request, Transport::Tcp, 1);
  settings.keys.reset();
  settings.access.reset();
  stream->read(SIZE_MAX / 2);
  for (const Bytes& message : stream->messages) CHECK(verifier->verify(message, clock.now()) == auth::TsigReply::Good);
  CHECK(operations.ended[0].outcome == TransferOutcome::Done);
  CHECK(fetch(request)[0].rcode() == Rcode::NOTAUTH);
}

TEST_CASE_FIXTURE(Fixture, "axfr: other queries have their turn after 64 KiB, and a slow reader is waited for") {
  add_large_zone();
  const auto stream = send(axfr("large.test."));
  CHECK(stream->messages.size() == 5);
  CHECK(stream->posted.size() == 1);
  stream->run();
  CHECK(stream->finished);

  const auto slow = send(axfr("large.test."), Transport::Tcp, 2);
  CHECK(slow->messages.size() == 2);
  CHECK(slow->posted.empty());
  CHECK(slow->waiting.size() == 1);
  CHECK(slots->taken() == 1);
  while (!slow->finished) slow->read(1);
  CHECK(content(answer_of(parsed(*slow))) == records_of(snapshot.nodes("large.test.")));
  CHECK(slots->taken() == 0);
  CHECK(source.copies == 0);
}

TEST_CASE_FIXTURE(Fixture, "axfr: a client that goes ends its transfer, and so does a worker") {
  add_large_zone();
  auto stream = send(axfr("large.test."), Transport::Tcp, 1);
  stream->closed = true;
  stream->read(1);
  REQUIRE(operations.ended.size() == 1);
  CHECK(operations.ended[0].outcome == TransferOutcome::Closed);
  CHECK(stream->finished);
  CHECK(slots->taken() == 0);
  CHECK(source.copies == 0);
  CHECK(context.counters.transfers_broken.get() == 1);

  stream = send(axfr("large.test."), Transport::Tcp, 1);
  stream->waiting.clear();
  REQUIRE(operations.ended.size() == 2);
  CHECK(operations.ended[1].outcome == TransferOutcome::Stopped);
  CHECK(slots->taken() == 0);
  CHECK(source.copies == 0);
}

TEST_CASE_FIXTURE(Fixture, "axfr: a copy that cannot be had is SERVFAIL; one that comes later is sent then") {
  source.full = true;
  const auto messages = fetch(axfr("example.test."));
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].rcode() == Rcode::SERVFAIL);
  CHECK(messages[0].question.size() == 1);
  CHECK(operations.ended[0].outcome == TransferOutcome::Failed);

  source.full = false;
  source.late = true;
  const auto stream = send(axfr("example.test."));
  CHECK(stream->messages.empty());
  source.held();
  source.held = nullptr;
  CHECK(content(answer_of(parsed(*stream))) == records_of(snapshot.nodes("example.test.")));
  CHECK(slots->taken() == 0);

  // Nobody is left to bring it.
  const auto lost = send(axfr("example.test."));
  source.held = nullptr;
  CHECK(lost->finished);
  CHECK(operations.ended.back().outcome == TransferOutcome::Stopped);
}

TEST_CASE("axfr: transfers over the limits are REFUSED, and there is room again when others end") {
  Fixture world({3, 2});
  world.add_large_zone();
  const Bytes request = Fixture::axfr("large.test.");
  const auto refused = [&] {
    const auto stream = world.send(request);
    return stream->messages.size() == 1 && dns::Message::parse(stream->messages[0])->rcode() == Rcode::REFUSED;
  };
  const auto first = world.send(request, Transport::Tcp, 1);
  const auto second = world.send(request, Transport::Tcp, 1);
  CHECK(refused());  // of this client
  world.client = *SocketAddress::from_text("192.0.2.77@1");
  const auto third = world.send(request, Transport::Tcp, 1);
  CHECK(world.slots->taken() == 3);
  world.client = *SocketAddress::from_text("192.0.2.78@1");
  CHECK(refused());  // of all
  third->read(SIZE_MAX / 2);
  CHECK(world.slots->taken() == 2);
  CHECK(!refused());
}

TEST_CASE_FIXTURE(Fixture, "axfr: a zone for transfer only is answered to who may transfer it, and its SOA to all") {
  snapshot.info("example.test.").transfer_only = true;
  const auto ask = [&](std::string_view name, RrType type) {
    return fetch(*make_request(name, type).build(), Transport::Udp).at(0).rcode();
  };
  CHECK(ask("a.b.c.example.test.", RrType::TXT) == Rcode::NOERROR);
  CHECK(fetch(axfr("example.test.")).at(0).rcode() == Rcode::NOERROR);
  client = *SocketAddress::from_text("198.51.100.1@53");
  CHECK(ask("a.b.c.example.test.", RrType::TXT) == Rcode::REFUSED);
  CHECK(ask("none.example.test.", RrType::TXT) == Rcode::REFUSED);
  CHECK(ask("a.b.c.example.test.", RrType::SOA) == Rcode::REFUSED);
  CHECK(ask("EXAMPLE.test.", RrType::NS) == Rcode::REFUSED);
  CHECK(ask("EXAMPLE.test.", RrType::SOA) == Rcode::NOERROR);
  CHECK(fetch(axfr("example.test.")).at(0).rcode() == Rcode::REFUSED);
}

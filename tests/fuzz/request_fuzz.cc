// The whole pipeline over fixed zones, transfers, NOTIFY, UPDATE and TSIG included: the first octet picks the
// transport, the rest is the request. Whatever it holds, all responses parse, fit, and have the request's id; nothing
// is read past the request or written past the room.

#include "require.hh"
#include "transfer_world.hh"

using namespace steward;
using fuzz::require;

namespace {

constexpr std::string_view nsec_zone = R"(
$TTL 3600
@       SOA   ns1 hostmaster 1 7200 3600 604800 300
@       NS    ns1
@       MX    10 mail
@       NSEC  *.w NS SOA MX RRSIG NSEC
*.w     CNAME www
*.w     MX    1 w
*.w     NSEC  alias CNAME RRSIG NSEC
alias   CNAME x.dname
alias   NSEC  dname CNAME RRSIG NSEC
cut     NS    ns.cut
cut     NS    ns.cut.nsec3.test.
ns.cut  A     192.0.2.2
dname   DNAME w
dname   NSEC  loop DNAME RRSIG NSEC
loop    DNAME x.loop
ns1     A     192.0.2.1
ns1     NSEC  www A RRSIG NSEC
mail    A     192.0.2.4
mail    AAAA  2001:db8::4
www     SVCB  0 svc.nsec3.test.
www     TXT   "some text"
www     NSEC  @ SVCB RRSIG NSEC
plan._find._agents TXT "v=steward-find1"
plan._find._agents PTR www
)";

// The hashes are those of RFC 5155 Appendix A: any circle of them does.
constexpr std::string_view nsec3_zone = R"(
$TTL 3600
@       SOA   ns1 hostmaster 1 7200 3600 604800 300
@       NS    ns1
@       NSEC3PARAM 1 0 1 aabbccdd
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 1 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA NSEC3PARAM RRSIG
2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 1 1 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi A RRSIG
gjeqe526plbf1g8mklp59enfd789njgi NSEC3 1 1 1 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A RRSIG
ns1     A     192.0.2.1
svc     SVCB  0 svc2
svc2    SVCB  1 . port=443
svc2    SVCB  2 svc port=444
svc2    A     192.0.2.3
*.wild  CNAME y.w.nsec.test.
a.b.c.d TXT   "deep"
cut     NS    ns.cut
)";

struct Fixture : test::TransferWorld {
  Fixture() {
    snapshot.add_signed_zone("nsec.test.", nsec_zone);
    snapshot.add_signed_zone("nsec3.test.", nsec3_zone);
    add_discover();
    settings.version = "steward";
    settings.nsid = {'n', 's'};
    const std::string soa = "@ 3600 SOA ns1 hostmaster ";
    source.journal.push_back(test::make_difference(soa + "0 7200 3600 604800 300\nold 60 A 192.0.2.9\n",
                                                   soa + "1 7200 3600 604800 300\nwww 60 TXT \"some text\"\n",
                                                   "nsec.test."));
    serve::AccessRow all;
    all.block = *AddressBlock::from_text("0.0.0.0/0");
    serve::ZoneAccess access;
    access.transfer = access.notify = access.update = serve::AccessList({all});
    access.secondary = true;
    auto table = std::make_shared<serve::AccessTable>();
    table->set(*dns::Name::from_text("nsec.test."), access);
    table->set(*dns::Name::from_text("nsec3.test."), access);
    settings.access = table;
  }
  // What is signed as it is asked for.
  void add_discover() {
    constexpr std::string_view zone = "_discover._agents.nsec.test.";
    snapshot.add_signed_zone(zone, "@ 60 SOA ns1.nsec.test. h.nsec.test. 1 2 3 4 60\n@ 60 NS ns1.nsec.test.");
    snapshot.info(zone).online = true;
    snapshot.info(zone).denial = zone::Denial::Nsec;
    auto csk = crypto::KeyPair::generate(crypto::Algorithm::ECDSAP256SHA256);
    require(csk.has_value(), "a key");
    auto discover = std::make_shared<serve::DiscoverZone>();
    discover->apex = *dns::Name::from_text(zone);
    discover->parent = *dns::Name::from_text("test.");
    discover->key = std::make_shared<const crypto::KeyPair>(std::move(*csk));
    settings.discover = discover;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Fixture server;
  if (size == 0) return 0;
  const ByteView request(data + 1, size - 1);
  const auto transport = static_cast<Transport>(data[0] % 4);
  const auto stream = server.send(request, transport);
  stream->run();
  for (serve::UpdateRequest& update : server.operations.updates)
    update.response.send(dns::Rcode::NOERROR, server.clock.now());
  server.operations = {};
  for (const Bytes& message : stream->messages) {
    const auto response = dns::Message::parse(message);
    require(response.has_value(), "the response parses");
    require(response->header.id == load_u16(request.data()), "the id is the request's");
    require(transport != Transport::Udp || message.size() <= 1232, "a UDP response keeps to its size");
  }
  require(server.context.counters.failures.get() == 0, "nothing fails inside");
  require(server.slots->taken() == 0 && server.source.copies == 0, "nothing is left over");
  return 0;
}

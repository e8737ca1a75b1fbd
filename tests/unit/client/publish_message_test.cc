#include "client/publish_message.hh"

#include "change/update_request.hh"
#include "dns/encoding.hh"
#include "dns/message.hh"
#include "publisher_fixture.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;
using dns::RrClass;
using dns::RrType;

namespace {

Bytes unhex(std::string_view text) { return dns::decode(dns::hex, text).value(); }

PublishUpdate small_update() {
  PublishUpdate update;
  update.zone = zone;
  update.agent = agent_name;
  update.records = {{agent_name, RrType::TXT, 300, unhex("03763d31")},
                    {agent_name, RrType::KEY, 300, unhex("0200030f0102")}};
  return update;
}

bool is(const change::UpdateRecord& record, dns::NameView owner, RrType type, RrClass klass, uint32_t ttl, ByteView rdata) {
  return record.owner == owner && record.type == type && record.klass == klass && record.ttl == ttl &&
         std::ranges::equal(record.rdata, rdata);
}

}  // namespace

TEST_CASE("publish: the UPDATE of a first publish, to the octet [RFC 2136 §2]") {
  PublishUpdate update = small_update();
  update.lease = Lease{7200, 1209600};
  const auto message = build_publish(0x1234, update);
  REQUIRE(message);
  CHECK(dns::encode(dns::hex_lower, *message) ==
        "123428000001000100060001"                          // UPDATE, one zone, one prerequisite, six updates, OPT
        "0461636d65076578616d706c6500"  "00060001"          // acme.example. SOA IN
        "0668656c706572c00c" "001000fe00000000" "0000"      // no TXT at helper: TXT NONE 0
        "c01e" "001000ff00000000" "0000"                    // delete TXT, SRV, SVCB
        "c01e" "002100ff00000000" "0000"
        "c01e" "004000ff00000000" "0000"
        "095f6d616e6966657374c01e" "001000ff00000000" "0000"  // delete _manifest TXT
        "c01e" "001000010000012c" "0004" "03763d31"         // add the statement
        "c01e" "001900010000012c" "0006" "0200030f0102"     // add KEY
        "00" "002904d000000000" "000c" "0002" "0008" "00001c20" "00127500");  // Update Lease (RFC 9664 §4)
}

TEST_CASE("publish: what stood there is the prerequisite, value for value [RFC 2136 §2.4.2]") {
  PublishUpdate update = small_update();
  update.statement_as_read = {unhex("03763d30")};
  update.rotation = unhex("03763d39");
  const auto message = build_publish(1, update);
  REQUIRE(message);
  const auto request = change::parse_update(*message);
  REQUIRE(request);
  REQUIRE(request->prerequisites.size() == 1);
  CHECK(is(request->prerequisites[0], agent_name, RrType::TXT, RrClass::IN, 0, update.statement_as_read[0]));
  REQUIRE(request->updates.size() == 7);
  CHECK(is(request->updates[0], agent_name, RrType::TXT, RrClass::ANY, 0, {}));
  CHECK(is(request->updates[6], name("_keys.helper.acme.example."), RrType::TXT, RrClass::IN, 300, *update.rotation));
}

TEST_CASE("publish: a lease without a time for the key has the short form [RFC 9664 §4.1]") {
  PublishUpdate update = small_update();
  update.lease = Lease{3600, 0};
  const auto message = build_publish(1, update);
  REQUIRE(message);
  const auto parsed = dns::Message::parse(*message);
  REQUIRE(parsed);
  CHECK(dns::encode(dns::hex_lower, parsed->opt()->rdata) == "0002000400000e10");
}

TEST_CASE("publish: the SIG(0) is the agent's, last, and verifies with its KEY [RFC 2931 §3.1]") {
  for (const auto algorithm : {crypto::Algorithm::ED25519, crypto::Algorithm::RSASHA256, crypto::Algorithm::ECDSAP256SHA256}) {
    const crypto::StoredKey key = make_key(noon, algorithm);
    const auto message = build_signed_publish(7, small_update(), {agent_name, key.key, key.flags}, noon);
    REQUIRE(message);
    const auto sig0 = auth::read_sig0(*message, auth::find_signature(*message));
    REQUIRE(sig0);
    CHECK(sig0->signer == agent_name);
    const Bytes rdata = key.dnskey();
    const ByteView keys[] = {rdata};
    auth::VerifyBudget budget({}, crypto::SipHashKey{1});
    CHECK(change::parse_update(*message).has_value());
    CHECK(auth::verify_sig0(*message, *sig0, keys, noon, {&budget, {}, 1}) == auth::Sig0Status::Good);
  }
}

TEST_CASE("publish: a manifest of 32 KiB and an RSA key of 4,096 bits go in one message") {
  PublishUpdate update = small_update();
  Bytes manifest;
  for (size_t left = agent::max_stored_manifest; left > 0;) {
    const size_t size = std::min<size_t>(left, 255);
    append_u8(manifest, static_cast<uint8_t>(size));
    manifest.resize(manifest.size() + size, 'x');
    left -= size;
  }
  update.records.push_back({manifest_name(agent_name), RrType::TXT, 300, manifest});
  update.records[1].rdata.resize(4 + 515);
  update.statement_as_read = {Bytes(manifest.begin(), manifest.begin() + 256 * 40)};
  CHECK(build_publish(1, update).has_value());
}

TEST_CASE("publish: the script for nsupdate says the same") {
  PublishUpdate update = small_update();
  CHECK(nsupdate_script(update, "192.0.2.1 53") ==
        "server 192.0.2.1 53\n"
        "zone acme.example.\n"
        "prereq nxrrset helper.acme.example. TXT\n"
        "update delete helper.acme.example. TXT\n"
        "update delete helper.acme.example. SRV\n"
        "update delete helper.acme.example. SVCB\n"
        "update delete _manifest.helper.acme.example. TXT\n"
        "update add helper.acme.example. 300 TXT \"v=1\"\n"
        "update add helper.acme.example. 300 KEY 512 3 15 AQI=\n"
        "send\n");
  update.statement_as_read = {unhex("03763d30")};
  has(nsupdate_script(update, ""), "prereq yxrrset helper.acme.example. TXT \"v=0\"\n");
  update.lease = Lease{60, 0};
  has(nsupdate_script(update, ""), "; the lease is left out");
}

TEST_CASE("publish: a response is its code, the reason of a refusal and the lease that is granted [RFC 8914 §2, RFC 9664 §4]") {
  dns::Message message;
  message.header.id = 9;
  message.header.qr = true;
  message.header.opcode = dns::Opcode::UPDATE;
  message.header.rcode = 5;
  Bytes options;
  dns::append_edns_option(options, extended_error_option, unhex("00126e6f"));
  dns::append_edns_option(options, update_lease_option, unhex("0000003c00000078"));
  message.additional.push_back(dns::make_opt(1232, false, options));
  const auto response = read_publish_response(message.build().value(), 9);
  REQUIRE(response);
  CHECK(response->rcode == dns::Rcode::REFUSED);
  CHECK(response->error == 18);
  CHECK(response->text == "no");
  CHECK(response->lease == Lease{60, 120});
  CHECK_FALSE(read_publish_response(message.build().value(), 10).has_value());
  message.header.opcode = dns::Opcode::QUERY;
  CHECK_FALSE(read_publish_response(message.build().value(), 9).has_value());
}

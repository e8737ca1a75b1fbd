#include <doctest/doctest.h>

#include "config/loader.hh"

using namespace steward;
using namespace steward::config;

namespace {

constexpr const char* pin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const std::string served = "tls: {listen: [\"::1\"], certificate: c.pem, key: /k.pem, client-ca: ca.pem}\n";

Config good(const std::string& text) {
  auto config = load_text(text, "/etc/steward/registry.yaml");
  REQUIRE_MESSAGE(config, config.error().what);
  return *config;
}

void refused(const std::string& text, std::string_view why) {
  const auto config = load_text(text, "/etc/steward/registry.yaml");
  REQUIRE_MESSAGE(!config, text);
  CHECK_MESSAGE(config.error().what.find(why) != std::string::npos, config.error().what);
}

std::string zone(const std::string& keys) { return "zones: [{name: e., file: z, " + keys + "}]\n"; }

}  // namespace

TEST_CASE("config: a TLS listener, on port 853 unless another is given [RFC 7858 §3.1]") {
  const Config config = good(served);
  CHECK(config.tls.listen.at(0).to_text() == "::1@853");
  CHECK(config.tls.certificate == "/etc/steward/c.pem");
  CHECK(config.tls.key == "/k.pem");
  CHECK(config.tls.client_ca == "/etc/steward/ca.pem");
  CHECK_FALSE(config.tls.require_client_certificate);
  CHECK(good("data: d").tls.listen.empty());
}

TEST_CASE("config: tls without a certificate says what to do") {
  refused("tls: {listen: [\"::1\"]}", "1:6: tls: needs 'certificate' and 'key'");
  refused("tls: {listen: [\"::1\"], key: k}", "openssl req -x509");
  refused("tls: {certificate: c, key: k}", "the key 'listen' is missing");
  refused("tls: {listen: [], certificate: c, key: k}", "tls.listen: expected at least one address");
  refused("tls: {listen: [127.0.0.1@0], certificate: c, key: k}", "port 0");
  refused("listen: [127.0.0.1@853]\ntls: {listen: 127.0.0.1, certificate: c, key: k}", "given twice");
  refused("tls: {listen: [\"::1\"], certificate: c, key: k, require-client-certificate: true}", "needs 'client-ca'");
}

TEST_CASE("config: servers reached over TLS, by name, pin, or explicitly by nobody's proof [RFC 8310 §5]") {
  const Config config =
      good(zone(std::string("notify: [192.0.2.1, {address: 192.0.2.2, tls: {name: NS1.Example., ca: ca.pem}}, "
                            "{address: 192.0.2.3@8853, tls: {pin: ") +
                pin + ", certificate: c.pem, key: k.pem}}, {address: 192.0.2.4, tls: {opportunistic: true}}]"));
  const auto& peers = config.zones.at(0).notify;
  REQUIRE(peers.size() == 4);
  CHECK_FALSE(peers[0].tls);
  CHECK(peers[0].address.to_text() == "192.0.2.1@53");
  REQUIRE(peers[1].tls);
  CHECK(peers[1].address.to_text() == "192.0.2.2@853");
  CHECK(peers[1].tls->name == "ns1.example");
  CHECK(peers[1].tls->ca == "/etc/steward/ca.pem");
  REQUIRE(peers[2].tls);
  CHECK(peers[2].address.port() == 8853);
  CHECK(peers[2].tls->pins == std::vector<std::string>{pin});
  CHECK(peers[2].tls->key == "/etc/steward/k.pem");
  REQUIRE(peers[3].tls);
  CHECK(peers[3].tls->opportunistic);
}

TEST_CASE("config: TLS to a server that would prove nothing by accident is refused") {
  const auto peer = [](const std::string& tls) { return zone("notify: [{address: 192.0.2.1, tls: " + tls + "}]"); };
  refused(peer("true"), "expected one of name, pin, or opportunistic: true");
  refused(peer("{ca: c}"), "expected one of name, pin");
  refused(peer("{certificate: c, key: k}"), "expected one of name, pin");
  refused(peer("{name: a, opportunistic: true}"), "opportunistic beside name");
  refused(peer(std::string("{ca: c, pin: ") + pin + "}"), "beside name only");
  refused(peer("{name: a, certificate: c}"), "certificate and key together");
  refused(peer("{pin: AAAA}"), "base64 of 32 to 32 octets");
  refused(peer("{nmae: a}"), "did you mean 'name'?");
}

TEST_CASE("config: access rules bound to a certificate's name and to the transport") {
  const Config config =
      good(served + "keys: [{name: xfr., secret: AAAAAAAAAAAAAAAAAAAAAA==}]\n" +
           zone("allow-transfer: [{key: xfr., tls: NS2.example.}, {address: 10.0.0.0/8, transport: tls}, "
                "192.0.2.1], allow-notify: [192.0.2.9, {key: xfr.}]"));
  const auto& rules = config.zones.at(0).allow_transfer;
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].tls == "ns2.example");
  CHECK(rules[0].over_tls);
  CHECK(rules[0].key);
  CHECK(rules[1].over_tls);
  CHECK(rules[1].tls.empty());
  CHECK(rules[1].block);
  CHECK_FALSE(rules[2].over_tls);
  CHECK(config.zones.at(0).allow_notify.size() == 2);
  refused(zone("allow-transfer: [{tls: ns2.example}]"), "no 'tls.client-ca'");
  refused(zone("allow-transfer: [{address: 10.0.0.0/8, transport: udp}]"), "one of: tls");
  refused(zone("allow-notify: [{key: none.}]"), "allow-notify: no key none.");
}

TEST_CASE("config: times and journal of transfers have defaults, and must fit") {
  const ZoneConfig defaults = good(zone("dnssec: false")).zones.at(0);
  CHECK(defaults.times.min_refresh == Seconds{2});
  CHECK(defaults.times.max_refresh == Seconds{28 * 86400});
  CHECK(defaults.times.max_expire == Seconds{365 * 86400});
  CHECK(defaults.journal.max_size == 64U << 20);
  CHECK(defaults.journal.max_age == Seconds{30 * 86400});
  const ZoneConfig given = good(zone("min-refresh: 5m, max-refresh: 5m, min-retry: 1m, max-retry: 1h, max-expire: 2w, "
                                     "journal: {max-size: 1G}"))
                               .zones.at(0);
  CHECK(given.times.max_retry == Seconds{3600});
  CHECK(given.journal.max_size == 1U << 30);
  refused(zone("min-refresh: 2h, max-refresh: 1h"), "min-refresh is over max-refresh");
  refused(zone("min-retry: 20d"), "min-retry is over max-retry");
}

TEST_CASE("config: proxies are blocks") {
  CHECK(good("proxy-protocol: {allow: [127.0.0.1/32, \"::1\"]}").proxies.size() == 2);
  refused("proxy-protocol: {allow: [here]}", "an address or block");
}

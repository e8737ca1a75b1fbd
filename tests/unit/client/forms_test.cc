#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "client/known_agents.hh"
#include "client/read_agent.hh"
#include "client/trust_anchor.hh"
#include "dns/rdata.hh"
#include "dns/record_text.hh"
#include "steward/client.hh"
#include "words.hh"

using namespace steward;
using namespace steward::client;
using dns::RrType;

namespace {

/// A folder that goes with the test.
struct Folder {
  std::string path = "/tmp/steward-client-XXXXXX";
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path + "/" + name) << text;
    return path + "/" + name;
  }
};

Settings settings_with(std::string name_space) {
  return {.registry = {},
          .name_space = std::move(name_space),
          .trust_anchor = {},
          .known_agents = {},
          .tls_name = {},
          .tls_authorities = {},
          .tls_pins = {}};
}

std::string full(std::string_view text, std::string name_space = "vibe-agency.com") {
  const auto name = full_name(text, settings_with(std::move(name_space)));
  return name ? *name : "refused: " + name.failure().what;
}

bool is_refused(std::string_view text, std::string name_space = "vibe-agency.com") {
  return full(text, std::move(name_space)).starts_with("refused");
}

Bytes rdata(RrType type, std::string_view text) {
  Bytes out;
  const auto words = test::words_of(text);
  const auto read = dns::rdata_from_tokens(type, words, dns::NameView(), out);
  REQUIRE(read);
  return out;
}

AgentRecords with_rows(std::vector<Bytes> svcb, std::vector<Bytes> srv) {
  AgentRecords records{.agent = dns::Name::from_text("a.b.c.").value()};
  records.svcb = std::move(svcb);
  records.srv = std::move(srv);
  return records;
}

}  // namespace

TEST_CASE("names: short, below the apex, in full, reversed; upper case is folded") {
  const std::string expected = "coder.vibe-agency.com.steward-registry.org";
  for (const char* text : {"coder", "Coder", "coder.vibe-agency.com", "com.vibe-agency.coder",
                           "coder.vibe-agency.com.steward-registry.org", "coder.vibe-agency.com.STEWARD-registry.org."})
    CHECK(full(text) == expected);
  CHECK(full("coder", "vibe-agency.com.steward-registry.org") == expected);
  CHECK(full("coder.acme.io", "") == "coder.acme.io.steward-registry.org");
  CHECK(full("io.acme.coder-two", "") == "coder-two.acme.io.steward-registry.org");
  CHECK(full("bot.user/kimeisele.github") == "bot.user/kimeisele.github.steward-registry.org");
  CHECK(full("github.user/kimeisele.bot") == "bot.user/kimeisele.github.steward-registry.org");
}

TEST_CASE("names: what cannot be an agent is refused with the reason, never mangled") {
  for (const char* text :
       {"", ".", "steward-registry.org", "com.steward-registry.org", "-coder", "coder-", "co_der", "ns1", "www",
        "_find.vibe-agency.com", "co der", "coder..com", "coder.example.org.", "b\xc3\xbc cher", "b\xfc", "xn--a"})
    CHECK_MESSAGE(is_refused(text), text);
  CHECK(is_refused("coder", ""));
  CHECK(is_refused(std::string(64, 'a')));
  CHECK(is_refused("a." + std::string(60, 'b') + "." + std::string(60, 'c') + "." + std::string(60, 'd')));
}

TEST_CASE("text: what a terminal acts on, what reorders and what hides is escaped; the rest stays") {
  CHECK(for_terminal("plain text, 100 %") == "plain text, 100 %");
  CHECK(for_terminal("b\xc3\xbc"
                     "cher \xf0\x9f\xa4\x96") ==
        "b\xc3\xbc"
        "cher \xf0\x9f\xa4\x96");
  CHECK(for_terminal("\x1b[31mred\x07\r\n") == "\\x1b[31mred\\x07\\x0d\\x0a");
  CHECK(for_terminal(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(for_terminal("\x7f") == "\\x7f");
  CHECK(for_terminal("\xc2\x9b"
                     "31m") == "\\u009b31m");
  CHECK(for_terminal("\xe2\x80\xae"
                     "cod.exe") == "\\u202ecod.exe");
  CHECK(for_terminal("\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf") == "\\u2066\\u200b\\ufeff");
  CHECK(for_terminal("\xf3\xa0\x81\xa1") == "\\ue0061");
  CHECK(for_terminal("\xe2\x80\xa8") == "\\u2028");
  CHECK(for_terminal("\\u202e") == "\\\\u202e");
}

TEST_CASE("text: octets that are no UTF-8 are escaped one by one [RFC 3629 §3]") {
  CHECK(for_terminal("\xff\xfe") == "\\xff\\xfe");
  CHECK(for_terminal("\xc0\x80") == "\\xc0\\x80");
  CHECK(for_terminal("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(for_terminal("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(for_terminal("\xe2\x80") == "\\xe2\\x80");
}

TEST_CASE(
    "endpoints: SVCB by priority, the agent's protocol first in alpn, aliases and unknown mandatory keys left out") {
  const auto endpoints = read_endpoints(
      with_rows({rdata(RrType::SVCB, "2 Two.example. alpn=\"mcp,h2\" port=8443"),
                 rdata(RrType::SVCB, "1 one.example. alpn=\"a2a,h2,http/1.1\" key65402=\"a2a\" key65409=\"/card\""),
                 rdata(RrType::SVCB, "0 ."), rdata(RrType::SVCB, "3 three.example. mandatory=key700 key700=\"x\""),
                 rdata(RrType::SVCB, "4 four/slash.example.")},
                {rdata(RrType::SRV, "0 0 443 one.example.")}));
  REQUIRE(endpoints.size() == 2);
  CHECK(endpoints[0].host == "one.example");
  CHECK(endpoints[0].protocol == "a2a");
  CHECK(endpoints[0].alpn == std::vector<std::string>{"h2", "http/1.1"});
  CHECK(endpoints[0].well_known == "/card");
  CHECK(endpoints[1].host == "two.example");
  CHECK(endpoints[1].port == 8443);
}

TEST_CASE("endpoints: SRV where there is no SVCB, and none at all for a target of the root [RFC 2782]") {
  const auto endpoints = read_endpoints(
      with_rows({}, {rdata(RrType::SRV, "1 0 443 later.example."), rdata(RrType::SRV, "0 0 443 light.example."),
                     rdata(RrType::SRV, "0 9 443 heavy.example.")}));
  REQUIRE(endpoints.size() == 3);
  CHECK(endpoints[0].host == "heavy.example");
  CHECK(endpoints[2].host == "later.example");
  CHECK(read_endpoints(with_rows({rdata(RrType::SVCB, "0 .")}, {rdata(RrType::SRV, "0 0 0 .")})).empty());
}

TEST_CASE("settings: a file is read, its paths counted from it, every problem told with its place") {
  const Folder folder;
  const auto settings = Settings::load(
      folder.write("good.yaml",
                   "registry: 127.0.0.1@5300\nnamespace: vibe-agency.com\ntrust-anchor: keys/root.ds\ntimeout: 3\n"
                   "tls: {name: ns1.example, authorities: /etc/ca.pem}\n"));
  REQUIRE_MESSAGE(settings, settings.failure().what);
  CHECK(settings->registry == "127.0.0.1@5300");
  CHECK(settings->trust_anchor == folder.path + "/keys/root.ds");
  CHECK(settings->known_agents == folder.path + "/known_agents");
  CHECK(settings->timeout == std::chrono::seconds(3));
  CHECK(settings->tls);
  CHECK(settings->tls_authorities == "/etc/ca.pem");
  const auto bad = Settings::load(folder.write("bad.yaml", "registry: nowhere\nnamespce: x\ntls: {authority: a}\n"));
  REQUIRE_FALSE(bad);
  CHECK(bad.failure().what.find("bad.yaml:1:11: registry") != std::string::npos);
  CHECK(bad.failure().what.find("bad.yaml:2:1: unknown key 'namespce'") != std::string::npos);
  CHECK(bad.failure().what.find("bad.yaml:3:6: tls") != std::string::npos);
  const auto unknown = Settings::load(folder.write("unknown.yaml", "registry: 127.0.0.1@853\ntls: {authorities: a}\n"));
  REQUIRE_FALSE(unknown);
  CHECK(unknown.failure().what.find("unknown.yaml:2:6: tls: `name` or `pin`") != std::string::npos);
  CHECK(Settings::load(folder.write("found.yaml", "tls: {authorities: a}\n"))->tls);
  CHECK(Settings::load(folder.path + "/none.yaml").failure().fault == Fault::NotFound);
}

TEST_CASE("settings: a pin or a list of them in place of authorities, each a SHA-256 in base64 [RFC 7858 §4.2]") {
  const Folder folder;
  const std::string pin = "9SLklscvzMYj8f+52lp5ze/hY0CFHyLSPQzSpYYIBm8=";
  const auto load = [&](const std::string& tls) { return Settings::load(folder.write("pin.yaml", "tls: " + tls + "\n")); };
  const auto one = load("{pin: " + pin + "}");
  REQUIRE_MESSAGE(one, one.failure().what);
  CHECK(one->tls);
  CHECK(one->tls_pins == std::vector<std::string>{pin});
  const auto two = load("{name: ns1.example, pin: [" + pin + ", LYiSmVPdKv0eBQnTDLPWg1EWkVpQjJk6lOHG9bhFKFQ=]}");
  REQUIRE_MESSAGE(two, two.failure().what);
  CHECK(two->tls_pins.size() == 2);
  CHECK(two->tls_name == "ns1.example");
  for (const char* wrong : {"{pin: []}", "{pin: abc}", "{pin: {a: b}}", "{pin: [9SLk]}"}) CHECK_FALSE(load(wrong));
  CHECK_FALSE(load("{name: ns1.example, authorities: /etc/ca.pem, pin: " + pin + "}"));
}

TEST_CASE("trust anchor: DS and DNSKEY in text, comments and parentheses; anything else is refused with its line") {
  const auto anchors = parse_anchors(
      "; root\n. 172800 IN DS 20326 8 2 (\n  E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D )\n");
  REQUIRE_MESSAGE(anchors, anchors.error().what);
  CHECK(anchors->size() == 1);
  CHECK_FALSE(parse_anchors("; nothing\n"));
  const auto wrong = parse_anchors("; a\nexample. IN A 192.0.2.1\n");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().what.find("line 2") != std::string::npos);
}

TEST_CASE("known agents: a fingerprint is found again, a later one takes its place, a broken file is told") {
  const Folder folder;
  const KnownAgents known(folder.path + "/deep/known_agents");
  CHECK(known.find("a.b").value().value_or("") == "");
  const std::string first = "sha256:" + std::string(64, 'a');
  const std::string second = "sha256:" + std::string(64, 'b');
  REQUIRE(known.remember("a.b", first));
  REQUIRE(known.remember("c.d", second));
  CHECK(known.find("a.b").value().value_or("") == first);
  REQUIRE(known.remember("a.b", second));
  CHECK(known.find("a.b").value().value_or("") == second);
  CHECK(known.find("c.d").value().value_or("") == second);
  const KnownAgents broken(folder.write("broken", "# head\na.b sha256:zz\n"));
  const auto found = broken.find("a.b");
  REQUIRE_FALSE(found);
  CHECK(found.error().what.find("broken:2:") != std::string::npos);
}

TEST_CASE("names: U-labels are taken as their A-labels [RFC 5891 §4]") {
  const std::string wanted = full("xn--bcher-bot-q9a");
  CHECK(wanted == "xn--bcher-bot-q9a.vibe-agency.com.steward-registry.org");
  for (const char* text : {"bücher-bot", "BüCHER-Bot", "bu\u0308cher-bot", "bücher-bot.vibe-agency.com"})
    CHECK(full(text) == wanted);
  CHECK(full("bot", "bücher.example") == "bot.xn--bcher-kva.example.steward-registry.org");
  for (const char* text : {"Ü", "a\u200b", "a\u202eb", "\u2603", "ü-", "-ü", "ab--ü", "ａ", "\xff", "\\252ü"}) {
    CAPTURE(text);
    CHECK(is_refused(text));
  }
  CHECK(is_refused(std::string_view("ü\0x", 4)));
}

TEST_CASE("names: an A-label is shown with its U-label, never alone, and moves nothing on a terminal") {
  CHECK(unicode_name("bot.acme.com").empty());
  CHECK(unicode_name("xn--bcher-bot-q9a.acme.com") == "bücher-bot.acme.com");
  CHECK(unicode_name("xn--zzzzzz.acme.com").empty());
  CHECK(shown_name("bot.acme.com") == "bot.acme.com");
  CHECK(shown_name("xn--bcher-bot-q9a.acme.com") == "bücher-bot.acme.com (xn--bcher-bot-q9a.acme.com)");
  CHECK(shown_name("xn--4db.acme.com") == "xn--4db.acme.com");
  CHECK(shown_name("a\x1b[2J.com") == "a\\x1b[2J.com");
  CHECK(shown_name("").empty());
}

// What is refused, and what is only left out, of manifests that are wrong or hostile.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "agent/manifest.hh"
#include "manifest_samples.hh"

using namespace steward;
using namespace steward::agent;
using namespace steward::agent::test;

namespace {

struct Wrong {
  std::string_view base;
  std::string_view old;
  std::string_view next;
  std::string_view pointer;
  std::string_view rule;
};

std::string described(const Wrong& wrong) { return fmt::format("{} -> {}", wrong.old, wrong.next); }

void check_refused(std::string_view text, std::string_view pointer, std::string_view rule) {
  const auto manifest = read_manifest(text);
  REQUIRE(!manifest);
  CHECK_MESSAGE(manifest.error().pointer == pointer, manifest.error().text());
  CHECK_MESSAGE(manifest.error().rule.find(rule) != std::string::npos, manifest.error().text());
}

}  // namespace

TEST_CASE("manifest: a refusal names the member and the rule") {
  constexpr Wrong wrongs[] = {
      {first_steward, R"("id": "my-agent", )", "", "/agent/id", "is missing"},
      {first_steward, R"("my-agent")", "7", "/agent/id", "a text wanted"},
      {first_steward, R"("my-agent")", R"("My-Agent")", "/agent/id", "kebab-case"},
      {first_steward, R"("my-agent")", R"("my--agent")", "/agent/id", "kebab-case"},
      {first_steward, R"("my-agent")", R"("www")", "/agent/id", "reserved"},
      {first_steward, R"("1.2.3")", R"("1.2")", "/agent/version", "1.2"},
      {first_steward, R"("1.2.3")", R"("v1.2.3")", "/agent/version", "v1.2.3"},
      {first_steward, R"("1.2.3")", R"("01.2.3")", "/agent/version", "01.2.3"},
      {first_steward, "task_executor", "wizard", "/agent/class", "one of orchestration_operator, task_executor"},
      {first_steward, R"("specialization": "testing", )", "", "/agent/specialization", "is missing"},
      {first_steward, R"("status": "active")", R"("status": "retired")", "/agent/status", "one of active"},
      {first_steward, R"("status": "active")", R"("status": null)", "/agent/status", "is missing"},
      {first_steward, R"("credentials")", R"("credential")", "/credentials", "is missing"},
      {first_steward, R"("constraints": [])", R"("constraints": {})", "/credentials/constraints", "a list wanted"},
      {first_steward, R"("prime_directive": "test first")", R"("prime_directive": "")", "/credentials/prime_directive",
       "empty"},
      {first_steward, R"({"capability": "approve",)", "{", "/credentials/mandate/0/capability", "is missing"},
      {first_steward, R"("capabilities": {)", R"("capabilities": [], "c": {)", "/capabilities", "an object wanted"},
      {first_steward, R"("type": "cli")", R"("type": "telepathy")", "/capabilities/interfaces/0/type", "one of cli"},
      {first_steward, R"({"name": "plan"})", "{}", "/capabilities/operations/0/name", "is missing"},
      {first_steward, R"("transparency": "public")", R"("transparency": "dark")", "/governance/transparency",
       "one of public"},
      {later_steward, R"("agent_id": "Herald")", R"("agent_id": "the herald")", "/identity/agent_id", "a-z, 0-9 and -"},
      {later_steward, R"("version": "2.0.0", )", "", "/specs/version", "is missing"},
      {later_steward, R"("2.0.0")", R"("2")", "/specs/version", "\"2\""},
      {later_steward, R"("description": "Writes  and\n\tsends")", R"("description": {})", "/specs/description",
       "a text wanted"},
      {old_card, R"("facts")", R"("facts_agent")", "/name", "\"_\" at 6"},
      {old_card, R"("1.0")", R"("latest")", "/version", "latest"},
      {old_card, R"("1.0")", R"("1.0.0.0")", "/version", "1.0.0.0"},
      {old_card, R"("1.0")", R"("1.")", "/version", "1."},
      {old_card, R"("1.0")", R"(1.0)", "/version", "a text wanted"},
      {old_card, "https://facts", "ftp://facts", "/url", "https or wss wanted"},
      {old_card, "https://facts", "facts", "/url", "a URL such as"},
      {old_card, R"("id": "give_facts", )", "", "/skills/0/id", "is missing"},
      {card, R"("Research Assistant")", R"("Forschung für alle")", "/name", "at 10"},
      {server, "io.github.Some-One/weather", "weather", "/name", "one / and a name"},
      {server, "io.github.Some-One/weather", "io.github.a/b/c", "/name", "one / and a name"},
      {server, "io.github.Some-One/weather", "/weather", "/name", "one / and a name"},
      {server, "io.github.Some-One/weather", "io.github.-x/weather", "/name", "no login of GitHub"},
      {server, "io.github.Some-One/weather", "io.github.x/lingo.dev", "/name", "\".\" at 6"},
      {server, "io.github.Some-One/weather", "io.github.x/", "/name", "a name wanted"},
      {server, R"("1.0.2")", R"("^1.0.2")", "/version", "^1.0.2"},
      {server, R"("version")", R"("status": "deleted", "version")", "/status", "deleted"},
      {server, R"("version")", R"("status": "odd", "version")", "/status", "one of active"},
      {server, R"("remotes": [)", R"("remotes": {}, "r": [)", "/remotes", "a list wanted"},
      {server, R"("url": "https://mcp.example.com/mcp")", R"("uri": "")", "/remotes/0/url", "is missing"},
  };
  for (const Wrong& wrong : wrongs) {
    CAPTURE(described(wrong));
    check_refused(with(wrong.base, wrong.old, wrong.next), wrong.pointer, wrong.rule);
  }
}

TEST_CASE("manifest: what is not JSON, or of no known shape, says so") {
  check_refused("", "", "line 1, column 1: not JSON");
  check_refused("{\"a\": 1,\n}", "", "line 2, column 1: not JSON");
  check_refused("{} {}", "", "not JSON");
  check_refused("\xef\xbb\xbf{}", "", "byte order mark");
  check_refused("{\"a\": 1e999}", "", "number");
  check_refused("17", "", "an object wanted");
  check_refused("{}", "", "of no known shape");
  check_refused("[]", "", "a list");
  CHECK(read_manifests("[]").refusals.empty());
  const ManifestReading reading = read_manifests("[1, {}]");
  REQUIRE(reading.refusals.size() == 2);
  CHECK(reading.refusals[0].pointer == "/0");
}

TEST_CASE("manifest: a member that stands there twice refuses the file, also when one is written with escapes") {
  check_refused(with(later_steward, R"("name": "HERALD")", R"("agent_id": "other")"), "/identity/agent_id", "twice");
  check_refused(with(later_steward, R"("name": "HERALD")", R"("agent\u005fid": "other")"), "/identity/agent_id",
                "twice");
  check_refused(R"({"a": [1, {"b": [], "c/~": 1, "c/~": 2}]})", "/a/1/c~1~0", "twice");
  check_refused("{\"\\u0007\": 1, \"\\u0007\": 2}", "/\\u0007", "twice");
  const ManifestReading reading = read_manifests(with(seed_list, R"("id": "1")", R"("name": "x")"));
  CHECK(reading.manifests.empty());
  REQUIRE(reading.refusals.size() == 1);
  CHECK(reading.refusals[0].pointer == "/0/name");
}

TEST_CASE("manifest: deep nesting is refused where it gets too deep") {
  const std::string deep = std::string(63, '[') + std::string(63, ']');
  CHECK(read_manifest(with(later_steward, "{", R"({"x": )" + deep + ", ")));
  check_refused(
      with(later_steward, "{", R"({"x": [)" + deep + "], "),
      "/x" +
          [] {
            std::string pointer;
            for (int i = 0; i < 63; ++i) pointer += "/0";
            return pointer;
          }(),
      "nested deeper than 64");
  CHECK(!read_manifest(std::string(1'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(!read_manifest(objects));
}

TEST_CASE("manifest: control characters, NUL and wrong UTF-8 are refused in JSON, and do not reach a record") {
  check_refused(with(later_steward, "HERALD", "HER\x07LD"), "", "not JSON");
  check_refused(with(later_steward, "HERALD", std::string_view("HER\0LD", 6)), "", "not JSON");
  check_refused(with(later_steward, "HERALD", "HER\xc0\xaeLD"), "", "not JSON");
  check_refused(with(later_steward, "HERALD", "HER\xed\xa0\x80LD"), "", "not JSON");
  check_refused(with(later_steward, "HERALD", R"(HER\ud800LD)"), "", "not JSON");
  check_refused(with(later_steward, "Herald", R"(Her\u0000ald)"), "/identity/agent_id", "\"\\u{0}\" at 4");
  check_refused(with(later_steward, "Herald", "H\xd0\xb5rald"), "/identity/agent_id", "U+0435 at 2");
  check_refused(with(later_steward, "Herald",
                     "\xef\xbc\xa8"
                     "erald"),
                "/identity/agent_id", "U+FF28 at 1");
  const auto manifest = read_manifest(with(later_steward, "Writes", R"(\u001b[31mWrites\u202e\u200b\u0000)"));
  REQUIRE(manifest);
  CHECK(manifest->description == "[31mWrites and sends");
  REQUIRE(manifest->notes.size() == 1);
  CHECK(manifest->notes[0] == "/specs/description: control characters are left out of the description");
}

TEST_CASE("manifest: what is quoted in a refusal or note is short and holds no control characters") {
  const auto manifest =
      read_manifest(with(later_steward, R"("research")", "\"\\u001b\\u202e" + std::string(10'000, 'x') + "\""));
  REQUIRE(manifest);
  REQUIRE(manifest->notes.size() == 1);
  CHECK(manifest->notes[0].starts_with("/capabilities/operations/0/name: \"\\u{1b}\\u{202e}xxx"));
  CHECK(manifest->notes[0].size() < 250);
  const auto refused = read_manifest(with(later_steward, "2.0.0", std::string(100'000, '1')));
  REQUIRE(!refused);
  CHECK(refused.error().rule.size() < 400);
}

TEST_CASE("manifest: long descriptions are cut between characters, many capabilities and notes have an end") {
  std::string umlauts;
  for (int i = 0; i < 600; ++i) umlauts += "\xc3\xbc";
  const auto manifest = read_manifest(with(later_steward, "Writes", "x" + umlauts));
  REQUIRE(manifest);
  CHECK(manifest->description.size() == 999);
  CHECK(manifest->description.ends_with("\xc3\xbc"));
  CHECK(manifest->notes.at(0) == "/specs/description: the description is cut at 1000 octets");
  std::string operations;
  for (int i = 0; i < 1000; ++i) operations += fmt::format(R"({{"name": "c{}"}}, )", i);
  const auto many = read_manifest(with(later_steward, R"({"name": "research"}, )", operations));
  REQUIRE(many);
  CHECK(many->capabilities.size() == 64);
  CHECK(many->notes.size() == 101);
  CHECK(many->notes.back() == "more was left out");
}

TEST_CASE("manifest: a URL that a record can not name is noted, one that is not well-formed is refused [RFC 3986]") {
  constexpr std::string_view url = "https://facts.example.com:8443/a2a";
  const std::pair<std::string_view, std::string_view> noted[] = {
      {"http://facts.example.com/", "is not over TLS"},
      {"ws://facts.example.com/", "is not over TLS"},
      {"https://127.0.0.1:8443/", "is an address"},
      {"https://127.1/", "is an address"},
      {"https://0x7f.1/", "is an address"},
      {"https://0x7F000001/", "is an address"},
      {"https://2130706433/", "is an address"},
      {"https://[2001:db8::1]:8443/x", "is an address"},
      {"https://localhost/", "local machine"},
      {"https://a.localhost./", "local machine"},
      {"https://intranet/", "local machine"},
      {"https://printer.local/", "local machine"},
      {"https://{tenant}.example.com/", "a template"},
  };
  for (const auto& row : noted) {
    const auto next = row.first;
    const auto rule = row.second;
    CAPTURE(next);
    const auto manifest = read_manifest(with(old_card, url, next));
    REQUIRE_MESSAGE(manifest, (manifest ? "" : manifest.error().text()));
    REQUIRE(manifest->endpoints.size() == 2);  // the additional ones
    CHECK_MESSAGE(manifest->notes.at(1).find(rule) != std::string::npos, manifest->notes.at(1));
  }
  const std::pair<std::string_view, std::string_view> refused[] = {
      {"https://m\xc3\xbcnchen.example/", "may not stand in a URL"},
      {"https://facts.example.com /", "may not stand in a URL"},
      {"https://facts.example.com\\\\@evil.example/", "may not stand in a URL"},
      {"https://me:secret@facts.example.com/", "a user or a password"},
      {"https://facts.example.com:0/", "1 to 65535"},
      {"https://facts.example.com:65536/", "1 to 65535"},
      {"https://facts.example.com:/", "1 to 65535"},
      {"https://facts.example.com:443x/", "1 to 65535"},
      {"https://facts.example.com/#top", "a fragment"},
      {"https:///a2a", "a host name wanted"},
      {"https://facts..example.com/", "must not be empty"},
      {"https://-facts.example.com/", "at either end"},
      {"https://facts_agent.example.com/", "\"_\""},
      {"https://xn--a.example.com/", "no A-label"},
      {"https://[::1/", "no closing ]"},
      {"https://[::1]x/", "only a port"},
      {"javascript://facts.example.com/", "https or wss wanted"},
  };
  for (const auto& row : refused) {
    const auto next = row.first;
    const auto rule = row.second;
    CAPTURE(next);
    check_refused(with(old_card, url, next), "/url", rule);
  }
  const std::string long_label = "https://" + std::string(64, 'a') + ".example.com/";
  check_refused(with(old_card, url, long_label), "/url", "at most 63");
  std::string long_name = "https://";
  for (int i = 0; i < 130; ++i) long_name += "a.";
  check_refused(with(old_card, url, long_name + "example/"), "/url", "at most 255");
  const auto socket = read_manifest(with(old_card, url, "WSS://Facts.Example.COM.:9443?x"));
  REQUIRE(socket);
  CHECK(socket->endpoints[0].transport == "http/1.1");
  CHECK(socket->endpoints[0].host == "facts.example.com");
  CHECK(socket->endpoints[0].port == 9443);
  CHECK(socket->endpoints[0].path == "/");
}

#include "agent/manifest.hh"

#include <doctest/doctest.h>

#include "agent/a_label.hh"
#include "manifest_samples.hh"

using namespace steward;
using namespace steward::agent;
using namespace steward::agent::test;

namespace {

using Texts = std::vector<std::string>;

Manifest taken(std::string_view text, std::string_view as = {}) {
  auto manifest = read_manifest(text, as);
  REQUIRE_MESSAGE(manifest, (manifest ? "" : manifest.error().text()));
  return *manifest;
}

bool has_note(const Manifest& manifest, std::string_view start) {
  for (const std::string& note : manifest.notes) {
    if (note.starts_with(start)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("manifest: STEWARD v1.0.0 gives name, version, capabilities, endpoints and claims") {
  const Manifest manifest = taken(first_steward);
  CHECK(manifest.shape == ManifestShape::StewardV1);
  CHECK(manifest.name == "my-agent");
  CHECK(manifest.version == "1.2.3");
  CHECK(manifest.status == "active");
  CHECK(manifest.capabilities == Texts{"plan", "approve"});
  CHECK(manifest.protocols == Texts{"a2a"});
  CHECK(manifest.description == "MINE (testing)");
  CHECK(!manifest.owner);
  CHECK(manifest.octets == first_steward);
  REQUIRE(manifest.endpoints.size() == 1);
  const NetworkEndpoint& endpoint = manifest.endpoints[0];
  CHECK(endpoint.protocol == "a2a");
  CHECK(endpoint.transport == "h2");
  CHECK(endpoint.host == "agents.example.com");
  CHECK(endpoint.port == 443);
  CHECK(endpoint.path == "/mine");
  CHECK(endpoint.url == "https://Agents.Example.com/mine?x=1");
  CHECK(manifest.claims ==
        std::vector<std::pair<std::string, double>>{{"tests", 0.5}, {"success", 0.25}, {"uptime", 0.875}});
  CHECK(has_note(manifest, "/capabilities/operations/1/name: \"Plan B\" is left out"));
  CHECK(has_note(manifest, "/capabilities/interfaces/0: no SRV and SVCB"));
  CHECK(has_note(manifest, "/capabilities/interfaces/2/endpoint: no SRV and SVCB: \"localhost\""));
  CHECK(manifest.notes.size() == 3);
}

TEST_CASE("manifest: the later STEWARD shape, its name folded and its description on one line") {
  const Manifest manifest = taken(later_steward);
  CHECK(manifest.shape == ManifestShape::Steward);
  CHECK(manifest.name == "herald");
  CHECK(manifest.version == "2.0.0");
  CHECK(manifest.capabilities == Texts{"research"});
  CHECK(manifest.endpoints.empty());
  CHECK(manifest.description == "Writes and sends");
  CHECK(manifest.notes.empty());
}

TEST_CASE("manifest: one of both STEWARD shapes is the later one, if both name the same agent") {
  const Manifest manifest = taken(with(later_steward, "{", R"({"agent": {"id": "Herald", "name": "H"}, )"));
  CHECK(manifest.shape == ManifestShape::Steward);
  const auto refused = read_manifest(with(later_steward, "{", R"({"agent": {"id": "other"}, )"));
  REQUIRE(!refused);
  CHECK(refused.error().pointer == "/agent/id");
}

TEST_CASE("manifest: development and maintenance are published as active, deprecated as deprecated") {
  const Manifest manifest = taken(with(first_steward, R"("status": "active")", R"("status": "maintenance")"));
  CHECK(manifest.status == "active");
  CHECK(has_note(manifest, "/agent/status: maintenance is published as active"));
  const Manifest old =
      taken(with(first_steward, R"("status": "active")", R"("status": "deprecated", "successor": "next")"));
  CHECK(old.status == "deprecated");
  CHECK(old.successor == "next");
}

TEST_CASE("manifest: a fingerprint that is none is noted, since fp is that of the key that signs") {
  const Manifest manifest =
      taken(with(first_steward, R"("status": "active")", R"("status": "active", "fingerprint": "sha256:12")"));
  CHECK(has_note(manifest, "/agent/fingerprint: no SHA-256"));
}

TEST_CASE("manifest: an A2A card up to 0.3 gives its url and the additional interfaces, and completes its version") {
  const Manifest manifest = taken(old_card);
  CHECK(manifest.shape == ManifestShape::A2aCard);
  CHECK(manifest.name == "facts");
  CHECK(manifest.version == "1.0.0");
  CHECK(has_note(manifest, R"(/version: "1.0" is taken as 1.0.0)"));
  CHECK(manifest.capabilities == Texts{"give_facts"});
  CHECK(has_note(manifest, "/skills/1/id: \"Give Facts\" is left out"));
  REQUIRE(manifest.endpoints.size() == 2);
  CHECK(manifest.endpoints[0].port == 8443);
  CHECK(manifest.endpoints[1].host == "grpc.example.com");
  CHECK(manifest.protocols == Texts{"a2a"});
}

TEST_CASE("manifest: an A2A card of 1.0 gives its supportedInterfaces; a name for people is refused, not mangled") {
  const auto refused = read_manifest(card);
  REQUIRE(!refused);
  CHECK(refused.error().name == "Research Assistant");
  CHECK(refused.error().pointer == "/name");
  const Manifest manifest = taken(card, "research-assistant");
  CHECK(manifest.name == "research-assistant");
  CHECK(manifest.version == "2.1.0");
  REQUIRE(manifest.endpoints.size() == 2);
  CHECK(manifest.endpoints[1].path == "/a2a/grpc");
  CHECK(!read_manifest(card, "Research Assistant"));
}

TEST_CASE("manifest: an MCP server.json gives the name, and the owner on GitHub") {
  const Manifest manifest = taken(server);
  CHECK(manifest.shape == ManifestShape::McpServer);
  CHECK(manifest.name == "weather");
  CHECK(manifest.owner == "some-one");
  CHECK(manifest.version == "1.0.2");
  CHECK(manifest.capabilities.empty());
  CHECK(manifest.protocols == Texts{"mcp"});
  CHECK(manifest.endpoints.at(0).host == "mcp.example.com");
  CHECK(!taken(with(server, "io.github.Some-One/", "com.example/")).owner);
  CHECK(taken(with(server, R"("version")", R"("tools": [{"name": "get_weather"}, "forecast"], "version")"))
            .capabilities == Texts{"get_weather", "forecast"});
}

TEST_CASE("manifest: of a list each element is one, with its own octets as written") {
  const ManifestReading reading = read_manifests(seed_list);
  REQUIRE(reading.manifests.size() == 2);
  CHECK(reading.manifests[0].name == "first");
  CHECK(reading.manifests[0].version == "0.0.1-seed");
  CHECK(reading.manifests[0].octets.starts_with(R"({"id": "1",)"));
  CHECK(reading.manifests[0].octets.ends_with(R"("packages": [{"name": "x"}]})"));
  CHECK(reading.manifests[1].octets ==
        seed_list.substr(seed_list.find(R"({ "name")"), reading.manifests[1].octets.size()));
  CHECK(reading.manifests[1].octets.ends_with("] }"));
  CHECK(has_note(reading.manifests[1], "/2/remotes/0/url"));
  REQUIRE(reading.refusals.size() == 1);
  CHECK(reading.refusals[0].text() == "/1/name: must not be empty");
  CHECK(!read_manifest(seed_list));
}

TEST_CASE("manifest: a registry's list holds servers, and says beside them what became of each") {
  const std::string text =
      R"({"metadata": {}, "\u0073ervers": [)" + std::string(server) + R"(, {"server": )" + std::string(server) +
      R"( , "_meta": {"io.modelcontextprotocol.registry/official": {"status": "deprecated"}}}, {"server": )" +
      std::string(server) + R"(, "_meta": {"io.modelcontextprotocol.registry/official": {"status": "deleted"}}}]})";
  const ManifestReading reading = read_manifests(text);
  REQUIRE(reading.manifests.size() == 2);
  CHECK(reading.manifests[0].octets == server);
  CHECK(reading.manifests[1].octets == server);
  CHECK(reading.manifests[1].status == "deprecated");
  REQUIRE(reading.refusals.size() == 1);
  CHECK(reading.refusals[0].pointer == "/servers/2/_meta/io.modelcontextprotocol.registry~1official/status");
  CHECK(reading.refusals[0].name == "io.github.Some-One/weather");
}

TEST_CASE("manifest: an A-label is shown as its U-label, only where it is sound") {
  CHECK(u_label("xn--mnchen-3ya").value() == "m\xc3\xbcnchen");
  CHECK(u_label("agent").value() == "agent");
  CHECK(!u_label("xn--mnchen-3y"));
  CHECK(!u_label(std::string_view("xn--mnchen-3ya\0x", 16)));
}

TEST_CASE("manifest: a label is folded, and refused with the rule it breaks") {
  CHECK(agent_label("My-Agent").value() == "my-agent");
  CHECK(agent_label(std::string(63, 'a')));
  CHECK(agent_label("xn--mnchen-3ya").value() == "xn--mnchen-3ya");
  CHECK(agent_label("ns0"));
  CHECK(agent_label("ns100"));
  CHECK(agent_label("nsx"));
  const std::pair<std::string, std::string_view> refused[] = {
      {"", "a name wanted"},
      {std::string(64, 'a'), "at most 63"},
      {"-a", "at either end"},
      {"a-", "at either end"},
      {"a_b", "\"_\" at 2"},
      {"a.b", "\".\" at 2"},
      {"a b", "\" \" at 2"},
      {std::string("a\0b", 3), "\"\\u{0}\" at 2"},
      {"m\xc3\xbcnchen", "U+00FC at 2"},
      {"\xd0\xb0gent", "U+0430 at 1"},
      {"www", "reserved"},
      {"NS1", "reserved"},
      {"ns99", "reserved"},
      {"ns", "reserved"},
      {"localhost", "reserved"},
      {"replicas", "reserved"},
      {"xn--", "either end"},
      {"xn--a", "no A-label"},
      {"xn--abc-", "either end"},
      {"xn--mnchen-3y", "no A-label"},
      {"xn--g6h", "no A-label"},   // a symbol
      {"xn--ls8h", "no A-label"},  // an emoji
  };
  for (const auto& row : refused) {
    const auto text = row.first;
    const auto rule = row.second;
    CAPTURE(text);
    const auto label = agent_label(text);
    REQUIRE(!label);
    CHECK_MESSAGE(label.error().what.find(rule) != std::string::npos, label.error().what);
  }
}

#pragma once
// A manifest of each shape, written for the tests, and how one octet run in it is replaced.

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace steward::agent::test {

constexpr std::string_view first_steward = R"({
  "steward_version": "1.0.0",
  "agent": {"id": "my-agent", "name": "MINE", "version": "1.2.3", "class": "task_executor",
            "specialization": "testing", "status": "active"},
  "credentials": {"mandate": [{"capability": "approve", "scope": []}, {"capability": "plan", "scope": []}],
                  "constraints": [], "prime_directive": "test first"},
  "capabilities": {
    "interfaces": [{"type": "cli", "protocol": "bash", "endpoint": "./bin/mine --json"},
                   {"type": "api", "protocol": "A2A", "endpoint": "https://Agents.Example.com/mine?x=1"},
                   {"type": "api", "protocol": "http", "endpoint": "http://localhost:8080/api"}],
    "operations": [{"name": "plan"}, {"name": "Plan B"}],
    "quality_metrics": {"test_coverage": 0.5, "uptime": 0.75}},
  "governance": {"principal": "me", "transparency": "public"},
  "trust": {"trust_breakdown": {"success_rate": {"value": 0.25}, "uptime": {"value": 0.875}}}
})";

constexpr std::string_view later_steward = R"({
  "identity": {"agent_id": "Herald", "name": "HERALD"},
  "specs": {"version": "2.0.0", "description": "Writes  and\n\tsends"},
  "capabilities": {"operations": [{"name": "research"}, {"name": "research"}]},
  "governance": {"issuer": "passport_office"}
})";

constexpr std::string_view old_card = R"({
  "name": "facts", "description": "Tells facts.", "version": "1.0", "url": "https://facts.example.com:8443/a2a",
  "preferredTransport": "JSONRPC",
  "additionalInterfaces": [{"url": "https://facts.example.com:8443/a2a", "transport": "JSONRPC"},
                           {"url": "https://grpc.example.com/", "transport": "GRPC"}],
  "capabilities": {}, "skills": [{"id": "give_facts", "name": "Facts"}, {"id": "Give Facts", "name": "Again"}]
})";

constexpr std::string_view card = R"({
  "protocolVersion": "1.0", "name": "Research Assistant", "description": "Looks things up", "version": "2.1.0",
  "supportedInterfaces": [{"url": "https://api.example.com/a2a", "protocolBinding": "JSONRPC"},
                          {"url": "https://api.example.com/a2a/grpc", "protocolBinding": "GRPC"}],
  "skills": [{"id": "literature-search", "name": "Search"}]
})";

constexpr std::string_view server = R"({
  "$schema": "https://static.modelcontextprotocol.io/schemas/2025-10-17/server.schema.json",
  "name": "io.github.Some-One/weather", "description": "Weather", "version": "1.0.2",
  "repository": {"url": "https://github.com/some-one/weather", "source": "github"},
  "remotes": [{"type": "streamable-http", "url": "https://mcp.example.com/mcp"}]
})";

constexpr std::string_view seed_list = R"([
  {"id": "1", "name": "io.github.one/first", "description": "", "repository": {},
   "version_detail": {"version": "0.0.1-seed"}, "packages": [{"name": "x"}]} ,
  {"name": "", "version_detail": {"version": ""}},
  { "name": "io.github.two/second", "version_detail": {"version": "1.0.0"}, "remotes": [ {"url": "http://localhost:9000/sse"} ] }
])";

/// `text` with the first `old` replaced, which must be there.
inline std::string with(std::string_view text, std::string_view old, std::string_view next) {
  std::string out(text);
  const size_t at = out.find(old);
  REQUIRE_MESSAGE(at != out.npos, old);
  return out.replace(at, old.size(), next);
}

}  // namespace steward::agent::test

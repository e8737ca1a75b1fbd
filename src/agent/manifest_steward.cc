// The two shapes of STEWARD manifests.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/endpoint_url.hh"
#include "agent/manifest_reader.hh"
#include "agent/shown_text.hh"
#include "agent/text_fields.hh"

namespace steward::agent {

namespace {

// The enumerations of the JSON schema of v1.0.0.
constexpr std::array<std::string_view, 8> classes{"orchestration_operator", "task_executor",   "knowledge_agent",
                                                  "research_agent",         "code_generator",  "quality_validator",
                                                  "deployment_agent",       "monitoring_agent"};
constexpr std::array<std::string_view, 4> status_words{"active", "development", "maintenance", "deprecated"};
constexpr std::array<std::string_view, 3> transparencies{"public", "private", "confidential"};
constexpr std::array<std::string_view, 4> interface_types{"cli", "api", "websocket", "grpc"};

bool is_kebab_case(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' && text.find("--") == text.npos &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(dns::fold(static_cast<uint8_t>(c)));
  return out;
}

void read_status(ManifestReader& reader, const Member& status, const Member& successor) {
  if (status.exists()) reader.one_of(status, status_words);
  const std::string_view text = status.text();
  reader.manifest().status = text == "deprecated" ? "deprecated" : "active";
  if (text == "development" || text == "maintenance")
    reader.note(status, fmt::format("{} is published as active", text));
  reader.manifest().successor = reader.optional_text(successor);
}

void read_operations(ManifestReader& reader, const Member& operations) {
  if (operations.exists()) reader.required_array(operations);
  for (const Member& operation : operations.elements()) {
    reader.required_text(operation["name"]);
    reader.capability(operation["name"]);
  }
}

/// An interface names a URL, or something that only who has the agent at hand can use: a command, a file.
void read_interfaces(ManifestReader& reader, const Member& interfaces) {
  if (interfaces.exists()) reader.required_array(interfaces);
  for (const Member& interface : interfaces.elements()) {
    const std::string type = lower(reader.optional_text(interface["type"]));
    const std::string protocol = lower(reader.optional_text(interface["protocol"]));
    const Member endpoint = interface["endpoint"];
    const std::string_view text = reader.optional_text(endpoint);
    if (type == "cli" || !has_scheme(text)) {
      reader.note(interface, "no SRV and SVCB: no network endpoint");
      continue;
    }
    const std::string_view known = protocol == "a2a" || protocol == "mcp" ? std::string_view(protocol)
                                   : type == "a2a" || type == "mcp"       ? std::string_view(type)
                                                                          : "";
    reader.endpoint(endpoint, known);
  }
}

void read_claims(ManifestReader& reader, const Member& root) {
  const Member breakdown = root["trust"]["trust_breakdown"];
  const Member metrics = root["capabilities"]["quality_metrics"];
  reader.claim("tests", breakdown["test_coverage"]["value"]);
  reader.claim("tests", metrics["test_coverage"]);
  reader.claim("success", breakdown["success_rate"]["value"]);
  reader.claim("uptime", breakdown["uptime"]["value"]);
  reader.claim("uptime", metrics["uptime"]);
}

}  // namespace

tl::expected<Manifest, ManifestRefusal> read_steward_v1(const Member& root, std::string_view as) {
  ManifestReader reader(ManifestShape::StewardV1);
  const Member agent = root["agent"];
  reader.required_object(agent);
  const std::string_view id = reader.required_text(agent["id"]);
  if (!is_kebab_case(id))
    reader.refuse(agent["id"], fmt::format("{}: kebab-case wanted, such as my-agent", in_quotes(id)));
  reader.name(agent["id"], as.empty() ? id : as);
  reader.required_text(agent["name"]);
  reader.version(agent["version"], false);
  reader.one_of(agent["class"], classes);
  reader.required_text(agent["specialization"]);
  reader.required_text(agent["status"]);
  read_status(reader, agent["status"], agent["successor"]);
  const std::string_view fingerprint = reader.optional_text(agent["fingerprint"]);
  if (!fingerprint.empty() && !is_sha256_text(fingerprint)) {
    reader.note(agent["fingerprint"], "no SHA-256; fp is that of the key that signs");
  }

  const Member credentials = root["credentials"];
  reader.required_object(credentials);
  reader.required_array(credentials["mandate"]);
  reader.required_array(credentials["constraints"]);
  reader.required_text(credentials["prime_directive"]);
  const Member capabilities = root["capabilities"];
  reader.required_object(capabilities);
  reader.required_array(capabilities["interfaces"]);
  reader.required_array(capabilities["operations"]);
  for (const Member& interface : capabilities["interfaces"].elements())
    reader.one_of(interface["type"], interface_types);
  const Member governance = root["governance"];
  if (governance.exists()) {
    reader.required_text(governance["principal"]);
    reader.one_of(governance["transparency"], transparencies);
  }

  read_operations(reader, capabilities["operations"]);
  for (const Member& mandate : credentials["mandate"].elements()) {
    reader.required_text(mandate["capability"]);
    reader.capability(mandate["capability"]);
  }
  read_interfaces(reader, capabilities["interfaces"]);
  read_claims(reader, root);
  // The schema has no description; an agent that brings one has said it better.
  const Member description = agent["description"];
  const std::string_view written = reader.optional_text(description);
  reader.description(written.empty() ? fmt::format("{} ({})", agent["name"].text(), agent["specialization"].text())
                                     : std::string(written),
                     description);
  return reader.finish();
}

tl::expected<Manifest, ManifestRefusal> read_steward(const Member& root, std::string_view as) {
  ManifestReader reader(ManifestShape::Steward);
  const Member identity = root["identity"];
  const Member specs = root["specs"];
  reader.required_object(identity);
  reader.required_object(specs);
  const std::string_view id = reader.required_text(identity["agent_id"]);
  // Some carry the first shape's `agent` as well.
  const Member other = root["agent"]["id"];
  if (other.exists() && other.text() != id) {
    reader.refuse(other, fmt::format("{} is not the {} of /identity/agent_id", in_quotes(other.text()), in_quotes(id)));
  }
  reader.name(identity["agent_id"], as.empty() ? id : as);
  reader.version(specs["version"], false);
  read_status(reader, specs["status"], specs["successor"]);
  const Member capabilities = root["capabilities"];
  if (capabilities.exists()) reader.required_object(capabilities);
  read_operations(reader, capabilities["operations"]);
  read_interfaces(reader, capabilities["interfaces"]);
  read_claims(reader, root);
  reader.description(reader.optional_text(specs["description"]), specs["description"]);
  return reader.finish();
}

}  // namespace steward::agent

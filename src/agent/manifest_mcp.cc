// MCP server.json, in the forms that its registry has had: `version_detail` and `transport_type` in the seed of May
// 2025, `version` and `type` since.

#include <fmt/format.h>

#include <algorithm>

#include "agent/manifest_reader.hh"
#include "agent/shown_text.hh"
#include "dns/name.hh"

namespace steward::agent {

namespace {

constexpr std::string_view github = "io.github.";

/// A login of GitHub: letters, digits and single hyphens, at most 39.
bool is_login(std::string_view text) {
  return !text.empty() && text.size() <= 39 && text.front() != '-' && text.back() != '-' &&
         text.find("--") == text.npos && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
}

void read_name(ManifestReader& reader, const Member& member, std::string_view as) {
  const std::string_view text = reader.required_text(member);
  const size_t slash = text.find('/');
  if (slash == text.npos || slash == 0 || text.find('/', slash + 1) != text.npos) {
    return reader.refuse(member,
                         fmt::format("{}: a namespace in reverse order, one / and a name wanted", in_quotes(text)));
  }
  std::string space(text.substr(0, slash));
  for (char& c : space) c = static_cast<char>(dns::fold(static_cast<uint8_t>(c)));
  if (space.starts_with(github)) {
    space.erase(0, github.size());
    if (!is_login(space))
      reader.refuse(member, fmt::format("{}: {} is no login of GitHub", in_quotes(text), in_quotes(space)));
    reader.manifest().owner = std::move(space);
  }
  reader.name(member, as.empty() ? text.substr(slash + 1) : as);
}

void read_status(ManifestReader& reader, const Member& member) {
  const std::string_view status = reader.optional_text(member);
  if (status == "deleted") reader.refuse(member, "deleted: nothing to publish");
  if (!status.empty() && status != "active" && status != "deprecated" && status != "deleted") {
    reader.refuse(member, fmt::format("{}: one of active, deprecated, deleted wanted", in_quotes(status)));
  }
  reader.manifest().status = status == "deprecated" ? "deprecated" : "active";
}

/// Tools are listed by the server itself when it is asked; some manifests name them all the same.
void read_tools(ManifestReader& reader, const Member& tools) {
  for (const Member& tool : tools.elements()) reader.capability(tool.is_text() ? tool : tool["name"]);
}

}  // namespace

tl::expected<Manifest, ManifestRefusal> read_mcp_server(const Member& root, std::string_view as) {
  ManifestReader reader(ManifestShape::McpServer);
  read_name(reader, root["name"], as);
  const Member detail = root["version_detail"];
  reader.version(detail.exists() ? detail["version"] : root["version"], true);
  read_status(reader, root["status"]);
  const Member remotes = root["remotes"];
  if (remotes.exists()) reader.required_array(remotes);
  for (const Member& remote : remotes.elements()) reader.endpoint(remote["url"], "mcp");
  read_tools(reader, root["tools"]);
  reader.description(reader.optional_text(root["description"]), root["description"]);
  return reader.finish();
}

}  // namespace steward::agent

#include "agent/manifest.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/a_label.hh"
#include "agent/manifest_reader.hh"
#include "agent/shown_text.hh"
#include "dns/name.hh"

namespace steward::agent {

namespace {

// The members that only one shape has come first: each may carry members of others as well.
std::optional<ManifestShape> shape_of(const Member& root) {
  if (root["identity"].exists() && root["specs"].exists()) return ManifestShape::Steward;
  if (root["supportedInterfaces"].exists()) return ManifestShape::A2aCard;
  if (root["agent"].exists() || root["steward_version"].exists()) return ManifestShape::StewardV1;
  if (root["url"].exists() && root["name"].exists()) return ManifestShape::A2aCard;
  for (const std::string_view key : {"version_detail", "packages", "remotes", "repository"}) {
    if (root[key].exists()) return ManifestShape::McpServer;
  }
  if (root["$schema"].text().ends_with("/server.schema.json")) return ManifestShape::McpServer;
  if (root["identity"].exists()) return ManifestShape::Steward;
  return std::nullopt;
}

/// The name as it was written, whatever is wrong with it.
std::string written_name(const Member& root, ManifestShape shape) {
  switch (shape) {
    case ManifestShape::StewardV1: return std::string(root["agent"]["id"].text());
    case ManifestShape::Steward: return std::string(root["identity"]["agent_id"].text());
    case ManifestShape::A2aCard:
    case ManifestShape::McpServer: return std::string(root["name"].text());
  }
  return {};
}

tl::expected<Manifest, ManifestRefusal> read_shape(const Member& root, ManifestShape shape, std::string_view as) {
  switch (shape) {
    case ManifestShape::StewardV1: return read_steward_v1(root, as);
    case ManifestShape::Steward: return read_steward(root, as);
    case ManifestShape::A2aCard: return read_a2a_card(root, as);
    case ManifestShape::McpServer: return read_mcp_server(root, as);
  }
  return tl::unexpected(ManifestRefusal{});
}

tl::expected<Manifest, ManifestRefusal> read_one(const Member& root, std::string_view octets, std::string_view as) {
  if (!root.is_object()) return tl::unexpected(ManifestRefusal{"", root.pointer(), "an object wanted: a manifest"});
  const auto shape = shape_of(root);
  if (!shape) {
    return tl::unexpected(
        ManifestRefusal{"", root.pointer(),
                        "of no known shape: STEWARD (agent, or identity and specs), an A2A card (url or "
                        "supportedInterfaces) or an MCP server.json (packages or remotes)"});
  }
  auto manifest = read_shape(root, *shape, as);
  if (!manifest) {
    manifest.error().name = written_name(root, *shape);
    return manifest;
  }
  manifest->octets = octets;
  return manifest;
}

struct Element {
  Member root;
  std::string_view octets;
  Member status;  ///< what a registry says of it, beside it
};

/// A list, and a registry's list: `servers`, each element a server or an object with `server` in it.
std::optional<std::vector<Element>> elements_of(const Member& root, std::string_view text) {
  const Member servers = root["servers"];
  const Member& list = servers.is_array() ? servers : root;
  if (!list.is_array()) return std::nullopt;
  const auto texts = texts_of_elements(servers.is_array() ? text_of_member(text, "servers") : text);
  std::vector<Element> elements;
  for (const Member& element : list.elements()) {
    const std::string_view octets = texts[elements.size()];
    const Member inner = element["server"];
    const Member status = element["_meta"]["io.modelcontextprotocol.registry/official"]["status"];
    elements.push_back(inner.is_object() ? Element{inner, text_of_member(octets, "server"), status}
                                         : Element{element, octets, status});
  }
  return elements;
}

bool is_reserved(std::string_view label) {
  if (label == "replicas" || label == "ns" || label == "www" || label == "localhost") return true;
  unsigned number = 0;
  const char* end = label.data() + label.size();
  if (!label.starts_with("ns") || label.size() > 4 || label[2] == '0') return false;
  const auto [stopped, error] = std::from_chars(label.data() + 2, end, number);
  return error == std::errc{} && stopped == end;
}

}  // namespace

std::string_view to_text(ManifestShape shape) {
  switch (shape) {
    case ManifestShape::StewardV1: return "STEWARD v1.0.0";
    case ManifestShape::Steward: return "STEWARD";
    case ManifestShape::A2aCard: return "A2A card";
    case ManifestShape::McpServer: return "MCP server";
  }
  return "";
}

ManifestReading read_manifests(std::string_view text) {
  ManifestReading reading;
  const auto json = json_from_text(text);
  if (!json) {
    reading.refusals.push_back(json.error());
    return reading;
  }
  const Member root(&*json, "");
  auto elements = elements_of(root, text);
  if (!elements) elements = std::vector<Element>{{root, text, Member(nullptr, "")}};
  for (const Element& element : *elements) {
    if (element.status.text() == "deleted") {
      reading.refusals.push_back(
          {std::string(element.root["name"].text()), element.status.pointer(), "deleted: nothing to publish"});
      continue;
    }
    auto manifest = read_one(element.root, element.octets, "");
    if (manifest && element.status.text() == "deprecated") manifest->status = "deprecated";
    if (manifest) {
      manifest->pointer = element.root.pointer();
      reading.manifests.push_back(std::move(*manifest));
    } else {
      reading.refusals.push_back(std::move(manifest.error()));
    }
  }
  return reading;
}

tl::expected<Manifest, ManifestRefusal> read_manifest(std::string_view text, std::string_view as) {
  const auto json = json_from_text(text);
  if (!json) return tl::unexpected(json.error());
  const Member root(&*json, "");
  if (elements_of(root, text)) return tl::unexpected(ManifestRefusal{"", "", "a list: one manifest wanted"});
  return read_one(root, text, as);
}

Result<std::string> agent_label(std::string_view text) {
  if (text.empty()) return fail(Errc::Invalid, "a name wanted, such as my-agent");
  std::string label(text);
  for (char& c : label) c = static_cast<char>(dns::fold(static_cast<uint8_t>(c)));
  if (auto sound = check_ldh_label(label); !sound) return tl::unexpected(sound.error());
  if (is_reserved(label)) return fail(Errc::Invalid, fmt::format("label {}: is reserved", in_quotes(label)));
  return label;
}

}  // namespace steward::agent

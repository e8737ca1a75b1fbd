// A2A agent cards: `url`, `preferredTransport` and `additionalInterfaces` up to 0.3, `supportedInterfaces` from 1.0 on.

#include "agent/manifest_reader.hh"

namespace steward::agent {

tl::expected<Manifest, ManifestRefusal> read_a2a_card(const Member& root, std::string_view as) {
  ManifestReader reader(ManifestShape::A2aCard);
  const std::string_view name = reader.required_text(root["name"]);
  reader.name(root["name"], as.empty() ? name : as);
  reader.version(root["version"], true);
  reader.manifest().status = "active";
  const Member interfaces = root["supportedInterfaces"];
  if (interfaces.exists()) {
    reader.required_array(interfaces);
    for (const Member& interface : interfaces.elements()) reader.endpoint(interface["url"], "a2a");
  } else {
    reader.endpoint(root["url"], "a2a");
    const Member additional = root["additionalInterfaces"];
    if (additional.exists()) reader.required_array(additional);
    for (const Member& interface : additional.elements()) {
      // The card's own URL is often repeated there.
      if (interface["url"].text() != root["url"].text()) reader.endpoint(interface["url"], "a2a");
    }
  }
  const Member skills = root["skills"];
  if (skills.exists()) reader.required_array(skills);
  for (const Member& skill : skills.elements()) {
    reader.required_text(skill["id"]);
    reader.capability(skill["id"]);
  }
  reader.description(reader.optional_text(root["description"]), root["description"]);
  return reader.finish();
}

}  // namespace steward::agent

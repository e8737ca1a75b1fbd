#include "config/config.hh"

#include "config/checks.hh"
#include "config/walker.hh"

namespace steward::config {

std::string Config::where(const std::string& key) const {
  const auto at = settings.find(key);
  return at_text(file, at == settings.end() ? Mark{} : at->second.at);
}

const TsigKey* Config::find_key(dns::NameView name) const {
  for (const TsigKey& key : keys)
    if (key.name.view() == name) return &key;
  return nullptr;
}

const ZoneConfig* Config::find_zone(dns::NameView name) const {
  for (const ZoneConfig& zone : zones)
    if (zone.name.view() == name) return &zone;
  return nullptr;
}

Config default_config(const Path& folder) {
  Config config;
  Walker walker(config, folder);
  Node nothing;
  nothing.kind = NodeKind::Map;
  walker.walk(nothing);
  complete_and_check(config, walker.problems());
  return config;
}

ZoneConfig default_zone(const dns::Name& name, const Path& file, const Path& folder) {
  Config scratch;
  ZoneConfig zone;
  Walker(scratch, folder).zone_defaults(zone);
  zone.name = name.folded();
  zone.file = file;
  complete_policy(zone.dnssec, false, false);
  return zone;
}

}  // namespace steward::config

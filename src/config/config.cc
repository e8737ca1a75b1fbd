#include "config/config.hh"

#include <algorithm>

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

const ZoneConfig* Config::find_template(dns::NameView name) const {
  for (const ZoneConfig& pattern : templates)
    if (pattern.name == name) return &pattern;
  return nullptr;
}

ZoneConfig member_zone(const Config& config, const ZoneConfig& catalog, const dns::Name& member, std::span<const std::string> groups) {
  const ZoneConfig* pattern = nullptr;
  for (const CatalogGroup& known : catalog.catalog_groups)
    if (pattern == nullptr && std::find(groups.begin(), groups.end(), known.group) != groups.end())
      pattern = config.find_template(known.pattern);
  if (pattern == nullptr && catalog.catalog_template) pattern = config.find_template(*catalog.catalog_template);
  ZoneConfig zone = pattern != nullptr ? *pattern : catalog;
  zone.name = member.folded();
  zone.file.clear();
  zone.catalog = CatalogRole::None;
  zone.catalog_template.reset();
  zone.catalog_groups.clear();
  zone.catalog_entry = {};
  return zone;
}

dns::Name discover_name(const RegistryConfig& registry) {
  // A registry's zone has at most 180 octets.
  const auto name = dns::Name::from_text("_discover._agents", registry.zone);
  return name ? name->folded() : registry.zone;
}

std::optional<ZoneConfig> discover_zone(const Config& config) {
  const ZoneConfig* home = config.registry && config.registry->discover ? config.find_zone(config.registry->zone) : nullptr;
  if (home == nullptr || !home->primaries.empty()) return std::nullopt;
  ZoneConfig zone;
  zone.name = discover_name(*config.registry);
  if (zone.name == home->name || config.find_zone(zone.name) != nullptr) return std::nullopt;
  zone.online = true;
  zone.at = home->at;
  zone.journal = home->journal;
  zone.times = home->times;
  zone.dnssec = home->dnssec;
  zone.dnssec.csk = true;
  zone.dnssec.nsec3 = {};
  zone.dnssec.cds = true;
  zone.dnssec.zsk_lifetime = Seconds(0);
  // An RSA signature takes fifty times as long, and is made for every answer.
  if (zone.dnssec.algorithm == Algorithm::RSASHA256) zone.dnssec.algorithm = Algorithm::ECDSAP256SHA256;
  zone.dnssec.ksk_size = zone.dnssec.zsk_size = 0;
  return zone;
}

std::vector<ZoneConfig> feed_zones(const Config& config) {
  std::vector<ZoneConfig> feeds;
  const ZoneConfig* home = config.registry ? config.find_zone(config.registry->zone) : nullptr;
  if (home == nullptr || !home->primaries.empty()) return feeds;
  for (const ChildConfig& child : config.registry->children) {
    ZoneConfig zone;
    zone.name = child.feed;
    zone.primaries = child.primaries;
    zone.transfer_only = true;
    if (child.pushed) zone.pushed_by = child.zone;
    zone.journal = home->journal;
    zone.times = home->times;
    zone.times.max_refresh = config.registry->pull_interval;
    zone.times.min_refresh = std::min(zone.times.min_refresh, zone.times.max_refresh);
    zone.at = child.at;
    feeds.push_back(std::move(zone));
  }
  return feeds;
}

std::optional<ZoneConfig> feed_zone(const Config& config, const dns::Name& name) {
  const ZoneConfig* home = config.registry ? config.find_zone(config.registry->zone) : nullptr;
  if (home == nullptr || !home->primaries.empty() || config.find_zone(name) != nullptr) return std::nullopt;
  ZoneConfig zone;
  zone.name = name.folded();
  zone.transfer_only = true;
  zone.at = home->at;
  zone.journal = home->journal;
  zone.times = home->times;
  zone.allow_transfer = config.registry->feed.allow_transfer;
  zone.notify = config.registry->feed.notify;
  return zone;
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

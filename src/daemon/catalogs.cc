#include "daemon/catalogs.hh"

#include <algorithm>

#include "catalog/producer.hh"
#include "zone/record_source.hh"

namespace steward::daemon {
namespace {

using catalog::Action;
using catalog::Membership;
using catalog::Memberships;

using ConfiguredZones = std::map<dns::Name, const config::ZoneConfig*, catalog::CanonicalLess>;

ConfiguredZones by_name(const config::Config& config) {
  ConfiguredZones zones;
  for (const config::ZoneConfig& zone : config.zones) zones.emplace(zone.name, &zone);
  return zones;
}

const config::ZoneConfig* consumed(const ConfiguredZones& zones, const dns::Name& name) {
  const auto at = zones.find(name);
  return at != zones.end() && at->second->catalog == config::CatalogRole::Consume ? at->second : nullptr;
}

bool has_data(const store::ZoneRecord* record) {
  return record != nullptr && record->served && record->info.availability == zone::Availability::Serving;
}

store::CatalogOrigin origin_of(const Membership& membership) { return {membership.catalog, membership.label, membership.groups}; }

}  // namespace

Memberships stored_memberships(const store::Store& store, const config::Config& config) {
  Memberships members;
  const ConfiguredZones zones = by_name(config);
  for (const store::ZoneRecord& record : store.zones()) {
    if (!record.origin || consumed(zones, record.origin->catalog) == nullptr) continue;
    const dns::Name name = record.info.apex.folded();
    if (zones.contains(name)) continue;
    members.emplace(name, Membership{record.origin->catalog, record.origin->label, record.origin->groups});
  }
  return members;
}

std::vector<config::ZoneConfig> zones_with_members(const config::Config& config, const Memberships& members) {
  std::vector<config::ZoneConfig> zones = config.zones;
  zones.reserve(zones.size() + members.size());
  if (auto discover = config::discover_zone(config)) zones.push_back(std::move(*discover));
  for (config::ZoneConfig& feed : config::feed_zones(config)) zones.push_back(std::move(feed));
  const ConfiguredZones configured = by_name(config);
  for (const auto& [name, membership] : members)
    if (const config::ZoneConfig* catalog = consumed(configured, membership.catalog); catalog != nullptr && !configured.contains(name))
      zones.push_back(config::member_zone(config, *catalog, name, membership.groups));
  return zones;
}

Result<std::string> produced_text(const config::Config& config, const config::ZoneConfig& catalog, uint32_t serial) {
  auto producer = catalog::CatalogProducer::create(catalog.name);
  if (!producer) return tl::unexpected<Error>(producer.error());
  for (const config::ZoneConfig& zone : config.zones)
    if (zone.catalog_entry.catalog && *zone.catalog_entry.catalog == catalog.name)
      if (auto added = producer->add({zone.name, zone.catalog_entry.groups, zone.catalog_entry.coo}); !added)
        return tl::unexpected<Error>(added.error());
  return producer->zone_text(serial);
}

void Catalogs::configure(std::shared_ptr<const config::Config> config) {
  config_ = std::move(config);
  configured_ = by_name(*config_);
  members_ = stored_memberships(store_, *config_);
  const auto gone = [&](const auto& entry) { return !is_consumed(entry.first); };
  std::erase_if(read_, gone);
  std::erase_if(told_, gone);
  std::erase_if(broken_, gone);
}

bool Catalogs::is_consumed(dns::NameView zone) const { return consumed(configured_, dns::Name(zone).folded()) != nullptr; }

const Membership* Catalogs::find(const dns::Name& zone) const {
  const auto at = members_.find(zone);
  return at != members_.end() ? &at->second : nullptr;
}

Result<void> Catalogs::read(const dns::Name& catalog, store::WriteTransaction& write, Update& update) {
  const uint32_t id = write.find_zone(catalog)->info.id;
  zone::TableRecords records(catalog, write.nodes(id), write.nsec3(id));
  auto read = catalog::read_catalog(records);
  if (!read) {
    update.broken = read.error().what;
    std::string& told = broken_[catalog];
    update.is_new = std::exchange(told, update.broken) != update.broken;
    return {};
  }
  broken_.erase(catalog);
  update.listed = read->members.size();
  update.warnings = read->warnings;
  read_.insert_or_assign(catalog, std::move(*read));
  return {};
}

// RFC 9432 §5.1: one that has expired is as if it were not there: it says nothing, and takes nothing away.
std::vector<const catalog::Catalog*> Catalogs::valid(const store::WriteTransaction& write) const {
  std::vector<const catalog::Catalog*> catalogs;
  for (const config::ZoneConfig& zone : config_->zones)
    if (const auto at = read_.find(zone.name); at != read_.end() && has_data(write.find_zone(zone.name))) catalogs.push_back(&at->second);
  return catalogs;
}

Result<Catalogs::Update> Catalogs::update(const dns::Name& name) {
  Update update;
  auto begun = store_.begin_write();
  if (!begun) return tl::unexpected<Error>(begun.error());
  store::WriteTransaction& write = **begun;
  if (!is_consumed(name) || !has_data(write.find_zone(name))) return update;
  if (auto done = read(name, write, update); !done) return tl::unexpected<Error>(done.error());
  if (!update.broken.empty()) return update;

  Memberships members = members_;
  const auto is_configured = [this](const dns::Name& zone) { return configured_.contains(zone); };
  const auto catalogs = valid(write);
  const auto take = [&](const catalog::Catalog& catalog) {
    catalog::Plan plan = plan_update(catalog, catalogs, members, is_configured);
    apply_plan(plan, members);
    update.changes.insert(update.changes.end(), plan.changes.begin(), plan.changes.end());
    std::set<std::string> told;
    if (catalog.name == name) plan.warnings.insert(plan.warnings.begin(), update.warnings.begin(), update.warnings.end());
    if (catalog.name == name) update.warnings.clear();
    for (std::string& warning : plan.warnings) {
      if (!told_[catalog.name].contains(warning)) update.warnings.push_back(warning);
      told.insert(std::move(warning));
    }
    told_[catalog.name] = std::move(told);
  };
  take(read_.at(name));
  for (const catalog::Catalog* other : catalogs)
    if (!(other->name == name)) take(*other);
  if (update.changes.empty()) return update;
  if (auto written = write_changes(update.changes, write); !written) return tl::unexpected<Error>(written.error());
  if (auto committed = write.commit(); !committed) return tl::unexpected<Error>(committed.error());
  members_ = std::move(members);
  return update;
}

Result<void> Catalogs::write_changes(const std::vector<catalog::Change>& changes, store::WriteTransaction& write) const {
  std::map<dns::Name, uint32_t, catalog::CanonicalLess> ids;
  for (const store::ZoneRecord& record : store_.zones()) ids.emplace(record.info.apex.folded(), record.info.id);
  const auto remove = [&](const dns::Name& zone) -> Result<void> {
    const auto at = ids.find(zone);
    if (at == ids.end()) return {};
    const uint32_t id = at->second;
    ids.erase(at);
    return write.remove_zone(id);
  };
  const auto keep = [&](const dns::Name& zone) -> store::ZoneRecord& {
    if (const auto at = ids.find(zone); at != ids.end()) return write.zone(at->second);
    store::ZoneRecord& record = write.add_zone(zone);
    record.info.availability = zone::Availability::NotLoaded;
    ids.emplace(zone, record.info.id);
    return record;
  };
  for (const catalog::Change& change : changes) {
    switch (change.action) {
      case Action::Remove:
        if (auto removed = remove(change.zone); !removed) return removed;
        continue;
      case Action::Release: keep(change.zone).origin.reset(); continue;
      case Action::Add:
        // What a catalog that is no longer consumed left is another zone's, unless it is this one's. What was configured is served on.
        if (const auto& origin = keep(change.zone).origin;
            !origin || (origin->catalog == change.now.catalog && origin->label == change.now.label))
          break;
        [[fallthrough]];
      case Action::Reset:
        if (auto removed = remove(change.zone); !removed) return removed;
        break;
      case Action::Move:
      case Action::Reconfigure: break;
    }
    store::ZoneRecord& record = keep(change.zone);
    record.served = true;
    record.origin = origin_of(change.now);
  }
  return {};
}

}  // namespace steward::daemon

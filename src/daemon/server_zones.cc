// Which zones there are: a keeper for each of the configuration's and of the catalogs', and what the store says of the others.

#include <algorithm>

#include "base/log.hh"
#include "daemon/server.hh"

namespace steward::daemon {

// Writer thread: zones that are loaded one after the other share commits.
void Server::load_all(const std::function<bool(const std::string&)>& which) {
  for (auto& [name, keeper] : keepers_) {
    if (which(name)) keeper->load(false);
    if (group_->is_due()) group_->flush();
  }
  group_->flush();
}

// Writer thread: a keeper for each configured zone and each member of a catalog, none for others.
void Server::sync_keepers(std::shared_ptr<const config::Config> config, const std::set<std::string>& changed) {
  catalogs_->configure(std::move(config));
  const auto zones = zones_with_members(catalogs_->config(), catalogs_->members());
  std::map<std::string, const config::ZoneConfig*> wanted;
  for (const config::ZoneConfig& zone : zones) wanted.emplace(zone.name.to_text(), &zone);
  for (auto at = keepers_.begin(); at != keepers_.end();) {
    if (wanted.contains(at->first)) {
      ++at;
      continue;
    }
    board_.remove(at->first);
    at = keepers_.erase(at);
  }
  for (const auto& [name, zone] : wanted)
    if (!keepers_.contains(name)) keepers_.emplace(name, make_keeper(*zone));
  sync_zones(wanted);
  sync_catalogs(changed);
}

// Stored zones that are not configured any more are kept, and not answered from. Configured ones that are not stored are entered, so
// that they are answered with SERVFAIL until they are loaded, not refused like a stranger's.
void Server::sync_zones(const std::map<std::string, const config::ZoneConfig*>& wanted) {
  group_->flush();
  std::vector<uint32_t> leaving;
  std::vector<uint32_t> returning;  // zones with a file return when that is read
  std::vector<uint32_t> released;
  std::set<std::string> entering;
  for (const auto& [name, zone] : wanted) entering.insert(name);
  for (const store::ZoneRecord& record : store_->zones()) {
    const std::string name = record.info.apex.folded().to_text();
    entering.erase(name);
    const auto at = wanted.find(name);
    if (record.served && at == wanted.end()) leaving.push_back(record.info.id);
    if (!record.served && at != wanted.end() && !at->second->primaries.empty()) returning.push_back(record.info.id);
    if (record.origin && at != wanted.end() && catalogs_->find(at->second->name) == nullptr) released.push_back(record.info.id);
  }
  if (leaving.empty() && entering.empty() && returning.empty() && released.empty()) return;
  auto write = store_->begin_write();
  if (!write) return log::error("zone.leave", {{"error", write.error().what}});
  for (const std::string& name : entering) (*write)->add_zone(wanted.at(name)->name).info.availability = zone::Availability::NotLoaded;
  for (const uint32_t id : returning) (*write)->zone(id).served = true;
  for (const uint32_t id : released) (*write)->zone(id).origin.reset();
  for (const uint32_t id : leaving) {
    (*write)->zone(id).served = false;
    log::notice("zone.left", {{"zone", (*write)->zone(id).info.apex.to_text()}, {"why", "no longer in the configuration; its data is kept"}});
  }
  if (auto done = (*write)->commit(); !done) log::error("zone.leave", {{"error", done.error().what}});
}

}  // namespace steward::daemon

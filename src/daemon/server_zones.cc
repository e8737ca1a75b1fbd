// The zones of the server over its life: loaded, watched, tended; on the writer's thread unless a function says otherwise.

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "daemon/server.hh"

namespace steward::daemon {

namespace fs = std::filesystem;

namespace {

constexpr int64_t look_at_children = 10;  // seconds: what could not be written, what may pass by now

}  // namespace

ZoneKeeper* Server::keeper(dns::NameView zone) {
  const auto at = keepers_.find(dns::Name(zone).folded().to_text());
  return at != keepers_.end() ? at->second.get() : nullptr;
}

// Writer thread: what a start has to do, in the order in which users gain by it.
void Server::first_loads(std::shared_ptr<const config::Config> config) {
  sync_keepers(std::move(config), {});
  if (auto built = store_->build_index(); !built) log::error("store.index", {{"error", built.error().what}});
  note_figures();
  exports_.post_idle([this, end = store_->log_end()] { store_->warm(end); });
  std::set<std::string> served;
  for (const store::ZoneRecord& record : store_->zones())
    if (record.served && record.info.availability != zone::Availability::NotLoaded) served.insert(record.info.apex.folded().to_text());
  const bool all_served = std::all_of(keepers_.begin(), keepers_.end(), [&](const auto& k) { return served.contains(k.first); });
  if (all_served) {
    follow_discover();
    loop_->post([this] { become_ready(); });
  }
  load_all([&](const std::string& zone) { return !served.contains(zone); });
  if (!all_served) {
    follow_discover();
    loop_->post([this] { become_ready(); });
  }
  load_all([&](const std::string& zone) { return served.contains(zone); });
  loop_->post([this] { notifier_->announce(); });
  if (registry_)
    if (auto opened = registry_->open(); !opened) log::error("registry", {{"error", opened.error().what}});
  follow_discover();
  follow_catalogs();
  follow_children(catalogs_->config());
  exports_.post_idle([this, end = store_->log_end()] { store_->warm(end); });
  after_change();
}

// Writer thread: zones that are loaded one after the other share commits.
void Server::load_all(const std::function<bool(const std::string&)>& which) {
  for (auto& [name, keeper] : keepers_) {
    // What follows from another zone is loaded after that: follow_discover().
    if (which(name) && !keeper->config().online) keeper->load(false);
    if (group_->is_due()) group_->flush();
  }
  group_->flush();
}

// Writer thread: a keeper for each configured zone and each member of a catalog, none for others.
void Server::sync_keepers(std::shared_ptr<const config::Config> config, const std::set<std::string>& changed) {
  catalogs_->configure(std::move(config));
  const auto zones = all_zones(catalogs_->config(), catalogs_->members());
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
  drop_left_feeds(wanted);
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

// What is configured, the members of catalogs, and what follows from the registry. Any thread with a configuration of its own.
std::vector<config::ZoneConfig> Server::all_zones(const config::Config& config, const catalog::Memberships& members) const {
  std::vector<config::ZoneConfig> zones = zones_with_members(config, members);
  if (!config.registry) return zones;
  if (auto feed = config::feed_zone(config, feed_name_of(*config.registry, store_->incarnation()))) zones.push_back(std::move(*feed));
  return zones;
}

// Writer thread, after a commit.
void Server::zone_changed(const dns::Name& zone, uint32_t) {
  has_changed_ = true;
  if (registry_ && registry_->zone() == zone) registered_changed_ = true;
  if (concerns_discover(zone)) follow_discover_soon();
  if (const ZoneKeeper* of = children_ ? keeper(zone) : nullptr; of != nullptr && of->config().transfer_only) children_->look();
  if (catalogs_->is_consumed(zone)) writer_.post([this, zone] { follow_catalog(zone); });
  loop_->post([this, zone] {
    notifier_->changed(zone);
    if (feed_pusher_ && feed_pusher_->feed() == zone) feed_pusher_->changed();
  });
}

// Writer thread.
void Server::note_figures() {
  const store::StoreFigures figures = store_->figures();
  const std::lock_guard lock(figures_mutex_);
  figures_ = figures;
  if (registry_)
    registry_figures_ = {registry_->index().agents(), registry_->index().leases(), registry_->index().next_look(),
                         registry_->trust_figures(), registry_->next_trust_look(), registry_->publishers()};
}

// Writer thread.
void Server::after_change() {
  learn_registry();
  fill_feed_soon();
  note_figures();
  has_changed_ = true;
  note_next_event();
  std::set<std::string> folders;
  for (const auto& [name, keeper] : keepers_) {
    for (const std::string& file : keeper->files()) {
      const fs::path folder = fs::path(file).parent_path();
      folders.insert(folder.empty() ? "." : folder.string());
    }
  }
  loop_->post([this, folders = std::move(folders)] { watch_files(folders); });
}

// Writer thread.
void Server::note_next_event() {
  int64_t earliest = INT64_MAX;
  for (const auto& [name, keeper] : keepers_)
    if (const auto next = keeper->next_event()) earliest = std::min(earliest, seconds_of(*next));
  if (registry_)
    for (const auto& next : {registry_->index().next_look(), registry_->next_trust_look()})
      if (next) earliest = std::min(earliest, seconds_of(*next));
  earliest_event_.store(earliest);
}

void Server::compact_when_idle() {
  if (std::exchange(compacts_, true)) return;
  writer_.post_idle([this] {
    compacts_ = false;
    const auto moved = store_->compact();
    if (!moved)
      log::error("store.compact", {{"error", moved.error().what}});
    else if (*moved)
      compact_when_idle();
  });
}

// Main thread.
void Server::watch_files(const std::set<std::string>& folders) {
  if (!file_watch_) return;
  for (const std::string& folder : watched_)
    if (!folders.contains(folder)) file_watch_->remove(folder);
  bool added_any = false;
  for (const std::string& folder : folders) {
    if (watched_.contains(folder)) continue;
    if (auto added = file_watch_->add(folder); !added) log::warning("files.watch", {{"folder", folder}, {"error", added.error().what}});
    added_any = true;
  }
  watched_ = folders;
  // What changed between the reading and this moment was not told: ask once more.
  if (added_any) files_changed({{}, true});
}

void Server::files_changed(const net::DirectoryChanges& changes) {
  std::set<std::string> changed(changes.paths.begin(), changes.paths.end());
  writer_.post([this, changed = std::move(changed), rescan = changes.rescan] {
    for (auto& [name, keeper] : keepers_) {
      const auto& files = keeper->files();
      const bool touched = std::any_of(files.begin(), files.end(), [&](const std::string& file) {
        const fs::path path(file);
        return changed.contains(path.has_parent_path() ? file : "./" + file);
      });
      if (touched || (rescan && !keeper->config().online && !keeper->is_as_read())) keeper->load(false);
      if (group_->is_due()) group_->flush();
    }
    group_->flush();
    after_change();
  });
}

void Server::every_second() {
  secondaries_->tick();
  if (child_keeper_ && ready_) child_keeper_->tick();
  if (ready_) look_at_identity();
  if (ready_) look_at_certificates();
  if (ready_) look_at_registered();
  if (ready_) look_at_parent();
  if (ready_ && feed_pusher_) feed_pusher_->tick();
  tls_.look(clock_.now());
  if (children_ && seconds_of(clock_.now()) % look_at_children == 0) children_->look();
  if (earliest_event_.load() > seconds_of(clock_.now()) || tending_.exchange(true)) return;
  writer_.post_idle([this] {
    bool more = false;
    for (auto& [name, keeper] : keepers_)
      if (const auto next = keeper->next_event(); next && *next <= clock_.now()) more |= keeper->tend();
    look_at_leases();
    look_at_trust();
    if (!more) after_change();
    tending_.store(false);
  });
}

}  // namespace steward::daemon

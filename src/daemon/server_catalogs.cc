// Catalogs (RFC 9432) at work: members get keepers and secondaries and lose them, on the writer's thread first, then on the main loop's.

#include "base/log.hh"
#include "catalog/catalog.hh"
#include "daemon/server.hh"
#include "federation/pushed_feed.hh"

namespace steward::daemon {
namespace {

using catalog::Action;

std::string_view event_of(Action action) {
  switch (action) {
    case Action::Add: return "catalog.add";
    case Action::Remove: return "catalog.remove";
    case Action::Reset: return "catalog.reset";
    case Action::Move: return "catalog.move";
    case Action::Reconfigure: return "catalog.groups";
    case Action::Release: return "catalog.release";
  }
  return "catalog.change";
}

bool has_zone_after(Action action) { return action != Action::Remove && action != Action::Release; }

}  // namespace

// Writer thread. What a secondary has received for a member is taken only while the zone is the same one: between a catalog's change
// here and the main loop's following it, the old secondary may still deliver.
ZoneKeeper* Server::keeper_of(const std::string& zone, const std::optional<catalog::Membership>& as) {
  const auto at = keepers_.find(zone);
  if (at == keepers_.end()) return nullptr;
  const catalog::Membership* now = catalogs_->find(at->second->config().name);
  const bool same = as ? now != nullptr && now->catalog == as->catalog && now->label == as->label : now == nullptr;
  return same ? at->second.get() : nullptr;
}

// Main thread.
std::optional<catalog::Membership> Server::membership_of(const std::string& zone) const {
  const auto name = dns::Name::from_text(zone);
  const auto at = name ? members_.find(*name) : members_.end();
  return at != members_.end() ? std::optional(at->second) : std::nullopt;
}

// Writer thread: a keeper that fits the zone's place among the catalogs.
std::unique_ptr<ZoneKeeper> Server::make_keeper(const config::ZoneConfig& zone) {
  auto keeper = std::make_unique<ZoneKeeper>(zone, catalogs_->config().zone_files, *room_);
  if (const catalog::Membership* membership = catalogs_->find(zone.name))
    keeper->note_catalog({membership->catalog.to_text(), membership->groups, ""});
  if (zone.transfer_only && zone.primaries.empty())
    keeper->set_text_maker([is_sent = zone.pushed_by.has_value()](uint32_t serial) -> Result<std::string> {
      return is_sent ? federation::pushed_feed_text(serial) : federation::feed_text(serial);
    });
  if (zone.online) {
    discover_home_.reset();
    keeper->set_text_maker([this, name = zone.name](uint32_t serial) -> Result<std::string> {
      if (!discover_home_) return fail(Errc::NotFound, name.to_text() + ": the registry's zone is not loaded");
      return discover_text(*discover_home_, serial);
    });
  }
  return keeper;
}

// Writer thread, after a start or a reload. `changed`: zones whose configuration is another one.
void Server::sync_catalogs(const std::set<std::string>& changed) {
  for (const config::ZoneConfig& zone : catalogs_->config().zones)
    if (zone.catalog == config::CatalogRole::Produce)
      if (const auto at = keepers_.find(zone.name.to_text()); at != keepers_.end())
        at->second->set_text_maker([this, name = zone.name](uint32_t serial) {
          const config::Config& config = catalogs_->config();
          return produced_text(config, *config.find_zone(name), serial);
        });
  tell_members(changed);
}

// Writer thread.
void Server::follow_catalogs() {
  for (const config::ZoneConfig& zone : catalogs_->config().zones)
    if (zone.catalog == config::CatalogRole::Consume) follow_catalog(zone.name);
}

void Server::follow_catalog(const dns::Name& name) {
  group_->flush();
  const auto update = catalogs_->update(name);
  if (!update) return log::error("catalog", {{"catalog", name.to_text()}, {"error", update.error().what}});
  if (ZoneKeeper* own = keeper(name)) {
    if (!update->broken.empty() || !own->status().catalog.error.empty()) own->note_catalog({"", {}, update->broken});
  }
  if (update->is_new)
    log::error("catalog.broken", {{"catalog", name.to_text()}, {"error", update->broken}, {"members", "stay as they are"}});
  for (const std::string& warning : update->warnings) log::warning("catalog", {{"at", warning}});
  if (update->changes.empty()) return;
  carry_out(update->changes);
}

// Writer thread: the store has it already.
void Server::carry_out(const std::vector<catalog::Change>& changes) {
  std::set<std::string> changed;
  for (const catalog::Change& change : changes) {
    const std::string zone = change.zone.to_text();
    log::notice(event_of(change.action), {{"zone", zone},
                                          {"catalog", change.now.catalog.size() > 1 ? change.now.catalog.to_text() : "-"},
                                          {"label", change.now.label.empty() ? "-" : catalog::label_text(change.now.label)}});
    if (change.action == Action::Release) continue;
    keepers_.erase(zone);
    if (!has_zone_after(change.action)) board_.remove(zone);
    changed.insert(zone);
  }
  const config::Config& config = catalogs_->config();
  for (const std::string& zone : changed) {
    const auto name = dns::Name::from_text(zone);
    const catalog::Membership* membership = catalogs_->find(*name);
    const config::ZoneConfig* catalog = membership != nullptr ? config.find_zone(membership->catalog) : nullptr;
    if (catalog == nullptr) continue;
    auto& keeper = keepers_[zone];
    keeper = make_keeper(config::member_zone(config, *catalog, *name, membership->groups));
    keeper->load(false);
  }
  group_->flush();
  tell_members(std::move(changed));
  after_change();
}

// Writer thread: the main loop follows, with rights, NOTIFY and secondaries.
void Server::tell_members(std::set<std::string> changed) {
  loop_->post([this, members = catalogs_->members(), changed = std::move(changed)]() mutable {
    members_ = std::move(members);
    zones_ = all_zones(config_, members_);
    apply_settings();
    configure_peers(changed);
  });
}

// Main thread: members whose configuration a change of these keys is, by name.
void Server::add_members_changed(const std::vector<config::Change>& changes, std::set<std::string>& zones) const {
  const bool templates =
      std::any_of(changes.begin(), changes.end(), [](const config::Change& change) { return change.key.starts_with("templates["); });
  const bool files =
      std::any_of(changes.begin(), changes.end(), [](const config::Change& change) { return change.key.starts_with("zone-files."); });
  std::set<std::string> catalogs;
  for (const std::string& zone : zones)
    if (const auto name = dns::Name::from_text(zone)) catalogs.insert(name->folded().to_text());
  for (const auto& [zone, membership] : members_)
    if (templates || files || catalogs.contains(membership.catalog.to_text())) zones.insert(zone.to_text());
}

// Main thread. A worker looks at settings only while it answers a batch: once each has run a task of ours, what was replaced before that
// is nobody's.
void Server::retire_settings() {
  const size_t kept = settings_history_.size() - 1;
  if (kept == 0 || workers_.empty() || retiring_settings_) return;
  retiring_settings_ = true;
  auto left = std::make_shared<std::atomic<size_t>>(workers_.size());
  for (const auto& worker : workers_)
    worker->loop->post([this, left, kept] {
      if (left->fetch_sub(1) != 1) return;
      loop_->post([this, kept] {
        settings_history_.erase(settings_history_.begin(), settings_history_.begin() + static_cast<std::ptrdiff_t>(kept));
        retiring_settings_ = false;
      });
    });
}

}  // namespace steward::daemon

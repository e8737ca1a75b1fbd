// The zone `_discover._agents` at work: it follows the registry's zone, and that delegates to it, on the writer's
// thread; what workers answer with goes to the main loop.

#include <algorithm>

#include "base/log.hh"
#include "daemon/server.hh"

namespace steward::daemon {

// Writer thread, after any change that may concern it; one call for many of them.
void Server::follow_discover_soon() {
  if (std::exchange(follows_discover_, true)) return;
  writer_.post([this] {
    follows_discover_ = false;
    follow_discover();
  });
}

// Writer thread.
bool Server::concerns_discover(dns::NameView zone) const {
  const auto& registry = catalogs_->config().registry;
  return registry && registry->discover && (registry->zone == zone || config::discover_name(*registry) == zone);
}

// Writer thread: what is committed, compared with what is to be.
void Server::follow_discover() {
  const config::Config& config = catalogs_->config();
  if (!config.registry || !discover_reader_) return;
  ZoneKeeper* const home = keeper(config.registry->zone);
  if (home == nullptr || !home->config().primaries.empty()) return;
  const dns::Name name = config::discover_name(*config.registry);
  ZoneKeeper* const own = keeper(name);
  if (own == nullptr || !own->config().online) return leave_discover(*home, name);

  if (!discover_reader_->acquire()) return;
  std::optional<Result<DiscoverHome>> from;
  Delegation stored;
  if (const store::ZoneRecord* record = discover_reader_->zone_record(config.registry->zone);
      record != nullptr && record->served && record->info.availability == zone::Availability::Serving) {
    from = discover_home(discover_reader_->find(record->info, config.registry->zone), *config.registry);
    stored = stored_delegation(discover_reader_->find(record->info, name));
  }
  discover_reader_->release();
  if (!from) return;
  if (!*from) return log::error("discover", {{"zone", name.to_text()}, {"error", from->error().what}});

  if (discover_home_ != **from) {
    discover_home_ = **from;
    own->load(false);
    group_->flush();
  }
  if (!own->status().has_data) return discover_home_.reset();
  tell_discover(discover_answers(*config.registry, name, own->keys()));
  // Its file comes first: what it says of the name is replaced, not the other way round.
  if (!home->status().has_data) return;
  const Delegation wanted = wanted_delegation(*discover_home_, name, own->keys());
  if (stored != wanted) return delegate_discover(*home, name, wanted, own->config().dnssec.ds_ttl);
  if (own->keys() != nullptr && waits_for_ds(*own->keys(), clock_.now()))
    if (const auto seen = own->ds_seen(0); !seen)
      log::error("discover", {{"zone", name.to_text()}, {"error", seen.error().what}});
}

// Writer thread. The commit leads back to follow_discover().
void Server::delegate_discover(ZoneKeeper& home, const dns::Name& name, const Delegation& delegation, Seconds ds_ttl) {
  const auto edit = [name, delegation, ds_ttl](change::ZoneEdit& zone, ZoneTables&) -> Result<void> {
    delegate(zone, name, delegation, ds_ttl);
    return {};
  };
  home.edit(edit, false, [name, keys = delegation.ds.size()](const LoadOutcome& outcome) {
    if (outcome.ok)
      log::info("discover.delegated", {{"zone", name.to_text()}, {"ds", keys}, {"serial", outcome.serial}});
  });
  group_->flush();
}

// Writer thread: it was switched off. Its keys stay where they are.
void Server::leave_discover(ZoneKeeper& home, const dns::Name& name) {
  const auto zones = store_->zones();
  const auto record = std::find_if(zones.begin(), zones.end(), [&](const store::ZoneRecord& zone) {
    return zone.info.online && !zone.served && zone.info.apex == name;
  });
  if (record == zones.end() || !home.status().has_data) return;
  delegate_discover(home, name, {}, Seconds(0));
  auto write = store_->begin_write();
  if (!write) return log::error("discover", {{"zone", name.to_text()}, {"error", write.error().what}});
  auto removed = (*write)->remove_zone(record->info.id);
  if (removed) removed = (*write)->commit();
  if (!removed) log::error("discover", {{"zone", name.to_text()}, {"error", removed.error().what}});
}

// Writer thread: the main loop gives it to the workers with the next settings.
void Server::tell_discover(std::shared_ptr<const serve::DiscoverZone> answers) {
  if (discover_told_ && is_same(*discover_told_, *answers)) return;
  discover_told_ = answers;
  loop_->post([this, answers = std::move(answers)] {
    discover_answers_ = answers;
    apply_settings();
  });
}

// Main thread: a change of the registry's zone is one of the zones that follow from it.
void Server::add_followers_changed(const std::vector<config::Change>& changes, std::set<std::string>& zones) const {
  if (!config_.registry) return;
  // A key of the configuration names its zone without the final dot, other events with it.
  const auto is_registrys = [&](const std::string& zone) {
    return dns::Name::from_text(zone) == config_.registry->zone;
  };
  const auto is_about = [&](std::string_view keys) {
    return std::any_of(changes.begin(), changes.end(), [&](const config::Change& change) { return change.key.starts_with(keys); });
  };
  const bool follows = std::any_of(zones.begin(), zones.end(), is_registrys);
  if (follows || is_about("registry.discover")) zones.insert(config::discover_name(*config_.registry).to_text());
  if (follows || is_about("registry.feed"))
    zones.insert(feed_name_of(*config_.registry, store_->incarnation()).to_text());
}

}  // namespace steward::daemon

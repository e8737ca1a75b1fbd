// Who this registry is to others: its identity at a start, and what its zone says of it.

#include <filesystem>

#include "base/log.hh"
#include "daemon/server.hh"
#include "federation/own_records.hh"

namespace steward::daemon {

// Main thread, before TLS, which may show its certificates.
Result<void> Server::open_identity() {
  if (!config_.registry || config_.registry->identity.empty()) return {};
  const std::string key = config_.registry->identity.string();
  if (std::error_code ignored; !std::filesystem::exists(key, ignored)) {
    log::notice("registry.identity", {{"key", key}, {"why", "there is none yet: steward-registry keygen makes it"}});
    return {};
  }
  auto opened = OwnIdentity::open(*config_.registry, clock_.now());
  if (!opened) return tl::unexpected<Error>(opened.error());
  set_identity(std::move(*opened));
  return {};
}

// Main thread, every second: a key that was made meanwhile is taken up, once.
void Server::look_at_identity() {
  std::error_code ignored;
  if (!config_.registry || config_.registry->identity.empty() || identity() || !std::filesystem::exists(config_.registry->identity, ignored)) return;
  if (auto opened = open_identity(); !opened) {
    if (std::exchange(identity_error_, opened.error().what) != identity_error_) log::error("registry.identity", {{"error", identity_error_}});
    return;
  }
  registered_changed_ = true;
  set_door();
  tls_.look_now(clock_.now());
  writer_.post([this] { follow_identity(); });
}

// Any thread.
std::shared_ptr<const OwnIdentity> Server::identity() const {
  const std::lock_guard lock(identity_mutex_);
  return identity_;
}

void Server::set_identity(std::shared_ptr<const OwnIdentity> identity) {
  log::info("registry.identity", {{"name", identity->name().to_text()},
                                  {"fingerprint", identity->fingerprint()},
                                  {"authority", identity->authorities().empty() ? "none yet" : "at hand"},
                                  {"until", seconds_of(identity->until())}});
  const std::lock_guard lock(identity_mutex_);
  identity_ = std::move(identity);
}

// Writer thread: what the zone says of the registry, compared with what it is to say.
void Server::follow_identity() {
  const auto own = identity();
  ZoneKeeper* const home = registry_keeper();
  const auto& registry = catalogs_->config().registry;
  if (!own || home == nullptr || !home->status().has_data || !registry) return;
  federation::OwnRecords records;
  records.zone = own->zone();
  records.id = registry->id;
  records.parent = registry->parent;
  if (const auto& listen = catalogs_->config().tls.listen; !listen.empty()) records.tls_port = listen.front().port();
  if (const auto& listen = catalogs_->config().listen; !listen.empty() && !own->authorities().empty()) records.dns_port = listen.front().port();
  records.authorities.assign(own->authorities().begin(), own->authorities().end());
  if (own->is_root()) records.key = &own->key().public_key();
  home->edit([own, records](change::ZoneEdit& edit, ZoneTables&) { return federation::put_own_records(records, edit); },
             false, [](const LoadOutcome& outcome) {
               if (outcome.ok && outcome.changed) log::info("registry.records", {{"serial", outcome.serial}});
             });
  group_->flush();
}

}  // namespace steward::daemon

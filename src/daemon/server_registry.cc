// The registry: what publishers may do, the key of custody, the book at start, leases in time, and the operator's acts.

#include "base/log.hh"
#include "crypto/identity.hh"
#include "daemon/server.hh"
#include "daemon/settings.hh"

namespace steward::daemon {

namespace fs = std::filesystem;

namespace {

// Transactions a second: publishes are not to wait long.
constexpr int most_lease_rounds = 16;
constexpr int most_trust_rounds = 4;

}  // namespace

// Whether the registry's own zone is here, and ours to change.
bool Server::has_registry_zone() const {
  const config::ZoneConfig* zone = config_.registry ? config_.find_zone(config_.registry->zone) : nullptr;
  return zone != nullptr && zone->primaries.empty();
}

// Of the agents that nobody has claimed. Made where there is none; its error tells the one case from the other.
Result<std::shared_ptr<const crypto::KeyPair>> Server::custody_key() const {
  const std::string path = config_.registry->custody_key.string();
  std::error_code error;
  if (!fs::exists(path, error) && !error) {
    if (const fs::path folder = fs::path(path).parent_path(); !folder.empty() && fs::create_directories(folder, error))
      fs::permissions(folder, fs::perms::owner_all, error);
    const auto made = crypto::Identity::generate(crypto::IdentityKind::Ed25519);
    const auto saved = made ? made->save(path) : tl::unexpected<Error>(made.error());
    if (!saved) return fail("is missing, and cannot be made", saved.error());
    log::notice("registry.custody", {{"key", path}, {"fingerprint", made->fingerprint()}, {"why", "there was none"}});
  }
  auto loaded = crypto::Identity::load(path);
  if (!loaded) return fail("is there, and cannot be read", loaded.error());
  auto identity = std::make_shared<const crypto::Identity>(std::move(*loaded));
  return std::shared_ptr<const crypto::KeyPair>(identity, &identity->key());
}

// Main thread, before the others start.
Result<void> Server::open_registry() {
  if (!has_registry_zone()) return {};
  publish_policy_ =
      std::make_shared<const change::PublishPolicy>(publish_policy_of(*config_.registry, store_->incarnation()));
  auto reader = store_->make_reader();
  if (!reader) return tl::unexpected<Error>(reader.error());
  auto discover = store_->make_reader();
  if (!discover) return tl::unexpected<Error>(discover.error());
  discover_reader_ = std::move(*discover);
  auto custody = custody_key();
  if (!custody) {
    custody_error_ = custody.error().what;  // a registry without it serves all others
    log::warning("registry.custody", {{"key", config_.registry->custody_key.string()},
                                      {"error", custody_error_},
                                      {"without", "nothing can be imported or claimed"}});
  }
  registry_ = std::make_unique<RegistryZone>(publish_policy_, custody ? std::move(*custody) : nullptr, std::move(*reader), clock_);
  const dns::Name feed = feed_name_of(*config_.registry, store_->incarnation());
  registry_->set_feed({publish_policy_->zone, feed}, [this, feed] { return keeper(feed); });
  auto import_reader = store_->make_reader();
  if (!import_reader) return tl::unexpected<Error>(import_reader.error());
  imports_ = std::make_unique<ImportDesk>(std::move(*import_reader), clock_, std::max(1U, std::thread::hardware_concurrency()),
                                          [this](auto work, const auto& refused) { post_registry(std::move(work), refused); });
  auto feeds = store_->make_reader();
  if (!feeds) return tl::unexpected<Error>(feeds.error());
  open_children(std::move(*feeds));
  return {};
}

// Main thread: after a reload. Another zone needs a restart.
void Server::reload_registry() {
  if (!publish_policy_) return;
  if (!has_registry_zone() || config_.registry->zone != publish_policy_->zone) return;
  publish_policy_ =
      std::make_shared<const change::PublishPolicy>(publish_policy_of(*config_.registry, store_->incarnation()));
  writer_.post([this, policy = publish_policy_] { registry_->set_policy(policy); });
}

ZoneKeeper* Server::registry_keeper() { return registry_ ? keeper(registry_->zone()) : nullptr; }

// Writer thread.
void Server::learn_registry() {
  ZoneKeeper* keeper = registry_keeper();
  if (keeper == nullptr || !keeper->status().has_data) return;
  registry_->learn(*keeper);
  group_->flush();
}

// Writer thread.
void Server::look_at_leases() {
  ZoneKeeper* keeper = registry_keeper();
  if (keeper == nullptr) return;
  const auto looked = [this] {
    note_figures();  // health asks when the next is due
    note_next_event();
  };
  for (int rounds = 0; rounds < most_lease_rounds && registry_->look_at_leases(*keeper, looked); ++rounds) group_->flush();
}

// Writer thread.
void Server::look_at_trust() {
  ZoneKeeper* keeper = registry_keeper();
  if (keeper == nullptr || !keeper->status().has_data) return;
  const auto looked = [this] {
    note_figures();
    note_next_event();
  };
  for (int rounds = 0; rounds < most_trust_rounds && registry_->look_at_trust(*keeper, looked); ++rounds) group_->flush();
}

bool Server::post_registry(std::function<void(RegistryZone&, ZoneKeeper&)> work,
                           const std::function<void(const std::string&)>& refused) {
  if (!registry_) {
    refused("there is no registry here: the configuration has no `registry`, or its zone is not one of ours");
    return false;
  }
  return writer_.post([this, work = std::move(work), refused] {
    ZoneKeeper* keeper = registry_keeper();
    if (keeper == nullptr || !keeper->status().has_data)
      return refused(registry_->zone().to_text() + ": nothing is loaded");
    work(*registry_, *keeper);
    group_->flush();
    note_figures();
    note_next_event();
  });
}

}  // namespace steward::daemon

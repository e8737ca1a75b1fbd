// Registries below: the door that they come in by, and what is done once one has its name.

#include "base/log.hh"
#include "daemon/server.hh"

namespace steward::daemon {

// Main thread, before the workers.
void Server::open_registrations() {
  dialogues_ = std::make_unique<Dialogues>(*peer_calls_);
  lookup_ = std::make_unique<NameLookup>(*dialogues_);
  if (!registry_) return;
  registrations_ = std::make_unique<RegistrationDesk>(RegistrationDesk::Room{
      clock_, [this](auto work, const auto& refused) { return post_registry(std::move(work), refused); },
      [this](const dns::Name& name, std::function<void(std::vector<Bytes>)> then) {
        loop_->post([this, name, then = std::move(then)] {
          lookup_->ask(name, dns::RrType::TXT, [name, then](Result<std::vector<Bytes>> found) {
            if (!found) log::notice("registration.proof", {{"name", name.to_text()}, {"error", found.error().what}});
            then(found ? *std::move(found) : std::vector<Bytes>{});
          });
        });
      },
      [this](const federation::Child& child) {
        child_keeper_->noted(child);
        registered_changed_ = true;
      }});
  child_keeper_ = std::make_unique<ChildKeeper>(ChildKeeper::Room{
      *loop_, clock_, *dialogues_, *lookup_, [this] { return registrations_->door(); },
      [this](auto work, const auto& refused) { return post_registry(std::move(work), refused); }, [this] { return stored_children(); }});
  set_door();
  open_registrar();
}

// Main thread.
std::vector<federation::Child> Server::stored_children() {
  std::vector<federation::Child> children;
  if (!main_reader_->acquire()) return children;
  if (const store::ZoneRecord* record = main_reader_->zone_record(config_.registry->zone)) {
    const auto table = main_reader_->table(record->info, store::ZoneTable::Children);
    auto registered = federation::Children(*table).registered();
    if (registered)
      children = *std::move(registered);
    else
      log::error("registration", {{"error", registered.error().what}});
  }
  main_reader_->release();
  return children;
}

// Main thread.
void Server::open_registrar() {
  const config::RegistryConfig& registry = *config_.registry;
  if (!registry.parent) return;
  registrar_ = std::make_unique<Registrar>(Registrar::Room{
      *loop_, clock_, *dialogues_, *lookup_, registry.apex, *registry.parent,
      [this](auto done) { find_proof(std::move(done)); }, [this] { return identity(); },
      publish_policy_->replica, config_.tls.listen,
      [this](auto work, const auto& refused) { return post_registry(std::move(work), refused); },
      [this](std::shared_ptr<const OwnIdentity> issued) {
        set_identity(std::move(issued));
        registered_changed_ = true;
        set_door();
        tls_.look_now(clock_.now());
        writer_.post([this] { follow_identity(); });
      }});
}

// Main thread, every second: what the parent has issued anew is taken over. It renews when a third of the time is left.
void Server::look_at_certificates() {
  const UnixTime now = clock_.now();
  const auto own = identity();
  if (!registrar_ || !own || own->authorities().empty() || now < next_certificates_) return;
  next_certificates_ = now + std::chrono::hours(24);
  registrar_->go({.at = {}, .token = {}, .asks = false}, [](const std::string&) {},
                 [](const Result<Registrar::Outcome>& outcome) {
                   if (!outcome) log::notice("registry.certificates", {{"error", outcome.error().what}, {"next", "in a day"}});
                 });
}

// Main thread: the door as the configuration and the identity have it.
void Server::set_door() {
  if (!registrations_ || !config_.registry) return;
  const config::RegistryConfig& registry = *config_.registry;
  auto door = std::make_shared<RegistrationDoor>();
  federation::RegistrationPolicy& policy = door->rules.policy;
  policy.zone = registry.zone;
  policy.apex = registry.apex;
  policy.proofs = registry.registration.proofs;
  policy.approvals = registry.registration.approvals;
  policy.look_alikes = registry.registration.refuse_look_alikes;
  policy.children = registry.registration.max_children;
  door->rules.invitations = registry.registration.invitations;
  door->rules.namespaces = registry.namespaces;
  door->identity = identity();
  registrations_->set_door(std::move(door));
  lookup_->configure(registry.registration.resolvers);
  open_anchored();
}

}  // namespace steward::daemon

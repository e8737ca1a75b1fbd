// Registries below: the door that they come in by, and what is done once one has its name.

#include <algorithm>

#include "base/log.hh"
#include "daemon/server.hh"

namespace steward::daemon {
namespace {

constexpr Seconds between_ds_looks{10};  // at the parent's DS, after it was told of other CDS
constexpr Seconds after_failure{900};    // of a look at our certificates
constexpr int most_ds_looks = 30;        // then daily

}  // namespace

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
      publish_policy_->replica, config_.tls.listen, registry.push,
      [this](std::vector<Bytes> ds) { writer_.post([this, ds = std::move(ds)] { follow_parent_ds(ds); }); },
      [this](auto work, const auto& refused) { return post_registry(std::move(work), refused); },
      [this] {
        if (const auto own = identity()) renew_own_certificate(*own);
        registered_changed_ = true;
      },
      [this](std::shared_ptr<const OwnIdentity> issued) {
        set_identity(std::move(issued));
        registered_changed_ = true;
        set_door();
        child_keeper_->renew();
        if (feed_pusher_) feed_pusher_->turned();
        tls_.look_now(clock_.now());
        writer_.post([this] { follow_identity(); });
      }});
}

// Main thread, every second: what the parent has issued anew is taken over. It renews when a third of the time is left.
void Server::look_at_certificates() {
  const UnixTime now = clock_.now();
  const auto own = identity();
  if (!own || now < next_certificates_) return;
  next_certificates_ = now + std::chrono::hours(24);
  // What is ours to make: the root's, and one that no parent has issued.
  if (!registrar_ || own->authorities().empty()) return renew_own_certificate(*own);
  registrar_->go({.at = {}, .token = {}, .asks = false}, [](const std::string&) {},
                 [this](const Result<Registrar::Outcome>& outcome) {
                   if (outcome) return;
                   next_certificates_ = clock_.now() + after_failure;
                   log::notice("registry.certificates", {{"error", outcome.error().what}, {"again_in", after_failure.count()}});
                 });
}

// Main thread: made anew where it nears its end, as at a start.
void Server::renew_own_certificate(const OwnIdentity& own) {
  auto opened = OwnIdentity::open(*config_.registry, clock_.now());
  if (!opened) return log::error("registry.certificates", {{"error", opened.error().what}});
  if ((*opened)->until() == own.until() && (*opened)->authorities().size() == own.authorities().size()) return;
  set_identity(*std::move(opened));
  set_door();
  tls_.look_now(clock_.now());
  writer_.post([this] { follow_identity(); });
}

// Writer thread: the parent's DS is what our keys ask for, so that a roll that waits for it goes on; or not yet.
void Server::follow_parent_ds(std::vector<Bytes> ds) {
  ZoneKeeper* const home = registry_keeper();
  if (home == nullptr || home->keys() == nullptr) return;
  std::vector<Bytes> wanted = wanted_delegation(DiscoverHome{}, registry_->zone(), home->keys()).ds;
  std::sort(wanted.begin(), wanted.end());
  std::sort(ds.begin(), ds.end());
  if (ds == wanted) {
    if (const auto seen = !home->keys()->plan().waiting.empty() ? home->ds_seen(0) : Result<crypto::KeyTag>(fail(Errc::NotFound, "")))
      log::notice("zone.keys.ds-seen", {{"zone", registry_->zone().to_text()}, {"tag", *seen}});
    return after_change();
  }
  loop_->post([this] {
    if (ds_looks_ >= most_ds_looks) return;
    ++ds_looks_;
    next_certificates_ = clock_.now() + between_ds_looks;
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

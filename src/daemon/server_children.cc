// The registries below: who they are, and when their feeds are looked at.

#include "daemon/server.hh"
#include "federation/referral.hh"

namespace steward::daemon {
namespace {

std::shared_ptr<const FollowTerms> terms_of(const config::RegistryConfig& registry,
                                            std::shared_ptr<const change::PublishPolicy> policy) {
  auto terms = std::make_shared<FollowTerms>();
  terms->policy = std::move(policy);
  terms->pull_interval = registry.pull_interval;
  for (const config::ChildConfig& child : registry.children)
    terms->feeds.push_back({child.zone, child.feed, child.replica, {child.trust_ceiling, child.agents, child.hosted, terms->policy->replica}, child.registered});
  return terms;
}

}  // namespace

// Main thread, before the others start.
void Server::open_children(std::unique_ptr<store::Reader> reader) {
  children_ = std::make_unique<Children>(
      std::move(reader), clock_, std::max(1U, std::thread::hardware_concurrency()),
      [this](auto work, const auto& refused) { post_registry(std::move(work), refused); });
}

// Writer thread, when all zones of the configuration are known.
void Server::follow_children(const config::Config& config) {
  if (children_ && config.registry) children_->configure(terms_of(*config.registry, registry_->policy()));
}

// Main thread.
std::map<std::string, uint32_t> Server::unseen_conflicts() {
  std::map<std::string, uint32_t> unseen;
  if (!registry_ || !config_.registry || !main_reader_->acquire()) return unseen;
  if (const store::ZoneRecord* home = main_reader_->zone_record(config_.registry->zone)) {
    const auto table = main_reader_->table(home->info, store::ZoneTable::Referrals);
    const federation::Referrals rows(config_.registry->zone, *table);
    for (const dns::Name& zone : rows.children().value_or(std::vector<dns::Name>{}))
      if (const auto child = rows.child(zone); child && *child && (*child)->unseen > 0) unseen[zone.to_text()] = (*child)->unseen;
  }
  main_reader_->release();
  return unseen;
}

// Main thread: feeds are no zones of the configuration's list, so that what concerns them is told by other keys.
void Server::add_feeds_changed(const std::vector<config::Change>& changes, const config::Config& fresh,
                               std::set<std::string>& zones) const {
  for (const config::Change& change : changes) {
    if (change.key != "registry.children" && change.key != "registry.pull-interval") continue;
    for (const config::Config* config : {&config_, &fresh})
      for (const config::ZoneConfig& feed : config::feed_zones(*config)) zones.insert(feed.name.to_text());
  }
}

}  // namespace steward::daemon

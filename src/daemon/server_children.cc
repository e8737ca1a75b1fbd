// The registries below: who they are, and when their feeds are looked at.

#include "daemon/server.hh"

namespace steward::daemon {
namespace {

std::shared_ptr<const FollowTerms> terms_of(const config::RegistryConfig& registry,
                                            std::shared_ptr<const change::PublishPolicy> policy) {
  auto terms = std::make_shared<FollowTerms>();
  terms->policy = std::move(policy);
  terms->pull_interval = registry.pull_interval;
  for (const config::ChildConfig& child : registry.children)
    terms->feeds.push_back({child.zone, child.feed, child.replica, {child.trust_ceiling, child.agents, child.hosted, terms->policy->replica}});
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

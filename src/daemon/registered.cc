#include "daemon/registered.hh"

#include <algorithm>

#include "federation/own_entry.hh"

namespace steward::daemon {
namespace {

bool is_registry(const config::Peer& peer) { return peer.tls && peer.tls->registry; }

config::Peer registry_at(const SocketAddress& address, const dns::Name& zone) {
  config::Peer peer;
  peer.address = address;
  peer.port_given = true;
  peer.tls.emplace().registry = zone;
  return peer;
}

bool is_same_feed(const config::ChildConfig& a, const config::ChildConfig& b) {
  return a.feed == b.feed && a.pushed == b.pushed && a.hosted == b.hosted && std::equal(a.primaries.begin(), a.primaries.end(), b.primaries.begin(), b.primaries.end(),
                                        [](const config::Peer& x, const config::Peer& y) { return x.address == y.address; });
}

}  // namespace

void Registered::add(const federation::Child& child, std::vector<Bytes> spkis) {
  const federation::Registration& asked = child.registration;
  const bool is_revoked = spkis.empty();
  keys[asked.zone.to_text()] = std::move(spkis);
  if (is_revoked || asked.replica.empty() || (asked.feeds.empty() && !asked.pushes)) return;
  const auto feed = federation::feed_name(asked.replica, asked.zone);
  if (!feed) return;
  config::ChildConfig row;
  row.space_text = asked.space;
  row.zone = asked.zone;
  row.replica = asked.replica;
  row.feed = feed->folded();
  for (const SocketAddress& address : asked.feeds) row.primaries.push_back(registry_at(address, asked.zone));
  row.pushed = asked.pushes;
  row.hosted = child.state == federation::ChildState::Hosted;
  row.registered = true;
  children.push_back(std::move(row));
}

void Registered::add_to(config::Config& config) const {
  if (!config.registry) return;
  config::RegistryConfig& registry = *config.registry;
  std::erase_if(registry.children, [](const config::ChildConfig& child) { return child.registered; });
  std::erase_if(registry.feed.allow_transfer, [](const config::AccessRule& rule) { return rule.registry.has_value(); });
  std::erase_if(registry.feed.notify, is_registry);
  const auto is_there = [&](const config::ChildConfig& child) {
    return std::any_of(registry.children.begin(), registry.children.end(), [&](const auto& each) { return each.zone == child.zone; });
  };
  for (const config::ChildConfig& child : children) {
    if (is_there(child)) continue;
    config::ChildConfig& row = registry.children.emplace_back(child);
    row.trust_ceiling = registry.registration.trust_ceiling;
    row.agents = registry.registration.agents;
  }
  // A parent that is sent the feed neither fetches it nor wants to be told of it.
  if (!parent || !registry.parent || registry.push != config::FeedPush::None) return;
  config::AccessRule rule;
  rule.registry = registry.parent;
  registry.feed.allow_transfer.push_back(std::move(rule));
  registry.feed.notify.push_back(registry_at(*parent, *registry.parent));
}

bool Registered::is_same(const Registered& other) const {
  return parent == other.parent && std::equal(children.begin(), children.end(), other.children.begin(), other.children.end(), is_same_feed);
}

std::vector<dns::Name> Registered::turned_feeds(const Registered& other) const {
  std::vector<dns::Name> feeds;
  for (const config::ChildConfig& child : children)
    if (std::ranges::any_of(other.children, [&](const auto& each) { return each.feed == child.feed && each.pushed != child.pushed; }))
      feeds.push_back(child.feed);
  return feeds;
}

std::vector<dns::Name> Registered::differing_feeds(const Registered& other) const {
  std::vector<dns::Name> feeds;
  const auto compare = [&](const Registered& one, const Registered& two) {
    for (const config::ChildConfig& child : one.children)
      if (std::none_of(two.children.begin(), two.children.end(), [&](const auto& each) { return is_same_feed(child, each); }))
        feeds.push_back(child.feed);
  };
  compare(*this, other);
  compare(other, *this);
  return feeds;
}

}  // namespace steward::daemon

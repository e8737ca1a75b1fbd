// The registry's feed as a zone of the server: its name, what is left of others, and how it is filled with agents that are
// older than it.

#include "base/log.hh"
#include "daemon/server.hh"
#include "daemon/settings.hh"
#include "federation/referral.hh"

namespace steward::daemon {
namespace {

/// `<replica>._feed.<zone>`, of whatever replica.
bool is_feed_of(dns::NameView name, const config::RegistryConfig& registry) {
  const auto feeds = dns::Name(registry.zone).child(as_bytes(std::string_view("_feed")));
  return feeds && name.is_below(*feeds) && name.parent() == feeds->view();
}

/// Commits too. False is logged: what is wrong with the database is wrong for the next one as well.
bool drop_feed(store::WriteTransaction& write, const store::ZoneRecord& record, std::string_view why) {
  const std::string feed = record.info.apex.folded().to_text();
  auto removed = write.remove_zone(record.info.id);
  if (removed) removed = write.commit();
  if (removed)
    log::notice("feed.drop", {{"feed", feed}, {"why", why}});
  else
    log::error("feed.drop", {{"feed", feed}, {"error", removed.error().what}});
  return removed.has_value();
}

}  // namespace

dns::Name Server::feed_name_of(const config::RegistryConfig& registry, uint64_t incarnation) {
  // A registry's zone has at most 180 octets, and its replica's name was checked.
  return federation::feed_name(replica_id(registry, incarnation), registry.zone).value_or(registry.zone);
}

// Writer thread, with its transaction: whether it is the feed of a child that came by registration. Its row goes after this, with the last
// of what is listed of it, so that a crash in between leaves nothing behind.
bool Server::is_feed_of_registered(store::WriteTransaction& write, dns::NameView name) const {
  const dns::Name& zone = catalogs_->config().registry->zone;
  const store::ZoneRecord* home = write.find_zone(zone);
  const dns::Name child = dns::Name(name.parent().parent()).folded();
  if (home == nullptr || !child.view().is_below(zone)) return false;
  const auto followed = federation::Referrals(zone, write.table(home->info.id, store::ZoneTable::Referrals)).child(child);
  return followed && *followed && (*followed)->registered;
}

// Writer thread. The feed of another replica's id is nobody's any more, and one that was not kept while it was left out of the
// configuration is filled from the start. Of a child that has registered and left, or has another replica now, nothing is kept
// either; of one that the configuration has had, it is.
void Server::drop_left_feeds(const std::map<std::string, const config::ZoneConfig*>& wanted) {
  const auto& registry = catalogs_->config().registry;
  if (!registry) return;
  for (const store::ZoneRecord& record : store_->zones()) {
    const dns::Name name = record.info.apex.folded();
    const bool is_wanted = wanted.contains(name.to_text());
    const bool is_own = is_feed_of(name, *registry);
    if (!record.info.transfer_only || (is_wanted && (record.served || !is_own))) continue;
    auto write = store_->begin_write();
    if (!write) return log::error("feed.drop", {{"feed", name.to_text()}, {"error", write.error().what}});
    if (!is_own && !is_feed_of_registered(**write, name)) continue;
    if (!drop_feed(**write, record, is_own ? "it was not kept, or is of another replica" : "the child has left, or is another replica")) return;
  }
}

// Writer thread. What was fetched has its registry's serials, what was sent its own: none goes on with the other's. What is listed of
// it stays until the feed is there again.
void Server::drop_turned_feeds(const std::set<std::string>& feeds) {
  for (const store::ZoneRecord& record : store_->zones()) {
    const std::string name = record.info.apex.folded().to_text();
    if (!feeds.contains(name)) continue;
    auto write = store_->begin_write();
    if (!write) return log::error("feed.drop", {{"feed", name}, {"error", write.error().what}});
    if (!drop_feed(**write, record, "it is sent now, or fetched, which it was not before")) return;
  }
}

// Writer thread, in between other work; one call for many.
void Server::fill_feed_soon() {
  if (!registry_ || std::exchange(fills_feed_, true)) return;
  writer_.post_idle([this] { fill_feed(); });
}

void Server::fill_feed() {
  fills_feed_ = false;
  ZoneKeeper* const keeper = registry_keeper();
  if (keeper == nullptr) return;
  // One that failed, of a full disk say, goes on with the next change of the zones or the next start.
  registry_->fill_feed(*keeper, [this](bool committed) {
    if (committed) fill_feed_soon();
  });
  group_->flush();
}

}  // namespace steward::daemon

#include "daemon/control_peers.hh"

#include <algorithm>

#include "daemon/control_referrals.hh"

namespace steward::daemon {
namespace {

/// What the main loop knows of a child's feed.
struct Peer {
  config::ChildConfig child;
  std::string primary;
  std::optional<UnixTime> asked;  ///< when a primary was last found current, or transferred from
  uint32_t failed_rounds = 0;
  std::string error;
  uint64_t checks = 0;  ///< of signatures in its feed
};

std::vector<Peer> peers_of(Server& server) {
  std::vector<Peer> peers;
  const auto& registry = server.config().registry;
  if (!registry || server.children() == nullptr) return peers;
  const auto figures = server.children()->figures();
  for (const config::ChildConfig& child : registry->children) {
    Peer peer{child, child.primaries.empty() ? "" : child.primaries.front().address.to_text(), {}, 0, {}, 0};
    if (child.pushed)
      if (const UnixTime heard = server.feed_desk().figures(child.zone).heard_at; heard != UnixTime{}) peer.asked = heard;
    if (Secondary* secondary = server.secondaries().find(child.feed.to_text())) {
      const transfer::Refresh& state = secondary->state();
      peer.primary = secondary->primary().address.to_text();
      peer.failed_rounds = state.failed_rounds();
      if (state.data() != transfer::Refresh::Data::None) peer.asked = state.verified();
      if (peer.failed_rounds > 0) peer.error = "no primary helped";
    }
    for (const ChildFigures& one : figures)
      if (one.zone == child.zone) {
        if (!one.error.empty()) peer.error = one.error;
        peer.checks = one.checks;
      }
    peers.push_back(std::move(peer));
  }
  return peers;
}

// Seconds for which the parent may not have all that the child says: since its feed was asked for last, where no
// primary answers, or since what came is not judged yet.
int64_t lag_of(const Peer& peer, const store::ZoneRecord* feed, const federation::FollowedChild& followed, UnixTime now) {
  // One that sends is not asked: what it has not sent, only it can tell.
  if (peer.child.pushed) return feed != nullptr && followed.reached == feed->serial ? 0 : seconds_of(now) - seconds_of(feed != nullptr ? feed->loaded_at : followed.reached_at);
  if (feed == nullptr || !peer.asked) return seconds_of(now) - seconds_of(followed.reached_at);
  if (followed.reached != feed->serial) return seconds_of(now) - seconds_of(feed->loaded_at);
  return peer.failed_rounds > 0 ? seconds_of(now) - seconds_of(*peer.asked) : 0;
}

Json row_of(const Peer& peer, const store::Reader& reader, const federation::Referrals& rows, UnixTime now) {
  const store::ZoneRecord* feed = reader.zone_record(peer.child.feed);
  if (feed != nullptr && feed->info.availability == zone::Availability::NotLoaded) feed = nullptr;
  const auto stored = rows.child(peer.child.zone);
  const federation::FollowedChild followed = stored ? stored->value_or(federation::FollowedChild{}) : federation::FollowedChild{};
  const bool is_begun = feed != nullptr && followed.reached_at != UnixTime{};
  Json row = {{"child", peer.child.zone.to_text()},
              {"replica", peer.child.replica},
              {"feed", peer.child.feed.to_text()},
              {"primary", peer.primary},
              {"pushed", peer.child.pushed},
              {"hosted", peer.child.hosted},
              {"serial", feed != nullptr ? Json(feed->serial) : Json(nullptr)},
              {"followed_to", followed.reached ? Json(*followed.reached) : Json(nullptr)},
              {"registered", peer.child.registered},
              {"trust_ceiling", peer.child.trust_ceiling},
              {"agents", followed.agents},
              {"agents_limit", peer.child.agents > 0 ? Json(peer.child.agents) : Json(nullptr)},
              {"tombstones", followed.tombstones},
              {"refused", followed.refused},
              {"conflicts", followed.conflicts},
              {"checks", peer.checks},
              {"last_success", peer.asked ? Json(seconds_of(*peer.asked)) : Json(nullptr)},
              {"lag", is_begun ? Json(lag_of(peer, feed, followed, now)) : Json(nullptr)},
              {"error", peer.error}};
  if (!stored) row["error"] = stored.error().what;
  return row;
}

std::optional<Json> refused_row(const dns::Name& child, const federation::Referrals::Row& row) {
  const federation::Referral& referral = row.referral;
  if (!referral.mark) return std::nullopt;
  return Json{{"agent", row.agent.to_text()},
              {"child", child.to_text()},
              {"rule", referral.mark->rule},
              {"reason", referral.mark->reason},
              {"listed", referral.is_agent() && !referral.is_suspended}};
}

void tell_peers(store::Reader& reader, const Reply& reply, const dns::Name& zone, const std::vector<Peer>& peers, UnixTime now) {
  if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
  Json out = Json::array();
  if (const store::ZoneRecord* home = reader.zone_record(zone)) {
    const auto table = reader.table(home->info, store::ZoneTable::Referrals);
    const federation::Referrals rows(zone, *table);
    for (const Peer& peer : peers) out.push_back(row_of(peer, reader, rows, now));
  }
  reader.release();
  end_with(reply, {{"children", out}});
}

}  // namespace

void peers(Server& server, const Json& request, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy)
    return end(reply, "there is no registry here: the configuration has no `registry`, or its zone is not one of ours");
  const std::string only = argument(request, "namespace");
  std::vector<Peer> peers = peers_of(server);
  if (!only.empty()) {
    const auto name = dns::Name::from_text(only, policy->apex);
    std::erase_if(peers, [&](const Peer& peer) { return !name || peer.child.zone != name->folded(); });
    if (peers.empty()) return end(reply, "namespace '" + only + "': not one of registry.children");
  }
  if (!request.value("refused", false))
    return server.post_export([reply, zone = policy->zone, peers, now = server.clock().now()](store::Reader& reader) {
      tell_peers(reader, reply, zone, peers, now);
    });
  std::vector<dns::Name> children;
  children.reserve(peers.size());
  for (const Peer& peer : peers) children.push_back(peer.child.zone);
  server.post_export([reply, zone = policy->zone, children](store::Reader& reader) {
    tell_referrals(reader, reply, zone, children, "refused", refused_row);
  });
}

}  // namespace steward::daemon

#include "daemon/secondaries.hh"

#include "base/log.hh"

namespace steward::daemon {
namespace {

constexpr size_t most_forwarded = 1'000;
constexpr std::chrono::milliseconds forward_idle{10'000};

}  // namespace

/// One update on its way to the primary and back.
struct Secondaries::Forwarded {
  explicit Forwarded(serve::UpdateRequest given) : request(std::move(given)) {}
  serve::UpdateRequest request;
  std::unique_ptr<net::StreamCall> call;
  std::unique_ptr<auth::TsigVerifier> verifier;
  bool answered = false;
};

void Secondaries::configure(const std::vector<config::ZoneConfig>& zones, const std::set<std::string>& changed) {
  std::map<std::string, const config::ZoneConfig*> wanted;
  for (const config::ZoneConfig& zone : zones)
    if (!zone.primaries.empty()) wanted.emplace(zone.name.to_text(), &zone);
  std::erase_if(zones_, [&](const auto& zone) { return !wanted.contains(zone.first) || changed.contains(zone.first); });
  for (const auto& [name, zone] : wanted) {
    if (zones_.contains(name)) continue;
    auto& secondary = zones_[name];
    secondary = std::make_unique<Secondary>(room_, *zone);
    secondary->start();
  }
}

void Secondaries::tick() {
  for (auto& [name, secondary] : zones_) secondary->tick();
}

Secondary* Secondaries::find(const std::string& zone) {
  const auto at = zones_.find(zone);
  return at != zones_.end() ? at->second.get() : nullptr;
}

void Secondaries::notified(const serve::Notification& notification) {
  Secondary* secondary = find(notification.zone.to_text());
  if (secondary == nullptr) return;
  log::debug("notify.in", {{"zone", notification.zone.to_text()}, {"from", notification.asker.client.to_text()},
                           {"serial", notification.serial ? std::to_string(*notification.serial) : "-"}});
  secondary->notified(notification.asker.client, notification.serial);
}

void Secondaries::forward(serve::UpdateRequest request) {
  const auto now = [this] { return room_.calls.clock().now(); };
  Secondary* secondary = find(request.zone.to_text());
  if (secondary == nullptr || forwarded_.size() >= most_forwarded)
    return request.response.send(dns::Rcode::SERVFAIL, now(), serve::ExtendedError::NotReady);
  const config::Peer& peer = secondary->primary();
  auto under_way = std::make_shared<Forwarded>(std::move(request));
  Bytes message = under_way->request.message;
  // What is signed with SIG(0) is signed for the primary already.
  if (!under_way->request.has_sig0) {
    auto verifier = room_.calls.sign(message, peer);
    if (!verifier) return under_way->request.response.send(dns::Rcode::SERVFAIL, now(), serve::ExtendedError::Other, verifier.error().what);
    under_way->verifier = std::move(*verifier);
  }
  const auto place = forwarded_.insert(forwarded_.end(), under_way);
  net::StreamCall::Callbacks callbacks;
  callbacks.on_message = [under_way, message, now](ByteView reply) {
    const bool believed = net::is_reply_to(message, reply) &&
                          (!under_way->verifier || under_way->verifier->verify(reply, now()) == auth::TsigReply::Good);
    if (believed) {
      under_way->answered = true;
      under_way->request.response.relay(reply, now());
    }
    return false;
  };
  callbacks.on_end = [this, under_way, place, now, zone = under_way->request.zone.to_text()](net::CallEnd, const std::string& why) {
    if (!under_way->answered) {
      log::warning("update.forward", {{"zone", zone}, {"error", why}});
      under_way->request.response.send(dns::Rcode::SERVFAIL, now(), serve::ExtendedError::Other, "the primary did not answer");
    }
    room_.on_main([this, place] {
      (*place)->call.reset();
      forwarded_.erase(place);
    });
  };
  auto call = room_.calls.stream(peer, std::move(callbacks), forward_idle);
  if (!call) {
    under_way->request.response.send(dns::Rcode::SERVFAIL, now(), serve::ExtendedError::Other, call.error().what);
    forwarded_.erase(place);
    return;
  }
  under_way->call = std::move(*call);
  under_way->call->send(message);
}

}  // namespace steward::daemon

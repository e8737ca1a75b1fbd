#include "daemon/secondaries.hh"

#include "base/log.hh"

namespace steward::daemon {
namespace {

constexpr size_t most_forwarded = 1'000;
constexpr std::chrono::milliseconds forward_idle{10'000};

}  // namespace

/// One update on its way to a primary and back. It owns the call, whose callbacks lead back to it.
struct Secondaries::Forwarded {
  Forwarded(serve::UpdateRequest given, std::vector<config::Peer> in_turn) : request(std::move(given)), primaries(std::move(in_turn)) {}
  serve::UpdateRequest request;
  std::vector<config::Peer> primaries;
  size_t tried = 0;
  Bytes message;  // as the primary gets it
  std::unique_ptr<net::StreamCall> call;
  std::unique_ptr<auth::TsigVerifier> verifier;
  bool handed_over = false;  // the primary may have done it
  bool answered = false;

  [[nodiscard]] bool has_another() const { return tried < primaries.size(); }
};

Secondaries::Secondaries(Secondary::Room room) : room_(std::move(room)) {}
Secondaries::~Secondaries() = default;

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
  const Secondary* secondary = find(request.zone.to_text());
  if (secondary == nullptr || forwarded_.size() >= most_forwarded)
    return request.response.send(dns::Rcode::SERVFAIL, room_.calls.clock().now(), serve::ExtendedError::NotReady);
  forwarded_.emplace_back(std::move(request), secondary->primaries_in_turn());
  hand_on(std::prev(forwarded_.end()));
}

// To the next primary that a call can be made to.
void Secondaries::hand_on(Place update) {
  std::string why;
  while (update->has_another()) {
    const config::Peer& primary = update->primaries[update->tried++];
    const auto begun = call(update, primary);
    if (begun) return;
    why = begun.error().what;
    log::warning("update.forward", {{"zone", update->request.zone.to_text()}, {"primary", primary.address.to_text()}, {"error", why}});
  }
  update->request.response.send(dns::Rcode::SERVFAIL, room_.calls.clock().now(), serve::ExtendedError::Other, why.substr(0, 240));
  forwarded_.erase(update);
}

Result<void> Secondaries::call(Place update, const config::Peer& primary) {
  update->message = update->request.message;
  update->verifier.reset();
  // What is signed with SIG(0) is signed for the primary already.
  if (!update->request.has_sig0) {
    auto verifier = room_.calls.sign(update->message, primary);
    if (!verifier) return tl::unexpected<Error>(verifier.error());
    update->verifier = std::move(*verifier);
  }
  net::StreamCall::Callbacks callbacks;
  callbacks.on_connect = [update] { update->handed_over = true; };
  callbacks.on_message = [this, update](ByteView reply) {
    take_reply(update, reply);
    return false;
  };
  callbacks.on_end = [this, update, address = primary.address.to_text()](net::CallEnd, const std::string& why) {
    if (!update->answered)
      log::warning("update.forward", {{"zone", update->request.zone.to_text()}, {"primary", address}, {"error", why}});
    room_.on_main([this, update] { ended(update); });
  };
  auto stream = room_.calls.stream(primary, std::move(callbacks), forward_idle);
  if (!stream) return tl::unexpected<Error>(stream.error());
  update->call = std::move(*stream);
  update->call->send(update->message);
  return {};
}

void Secondaries::take_reply(Place update, ByteView reply) {
  const UnixTime now = room_.calls.clock().now();
  if (!net::is_reply_to(update->message, reply) ||
      (update->verifier && update->verifier->verify(reply, now) != auth::TsigReply::Good))
    return;
  const auto rcode = static_cast<dns::Rcode>(reply[3] & 0x0f);
  if (update->has_another() && (rcode == dns::Rcode::NOTAUTH || rcode == dns::Rcode::NOTIMP)) {
    update->handed_over = false;  // it says that it did nothing: it is no primary of the zone, or takes no updates
    return;
  }
  update->answered = true;
  update->request.response.relay(reply, now);
}

// RFC 2136 §6: the next primary is asked where none has taken the update. Sent twice, it could fail by its own prerequisites.
void Secondaries::ended(Place update) {
  update->call.reset();
  if (!update->answered && !update->handed_over && update->has_another()) return hand_on(update);
  if (!update->answered)
    update->request.response.send(dns::Rcode::SERVFAIL, room_.calls.clock().now(), serve::ExtendedError::Other, "the primary did not answer");
  forwarded_.erase(update);
}

}  // namespace steward::daemon

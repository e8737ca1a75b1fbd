#include "daemon/notifier.hh"

#include <utility>

#include "base/log.hh"
#include "daemon/tell_again.hh"
#include "transfer/notify_message.hh"

namespace steward::daemon {
namespace {

constexpr std::chrono::milliseconds first_interval{1'000};
constexpr std::chrono::milliseconds stream_patience{5'000};
// At a start with thousands of zones; what changes is told at once all the same.
constexpr size_t announced_at_once = 64;

std::string name_of(const config::Peer& peer) { return peer.address.to_text() + (peer.key ? " " + peer.key->to_text() : ""); }

}  // namespace

void Notifier::configure(const std::vector<config::ZoneConfig>& zones) {
  for (auto& [zone, targets] : zones_)
    for (auto& [name, target] : targets) target.wanted = false;
  for (const config::ZoneConfig& zone : zones)
    for (const config::Peer& peer : zone.notify) {
      Target& target = zones_[zone.name.to_text()][name_of(peer)];
      target.peer = peer;
      target.wanted = true;
    }
  for (auto at = zones_.begin(); at != zones_.end();) {
    for (auto& [name, target] : at->second)
      if (!target.wanted) forget(target);
    std::erase_if(at->second, [](const auto& target) { return !target.second.wanted; });
    at = at->second.empty() ? zones_.erase(at) : std::next(at);
  }
}

void Notifier::changed(const dns::Name& zone) {
  const std::string text = zone.to_text();
  const auto at = zones_.find(text);
  if (at == zones_.end()) return;
  for (auto& [name, target] : at->second) {
    if (target.is_under_way()) {
      target.again = true;
      continue;
    }
    target.wait.reset();
    target.failures = 0;
    send(text, name);
  }
}

void Notifier::announce() {
  to_announce_.clear();
  for (const auto& [zone, targets] : zones_)
    for (const auto& [name, target] : targets)
      if (!target.told) to_announce_.emplace_back(zone, name);
  announce_some();
}

void Notifier::announce_some() {
  while (!to_announce_.empty() && announcing_ < announced_at_once) {
    const auto [zone, name] = std::move(to_announce_.front());
    to_announce_.pop_front();
    const auto at = zones_.find(zone);
    if (at == zones_.end()) continue;
    const auto known = at->second.find(name);
    if (known == at->second.end() || known->second.told) continue;
    send(zone, name);
    if (!known->second.is_under_way()) continue;
    known->second.announces = true;
    ++announcing_;
  }
}

// Before its call ends or goes.
void Notifier::forget(Target& target) {
  if (std::exchange(target.announces, false)) --announcing_;
}

Result<Bytes> Notifier::message_for(const std::string& zone, Target& target) {
  const auto apex = dns::Name::from_text(zone);
  if (!apex) return tl::unexpected<Error>(apex.error());
  const auto soa = find_soa_(*apex);
  // Whoever waits for it is told when it is loaded.
  if (!soa) return Bytes{};
  auto message = transfer::build_notify(net::random_message_id(), *apex, soa->rdata, soa->ttl);
  if (!message) return message;
  auto verifier = calls_.sign(*message, target.peer);
  if (!verifier) return tl::unexpected<Error>(verifier.error());
  target.verifier = std::move(*verifier);
  return message;
}

void Notifier::send(const std::string& zone, const std::string& name) {
  Target& target = zones_.at(zone).at(name);
  target.again = false;
  auto message = message_for(zone, target);
  if (message && message->empty()) return;
  if (!message) return log::warning("notify", {{"zone", zone}, {"to", name}, {"error", message.error().what}});
  target.told = true;
  ++(target.failures > 0 ? figures_.repeated : figures_.sent);
  if (target.peer.tls && target.peer.tls->registry) return send_to_registry(zone, name, target, *std::move(message));
  net::DatagramCall::Options options;
  options.peer = target.peer.address;
  options.source = calls_.source_for(target.peer.address);
  options.interval = first_interval;
  net::DatagramCall::Callbacks callbacks;
  callbacks.on_reply = [this, zone, name](ByteView reply) {
    Target* const known = find(zone, name);
    if (known == nullptr || !known->verifier) return true;
    if (known->verifier->verify(reply, calls_.clock().now()) == auth::TsigReply::Good) return true;
    known->verifier->restart();
    return false;
  };
  callbacks.on_end = [this, zone, name](net::DatagramEnd end, const std::string& why) {
    ended(zone, name, end == net::DatagramEnd::Answered, why);
  };
  target.call = net::DatagramCall::start(calls_.loop(), options, std::move(*message), std::move(callbacks));
}

Notifier::Target* Notifier::find(const std::string& zone, const std::string& name) {
  const auto at = zones_.find(zone);
  if (at == zones_.end()) return nullptr;
  const auto known = at->second.find(name);
  return known != at->second.end() ? &known->second : nullptr;
}

void Notifier::send_to_registry(const std::string& zone, const std::string& name, Target& target, Bytes message) {
  const auto rcode = std::make_shared<std::optional<dns::Rcode>>();
  net::StreamCall::Callbacks callbacks;
  callbacks.on_message = [message, rcode](ByteView reply) {
    if (!net::is_reply_to(message, reply)) return true;
    *rcode = static_cast<dns::Rcode>(reply[3] & 0x0f);
    return false;
  };
  callbacks.on_end = [this, zone, name, rcode](net::CallEnd, const std::string& why) {
    const bool answered = *rcode && **rcode == dns::Rcode::NOERROR;
    ended(zone, name, answered, *rcode ? "says " + std::string(to_text(**rcode)) : why);
  };
  auto call = calls_.stream(target.peer, std::move(callbacks), stream_patience);
  if (!call) return failed_at_registry(zone, name, target, call.error().what);
  target.stream = *std::move(call);
  target.stream->send(message);
}

// It may have no certificates yet, or the parent's KEY is not known yet: the same as a message that was lost.
void Notifier::failed_at_registry(const std::string& zone, const std::string& name, Target& target, const std::string& why) {
  const auto wait = wait_to_tell_again(++target.failures);
  if (!wait) {
    target.failures = 0;
    ++figures_.given_up;
    return log::notice("notify", {{"zone", zone}, {"to", name}, {"error", why}, {"given", "up until the next change"}});
  }
  if (target.failures == 1) log::notice("notify", {{"zone", zone}, {"to", name}, {"error", why}, {"again_in", wait->count()}});
  target.wait = std::make_unique<net::Timer>(calls_.loop());
  target.wait->after(*wait, [this, zone, name] {
    if (Target* const known = find(zone, name); known != nullptr && !known->is_under_way()) send(zone, name);
  });
}

void Notifier::ended(const std::string& zone, const std::string& name, bool answered, const std::string& why) {
  Target* const target = find(zone, name);
  if (target == nullptr) return;
  forget(*target);
  target->call.reset();
  target->stream.reset();
  const bool is_to_registry = target->peer.tls && target->peer.tls->registry;
  if (answered) {
    ++figures_.answered;
    target->failures = 0;
    log::debug("notify", {{"zone", zone}, {"to", name}});
  } else if (is_to_registry && !target->again) {
    failed_at_registry(zone, name, *target, why);
  } else {
    ++figures_.given_up;
    log::notice("notify", {{"zone", zone}, {"to", name}, {"error", why}});
  }
  if (target->again) target->failures = 0, send(zone, name);
  announce_some();
}

}  // namespace steward::daemon

#include "daemon/update_desk.hh"

#include <utility>

#include "auth/sig0.hh"
#include "base/log.hh"
#include "crypto/digest.hh"

namespace steward::daemon {
namespace {

constexpr size_t most_waiting = 10'000;
constexpr uint32_t local_verifications = 50'000;  // a second: more than a machine does, so that it slows none of its own

/// Under which of few words a refusal is counted; the whole rule is in the log.
std::string_view rule_of(const change::UpdateOutcome& outcome) {
  static constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"allow-list", "allow-list"}, {"may not publish", "allow-list"}, {"no key", "allow-list"}, {"held by key", "key"}, {"is revoked", "revoked"},
      {"is reserved", "name"}, {"could be taken for", "look-alike"}, {"agents-per-", "quota"}, {"rotation", "rotation"}, {"_keys", "rotation"}, {"custody", "custody"},
      {"modified", "supersede"}, {"version", "supersede"}, {"SIG(0)", "signature"}, {"signature", "signature"}, {"digest", "manifest"},
      {"statement", "statement"}};
  switch (outcome.rcode) {
    case dns::Rcode::YXDOMAIN:
    case dns::Rcode::YXRRSET:
    case dns::Rcode::NXDOMAIN:
    case dns::Rcode::NXRRSET: return "prerequisite";
    case dns::Rcode::SERVFAIL: return "failed";
    default: break;
  }
  for (const auto& [word, rule] : words)
    if (outcome.why && outcome.why->text.find(word) != std::string::npos) return rule;
  return "other";
}

}  // namespace

UpdateDesk::UpdateDesk(std::unique_ptr<store::Reader> reader, const Clock& clock, std::function<void()> wake,
                       std::function<void(serve::UpdateRequest)> forward)
    : gate_(std::move(reader)),
      clock_(clock),
      wake_(std::move(wake)),
      forward_(std::move(forward)),
      budget_({}, crypto::random_siphash_key()),
      local_budget_({.per_second = local_verifications, .per_client_second = local_verifications}, crypto::random_siphash_key()) {}

/// An UPDATE while it is checked.
struct UpdateDesk::Message {
  serve::UpdateRequest& request;
  const UpdateRights& rights;
  const UpdateRights::Zone& zone;
  change::UpdateSender sender;
  std::optional<change::UpdateRequest> parsed;
  std::optional<change::CheckedPublish> publish;
};

void UpdateDesk::set_rights(std::shared_ptr<const UpdateRights> rights) {
  const std::lock_guard lock(mutex_);
  rights_ = std::move(rights);
}

void UpdateDesk::refuse(serve::DeferredResponse& response, dns::Rcode rcode, serve::ExtendedError error, std::string_view text) {
  response.send(rcode, clock_.now(), error, text);
  count(0, 1);
}

auth::VerifyAllowance UpdateDesk::allowance_of(const SocketAddress& client) {
  return {client.is_loopback() ? &local_budget_ : &budget_, client, clock_.monotonic_ns()};
}

// RFC 2931 §3: by a KEY record that stands in a zone of ours. On the worker's thread: the writer has no time for it.
bool UpdateDesk::check_ordinary(Message& message, const auth::Sig0& sig0) {
  serve::UpdateRequest& request = message.request;
  // Who could do nothing with a good signature costs no verification (CVE-2024-1975).
  if (!message.zone.policy.admits(message.sender)) return refuse_stranger(message);
  const std::vector<Bytes> keys = gate_.key_records(sig0.signer);
  const std::vector<ByteView> views(keys.begin(), keys.end());
  const auto status = auth::verify_sig0(request.message, sig0, views, clock_.now(), allowance_of(request.asker.client));
  if (status == auth::Sig0Status::Good) return true;
  log::info("update.sig0", {{"zone", request.zone.to_text()}, {"client", request.asker.client.to_text()},
                            {"signer", sig0.signer.to_text()}, {"why", auth::to_text(status)}});
  refuse(request.response, auth::rcode_of(status), serve::ExtendedError::Prohibited);
  return false;
}

// A host may have a reserved name, and rows of allow-update; who has none and meant to publish an agent is told why he cannot.
bool UpdateDesk::refuse_stranger(Message& message) {
  serve::UpdateRequest& request = message.request;
  const auto& registry = message.rights.registry;
  const auto rule = registry && registry->zone == request.zone ? change::rule_against_name(message.sender, *registry) : std::nullopt;
  if (rule) {
    const auto outcome = change::refused_update(dns::Rcode::REFUSED, change::UpdateEde::Prohibited, *rule);
    tell_publish(message.sender.sig0_signer->folded(), request.asker.client, outcome);
  }
  refuse(request.response, dns::Rcode::REFUSED, serve::ExtendedError::Prohibited, rule.value_or(""));
  return false;
}

bool UpdateDesk::check_publish(Message& message, const auth::Sig0& sig0, const dns::Name& agent) {
  serve::UpdateRequest& request = message.request;
  std::optional<change::UpdateLease> lease;
  if (request.lease) lease = change::UpdateLease{request.lease->lease, request.lease->key_lease};
  auto checked = gate_.check({request.message, sig0, *message.parsed, agent, lease}, *message.rights.registry, clock_.now(),
                             allowance_of(request.asker.client));
  if (checked) {
    message.publish = std::move(*checked);
    return true;
  }
  const change::UpdateOutcome& outcome = checked.error();
  tell_publish(agent, request.asker.client, outcome);
  refuse(request.response, outcome.rcode, static_cast<serve::ExtendedError>(outcome.why->code), outcome.why->text);
  return false;
}

// Who sends it, and whether he has any right. False where it has been refused.
bool UpdateDesk::check_sender(Message& message) {
  serve::UpdateRequest& request = message.request;
  if (!request.has_sig0) {
    if (message.zone.policy.admits(message.sender)) return true;
    refuse(request.response, dns::Rcode::REFUSED, serve::ExtendedError::Prohibited);
    return false;
  }
  const auth::FoundSignature found = auth::find_signature(request.message);
  const auto sig0 = found.kind == auth::SignatureKind::Sig0 ? auth::read_sig0(request.message, found) : std::nullopt;
  if (!sig0) {
    refuse(request.response, dns::Rcode::FORMERR, serve::ExtendedError::Other);
    return false;
  }
  message.sender.sig0_signer = sig0->signer;
  const auto& registry = message.rights.registry;
  const auto agent = registry && registry->zone == request.zone ? change::publisher_of(message.sender, *registry) : std::nullopt;
  if (!agent) return check_ordinary(message, *sig0);
  auto parsed = change::parse_update(request.message);
  if (!parsed) {
    refuse(request.response, parsed.error().rcode, serve::ExtendedError::Other);
    return false;
  }
  message.parsed = std::move(*parsed);
  // A host that a row of allow-update names may have the form of an agent's name.
  if (message.zone.policy.admits(message.sender) && !gate_.is_publish(*message.parsed, *agent, *registry)) return check_ordinary(message, *sig0);
  return check_publish(message, *sig0, *agent);
}

void UpdateDesk::take(serve::UpdateRequest request) {
  std::shared_ptr<const UpdateRights> rights;
  {
    const std::lock_guard lock(mutex_);
    rights = rights_;
    if (waiting_.size() >= most_waiting) {
      ++figures_.overload;
      rights.reset();
    }
  }
  // CVE-2022-3094: a flood of updates must not take all memory.
  if (!rights) return request.response.send(dns::Rcode::SERVFAIL, clock_.now(), serve::ExtendedError::NotReady);
  const auto zone = rights->zones.find(request.zone.to_text());
  if (zone == rights->zones.end()) return refuse(request.response, dns::Rcode::NOTAUTH, serve::ExtendedError::NotAuthoritative);

  Message message{request, *rights, zone->second, {}, {}, {}};
  message.sender.address = request.asker.client;
  message.sender.tsig_key = request.asker.key;
  message.sender.over_tls = request.asker.transport == Transport::Tls;
  if (request.asker.peer) message.sender.peer_names = request.asker.peer->names;
  if (!check_sender(message)) return;
  // RFC 2136 §6: a secondary hands on what it may not change itself.
  if (zone->second.is_secondary) return forward_(std::move(request));
  if (!message.parsed) {
    auto parsed = change::parse_update(request.message);
    if (!parsed) return refuse(request.response, parsed.error().rcode, serve::ExtendedError::Other);
    message.parsed = std::move(*parsed);
  }
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(*message.parsed), std::move(message.sender), std::move(message.publish), std::move(request.response),
                        std::move(rights), clock_.monotonic_ns()});
    wake = !std::exchange(woken_, true);
  }
  if (wake) wake_();
}

void UpdateDesk::tell_publish(const dns::Name& agent, const SocketAddress& client, const change::UpdateOutcome& outcome) {
  {
    const std::lock_guard lock(mutex_);
    recent_.add(clock_.now());
    if (outcome.rcode == dns::Rcode::SERVFAIL) recent_failed_.add(clock_.now());
    if (outcome.done())
      ++figures_.published;
    else
      ++figures_.publishes_refused[std::string(rule_of(outcome))];
  }
  if (!outcome.done())
    log::info("agent.refused", {{"agent", agent.to_text()}, {"client", client.to_text()}, {"outcome", to_text(outcome.rcode)},
                                {"why", outcome.why ? outcome.why->text : "-"}});
}

std::deque<UpdateDesk::Waiting> UpdateDesk::drain() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  return std::exchange(waiting_, {});
}

void UpdateDesk::count(uint64_t done, uint64_t failed) {
  const std::lock_guard lock(mutex_);
  figures_.done += done;
  figures_.failed += failed;
}

UpdateDesk::Figures UpdateDesk::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  figures.waiting = waiting_.size();
  figures.recent = recent_.within_hour(clock_.now());
  figures.recent_failed = recent_failed_.within_hour(clock_.now());
  return figures;
}

}  // namespace steward::daemon

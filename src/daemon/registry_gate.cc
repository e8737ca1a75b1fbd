#include "daemon/registry_gate.hh"

#include <algorithm>

#include "auth/registry_request.hh"
#include "base/log.hh"
#include "crypto/certificate.hh"
#include "crypto/siphash.hh"
#include "federation/identity.hh"

namespace steward::daemon {
Bytes OctetsInMemory::find(ByteView key) {
  const auto at = rows_.find(Bytes(key.begin(), key.end()));
  return at == rows_.end() ? Bytes{} : at->second;
}

bool OctetsInMemory::at_or_after(Bytes& key) {
  const auto at = rows_.lower_bound(key);
  if (at == rows_.end()) return false;
  key = at->first;
  return true;
}

Result<void> OctetsInMemory::put(ByteView key, ByteView octets) {
  if (octets.empty())
    rows_.erase(Bytes(key.begin(), key.end()));
  else
    rows_[Bytes(key.begin(), key.end())] = Bytes(octets.begin(), octets.end());
  return {};
}

namespace {

/// A feed that is sent whole comes in thousands of messages, which only a child can fill this with.
constexpr federation::ReplayLimits replay_limits{.of_signer = 16384};

void tell_refusal(const dns::Name& zone, const SocketAddress& client, std::string_view rule, std::string_view why) {
  log::notice("registry.refused", {{"registry", zone.to_text()}, {"client", client.to_text()}, {"rule", rule}, {"why", why}});
}

}  // namespace

RegistryGate::RegistryGate(const Clock& clock) : clock_(clock), budget_({}, crypto::random_siphash_key()) {}

void RegistryGate::set(std::shared_ptr<const KnownRegistries> known) {
  const std::lock_guard lock(mutex_);
  known_ = std::move(known);
}

RegistryGate::Figures RegistryGate::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

bool RegistryGate::is_child(const dns::Name& zone) const {
  const std::lock_guard lock(mutex_);
  const auto at = known_ ? known_->zones.find(zone.to_text()) : decltype(known_->zones.end()){};
  return known_ && at != known_->zones.end() && at->second.child;
}

// Who the request says it is from: proved later, and by this one alone, so that it costs no more signatures where several may come.
dns::Name RegistryGate::claimed(ByteView message, std::span<const dns::Name> zones) const {
  const auto request = zones.size() > 1 ? auth::read_registry_request(message) : tl::unexpected(auth::RequestVerdict::Unsigned);
  if (!request) return zones.front();
  const std::lock_guard lock(mutex_);
  for (const dns::Name& zone : zones) {
    const auto at = known_ ? known_->zones.find(zone.to_text()) : decltype(known_->zones.end()){};
    if (known_ && at != known_->zones.end() && at->second.signer == request->sig0.signer) return zone;
  }
  return zones.front();
}

std::optional<dns::Name> RegistryGate::identify(ByteView message, const CertificateChain& shown, const SocketAddress& client,
                                                std::span<const dns::Name> zones) {
  const dns::Name zone = claimed(message, zones);
  const auto refusal = check(message, shown, client, zone);
  {
    const std::lock_guard lock(mutex_);
    ++(refusal ? figures_.refused[std::string(refusal->rule)] : figures_.accepted);
  }
  if (refusal) tell_refusal(zone, client, refusal->rule, refusal->reason);
  return refusal ? std::nullopt : std::optional(zone);
}

void RegistryGate::refuse(const dns::Name& zone, const SocketAddress& client, std::string_view rule, std::string_view why) {
  {
    const std::lock_guard lock(mutex_);
    ++figures_.refused[std::string(rule)];
  }
  tell_refusal(zone, client, rule, why);
}

// Cheap rules first; the certificates, then one public-key operation for the request.
std::optional<RegistryGate::Refusal> RegistryGate::check(ByteView message, const CertificateChain& shown, const SocketAddress& client,
                                                         const dns::Name& zone) {
  std::shared_ptr<const KnownRegistries> known;
  {
    const std::lock_guard lock(mutex_);
    known = known_;
  }
  const auto at = known ? known->zones.find(zone.to_text()) : decltype(known->zones.end()){};
  if (!known || at == known->zones.end()) return Refusal{"key", "the registry is not known"};
  const KnownRegistries::Known& who = at->second;
  const auto request = auth::read_registry_request(message);
  if (!request) return Refusal{"request", std::string(auth::to_text(request.error()))};
  const auto facts = shown.empty() ? Result<crypto::CertificateFacts>(fail(Errc::NotFound, "no certificate")) : crypto::read_certificate(shown.front());
  if (!facts) return Refusal{"certificate", facts.error().what};
  if (!who.any_key && std::find(who.spkis.begin(), who.spkis.end(), facts->spki) == who.spkis.end())
    return Refusal{"key", who.signer.to_text() + ": no KEY of the certificate's key: it is revoked, or another"};
  const UnixTime now = clock_.now();
  if (!known->root.empty()) {
    const auto good = crypto::verify_certificates(shown, {.root = known->root, .zone = zone, .spki = facts->spki, .now = now});
    if (!good) return Refusal{"certificate", good.error().what};
  } else if (who.any_key) {
    return Refusal{"certificate", "nothing is there to know it by"};
  }
  const auto key = crypto::PublicKey::from_spki(facts->spki);
  if (!key) return Refusal{"certificate", key.error().what};
  const Bytes rdata = key->dnskey_rdata(federation::identity_key_flags);
  const auth::VerifyAllowance allowance{&budget_, client, clock_.monotonic_ns()};
  const auto verdict = auth::verify_registry_request(message, *request, {who.signer, rdata}, now, allowance);
  if (verdict != auth::RequestVerdict::Good) return Refusal{"request", std::string(auth::to_text(verdict))};
  const std::lock_guard lock(mutex_);
  const auto taken = federation::Replays(taken_, replay_limits).admit(*request, now);
  if (!taken) return Refusal{"replay", taken.error().what};
  if (*taken != federation::ReplayVerdict::Fresh) return Refusal{"replay", std::string(federation::to_text(*taken))};
  return std::nullopt;
}

}  // namespace steward::daemon

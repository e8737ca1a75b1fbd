#pragma once
// Registries that we know, when they come to us over TLS with more than a registration: a transfer of our feed, a NOTIFY of
// theirs, an UPDATE of a feed that they send. Each is known by two things that both have to hold (steward-records(7), "Requests between registries"): its
// certificates, which lead to the root's and are of the key that stands as KEY in its parent's zone, and a SIG(0) of that
// same key over this very request, taken once.
//
// identify() is any worker's; set() the main thread's.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "auth/verify_budget.hh"
#include "base/clock.hh"
#include "federation/replays.hh"
#include "serve/access.hh"

namespace steward::daemon {

/// Octets in memory, for what need not outlive the process.
class OctetsInMemory final : public zone::OctetTable {
 public:
  [[nodiscard]] Bytes find(ByteView key) override;
  [[nodiscard]] bool at_or_after(Bytes& key) override;
  Result<void> put(ByteView key, ByteView octets) override;

 private:
  std::map<Bytes, Bytes> rows_;
};

/// Whom we know; immutable.
struct KnownRegistries {
  struct Known {
    dns::Name signer;          ///< where its KEY stands
    std::vector<Bytes> spkis;  ///< of its KEYs, DER; none: it is revoked, or was not looked up yet
    bool any_key = false;      ///< nobody can tell its KEYs: the certificates have to do
    bool child = false;        ///< of ours
  };
  Bytes root;                          ///< certificate of the root's authority, DER; empty: the KEY has to do
  std::map<std::string, Known> zones;  ///< by zone, as dns::Name::to_text has it
};

class RegistryGate {
 public:
  struct Figures {
    uint64_t accepted = 0;
    std::map<std::string, uint64_t> refused;  ///< by rule: certificate, key, request, replay, form
  };

  explicit RegistryGate(const Clock& clock);

  void set(std::shared_ptr<const KnownRegistries> known);
  /// Whether the zone is that of a child, by its name in lower case.
  [[nodiscard]] bool is_child(const dns::Name& zone) const;
  /// Which of these registries, by their zones (at least one), the request comes from. None: counted by the rule and logged, as the
  /// request of the one that its signer names.
  [[nodiscard]] std::optional<dns::Name> identify(ByteView message, const CertificateChain& shown, const SocketAddress& client,
                                                  std::span<const dns::Name> zones);
  /// One that was identified, and whose request is none all the same: counted and logged likewise. Any thread.
  void refuse(const dns::Name& zone, const SocketAddress& client, std::string_view rule, std::string_view why);
  [[nodiscard]] Figures figures() const;

 private:
  struct Refusal {
    std::string_view rule;
    std::string reason;
  };
  [[nodiscard]] dns::Name claimed(ByteView message, std::span<const dns::Name> zones) const;
  [[nodiscard]] std::optional<Refusal> check(ByteView message, const CertificateChain& shown, const SocketAddress& client,
                                             const dns::Name& zone);
  const Clock& clock_;
  auth::VerifyBudget budget_;
  mutable std::mutex mutex_;
  std::shared_ptr<const KnownRegistries> known_;
  // In memory: what a request that is taken here changes has the SOA before as its prerequisite, and only who holds the key of the TLS certificate could send it again.
  OctetsInMemory taken_;
  Figures figures_;
};

}  // namespace steward::daemon

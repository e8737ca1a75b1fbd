#pragma once
// The parent's door for registries that want to be its children: an UPDATE that is a registration
// (federation/registration.hh) is checked on the worker's thread, the cheap rules first, then judged by the writer in the
// transaction that reserves the name. Nothing of it is ever applied as an update.
//
//   worker: TLS and its certificate, form, SIG(0) by that certificate's key
//   writer: taken once, judged ─► Reserved, Refused: answered after the commit
//                             └─► Pending with a challenge that was given before: the domain is asked, then judged again
//
// take() is any worker's, the rest the writer's or as it says.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "auth/registry_request.hh"
#include "auth/verify_budget.hh"
#include "daemon/own_identity.hh"
#include "daemon/registry_zone.hh"
#include "federation/registration_admit.hh"
#include "serve/operations.hh"

namespace steward::daemon {

/// What the door goes by; immutable, replaced by a reload or a new certificate.
struct RegistrationDoor {
  federation::RegistrationRules rules;
  std::shared_ptr<const OwnIdentity> identity;  ///< null, or without authorities: nobody can be let in yet
};

class RegistrationDesk {
 public:
  struct Room {
    const Clock& clock;
    /// Work for the writer with the registry's zone, or what to say where there is none.
    std::function<bool(std::function<void(RegistryZone&, ZoneKeeper&)>, const std::function<void(const std::string&)>&)> post;
    /// TXT RDATA at a name of the public DNS, as a validating resolver says; none where it says nothing. `then` is
    /// called on any thread.
    std::function<void(const dns::Name&, std::function<void(std::vector<Bytes>)> then)> ask_txt;
    /// A child has the name, or asks for other servers: after the commit, on the writer's thread.
    std::function<void(const federation::Child&)> reserved;
  };
  struct Figures {
    uint64_t reserved = 0;
    uint64_t pending = 0;
    std::map<std::string, uint64_t> refused;  ///< by rule: tls, request, replay, or federation::RegistrationRule's word
  };

  explicit RegistrationDesk(Room room);

  void set_door(std::shared_ptr<const RegistrationDoor> door);
  [[nodiscard]] std::shared_ptr<const RegistrationDoor> door() const;
  /// Whether an UPDATE is a registration with us.
  [[nodiscard]] bool concerns(const serve::UpdateRequest& request) const;
  void take(serve::UpdateRequest request);
  [[nodiscard]] Figures figures() const;

  /// An operator's word on one that waits; `done` after the commit: what came of it. Any thread.
  using Done = std::function<void(const Result<federation::RegistrationDecision>&)>;
  void approve(const dns::Name& zone, const std::string& fingerprint, Done done);

 private:
  struct Asked;
  using AskedPtr = std::shared_ptr<Asked>;
  void refuse(serve::UpdateRequest& request, std::string_view rule, const std::string& reason, dns::Rcode rcode);
  bool check_request(Asked& asked);
  void judge(const AskedPtr& asked, std::vector<Bytes> proofs, bool is_second);
  Result<void> evaluate(Asked& asked, const std::vector<Bytes>& proofs, bool is_second, RegistryZone& registry,
                        change::ZoneEdit& edit, ZoneTables& tables) const;
  void conclude(const AskedPtr& asked, const LoadOutcome& outcome, bool is_second);
  void answer(Asked& asked);
  void count(std::string_view rule);

  const Room room_;
  auth::VerifyBudget budget_;
  mutable std::mutex mutex_;
  std::shared_ptr<const RegistrationDoor> door_;
  Figures figures_;
};

}  // namespace steward::daemon

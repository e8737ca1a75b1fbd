#pragma once
// UPDATEs on their way from the workers to the writer: checked as far as can be on the worker's thread, then gathered, so that all that wait
// together are evaluated, signed and committed together; each is answered after the commit.
//
// take() is any worker's; run() the writer's. Bounded: what is over is told to come again.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "auth/verify_budget.hh"
#include "base/clock.hh"
#include "change/update.hh"
#include "daemon/publish_gate.hh"
#include "daemon/recent_count.hh"
#include "serve/operations.hh"
#include "store/store.hh"

namespace steward::daemon {

/// Who may change what of the zones; immutable, replaced by a reload.
struct UpdateRights {
  struct Zone {
    change::UpdatePolicy policy;
    config::UpdateLimits limits;
    bool is_secondary = false;
  };
  std::map<std::string, Zone> zones;  ///< by the text of the apex, in lower case
  /// Of the registry, whose zone is among the zones then; null where there is none.
  std::shared_ptr<const change::PublishPolicy> registry;
};

class UpdateDesk {
 public:
  struct Waiting {
    change::UpdateRequest request;
    change::UpdateSender sender;
    std::optional<change::CheckedPublish> publish;  ///< it is an agent's
    serve::DeferredResponse response;
    std::shared_ptr<const UpdateRights> rights;
    uint64_t since_ns = 0;
  };
  struct Figures {
    uint64_t waiting = 0;
    uint64_t done = 0;
    uint64_t failed = 0;    ///< a prerequisite, a right, a form
    uint64_t overload = 0;  ///< refused since too many waited
    uint64_t published = 0;
    std::map<std::string, uint64_t> publishes_refused;  ///< by rule
    uint64_t recent = 0;         ///< publishes of the last hour, whatever came of them
    uint64_t recent_failed = 0;  ///< of these, what failed by no fault of the publisher's
  };

  /// `wake` posts run() to the writer. `reader` reads the KEY records that SIG(0) is checked with.
  UpdateDesk(std::unique_ptr<store::Reader> reader, const Clock& clock, std::function<void()> wake,
             std::function<void(serve::UpdateRequest)> forward);

  void set_rights(std::shared_ptr<const UpdateRights> rights);
  /// Any worker.
  void take(serve::UpdateRequest request);
  /// Writer: all that wait, in the order in which they came.
  [[nodiscard]] std::deque<Waiting> drain();
  /// Writer: counts what came of some.
  void count(uint64_t done, uint64_t failed);
  /// Any thread: counts a publish and logs it; `why` null: accepted.
  void tell_publish(const dns::Name& agent, const SocketAddress& client, const change::UpdateOutcome& outcome);
  [[nodiscard]] Figures figures() const;

 private:
  struct Message;
  bool check_sender(Message& message);
  bool check_ordinary(Message& message, const auth::Sig0& sig0);
  bool refuse_stranger(Message& message);
  bool check_publish(Message& message, const auth::Sig0& sig0, const dns::Name& agent);
  [[nodiscard]] auth::VerifyAllowance allowance_of(const SocketAddress& client);
  void refuse(serve::DeferredResponse& response, dns::Rcode rcode, serve::ExtendedError error, std::string_view text = {});

  PublishGate gate_;
  const Clock& clock_;
  std::function<void()> wake_;
  std::function<void(serve::UpdateRequest)> forward_;
  auth::VerifyBudget budget_;
  auth::VerifyBudget local_budget_;  // of this machine itself: an import, a publisher beside the server
  mutable std::mutex mutex_;
  std::shared_ptr<const UpdateRights> rights_;
  std::deque<Waiting> waiting_;
  bool woken_ = false;
  Figures figures_;
  RecentCount recent_;
  RecentCount recent_failed_;
};

}  // namespace steward::daemon

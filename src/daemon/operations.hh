#pragma once
// What requests ask of the server beyond an answer: word of changes to the secondaries, updates to their desk, transfers to the log. The
// workers call it.

#include <functional>

#include "daemon/feed_desk.hh"
#include "daemon/registration_desk.hh"
#include "daemon/registry_gate.hh"
#include "daemon/update_desk.hh"
#include "serve/operations.hh"

namespace steward::daemon {

class ServerOperations final : public serve::Operations {
 public:
  /// `registrations` may be null.
  ServerOperations(UpdateDesk& updates, RegistrationDesk* registrations, FeedDesk& feeds, RegistryGate& gate,
                   std::function<void(serve::Notification)> notified, std::function<void(const dns::Name&)> child_notified)
      : updates_(updates),
        registrations_(registrations),
        feeds_(feeds),
        gate_(gate),
        notified_(std::move(notified)),
        child_notified_(std::move(child_notified)) {}

  void notified(const serve::Notification& notification) override { notified_(notification); }
  void update(serve::UpdateRequest request) override;
  void transfer_began(const serve::TransferReport& report) override;
  void transfer_ended(const serve::TransferReport& report) override;
  bool child_notified(const dns::Name& child) override {
    if (!gate_.is_child(child)) return false;
    child_notified_(child);
    return true;
  }
  std::optional<dns::Name> registry_of(ByteView message, std::span<const dns::Name> zones, const CertificateChain& shown,
                                       const SocketAddress& client) override {
    return gate_.identify(message, shown, client, zones);
  }

 private:
  UpdateDesk& updates_;
  RegistrationDesk* registrations_;
  FeedDesk& feeds_;
  RegistryGate& gate_;
  std::function<void(serve::Notification)> notified_;
  std::function<void(const dns::Name&)> child_notified_;
};

}  // namespace steward::daemon

#pragma once
// A publish on the worker's thread: whether its signer has any right, then its signatures (change/publish.hh,
// check_publish), before it is queued for the writer, who decides by what is held then.
//
// The order keeps a stranger cheap (CVE-2024-1975): the name's keys and the allow-list are looked at first, and who
// stands in neither makes us verify nothing. Any thread.

#include <memory>
#include <mutex>

#include "auth/sig0.hh"
#include "change/publish.hh"
#include "store/store.hh"

namespace steward::daemon {

/// A message that claims to be a publish.
struct OfferedPublish {
  ByteView message;  ///< with its SIG(0)
  const auth::Sig0& sig0;
  const change::UpdateRequest& request;  ///< the same, parsed
  dns::Name agent;                       ///< the signer
  std::optional<change::UpdateLease> lease;
};

class PublishGate {
 public:
  explicit PublishGate(std::unique_ptr<store::Reader> reader) : reader_(std::move(reader)) {}

  /// RDATA of the KEY records at a name of any zone of ours.
  [[nodiscard]] std::vector<Bytes> key_records(const dns::Name& owner);
  /// Whether the message is a publish of `agent`: the name has been published, or the message brings a publisher's
  /// statement for it.
  [[nodiscard]] bool is_publish(const change::UpdateRequest& request, const dns::Name& agent,
                                const change::PublishPolicy& policy);
  /// Checked, or refused with the rule.
  [[nodiscard]] tl::expected<change::CheckedPublish, change::UpdateOutcome> check(
      const OfferedPublish& offered, const change::PublishPolicy& policy, UnixTime now,
      const auth::VerifyAllowance& allowance);

 private:
  struct Held;
  [[nodiscard]] std::vector<Bytes> keys_at(const dns::Name& owner) const;
  Held look_up(const dns::Name& agent, const std::vector<std::string>& fingerprints,
               const change::PublishPolicy& policy);

  std::mutex mutex_;
  std::unique_ptr<store::Reader> reader_;
};

}  // namespace steward::daemon

#pragma once
// What a publisher's wish comes to, given what stands: whose key signs what, and the UPDATE. Pure functions: no I/O, no
// clock, any thread.

#include <string>
#include <vector>

#include "agent/manifest.hh"
#include "client/publish_message.hh"
#include "client/standing.hh"
#include "crypto/key_file.hh"

namespace steward::client {

struct PublishWish {
  dns::Name agent;  ///< fully qualified
  UnixTime now{};
  std::optional<Lease> lease;
};

/// A publish, ready to be signed and sent.
struct PublishPlan {
  std::string_view action;  ///< as in steward/publish.hh
  PublishUpdate update;
  agent::Statement statement;        ///< that it makes
  crypto::StoredKey signer;          ///< of the message
  std::string previous_fingerprint;  ///< where it changes
};

/// With a lease, what stands already is renewed. Keys: the one to publish with first, then those that may stand at the
/// name. Refused, with what to do, where none of them may sign, or the manifest does not supersede what stands.
Result<PublishPlan> plan_publish(const agent::Manifest& manifest, const PublishWish& wish, const Standing& standing,
                                 std::span<const crypto::StoredKey> keys);
/// The first key in the place of the one that stands.
Result<PublishPlan> plan_rotation(const PublishWish& wish, const Standing& standing,
                                  std::span<const crypto::StoredKey> keys);

/// Another status: what stands is signed again with the key that stands there.
struct StatusWish {
  agent::AgentStatus status{};
  std::string successor;  ///< of deprecated and revoked: a full name
  std::string reason;     ///< of revoked
};
Result<PublishPlan> plan_status(const StatusWish& status, const PublishWish& wish, const Standing& standing,
                                std::span<const crypto::StoredKey> keys);

}  // namespace steward::client

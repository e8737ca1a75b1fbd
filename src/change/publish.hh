#pragma once
// Publishing: an UPDATE that is an agent's (steward-records(7), "A publish"), checked and applied.
//
// Two steps. check_publish() looks at the message alone and does all that costs: the statement's signature, its rotation, digests; any thread,
// before it is queued. admit_publish() decides by what is held (compare-and-swap, the name's keys, supersede, look-alikes, quotas) and changes the
// zone, the book and the listings; the writer. A refusal carries an EDE text that says the rule, and leaves nothing.

#include <functional>
#include <memory>
#include <optional>

#include "agent/book.hh"
#include "agent/look_alikes.hh"
#include "agent/publication.hh"
#include "agent/rotation.hh"
#include "agent/trust.hh"
#include "change/edit.hh"
#include "change/update.hh"

namespace steward::change {

/// EDNS Update Lease (RFC 9664), seconds; key_lease 0: the short form.
struct UpdateLease {
  uint32_t lease = 0;
  uint32_t key_lease = 0;
};

/// What the configuration says of the registry; constant, any thread.
struct PublishPolicy {
  dns::Name zone;                        ///< the registry's, folded
  dns::Name apex;                        ///< of all registries
  std::string registry_id;               ///< "com.acme-corp"
  std::string replica;                   ///< id in vector clocks
  std::vector<dns::Name> namespaces;     ///< full names that are hosted beside the zone's own; where the first label is `*` it stands for any that a namespace may have
  std::vector<agent::Publisher> publishers;  ///< of the configuration
  bool open = false;                     ///< any key may publish a new name
  bool look_alikes = true;               ///< refuse them
  uint32_t agents_per_key = 0;           ///< 0: no limit
  uint32_t agents_per_namespace = 0;
  Seconds clock_skew{300};
  Seconds min_lease{30};
  Seconds max_lease{7 * 24 * 3600};
  Seconds max_key_lease{365 * 24 * 3600};
  uint32_t history_records = 0;          ///< `_rN._log.<agent>` kept
  agent::TrustPolicy trust;
  Seconds trust_interval{24 * 3600};  ///< in which each agent's trust is looked at for what time made of it; 0: never

  /// The namespace, folded, that an agent of this name stands in: its parent, where that is hosted.
  [[nodiscard]] std::optional<dns::Name> namespace_of(NameView agent) const;
};

/// Whose UPDATE is this: the agent's name where the SIG(0) signer is a name that can be an agent's in a namespace of the zone. Others are ordinary.
std::optional<dns::Name> publisher_of(const UpdateSender& sender, const PublishPolicy& policy);

/// Why a sender whose UPDATE is ordinary could not publish under its name: a label that is reserved. Nothing for all others.
std::optional<std::string> rule_against_name(const UpdateSender& sender, const PublishPolicy& policy);

/// What check_publish() found.
struct CheckedPublish {
  dns::Name agent;
  agent::Statement statement;
  std::string signer;                       ///< fingerprint of the key that signed the message
  std::optional<agent::Rotation> rotation;  ///< new in this message, both signatures good; of a claim: without the custodial one
  std::optional<UpdateLease> lease;
  std::vector<std::pair<std::string, double>> claims;  ///< what `_manifest` in this message says of its agent's quality
};

/// `message_key`: RDATA of the KEY that the SIG(0) was verified with. `stored_keys`: KEY RDATA that stand at the agent's name.
tl::expected<CheckedPublish, UpdateOutcome> check_publish(const UpdateRequest& request, const dns::Name& agent, ByteView message_key,
                                                          const std::vector<Bytes>& stored_keys, std::optional<UpdateLease> lease,
                                                          const PublishPolicy& policy, UnixTime now);

/// Tables and indexes of the registry's zone, inside the transaction of `edit`. All of it is taken back with the edit's savepoint.
struct RegistryState {
  agent::Book& book;
  zone::OctetTable& ranks;
  zone::OctetTable& pages;
  /// The look-alikes of a namespace.
  std::function<agent::LookAlikes&(const dns::Name& space)> look_alikes;
  /// How many agents that are not Gone a key has in this zone, and a namespace.
  std::function<uint32_t(std::string_view fingerprint)> agents_of_key;
  std::function<uint32_t(const dns::Name& space)> agents_of_namespace;
  /// Signs with the registry's custodial key: claims, imports. Null where it has none.
  std::shared_ptr<const crypto::KeyPair> custody;
};

/// What the daemon's counters and look-alikes learn: at once, so that the next publish of the same transaction is judged by it; where the
/// transaction then fails, it is to be taken back.
struct PublishEffect {
  dns::Name agent;
  std::string key_before;   ///< fingerprint; empty: the name was not there
  std::string key_after;    ///< empty: gone
  std::optional<UnixTime> lease_until;
};

struct PublishOutcome {
  UpdateOutcome update;
  std::optional<UpdateLease> granted;  ///< for the response's option
  std::optional<PublishEffect> effect;
};

PublishOutcome admit_publish(const UpdateRequest& request, const CheckedPublish& checked, const PublishPolicy& policy, const config::UpdateLimits& limits,
                             ZoneEdit& edit, RegistryState& state, UnixTime now);

// The registry's own acts; the same savepoint rules. Refused with the reason where the agent is not what the act needs.
/// Takedown and its end: the registry's statement says `suspended`, listings go.
Result<PublishEffect> suspend_agent(const dns::Name& agent, std::optional<std::string> reason, const PublishPolicy& policy, ZoneEdit& edit,
                                    RegistryState& state, UnixTime now);
/// A lease that ran out: nothing is served any more, the name stays reserved.
Result<PublishEffect> expire_agent(const dns::Name& agent, const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state, UnixTime now);
/// An imported agent in the registry's custody: `records` of make_publication() with the custodial key. Again: an update, if it supersedes.
Result<PublishEffect> import_agent(const dns::Name& agent, std::span<const agent::PublishedRecord> records, const agent::AgentEntry& facts,
                                   const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state, UnixTime now);
/// Facts for trust were attested, or time went by: the registry's statement anew.
Result<void> restate_trust(const dns::Name& agent, const std::map<std::string, agent::TrustFact>& facts, const PublishPolicy& policy, ZoneEdit& edit,
                           RegistryState& state, UnixTime now);
/// An agent that stands in the zone file, or no longer: the registry's statement and the sum of its trust, where the file has none. `entry`: as the
/// book is to have it, whose trust is set; `before`: as it has it.
void state_learned(const dns::Name& agent, agent::AgentEntry& entry, const std::optional<agent::AgentEntry>& before, const PublishPolicy& policy,
                   ZoneEdit& edit, RegistryState& state, UnixTime now);

}  // namespace steward::change

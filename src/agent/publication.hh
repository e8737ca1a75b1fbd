#pragma once
// A publication: the records of one publish, made from a manifest and signed by the publisher's key (or by the
// registry's custodial key). The client sends them as one UPDATE; an import writes them as they are.
//
// Pure functions: no I/O, no clock, any thread.

#include <optional>
#include <string>
#include <vector>

#include "agent/manifest.hh"
#include "agent/rotation.hh"
#include "agent/statement.hh"
#include "crypto/key_pair.hh"

namespace steward::agent {

constexpr uint32_t agent_ttl = 300;  ///< seconds, of an agent's records where no lease asks for less

/// Longest manifest that is stored at `_manifest`, in octets.
constexpr size_t max_stored_manifest = size_t{32} << 10;

struct PublishOptions {
  dns::Name agent;  ///< fully qualified
  UnixTime modified{};
  AgentStatus status = AgentStatus::Active;
  std::string successor;     ///< of deprecated and revoked: the agent's name
  std::string reason;        ///< of revoked
  std::string custody;       ///< id of the registry whose key signs for a publisher without one; empty: none
  std::string manifest_url;  ///< instead of `_manifest`, whose records are then not made
  std::string version;  ///< restate(): instead of the present one, which a change of the key alone does not supersede;
                        ///< empty: as it stands
  uint32_t ttl = agent_ttl;
};

struct PublishedRecord {
  dns::Name owner;
  dns::RrType type{};
  uint32_t ttl = 0;
  Bytes rdata;  ///< uncompressed
};

/// The statement TXT, KEY, SRV, SVCB and `_manifest` TXT of an agent; no SRV and SVCB where no network endpoint serves
/// it. The agent's first label is the manifest's name. Deprecated where the options or the manifest say so. Invalid
/// names what does not fit (the name, a value, the manifest's size) and the rule.
Result<std::vector<PublishedRecord>> make_publication(const Manifest& manifest, const PublishOptions& options,
                                                      const crypto::KeyPair& key);

/// The signed tombstone of a withdrawal or revocation: statement, KEY, `SVCB 0 .` and `SRV 0 0 0 .`, of the statement
/// as it was read: its version and description stay, its capabilities and its manifest go.
Result<std::vector<PublishedRecord>> make_tombstone(const Statement& present, const PublishOptions& options,
                                                    const crypto::KeyPair& key);

/// The same statement signed with another key (a rotation), or with another status (deprecated): `endpoints` as they
/// stand, which must be those of its `ep`. status, succ, reason and custody are the options'; all else is kept, and
/// `_manifest` stays as it is.
Result<std::vector<PublishedRecord>> restate(const Statement& present, std::span<const Endpoint> endpoints,
                                             const PublishOptions& options, const crypto::KeyPair& key);

}  // namespace steward::agent

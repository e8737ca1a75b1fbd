#pragma once
// The proofs of an agent, step by step, from records that DNSSEC has been applied to. No network.

#include <functional>

#include "client/agent_records.hh"
#include "steward/verification.hh"

namespace steward::client {

struct ProofContext {
  dns::Name apex;
  std::string chain;       ///< what DNSSEC came to, in words
  std::string known;       ///< the fingerprint that the key must follow from; empty: none is known
  std::string known_from;  ///< "as given", "as seen before"
};

/// dnssec, statement, endpoints, manifest, key, status, registry: up to the first that fails.
Verification check_proofs(const AgentRecords& records, const ProofContext& context);

}  // namespace steward::client

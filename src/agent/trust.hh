#pragma once
// Trust: the number from 0 to 1 that a registry states about an agent, and how it comes about. A policy of weights over facts; a publisher sets
// none of it. Pure; any thread.

#include <string>
#include <vector>

#include "agent/book.hh"

namespace steward::agent {

struct TrustPolicy {
  // STEWARD's weights; they are brought to a sum of 1.
  double tests = 0.30;
  double success = 0.25;
  double uptime = 0.20;
  double endorsements = 0.15;
  double attestation = 0.10;
  double claimed_cap = 0.5;        ///< most that a fact counts which only the manifest claims
  double custody_cap = 0.3;        ///< most for an agent in the registry's custody
  double new_factor = 0.8;         ///< of an agent that is new, growing to 1 over new_days
  uint32_t new_days = 30;
  double look_alike_factor = 0.5;
  double unknown = 0.0;            ///< value of a fact that nobody states
  uint32_t attestation_days = 90;  ///< over which an attestation's freshness falls to 0; 0: it stays
};

/// One row of the sum, for `steward trust`.
struct TrustTerm {
  std::string name;    ///< "tests", … or "new agent", "look-alike", "custody"
  double weight = 0;   ///< or the factor, or the cap
  double value = 0;
  double result = 0;   ///< what it adds; for factors and caps: the sum after it
  std::string note;    ///< "claimed by the manifest, capped at 0.50"
};

struct TrustSum {
  double trust = 0;    ///< two decimals
  std::vector<TrustTerm> terms;
};

TrustSum trust_of(const AgentEntry& entry, const TrustPolicy& policy, UnixTime now);

/// Whether what was last published is another number than trust_of() would come to now: by age, by freshness or by another policy. Never of one that
/// is not Live.
bool is_trust_outdated(const AgentEntry& entry, const TrustPolicy& policy, UnixTime now);

/// "0.94"
std::string trust_text(double trust);

/// TXT RDATA at `_registry.<agent>`: the registry's statement (`v=steward-registry1`).
Bytes registry_statement(std::string_view registry_id, const AgentEntry& entry);
/// TXT RDATA at `_trust.<agent>`: the sum, `v=steward-trust1`, a string a term; what `steward trust` shows.
Bytes trust_record(const TrustSum& sum);
Result<TrustSum> trust_from_record(ByteView txt_rdata);

}  // namespace steward::agent

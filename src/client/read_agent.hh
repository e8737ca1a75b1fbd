#pragma once
// From an agent's records to what they say: signatures checked, nothing taken that its publisher or its registry did
// not say. Pure functions: no network, no clock.

#include <vector>

#include "agent/rotation.hh"
#include "agent/statement.hh"
#include "base/result.hh"
#include "client/agent_records.hh"
#include "steward/agent.hh"

namespace steward::client {

/// The publisher's statement, its signature checked with KEY. NotFound where there is none, Corrupt where there is more
/// than one, or it does not hold.
Result<agent::Statement> read_statement(const AgentRecords& records);

/// Corrupt where the SRV and SVCB rows are not those that the publisher signed.
Result<void> check_endpoints(const agent::Statement& statement, const AgentRecords& records);

/// In the order in which they are to be tried: SVCB by priority, or SRV (RFC 2782) where there is no SVCB. Rows that
/// cannot be used are left out: aliases, unknown mandatory keys (RFC 9460 §8), targets that are no host names.
std::vector<Endpoint> read_endpoints(const AgentRecords& records);

/// All `_keys` records, in order of their numbers. Corrupt where one is malformed or a signature of it that can be
/// checked does not hold.
Result<std::vector<agent::Rotation>> read_rotations(const AgentRecords& records);

/// Nothing where there is none; Corrupt where it is malformed.
Result<std::optional<RegistryStatement>> read_registry_statement(const AgentRecords& records);

/// All of it. `apex` splits the name into label and namespace.
Result<Agent> read_agent(const AgentRecords& records, dns::NameView apex);

}  // namespace steward::client

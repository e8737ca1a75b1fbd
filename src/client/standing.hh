#pragma once
// What stands of an agent at its registry before a publish: read from the registry itself, not from a cache.

#include <vector>

#include "agent/rotation.hh"
#include "agent/statement.hh"
#include "client/registry_call.hh"
#include "dns/message.hh"
#include "steward/outcome.hh"

namespace steward::client {

struct StandingRow {
  dns::RrType type{};
  Bytes rdata;
};

struct Standing {
  dns::Name zone;                             ///< the registry's, of its SOA
  std::vector<Bytes> texts;                   ///< RDATA of TXT at the name
  std::optional<agent::Statement> statement;  ///< its signature checked
  std::vector<Bytes> keys;                    ///< RDATA of KEY
  std::vector<StandingRow> rows;              ///< SRV and SVCB
  std::vector<Bytes> manifest;                ///< RDATA of TXT at `_manifest`
  std::vector<agent::Rotation> rotations;

  [[nodiscard]] std::vector<agent::Endpoint> endpoints() const;
  /// The n of the rotation that comes next.
  [[nodiscard]] uint32_t next_rotation() const;
};

/// Asks for all of it at once. Refused where the registry does not answer for the name; Untrusted where what stands
/// there is no statement signed by its own key.
Outcome<Standing> read_standing(RegistryCall& call, const dns::Name& agent);
/// RDATA of the TXT at the name alone: whether a publish went through whose answer was lost.
Outcome<std::vector<Bytes>> read_texts(RegistryCall& call, const dns::Name& agent);
/// Whether there is a name, or one below it.
Outcome<bool> is_there(RegistryCall& call, const dns::Name& name);

}  // namespace steward::client

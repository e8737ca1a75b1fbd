#pragma once
// The records of one agent, as a lookup or a bundle gives them: octets, not yet judged. Values.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/resolver.hh"
#include "dns/name.hh"
#include "steward/agent.hh"

namespace steward::client {

struct AgentRecords {
  dns::Name agent;                         ///< fully qualified, folded
  Security security = Security::Insecure;  ///< the worst of all answers
  std::string security_note;
  bool exists = false;       ///< false: no TXT at its name
  std::vector<Bytes> texts;  ///< TXT at its name
  std::vector<Bytes> keys;   ///< KEY
  std::vector<Bytes> srv;
  std::vector<Bytes> svcb;
  std::vector<Bytes> registry;                 ///< TXT at `_registry`
  std::vector<Bytes> rotations;                ///< TXT at `_keys`
  std::optional<std::vector<Bytes>> manifest;  ///< TXT at `_manifest`; nothing where it was not asked for
};

enum class WithManifest : uint8_t { No, Yes };

/// What is asked, all at once, about an agent; Invalid where its name leaves no room.
Result<std::vector<Question>> agent_questions(dns::NameView agent, WithManifest manifest);

/// The answers to agent_questions(), sorted by what they are.
AgentRecords records_of(dns::NameView agent, std::span<const Answer> answers);

/// Puts the RDATA of one RRset where it belongs; false where it is none of an agent's.
bool take_rrset(AgentRecords& records, dns::NameView owner, dns::RrType type, std::vector<Bytes> rdatas);

}  // namespace steward::client

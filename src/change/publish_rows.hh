#pragma once
// The records of an agent as rules see them, and refusals. Of what publishes (change/publish.hh), and of the feed.

#include <fmt/format.h>

#include <vector>

#include "agent/book.hh"
#include "agent/statement.hh"
#include "change/edit.hh"
#include "change/listing.hh"
#include "change/update_request.hh"

namespace steward::change {

/// Longest TTL of an agent's records, in seconds.
constexpr uint32_t max_agent_ttl = 3600;

/// Offset of the target in RDATA of an SRV record: PRIORITY, WEIGHT and PORT stand before it (RFC 2782).
constexpr size_t srv_target = 6;

/// Of the records at the agent's name: TXT, KEY, SRV and SVCB are the publisher's.
constexpr bool is_publishers_type(RrType type) {
  return type == RrType::TXT || type == RrType::KEY || type == RrType::SRV || type == RrType::SVCB;
}

/// The names at which an agent's records stand, folded. The agent's has at most 180 octets, so that these always fit.
struct AgentNames {
  explicit AgentNames(NameView agent);

  dns::Name agent;
  dns::Name manifest;  ///< `_manifest.<agent>`
  dns::Name keys;      ///< `_keys.<agent>`
  dns::Name registry;  ///< `_registry.<agent>`
  dns::Name trust;     ///< `_trust.<agent>`
  /// `_r<number>._log.<agent>`
  [[nodiscard]] dns::Name log(uint32_t number) const;
};

/// What a publisher says: RDATA in canonical order.
struct AgentRows {
  std::vector<Bytes> txt;
  std::vector<Bytes> key;
  std::vector<Bytes> srv;
  std::vector<Bytes> svcb;
  std::vector<Bytes> manifest;
  std::vector<Bytes> rotations;
  uint32_t ttl = 0;  ///< of the statement's RRset; 0 where there is none

  [[nodiscard]] bool same_records(const AgentRows& other) const;
  [[nodiscard]] std::vector<agent::Endpoint> endpoints() const;
  [[nodiscard]] bool is_empty() const;
};

AgentRows read_rows(ZoneEdit& edit, const AgentNames& names);

/// "a2a", "mcp": `bap` (key65402) of the SVCB rows in ServiceMode, else the first id of `alpn`, where it is one that we
/// know; each once.
std::vector<std::string> protocols_of(const AgentRows& rows);

/// What is listed of an agent whose entry and rows these are; nothing unless it is live and not suspended.
std::optional<ListedAgent> listed_agent(const AgentNames& names, const agent::AgentEntry& entry, const AgentRows& rows);

/// Brings the TTLs of what a publisher says down to `most`; whether any was above.
bool cap_ttls(ZoneEdit& edit, const AgentNames& names, uint32_t most);

/// One line of ASCII: what an EDE option and a log line may hold, whatever came from the wire.
std::string one_line(std::string_view text);

/// The same outcome, its text as one_line().
UpdateOutcome in_one_line(UpdateOutcome outcome);

/// REFUSED with the rule.
UpdateOutcome refuse(std::string_view rule);
/// REFUSED where a rule said so, SERVFAIL where our own tables failed.
UpdateOutcome refuse(const Error& error);

}  // namespace steward::change

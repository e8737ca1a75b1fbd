#pragma once
// The book: what a registry keeps of each agent beside its records, some of it for ever (steward-records(7), "What is kept").
//
// It stands in tables of the registry's zone (zone/octet_table.hh) and is written in the transaction that changes the records. Entries are
// values; Book is a thin, typed view over the tables. Writer thread, except where a reader hands in octets of its own snapshot.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/statement.hh"
#include "agent/write_stamp.hh"
#include "zone/octet_table.hh"

namespace steward::agent {

enum class Presence : uint8_t {
  Live,       ///< its statement is served; also deprecated
  Tombstone,  ///< withdrawn or revoked: the signed statement is served, without endpoints
  Gone,       ///< lease expired, or the tombstone collected: nothing is served, the name stays reserved
};

/// A fact that counts for trust, from 0 to 1: who says so, and when.
struct TrustFact {
  double value = 0;
  bool claimed = false;  ///< by the manifest alone, not attested to the registry
  UnixTime at{};
};

struct AgentEntry {
  // For ever.
  std::string version;               ///< the highest that was accepted
  UnixTime modified{};               ///< the last that was accepted
  std::string fingerprint;           ///< the last key that signed
  std::vector<std::string> revoked;  ///< fingerprints that never sign for this name again
  uint32_t rotations = 0;            ///< n of the last `_keys` record
  UnixTime first_published{};
  // Now.
  Presence presence = Presence::Live;
  AgentStatus status = AgentStatus::Active;
  bool custodial = false;            ///< signed by the registry's own key, until its owner claims it
  std::optional<std::string> suspended;  ///< by the registry: why
  std::optional<UnixTime> lease_until;
  std::optional<UnixTime> key_lease_until;
  std::vector<std::string> capabilities;
  std::vector<std::string> protocols;    ///< "a2a", "mcp"; as listed for DNS-SD and `_index._agents`
  std::map<std::string, TrustFact> facts;  ///< "tests", "success", "uptime", "endorsements", "attestation"
  double trust = 0;                  ///< as last published in the registry's statement
  bool from_file = false;            ///< as the zone file has it, not by a publish
  bool looks_alike = false;          ///< a look-alike that the operator let in
  uint32_t history = 0;              ///< entries in the log
  Bytes history_head;                ///< SHA-256 of the last one
  WriteStamp write;
  // Signed statements by which keys of the name were revoked before the present one, and those keys: where its chain of keys begins anew.
  std::vector<Bytes> revocations;        ///< TXT RDATA
  std::vector<Bytes> revoked_keys;       ///< KEY RDATA: of them, and of the rotations that led to them
  // Of a name that is Gone: what it needs to come back, since nothing of it is served.
  std::vector<Bytes> kept_rotations;     ///< `_keys` TXT RDATA
  std::vector<Bytes> kept_keys;          ///< KEY RDATA that they are checked with

  [[nodiscard]] Bytes to_octets() const;
  /// Corrupt where it is none. Fields that are not known are left out.
  static Result<AgentEntry> from_octets(ByteView octets);
};

/// One change of an agent, linked by hash to the one before: its octets are TXT RDATA (`v=steward-log1`), which hold the hash of the entry
/// before, and are served as `_rN._log.<agent>` where the configuration asks for it; the hash is the SHA-256 over them.
struct HistoryEntry {
  uint32_t number = 0;  ///< from 1
  UnixTime at{};
  std::string action;   ///< "publish", "update", "rotate", "claim", "withdraw", "revoke", "suspend", "restore", "expire", "import", "lease"
  std::string by;       ///< fingerprint of the key, or "registry"
  std::string version;
  std::string digest;   ///< "sha256:…" of the statement's TXT RDATA; empty where there is none
  std::string reason;
  Bytes previous;       ///< 32 octets; empty for the first

  [[nodiscard]] Bytes to_octets() const;
  static Result<HistoryEntry> from_octets(ByteView octets);
  [[nodiscard]] Bytes hash() const;
};

/// Which keys may publish a name for the first time. Rows come from the configuration and from `publisher allow`.
struct Publisher {
  dns::Name space;          ///< the namespace's full name, folded
  std::string fingerprint;  ///< "sha256:…"
  std::string note;
  UnixTime since{};
};

class Book {
 public:
  /// Tables of the registry's zone; `apex` is the zone's.
  Book(dns::Name apex, zone::OctetTable& agents, zone::OctetTable& history, zone::OctetTable& publishers)
      : apex_(std::move(apex)), agents_(agents), history_(history), publishers_(publishers) {}

  [[nodiscard]] Result<std::optional<AgentEntry>> find(NameView agent) const;
  Result<void> put(NameView agent, const AgentEntry& entry);
  /// Numbers it, links it and updates `entry`, which the caller then puts.
  Result<void> append_history(NameView agent, AgentEntry& entry, HistoryEntry what);
  [[nodiscard]] Result<std::vector<HistoryEntry>> history(NameView agent) const;
  /// Agents in canonical order from `after` on (empty: the first), at most `most`; the last name is where to go on.
  [[nodiscard]] Result<std::vector<std::pair<dns::Name, AgentEntry>>> agents(std::optional<dns::Name> after, size_t most) const;

  [[nodiscard]] bool is_allowed(NameView space, std::string_view fingerprint) const;
  [[nodiscard]] std::vector<Publisher> publishers() const;
  Result<void> allow(const Publisher& publisher);
  /// False where it was not there.
  Result<bool> disallow(NameView space, std::string_view fingerprint);

 private:
  dns::Name apex_;
  zone::OctetTable& agents_;
  zone::OctetTable& history_;
  zone::OctetTable& publishers_;
};

}  // namespace steward::agent

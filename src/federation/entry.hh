#pragma once
// One write of an agent as a feed carries it, and the records that say it (steward-records(7), "The feed").
//
// A feed holds, for each name, every write that no other dominates (federation/merge.hh): the winner at
// `<agent relative to Z>.<replica>._feed.Z`, each other one below it at `_w<id>`. Values, no I/O, no clock; any thread.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/book.hh"
#include "agent/publication.hh"
#include "agent/statement.hh"

namespace steward::federation {

using agent::PublishedRecord;
using dns::NameView;

/// Bounds of what is taken from others. A statement is no longer than the one that a registry admits.
constexpr size_t max_statement = 8192;  ///< octets of RDATA
constexpr size_t max_rrset = 60000;     ///< octets of RDATA: a message has to carry it
constexpr size_t max_keys = 128;        ///< KEY records, and as many rotations
constexpr size_t max_endpoints = 64;    ///< SRV and SVCB records together
constexpr size_t max_revocations = 16;
constexpr size_t max_lost = 16;
constexpr size_t max_registry_id = 253;  ///< octets
constexpr size_t max_writes = 64;        ///< of one name that none dominates: one a replica
/// Records of one name that are looked at: no honest set of writes has more.
constexpr size_t max_feed_records = max_writes * (2 * max_keys + max_endpoints + max_revocations + 2);
constexpr uint32_t max_feed_ttl = 3600;  ///< as the longest of an agent's records

/// What a name that is gone has to leave behind, since no statement says it.
struct GoneName {
  std::string version;      ///< the highest that was accepted
  UnixTime modified{};      ///< the last that was accepted
  std::string fingerprint;  ///< the last key that signed
  friend bool operator==(const GoneName&, const GoneName&) = default;
};

struct FeedEntry {
  dns::Name agent;                            ///< fully qualified, folded
  std::optional<agent::Statement> statement;  ///< also of the withdrawn and the revoked; nothing where it is gone
  std::optional<GoneName> gone;               ///< where there is no statement
  std::vector<Bytes> keys;                    ///< RDATA; the present key, and those that the chain is checked with
  std::vector<Bytes> rotations;               ///< `_keys` TXT RDATA
  /// Signed statements with status=revoked that came before: where a chain of keys ends, and one on the allow-list
  /// begins another.
  std::vector<Bytes> revocations;
  std::vector<Bytes> srv;
  std::vector<Bytes> svcb;
  /// TXT RDATA of `_manifest`, empty: none. Only a feed that is sent to a parent which hosts has it; it is no part of the write,
  /// and is checked by the statement's digest where it is used.
  Bytes manifest;
  // The home registry's word.
  std::string registry;  ///< its id
  agent::AgentStatus status{};
  bool suspended = false;
  std::vector<std::string>
      lost;  ///< "sha256:…" of statements that lost a conflict which this write ended, newest first
  agent::WriteStamp write;
  // Stated anew without a write, so that replicas which count trust by themselves are in no conflict. The later `told`
  // is taken.
  double trust = 0;
  uint32_t ttl = agent::agent_ttl;
  uint64_t told = 0;  ///< stamp

  [[nodiscard]] bool is_revoked() const { return status == agent::AgentStatus::Revoked; }
  /// Withdrawn, revoked or gone: nothing to connect to.
  [[nodiscard]] bool is_tombstone() const;
  /// Fingerprint of the key that signed, or was the last to sign.
  [[nodiscard]] std::string_view fingerprint() const;
  [[nodiscard]] std::string_view version() const;
  [[nodiscard]] UnixTime modified() const;
  [[nodiscard]] std::vector<agent::Endpoint> endpoints() const;

  /// Brings lists of records into canonical order, each once, and trust to its two decimals.
  void normalize();
  /// What makes it this write and no other: all but trust, ttl and told. Of a normalized one.
  [[nodiscard]] Bytes write_octets() const;
  /// SHA-256 of it.
  [[nodiscard]] std::array<uint8_t, 32> digest() const;
};

/// Bounds and the form of everything but signatures: Invalid or Full with the rule. For what we write, and what we
/// read.
Result<void> check_form(const FeedEntry& entry);

/// TXT RDATA at `_registry` of the entry in a feed: the registry's statement with what a feed needs besides.
Bytes feed_statement(const FeedEntry& entry);

/// `<agent relative to zone>.<feed>`; Invalid where the agent does not lie below the zone, or there is no room.
Result<dns::Name> feed_owner(NameView agent, NameView feed, NameView zone);

enum class FeedPart : uint8_t { Entry, Registry, Keys, Revoked, Manifest };

/// `_manifest.<owner of the agent>`.
Result<dns::Name> feed_manifest_owner(NameView agent, NameView feed, NameView zone);

/// What stands at an owner of a feed.
struct FeedPlace {
  dns::Name agent;
  std::string write;  ///< "_w…"; empty: the winner
  FeedPart part{};
};
/// Invalid where it is no place of an agent: the feed's apex, an owner elsewhere, a label of no known form.
Result<FeedPlace> feed_place(NameView owner, NameView feed, NameView zone);

/// The label below which a write that is not the winner stands in a feed: `_w` and 16 hex digits of its digest.
std::string write_label(const FeedEntry& entry);

/// The records of all writes of one name, the winner first. `feed`: the feed's apex, `zone`: the registry's. Full for
/// more than max_writes.
Result<std::vector<PublishedRecord>> feed_records(std::span<const FeedEntry> writes, NameView feed, NameView zone);

struct ReadWrites {
  dns::Name agent;
  std::vector<FeedEntry> writes;  ///< normalized, in no order; signatures are not checked
  std::vector<Error> refused;     ///< with the owner, one for each write that is none
};
/// `records`: all of one agent in the feed; canonical order brings them one after the other. Invalid where they are not
/// of one agent, or too many.
Result<ReadWrites> read_feed(std::span<const PublishedRecord> records, NameView feed, NameView zone);

}  // namespace steward::federation

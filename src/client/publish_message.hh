#pragma once
// The UPDATE of a publish (steward-records(7), "A publish"; RFC 2136 §2), and what its response says.
//
// Values only: no I/O, no clock, any thread.

#include <optional>
#include <string>
#include <vector>

#include "agent/publication.hh"
#include "auth/sig0.hh"

namespace steward::client {

/// EDNS Update Lease (RFC 9664 §4): the option's code.
constexpr uint16_t update_lease_option = 2;
/// Extended DNS errors (RFC 8914 §2).
constexpr uint16_t extended_error_option = 15;

/// How long records shall stay, in seconds. `key` 0: one time for all (RFC 9664 §4.1).
struct Lease {
  uint32_t records = 0;
  uint32_t key = 0;
  friend bool operator==(const Lease&, const Lease&) = default;
};

/// One publish before it is a message.
struct PublishUpdate {
  dns::Name zone;   ///< the registry's
  dns::Name agent;  ///< fully qualified
  /// RDATA of the statement's RRset as it was read; none: there must be no TXT at the name. The compare of a
  /// compare-and-swap (RFC 2136 §2.4.2, §2.4.3).
  std::vector<Bytes> statement_as_read;
  /// Take the place of all TXT, SRV and SVCB at the name and of the manifest. KEY records are added to those that
  /// stand.
  std::vector<agent::PublishedRecord> records;
  /// RDATA of a new `_keys` record; added to those that stand.
  std::optional<Bytes> rotation;
  std::optional<Lease> lease;
};

/// The message, not yet signed, with an OPT record, so that a refusal can carry its reason. Full where it is over
/// 65,535 octets.
Result<Bytes> build_publish(uint16_t id, const PublishUpdate& update);
/// The same, signed with SIG(0).
Result<Bytes> build_signed_publish(uint16_t id, const PublishUpdate& update, const auth::Sig0Key& key, UnixTime now);

/// Where the manifest and the rotations of an agent stand. An agent's name has at most 180 octets, which leaves room.
dns::Name manifest_name(const dns::Name& agent);
dns::Name rotations_name(const dns::Name& agent);

/// The same as a script for nsupdate(1): `server` is "ADDRESS PORT", empty for none.
std::string nsupdate_script(const PublishUpdate& update, std::string_view server);

/// What came back.
struct PublishResponse {
  dns::Rcode rcode{};
  std::optional<uint16_t> error;  ///< info code of the extended DNS error
  std::string text;               ///< its text, UTF-8 as it came: escape it before it reaches a terminal
  std::optional<Lease> lease;     ///< granted
};

/// Invalid where this is no response to an UPDATE with this ID.
Result<PublishResponse> read_publish_response(ByteView message, uint16_t id);

}  // namespace steward::client

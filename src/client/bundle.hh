#pragma once
// A bundle: an agent's records, or the proof of their absence, with the chain of keys from the trust anchor on, in one
// file. Its form is in steward(1), "BUNDLES": a header of ours, then resource records in wire form as RFC 9102 §2.3
// orders them, each RRset followed by its RRSIGs, what is proved first and the trust anchor's zone last.
//
// Strict, so that no octet can be changed without notice: names in lower case, RDATA in canonical form and order, TTLs
// as signed, every signature good, nothing that is not needed. Pure functions.

#include <string_view>
#include <vector>

#include "base/clock.hh"
#include "base/result.hh"
#include "client/agent_records.hh"
#include "client/signed_rrset.hh"
#include "steward/client.hh"

namespace steward::client {

constexpr size_t max_bundle_size = size_t{1} << 20;

struct Bundle {
  ProofOf what{};
  dns::Name agent;  ///< folded
  std::vector<SignedRrset> rrsets;

  [[nodiscard]] Bytes to_octets() const;
  /// Invalid with the octet's place and the rule.
  static Result<Bundle> from_octets(ByteView octets);
};

/// What a bundle's signatures come to.
struct BundleProof {
  AgentRecords records;  ///< Presence: secure by construction
  std::string chain;     ///< in words: the zones from the anchor on, and until when
  std::string denial;    ///< Absence: in words
};

/// Corrupt where anything in it is not proved from the anchors on at this time, or is not needed.
Result<BundleProof> check_bundle(const Bundle& bundle, std::span<const dns::Record> anchors, UnixTime now);

}  // namespace steward::client

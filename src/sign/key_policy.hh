#pragma once
// How a zone's keys are kept: what kinds, how long, and the delays that a rollover must respect (RFC 7583, RFC 6781
// §4.1).

#include <algorithm>

#include "base/clock.hh"
#include "base/result.hh"
#include "crypto/algorithm.hh"

namespace steward::sign {

struct KeyPolicy {
  crypto::Algorithm algorithm = crypto::Algorithm::ECDSAP256SHA256;
  bool single = false;      ///< one CSK, which signs all, instead of a KSK and a ZSK
  unsigned bits = 0;        ///< for RSA; 0: 2048
  Seconds ksk_lifetime{0};  ///< of the KSK or CSK, from its publication on; 0: until the operator says so
  Seconds zsk_lifetime{0};  ///< from its activation on; 0: until the operator says so

  Seconds dnskey_ttl = std::chrono::hours(1);         ///< TTLkey: of the DNSKEY RRset
  Seconds max_zone_ttl = std::chrono::days(1);        ///< TTLsig: the longest TTL in the zone, also of negative answers
  Seconds propagation_delay = std::chrono::hours(1);  ///< Dprp: until every secondary serves a change
  Seconds signing_delay = std::chrono::hours(1);      ///< Dsgn: until a new key has re-signed the whole zone
  Seconds parent_ds_ttl = std::chrono::days(1);       ///< TTLds
  Seconds parent_propagation_delay = std::chrono::hours(1);  ///< DprpP

  /// Ipub: after that every cache that has a DNSKEY RRset of ours has one with the new key (RFC 7583 §3.2.1).
  [[nodiscard]] Seconds publish_interval() const { return propagation_delay + dnskey_ttl; }
  /// Iret of a key that signed data: after that no cache has an RRSIG of it (RFC 7583 §3.2.1).
  [[nodiscard]] Seconds retire_interval() const { return signing_delay + propagation_delay + max_zone_ttl; }
  /// From the first sight of the new DS at the parent until no cache has the old one (RFC 7583 §3.3.1).
  [[nodiscard]] Seconds ds_interval() const { return parent_propagation_delay + parent_ds_ttl; }
  /// From the first publication of a zone's first key until its DS may be given to the parent: neither unsigned data
  /// nor the absence of the DNSKEY RRset is in a cache any more (RFC 7583 §3.3.4, RFC 6781 §4.4.1).
  [[nodiscard]] Seconds first_ds_interval() const { return std::max(retire_interval(), publish_interval()); }
};

/// Invalid, with the rule, where a period is negative or a lifetime is shorter than what a rollover takes.
Result<void> check_key_policy(const KeyPolicy& policy);

}  // namespace steward::sign

#pragma once
// Checks a zone that was signed elsewhere before it is served: every signature, and that denial of existence is
// complete.
//
// No I/O, no clock. One pass over the image in canonical order; memory grows with the names of an NSEC3 zone (about 60
// octets each).

#include <string>
#include <vector>

#include "base/clock.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "sign/rrsig.hh"
#include "zone/image.hh"

namespace steward::sign {

struct ZoneFault {
  dns::Name owner;
  RrType type{};
  std::string what;  ///< the rule
};

struct VerifyOptions {
  size_t max_faults = 100;    ///< kept; all are counted
  unsigned check_one_in = 1;  ///< the cryptography of every n-th RRset; the fields, times and chains of all
};

struct ZoneVerification {
  bool is_signed = false;         ///< the apex has DNSKEY or anything has an RRSIG; else nothing else was checked
  std::vector<ZoneFault> faults;  ///< the first of them, in the order of the zone
  size_t fault_count = 0;
  size_t rrsets = 0;                         ///< authoritative RRsets seen
  size_t signatures = 0;                     ///< RRSIGs that verified
  std::optional<UnixTime> first_expiration;  ///< of all RRSIGs that are valid now: when the zone begins to fail
  [[nodiscard]] bool is_sound() const { return fault_count == 0; }
};

/// RFC 4035 §2.2: every authoritative RRset has a valid RRSIG by a published key of each algorithm in the DNSKEY RRset
/// (of those that we know), nothing at or below a cut has one but DS and NSEC; §2.3: the NSEC chain is closed and its
/// bitmaps are true; or RFC 5155 §7.1: the same for NSEC3 with the parameters of NSEC3PARAM, opt-out spans allowed for.
/// Rewinds the image before and after.
ZoneVerification verify_zone(zone::ZoneImage& image, UnixTime now, const VerifyOptions& options = {});

/// What an operator should read of it, a line each: the first faults, how many more, and an end that is near (within `soon`). Empty for a
/// zone that is sound or not signed.
std::vector<std::string> warnings_of(const ZoneVerification& verification, UnixTime now, Seconds soon = std::chrono::days(2));

}  // namespace steward::sign

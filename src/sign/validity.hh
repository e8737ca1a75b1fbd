#pragma once
// From when to when signatures hold, and when they are made anew. Pure functions: the time comes in.

#include "base/clock.hh"
#include "base/result.hh"
#include "sign/rrsig.hh"

namespace steward::sign {

/// Defaults as Knot DNS and BIND have them.
struct ValidityPolicy {
  Seconds lifetime = std::chrono::days(14);  ///< from now to the expiration, before jitter
  Seconds refresh = std::chrono::days(3);    ///< what must be left of it, else the RRSIG is made anew
  Seconds jitter =
      std::chrono::days(1);  ///< expirations are up to this much earlier, so that they do not all come at once
  Seconds inception_offset = std::chrono::hours(1);  ///< inception lies before now: for validators whose clock is late
};

/// Invalid, with the rule, where the policy cannot work: nothing would be left between signing and refreshing, or an
/// expiration would be beyond what serial arithmetic can tell (RFC 4034 §3.1.5). `max_ttl`: an RRSIG must outlive its
/// copies in caches, so it is made anew at least that much before it expires (RFC 6781 §4.4.2).
Result<void> check_validity_policy(const ValidityPolicy& policy, Seconds max_ttl);

/// The period for a signature made now. The jitter depends on owner, type and key alone, so that the same zone signed
/// twice at the same time has the same RRSIGs (but for ECDSA's random part).
Validity validity_for(NameView owner, RrType type, KeyTag tag, UnixTime now, const ValidityPolicy& policy);

/// Whether the RRSIG comes too near its expiration, or is not valid at `now` at all (a clock that was set back).
bool needs_resign(const RrsigView& rrsig, UnixTime now, const ValidityPolicy& policy);

/// The moment when needs_resign() first says yes: for a timer. `now` says in which of the 136-year eras the RRSIG lies.
UnixTime resign_time(const RrsigView& rrsig, UnixTime now, const ValidityPolicy& policy);

}  // namespace steward::sign

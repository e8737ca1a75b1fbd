#pragma once
// Proofs that a name, or a type at it, does not exist: NSEC (RFC 4035 §5.4) and NSEC3 (RFC 5155 §8), from RRsets whose
// signatures have been checked. Pure functions.

#include <span>
#include <string>

#include "base/result.hh"
#include "client/signed_rrset.hh"

namespace steward::client {

/// Whether these NSEC or NSEC3 RRsets of `zone` prove that nothing of `type` is at `name`, nor a CNAME, nor anything
/// that a wildcard would make there. What they prove, in words; Corrupt with what is missing otherwise. An opt-out span
/// proves nothing.
Result<std::string> check_denial(dns::NameView name, dns::RrType type, dns::NameView zone,
                                 std::span<const SignedRrset> rrsets);

}  // namespace steward::client

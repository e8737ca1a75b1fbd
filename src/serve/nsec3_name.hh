#pragma once
// The hash under which a zone keeps the NSEC3 record of a name.

#include "crypto/nsec3_hash.hh"
#include "zone/snapshot.hh"

namespace steward::serve {

inline zone::Nsec3Hash nsec3_hash_of(dns::NameView name, const zone::ZoneInfo& zone) {
  return crypto::nsec3_hash(name, zone.salt(), zone.nsec3_iterations);
}

}  // namespace steward::serve

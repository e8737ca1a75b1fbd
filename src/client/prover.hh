#pragma once
// Makes a bundle: asks for an agent's records, and then for the keys that lead from the trust anchor to them.

#include <span>

#include "base/clock.hh"
#include "client/bundle.hh"
#include "client/resolver.hh"

namespace steward::client {

/// NotFound where the agent is not there (Presence), Exists where it is (Absence), Corrupt where a signature is missing
/// on the way. What it gives satisfies check_bundle() at `now`.
Result<Bundle> make_bundle(Resolver& resolver, std::span<const dns::Record> anchors, dns::NameView agent, ProofOf what,
                           UnixTime now);

}  // namespace steward::client

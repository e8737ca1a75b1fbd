#pragma once
// What no single key can tell: references, sums, consistency. And what follows from several keys at once.

#include <vector>

#include "config/config.hh"
#include "config/syntax.hh"

namespace steward::config {

/// Fills in what is derived (the registry's zone, parent and id, the control socket, refresh and jitter), then checks
/// across keys. Appends to `problems`, and to the warnings of `config` as `FILE:LINE:COLUMN: …`.
void complete_and_check(Config& config, std::vector<Problem>& problems);

/// The derived values of a zone's policy that were not given: those are zero.
void complete_policy(DnssecPolicy& policy, bool refresh_given, bool jitter_given);

}  // namespace steward::config

#pragma once
// One RRset brought to what it is to be. Writer thread.

#include <vector>

#include "change/edit.hh"

namespace steward::change {

/// Records that stay are not touched, so that a change of one leaves the provenance of the others. What is empty in `wanted` is no record.
void bring_to(ZoneEdit& edit, const dns::Name& owner, RrType type, std::vector<Bytes> wanted, uint32_t ttl);

}  // namespace steward::change

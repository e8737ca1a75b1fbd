#pragma once
// Canonical order (RFC 4034 §6.1) of many names at once.

#include <vector>

#include "zone/owner_table.hh"

namespace steward::zone {

/// Sorts `nodes`, all different, by their names in `owners`.
void sort_canonically(const OwnerTable& owners, std::vector<NodeIndex>& nodes);

}  // namespace steward::zone

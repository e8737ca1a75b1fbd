#pragma once
// What must hold across the keys of `registry`, and what follows from them.

#include <vector>

#include "config/config.hh"
#include "config/syntax.hh"

namespace steward::config {

/// Fills in what follows, and adds what is wrong.
void check_registry(Config& config, std::vector<Problem>& problems);

}  // namespace steward::config

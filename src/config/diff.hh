#pragma once
// What differs between two configurations, and whether a reload is enough for it.

#include <string>
#include <vector>

#include "config/config.hh"
#include "config/schema.hh"

namespace steward::config {

struct Change {
  std::string key;     ///< "zones[example.com].file"; "zones[example.com]" for a zone that came or went
  std::string before;  ///< canonical text; empty where it was not there; "(secret)" for a secret
  std::string after;
  Effect effect = Effect::Reload;
};

/// In order of the keys; a value that equals the default and one that is left out are the same.
[[nodiscard]] std::vector<Change> diff(const Config& before, const Config& after);

}  // namespace steward::config

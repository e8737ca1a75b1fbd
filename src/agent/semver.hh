#pragma once
// Semantic versions (semver.org 2.0.0): what a statement's `version` is, and which of two is greater. Pure functions.

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace steward::agent {

class SemanticVersion {
 public:
  /// "1.4.2", "1.0.0-rc.1+build.5"; Invalid says the rule of §2, §9 or §10. At most 255 octets, numbers of any size.
  static Result<SemanticVersion> from_text(std::string_view text);

  /// Precedence (§11): build metadata does not count.
  friend std::strong_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b);
  friend bool operator==(const SemanticVersion& a, const SemanticVersion& b) { return (a <=> b) == 0; }

 private:
  std::vector<std::string> core_;        // three numbers without leading zeros
  std::vector<std::string> prerelease_;  // identifiers
};

}  // namespace steward::agent

#pragma once
// The sum behind a registry's trust in an agent, as the registry publishes it.

#include <string>
#include <vector>

namespace steward::client {

struct TrustTerm {
  std::string name;   ///< a fact, "tests"; or what changes the sum: "new agent", "look-alike", "custody"
  double weight = 0;  ///< or the factor, or the cap
  double value = 0;   ///< 0 to 1
  double result = 0;  ///< what it adds; for factors and caps the sum after it
  std::string note;   ///< may be empty
};

struct TrustSum {
  std::string name;  ///< the agent's, fully qualified
  double trust = 0;  ///< 0 to 1
  std::vector<TrustTerm> terms;
};

}  // namespace steward::client

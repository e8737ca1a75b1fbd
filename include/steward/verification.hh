#pragma once
// Verification: the proofs of an agent, one step after the other; the first that fails ends it.

#include <optional>
#include <string>
#include <vector>

#include "steward/agent.hh"

namespace steward::client {

enum class StepResult : uint8_t { Passed, Failed, Skipped };

struct Step {
  std::string name;  ///< "dnssec", "statement", "endpoints", "manifest", "key", "status", "registry", "absence"
  StepResult result = StepResult::Skipped;
  std::string what;  ///< what was proved, or what does not hold
};

struct Verification {
  std::string name;            ///< the agent's, fully qualified
  std::vector<Step> steps;     ///< up to the first that failed
  std::optional<Agent> agent;  ///< where the first two steps passed
  bool absent = false;         ///< a proof that there is no such agent
  [[nodiscard]] bool passed() const {
    for (const Step& step : steps)
      if (step.result == StepResult::Failed) return false;
    return !steps.empty();
  }
};

struct VerifyOptions {
  /// Of verify_bundle(): splits a name into label and namespace, as Settings::apex.
  std::string apex = "steward-registry.org";
  /// "sha256:…" that is known from elsewhere: the present key must be it, or follow from it by `_keys`.
  std::string fingerprint;
  /// Remember the fingerprint of an agent that was not seen before, and follow a rotation (Settings::known_agents).
  bool remember = true;
};

}  // namespace steward::client

#pragma once
// What a registry says of one agent that its pages list: out of `_ref` for an agent of a registry below it, else at the
// agent's own name, where a search is led as any resolver is. For listings: resolve() reads the agent's own name.
//
// A state machine without network and clock, as PageWalk. Used by one thread.

#include <string>
#include <vector>

#include "client/agent_records.hh"
#include "steward/discover.hh"

namespace steward::client {

struct AgentFact {
  FoundAgent agent;  ///< without what only a comparison of registries tells
  std::optional<double> trust;
  bool is_home = false;
};

class AgentFacts {
 public:
  /// `agent` is below `zone`, the registry's that lists it.
  AgentFacts(const dns::Name& agent, const dns::Name& zone);

  std::vector<Question> take_questions();
  void take(const Answer& answer);
  [[nodiscard]] bool is_done() const { return open_ == 0; }

  /// Its statement checked with its key. Refused for an agent that is out of service, or that does not say `term` of
  /// itself; Corrupt where an answer is not proved or a signature does not hold; NotFound where there is none.
  [[nodiscard]] Result<AgentFact> judge(dns::NameView apex, std::string_view term) const;

 private:
  void ask_own_name();

  dns::Name agent_;
  dns::Name zone_;
  bool is_own_name_ = false;
  size_t open_ = 0;  // questions without an answer
  std::vector<Question> questions_;
  std::vector<Answer> answers_;
};

/// "vibe-agency.com" and "orchestrator" give "com.vibe-agency.orchestrator".
std::string reversed_name(dns::NameView agent, dns::NameView apex);

}  // namespace steward::client

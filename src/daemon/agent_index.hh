#pragma once
// What the writer holds in memory of the agents of the registry's zone, so that a publish is admitted without a walk:
// the look-alikes of each namespace, how many agents each key and namespace has, and when the next lease is to be
// looked at.
//
// Built from the book (agent/book.hh) before the first publish is admitted; in step with each commit after that:
// apply() as a change is evaluated, so that the next one of the same transaction sees it, then keep() or roll_back().
// Writer thread.

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/look_alikes.hh"
#include "change/publish.hh"

namespace steward::daemon {

class AgentIndex {
 public:
  /// Empties it and fills it from the book. Corrupt, Io.
  Result<void> build(const agent::Book& book);

  /// One agent's change; what is not kept can be taken back.
  void apply(const change::PublishEffect& effect);
  /// What was applied is committed.
  void keep() { undo_.clear(); }
  /// What was applied since is not.
  void roll_back();

  [[nodiscard]] agent::LookAlikes& look_alikes(const dns::Name& space) { return spaces_[space.to_text()].look_alikes; }
  [[nodiscard]] uint32_t agents_of_key(std::string_view fingerprint) const;
  [[nodiscard]] uint32_t agents_of_namespace(const dns::Name& space) const;

  /// When the next lease is to be looked at.
  [[nodiscard]] std::optional<UnixTime> next_look() const;
  /// Agents whose lease is to be looked at, the earliest first, at most `most`.
  [[nodiscard]] std::vector<dns::Name> due(UnixTime now, size_t most) const;
  /// The lease of this agent needs no look before `when`. Forgotten with the next change of the agent.
  void look_again(const dns::Name& agent, UnixTime when);

  [[nodiscard]] size_t agents() const { return agents_; }
  [[nodiscard]] size_t leases() const { return leases_.size(); }
  /// Octets of the look-alikes, about.
  [[nodiscard]] size_t memory() const;

 private:
  struct Space {
    agent::LookAlikes look_alikes;
    uint32_t agents = 0;
  };
  struct Change {
    change::PublishEffect effect;
    std::optional<UnixTime> lease_before;
  };
  void change(const change::PublishEffect& effect);

  std::unordered_map<std::string, Space> spaces_;  // by name as text
  std::unordered_map<std::string, uint32_t> keys_;
  struct Lease {
    UnixTime until;
    UnixTime look;
  };
  void forget_lease(const std::string& agent);
  void enter_lease(const std::string& agent, const Lease& lease);

  std::unordered_map<std::string, Lease> leases_;  // by agent, of those that have one
  std::set<std::pair<UnixTime, std::string>> looks_;
  size_t agents_ = 0;
  std::vector<Change> undo_;
};

}  // namespace steward::daemon

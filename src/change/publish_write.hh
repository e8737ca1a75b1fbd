#pragma once
// What the registry itself says of an agent after a change: `_registry`, `_trust`, listings, history, the book. Private
// to what publishes (change/publish.hh).

#include "change/publish.hh"
#include "change/publish_rows.hh"

namespace steward::change {

class AgentWriter {
 public:
  AgentWriter(const AgentNames& names, const PublishPolicy& policy, ZoneEdit& edit, RegistryState& state, UnixTime now)
      : names_(names), policy_(policy), edit_(edit), state_(state), now_(now) {}

  /// A change of the agent: the write's clock goes on, everything that follows from the entry is derived anew, `what`
  /// joins the history. `listed` is what was listed of the agent before. Refused where its writes came so fast that their
  /// stamp would be further ahead of the time than others take. After Invalid, Refused or a full clock nothing stands in the
  /// tables, and the edit is the caller's to take back; after Io or Full of a table the transaction must not be
  /// committed.
  Result<void> write(agent::AgentEntry& entry, const std::optional<ListedAgent>& listed, agent::HistoryEntry what);
  /// Trust alone: no write of the agent's. Where neither it nor the facts are new, the book and the listings stay.
  Result<void> write_trust(agent::AgentEntry& entry, const std::optional<ListedAgent>& listed, bool has_new_facts);
  /// What the registry says of an agent that stands in the zone file: the edit alone. Where the file says it, or an UPDATE
  /// did, that stands. `before`: as the book has it still.
  void state_learned(agent::AgentEntry& entry, const std::optional<agent::AgentEntry>& before);

 private:
  Result<void> step_clock(agent::WriteStamp& write) const;
  void derive(agent::AgentEntry& entry);
  Result<void> list(const std::optional<ListedAgent>& before, const std::optional<ListedAgent>& after);
  void write_log(agent::AgentEntry& entry, const agent::HistoryEntry& what);
  void set(const dns::Name& owner, ByteView rdata);
  void clear(const dns::Name& owner);
  [[nodiscard]] bool is_there(const dns::Name& owner);

  const AgentNames& names_;
  const PublishPolicy& policy_;
  ZoneEdit& edit_;
  RegistryState& state_;
  UnixTime now_;
  uint32_t ttl_ = 0;
};

/// A history entry of this statement.
agent::HistoryEntry history_of(std::string_view action, std::string_view by, const agent::Statement& statement,
                               UnixTime now);
/// One by the registry, without a statement of its own.
agent::HistoryEntry history_of(std::string_view action, const agent::AgentEntry& entry, UnixTime now);

}  // namespace steward::change

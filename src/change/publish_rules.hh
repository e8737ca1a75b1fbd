#pragma once
// The rules of a publish that depend on what is held. Pure but for what they look up; no change of anything. Private to
// what publishes (change/publish.hh).

#include "change/publish.hh"
#include "change/publish_rows.hh"

namespace steward::change {

/// What is known of an agent before a publish.
struct HeldAgent {
  /// Of the book; or made of a statement that stands in the zone (a zone file) and is in no book yet.
  std::optional<agent::AgentEntry> entry;
  bool is_in_book = false;
  std::optional<agent::Statement> statement;  ///< as it stands in the zone

  [[nodiscard]] bool is_served() const { return entry && entry->presence != agent::Presence::Gone; }
  [[nodiscard]] bool is_revoked() const { return entry && entry->status == agent::AgentStatus::Revoked; }
};

/// A revocation that is about to be replaced, with its key, stays in the entry: a parent that was away sees by it why the
/// chain of keys begins anew. `before`: the rows as they stand.
void remember_revocation(agent::AgentEntry& entry, const HeldAgent& held, const AgentRows& before);

Result<HeldAgent> find_held(const AgentNames& names, const AgentRows& rows, const agent::Book& book);

/// The fingerprint is on the namespace's allow-list: of the configuration, or of the book.
bool is_listed(NameView space, std::string_view fingerprint, const PublishPolicy& policy, const agent::Book& book);

/// Who may sign this statement: the same key, the key that a rotation leads to, at first one that the namespace allows;
/// never a revoked one. `rotation` is the record that the message adds to `_keys`.
Result<void> check_key(const HeldAgent& held, const CheckedPublish& checked,
                       const std::optional<agent::Rotation>& rotation, NameView space, const PublishPolicy& policy,
                       const agent::Book& book, UnixTime now);

/// Version and time: above what stands, and above what was ever accepted. An equal version will do with another status,
/// with another key, and where the name was gone.
Result<void> check_floor(const HeldAgent& held, const agent::Statement& next);

/// The record that `after` has more than `before` in `_keys`; all that were there have to stay.
Result<std::optional<Bytes>> added_rotation(const AgentRows& before, const AgentRows& after);

/// The rows that result: exactly this statement, its endpoints, its manifest, and the form of a tombstone.
Result<void> check_rows(const AgentNames& names, const AgentRows& rows, const agent::Statement& statement);

}  // namespace steward::change

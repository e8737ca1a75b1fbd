#pragma once
// The names of a child's feed as it is stored, a few at a time: all of them in canonical order, or those that a
// difference touches. On a reader's thread, between acquire() and release().

#include <map>
#include <optional>
#include <vector>

#include "federation/refer.hh"
#include "store/store.hh"

namespace steward::daemon {

class FeedReader {
 public:
  /// `feed`: of the snapshot that `reader` holds; `child`: the zone of the registry whose feed it is, folded.
  FeedReader(const store::Reader& reader, const zone::ZoneInfo& feed, const dns::Name& child)
      : reader_(reader), feed_(feed), child_(child) {}

  /// The next agent whose key relative to the child's zone is above `at`, which moves on; no agent but a moved `at`
  /// where so many records that are no agent's stand before it that others should have their turn.
  struct Step {
    std::optional<dns::Name> agent;
    Bytes at;
    bool is_end = false;
  };
  [[nodiscard]] Step next(const Bytes& at) const;

  /// All that stands there of the agent.
  [[nodiscard]] federation::FeedName read(const dns::Name& agent) const;

  struct Changed {
    std::map<Bytes, dns::Name> agents;  ///< by key
    uint32_t serial = 0;  ///< what the feed is after these changes
  };
  /// What changed since `serial`, perhaps not all of it; nothing where the journal does not hold it, or where it is so
  /// much that the whole feed is to be read.
  [[nodiscard]] std::optional<Changed> changed_since(uint32_t serial) const;

 private:
  [[nodiscard]] Bytes key_of(dns::NameView agent) const;

  const store::Reader& reader_;
  const zone::ZoneInfo& feed_;
  const dns::Name& child_;
};

}  // namespace steward::daemon

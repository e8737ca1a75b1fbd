#pragma once
// What a parent lacks of our feed, as messages for it: read from the feed, a few at a time. On one thread, between the acquire()
// and release() of a reader.

#include <optional>
#include <vector>

#include "daemon/feed_reader.hh"
#include "federation/pushed_feed.hh"

namespace steward::daemon {

class PushReader {
 public:
  /// `hosted`: the parent answers for the registry's namespace, and needs the manifests too.
  PushReader(federation::FeedNames names, bool hosted) : names_(std::move(names)), hosted_(hosted) {}

  /// The next messages for a parent that holds this; none: it lacks nothing.
  [[nodiscard]] std::vector<dns::Message> next(const store::Reader& reader, const store::ZoneRecord& feed, const federation::PushState& held);
  /// They did not come to what was expected: what is sent next goes by what the parent holds alone.
  void forget() { difference_.reset(); }

 private:
  /// A difference that takes several turns.
  struct Difference {
    uint32_t from = 0;
    FeedReader::Changed left;  ///< agents that were not sent yet
  };
  /// The two at once, as they are in one snapshot.
  struct Zones {
    const store::Reader& reader;
    FeedReader agents;
  };
  [[nodiscard]] std::vector<federation::PublishedRecord> records_of(const Zones& zones, const dns::Name& agent) const;
  std::vector<dns::Message> walk(const Zones& zones, const federation::PushState& held, uint32_t began);
  std::vector<dns::Message> difference(const Zones& zones, const federation::PushState& held);

  federation::FeedNames names_;
  bool hosted_;
  std::optional<Difference> difference_;
};

}  // namespace steward::daemon

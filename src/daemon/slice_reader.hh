#pragma once
// What is next to be done for a child: reading its feed, and judging it. On the thread of who follows, while the reader
// holds a snapshot.

#include "daemon/feed_reader.hh"
#include "daemon/feed_slice.hh"

namespace steward::daemon {

class SliceReader {
 public:
  /// `home`: the registry's zone.
  SliceReader(const FollowTerms& terms, const store::Reader& reader, const store::ZoneRecord& home, UnixTime now,
              Parallel& parallel);

  /// The next names of a child that is followed; null where there is nothing to do.
  Result<std::shared_ptr<FeedSlice>> next(const FollowedFeed& feed);
  /// Those behind a slice of the same child that is not committed yet, for after it was; null where they depend on what it writes.
  Result<std::shared_ptr<FeedSlice>> behind(const FollowedFeed& feed, const FeedSlice& before);
  /// The next names of a child that is to be forgotten.
  Result<std::shared_ptr<FeedSlice>> leaving(const dns::Name& child);
  /// Children that there is something of and that are not followed any more.
  Result<std::vector<dns::Name>> left() const;

 private:
  struct Walk;
  Result<std::shared_ptr<FeedSlice>> difference(const FollowedFeed& feed, const FeedReader& names,
                                                const FeedReader::Changed& changed);
  Result<std::shared_ptr<FeedSlice>> whole(const FollowedFeed& feed, const FeedReader& names, uint32_t serial, Bytes at);
  [[nodiscard]] std::vector<Bytes> rdatas_at_apex(const zone::ZoneInfo& zone, dns::RrType type) const;
  Result<void> judge(const FollowedFeed& feed, const FeedReader& names, const std::vector<dns::Name>& agents,
                     bool again, FeedSlice& slice);

  const FollowTerms& terms_;
  const store::Reader& reader_;
  UnixTime now_;
  Parallel& parallel_;
  std::unique_ptr<zone::OctetTable> table_;
  federation::Referrals rows_;
};

}  // namespace steward::daemon

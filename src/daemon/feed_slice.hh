#pragma once
// Some names of one child's feed on their way to the registry's zone: made by daemon/slice_reader.hh on the thread of
// who follows, applied on the writer's.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "daemon/registry_zone.hh"
#include "federation/refer.hh"

namespace steward::daemon {

/// A child as the configuration has it.
struct FollowedFeed {
  dns::Name child;  ///< its zone, folded
  dns::Name feed;   ///< apex of its feed, folded
  std::string replica;
  federation::ChildPolicy policy;
  bool registered = false;  ///< by registration, not by the configuration
};

/// What a child's feed is judged by, as text: where it is another, all of it is judged again.
std::string terms_of(const FollowedFeed& feed);

struct FollowTerms {
  std::shared_ptr<const change::PublishPolicy> policy;
  std::vector<FollowedFeed> feeds;
  Seconds pull_interval{};
};

class FeedSlice {
 public:
  [[nodiscard]] const dns::Name& child() const { return feed_.child; }
  [[nodiscard]] size_t size() const { return names_.size(); }
  /// Signatures that judging it took, at most.
  [[nodiscard]] uint64_t checks() const;
  /// Of the child, after apply(): names that were admitted.
  [[nodiscard]] uint64_t names_held() const { return uint64_t{child_.agents} + child_.tombstones; }
  /// The first half, to be applied before; the slice is left with the rest.
  [[nodiscard]] std::shared_ptr<FeedSlice> split();
  /// Of one name, which cannot be written: it is to be marked with why. False where that was tried.
  bool give_up(const std::string& why);

  /// It cannot be written now: what was split off the same slice and is yet to come does not count as the end of it.
  void fail() { *has_failed_ = true; }

  /// In the transaction; may be called more than once.
  Result<void> apply(RegistryZone& registry, change::ZoneEdit& edit, ZoneTables& tables, const federation::HandOn& hand_on,
                     UnixTime now);
  /// After its commit.
  void tell(uint32_t serial) const;

 private:
  enum class Kind : uint8_t { Difference, Whole, Leave };
  /// What is noted of the child with the last name.
  struct Progress {
    std::optional<uint32_t> reached;
    std::optional<uint32_t> walking;
    Bytes at;
    bool is_end = false;  ///< of a walk, or of a child
  };
  FeedSlice(const FollowTerms& terms, FollowedFeed feed, Kind kind) : policy_(terms.policy), feed_(std::move(feed)), kind_(kind) {}
  void note(federation::FollowedChild& child, UnixTime now) const;

  std::shared_ptr<const change::PublishPolicy> policy_;
  FollowedFeed feed_;
  Kind kind_;
  std::vector<federation::JudgedName> names_;
  std::optional<Progress> progress_;  // nothing: of the first of two halves
  bool has_given_up_ = false;
  std::shared_ptr<bool> has_failed_ = std::make_shared<bool>(false);  // shared by what was one slice
  // Of the last apply().
  federation::FollowedChild child_;
  std::vector<std::pair<dns::Name, federation::ReferralMark>> refused_;
  std::vector<std::pair<dns::Name, size_t>> conflicts_;  // agents and how many writes stand

  friend class SliceReader;
};

}  // namespace steward::daemon

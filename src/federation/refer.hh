#pragma once
// From what a child's feed says of a name to what the parent keeps and lists of it, in two steps: judge_name() looks at
// the feed's records alone and does all that costs, any thread; ReferralEdit decides by what else is held, and changes
// the parent's zone and tables, the writer's.
//
// Where the feed's new word is refused, what was accepted before stays listed, with a mark beside it: nobody is taken
// off the lists by a forged entry. Where the feed has nothing of a name any more, nothing is kept of it.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "change/publish.hh"
#include "federation/check.hh"
#include "federation/referral.hh"

namespace steward::federation {

/// All that a feed has of one name.
struct FeedName {
  dns::Name agent;                       ///< folded
  std::vector<PublishedRecord> records;  ///< in the order of the zone; none: the feed has nothing of it
  bool is_cut = false;                   ///< there is more than an honest set of writes has
};

struct JudgeRules {
  dns::Name child;  ///< the registry's zone, folded
  dns::Name feed;   ///< its feed's apex
  UnixTime now{};
  Seconds most_ahead{300};  ///< a stamp may be
  ChildPolicy policy;
  bool again = false;  ///< also what was refused and may pass by now
};

struct JudgedName {
  dns::Name agent;
  bool is_known = false;  ///< nothing that was not judged before: there is nothing to do
  Bytes seen;             ///< empty: the feed has nothing of it
  WriteSet set;           ///< of the sound writes; the trust in it is what the parent states
  std::optional<ReferralMark> mark;  ///< of the first that is not
  uint64_t checks = 0;               ///< signatures that this took, at most
};

/// `held`: the name's row, if it has one.
JudgedName judge_name(const FeedName& name, const JudgeRules& rules, const std::optional<Referral>& held);

/// The same name, refused since the zone cannot hold it.
JudgedName unwritable(const JudgedName& name, std::string_view why);

/// Which registry refers to whose agents.
struct ReferralTerms {
  dns::Name zone;        ///< the parent's
  std::string registry;  ///< its id
  dns::Name child;       ///< the child's zone
  ChildPolicy policy;
};

/// Hears within the transaction of every name that is admitted anew, with all its writes, and, with none, of one that
/// is admitted no longer. `losers_before`: labels of those that stood beside the winner when it was handed on last. What
/// it fails with ends the transaction.
using HandOn = std::function<Result<void>(const dns::Name& agent, const WriteSet& writes,
                                          const std::vector<std::string>& losers_before)>;

/// What belongs to one transaction of the parent's zone.
struct ReferralRoom {
  change::ZoneEdit& edit;
  zone::OctetTable& referrals;
  zone::OctetTable& pages;
  zone::OctetTable& ranks;
  /// Who holds the name where that is not the child; nothing: nobody.
  std::function<Result<std::optional<std::string>>(const dns::Name& agent)> holder;
  /// Null where look-alikes are let in.
  std::function<const agent::LookAlikes*(const dns::Name& space)> look_alikes;
  HandOn hand_on;  ///< may be empty
};

/// What became of a name.
struct ReferralOutcome {
  change::PublishEffect effect;      ///< for an index of names
  std::optional<ReferralMark> mark;  ///< with its reason
  size_t conflict = 0;               ///< writes of a conflict that is new, or another than before; 0: none
};

class ReferralEdit {
 public:
  /// `child`: as stored; counts follow what is applied.
  ReferralEdit(ReferralTerms terms, ReferralRoom room, FollowedChild child);
  ~ReferralEdit();
  ReferralEdit(const ReferralEdit&) = delete;
  ReferralEdit& operator=(const ReferralEdit&) = delete;

  /// A name that cannot be written is left with a mark. Io, Full, Corrupt: the transaction is not to be committed.
  Result<ReferralOutcome> apply(const JudgedName& name);
  [[nodiscard]] FollowedChild& child() { return child_; }
  /// Stores it, and writes the rows of all names to the tables of the room, which have none of them until then. Once, at the end.
  Result<void> finish();
  /// The rows alone, where nothing is to be kept of the child.
  Result<void> write_down();

 private:
  struct Tables;
  Result<ReferralOutcome> write(const JudgedName& name, Tables& tables, FollowedChild& child) const;
  Result<void> admit_into(const JudgedName& name, Referral& row, const FollowedChild& child) const;
  Result<void> host(const JudgedName& name, const std::optional<Referral>& before, Referral& after, Tables& tables) const;
  Result<void> list(const JudgedName& name, const std::optional<Referral>& before, Referral& after,
                    Tables& tables) const;

  ReferralTerms terms_;
  ReferralRoom room_;
  FollowedChild child_;
  std::unique_ptr<Tables> tables_;
};

}  // namespace steward::federation

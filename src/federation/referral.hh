#pragma once
// What a parent keeps of each agent below it, beside the records that follow from it: which write was accepted, how it
// is listed, and why what the child's feed says of it now is refused. Rows of a table of the parent's zone
// (store::ZoneTable::Referrals), under the agent's canonical key relative to that zone, so that those of a child stand
// together and in the order of its feed; and under 00 and a child's key, how far its feed was followed.
//
// Values, and a thin view over the table, which the writer's thread or a reader's snapshot owns.

#include <optional>
#include <string>
#include <vector>

#include "change/find_pages.hh"
#include "change/hosted.hh"
#include "federation/admit.hh"
#include "zone/octet_table.hh"

namespace steward::federation {

constexpr size_t max_mark_reason = 256;    ///< octets
constexpr uint32_t max_told_marks = 10'000;  ///< of one child that keep their reason; the others their rule

/// Why what a feed says of a name is refused.
struct ReferralMark {
  std::string rule;      ///< "unsound", "stamp", "store", or of an AdmissionRule
  std::string reason;    ///< one line of ASCII; empty where the child has too many
  bool may_pass = false;  ///< with time, or with what else is held: judged again with every pull
  friend bool operator==(const ReferralMark&, const ReferralMark&) = default;
};
/// `reason` in one line and short enough.
ReferralMark make_mark(std::string_view rule, std::string_view reason, bool may_pass);

struct Referral {
  std::optional<AcceptedWrite> accepted;  ///< nothing: it was never admitted
  // Of what was accepted.
  std::string fingerprint;  ///< the key that the name is known by
  bool is_tombstone = false;
  bool is_suspended = false;
  double trust = 0;  ///< as this registry states it
  std::vector<std::string> capabilities;
  /// What stands beside the winner (federation/conflict.hh): their labels in a feed, and what `_conflict` says.
  std::vector<std::string> losers;
  std::vector<Bytes> conflict;
  bool is_conflict_seen = false;  ///< by an operator
  bool is_hosted = false;         ///< it stands at its own name in the parent's zone too
  std::optional<ReferralMark> mark;
  Bytes seen;  ///< 16 octets: digest of what the feed said when it was judged last

  [[nodiscard]] bool is_agent() const { return accepted && !is_tombstone; }
  [[nodiscard]] bool has_conflict() const { return !losers.empty(); }
  [[nodiscard]] bool is_tombstone_kept() const { return accepted && is_tombstone; }
  [[nodiscard]] Bytes to_octets() const;
  /// Corrupt where it is none. Fields that are not known are left out.
  static Result<Referral> from_octets(ByteView octets);
};

/// How far a child's feed was followed, and what came of it.
struct FollowedChild {
  std::string replica;  ///< id of the replica whose feed it is
  std::string terms;    ///< what it was judged by; another text: all of it is judged again
  bool registered = false;  ///< it came by registration: its feed is dropped when it leaves
  std::optional<uint32_t> reached;  ///< serial of the feed all of which is judged; nothing: there never was one
  std::optional<uint32_t> walking;  ///< a walk over the whole feed is under way, which began at this serial
  Bytes at;                         ///< and goes on behind this key
  UnixTime reviewed{};              ///< when the last such walk ended
  UnixTime reached_at{};
  uint32_t agents = 0;      ///< admitted, without tombstones
  uint32_t tombstones = 0;  ///< admitted
  uint32_t refused = 0;     ///< names with a mark
  uint32_t conflicts = 0;   ///< names of which more than one write stands
  uint32_t unseen = 0;      ///< of these, what no operator has seen

  /// Takes one row for another.
  void count(const std::optional<Referral>& before, const std::optional<Referral>& after);
  [[nodiscard]] Bytes to_octets() const;
  static Result<FollowedChild> from_octets(ByteView octets);
};

/// Fingerprint under which the name counts among those that look alike: of a tombstone too, which may come back. Empty
/// for one that is gone or was never admitted.
std::string key_held(const Referral& referral);
/// An agent as its row has it listed; nothing unless it is live and not suspended.
std::optional<change::FoundAgent> found_referral(NameView agent, const std::optional<Referral>& referral);
/// What stands at `_ref`: of a tombstone too, so that a revocation is seen while the child is down. Nothing of what is
/// gone. `registry`: id of the parent.
std::optional<change::ReferredAgent> referred_agent(const FeedEntry& entry, double trust, std::string_view registry);

/// As it stands at its own name, of a tombstone too; nothing of what is gone.
std::optional<change::HostedAgent> hosted_agent(const FeedEntry& entry, double trust);
/// As it is listed below its namespace; nothing unless it is hosted, live and not suspended.
std::optional<change::HostedListing> hosted_listing(const std::optional<Referral>& referral);

class Referrals {
 public:
  /// `zone`: the parent's.
  Referrals(dns::Name zone, zone::OctetTable& table) : zone_(zone.folded()), table_(table) {}

  /// Invalid for a name that is not below the zone, or too long for a key.
  [[nodiscard]] Result<Bytes> key_of(NameView agent) const;
  [[nodiscard]] Result<std::optional<Referral>> find(NameView agent) const;
  /// Nothing removes it.
  Result<void> put(NameView agent, const std::optional<Referral>& referral);

  [[nodiscard]] Result<std::optional<FollowedChild>> child(NameView zone) const;
  Result<void> put_child(NameView zone, const std::optional<FollowedChild>& child);
  /// Zones of all children that there is something of, in canonical order.
  [[nodiscard]] Result<std::vector<dns::Name>> children() const;

  struct Row {
    dns::Name agent;
    Bytes key;
    Referral referral;
  };
  /// The first row of an agent below `child` whose key is above `after` (empty: the first).
  [[nodiscard]] Result<std::optional<Row>> next(NameView child, const Bytes& after) const;

 private:
  [[nodiscard]] Result<Bytes> child_key(NameView zone) const;
  dns::Name zone_;
  zone::OctetTable& table_;
};

}  // namespace steward::federation

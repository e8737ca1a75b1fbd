#pragma once
// The answer to a QUERY out of our zones: RFC 1034 §4.3.2, step by step.

#include <array>
#include <cstdint>

#include "serve/message_name.hh"
#include "serve/proof.hh"
#include "serve/response.hh"
#include "zone/snapshot.hh"

namespace steward::serve {

/// How many CNAME and DNAME records one answer follows; a resolver goes on from the last.
constexpr size_t max_links = 16;

/// What kind of answer it became; for the rate limit.
enum class ResponseClass : uint8_t { Positive, NoData, NameError, Referral, Error };

/// Memory for the names of one chain, owned by the pipeline and used for one query after the other; not cleared
/// between.
struct Chain {
  struct Expansion {
    Step step;
    dns::NameView encloser;
  };
  std::array<NameBuffer, max_links> names;
  std::array<dns::NameView, max_links> visited;  ///< the names that were left behind
  struct Dname {
    const uint8_t* node;
    uint16_t target;  ///< where its RDATA stands in the message
  };
  std::array<Dname, max_links + 1> dnames;          ///< that are in the answer already
  std::array<Expansion, max_links + 1> expansions;  ///< the wildcards that the answer was synthesized from
};

/// The zone that answers a question for `name` (in lower case) and `type`: of a DS, the parent's where we serve it
/// (RFC 4035 §3.1.4.1). Null where none of ours does.
const zone::ZoneInfo* zone_for(const zone::Snapshot& snapshot, dns::NameView name, dns::RrType type);

class QueryAnswer {
 public:
  QueryAnswer(const zone::Snapshot& snapshot, const Request& request, Response& response, const Settings& settings,
              Chain& chain);

  /// Fills the sections of the response. `node` is the node with the name of `first`, none where it does not exist.
  ResponseClass answer(const Step& first, zone::NodeView node);
  /// What the rate limit counts under: the node that answered, or of a name error the zone.
  [[nodiscard]] const void* source() const { return source_; }

 private:
  enum class State : uint8_t { Hit, Follow, Delegation, NoData, NameError, Overflow, Truncated, Failed };

  // The answer section.
  State solve_answer();
  State solve_name();
  State solve_existing(zone::NodeView node);
  State solve_encloser();
  State solve_data(zone::NodeView node);
  State solve_any(zone::NodeView node);
  State solve_signatures(zone::NodeView node);
  State solve_cname(zone::NodeView node, const zone::StoredRrset& cname);
  State solve_dname(zone::NodeView node);
  bool put_dname(zone::NodeView node, const zone::StoredRrset& dname, size_t& target);
  State hit(zone::NodeView node, const zone::StoredRrset& rrset);
  bool follow();
  State next_link(uint16_t target);

  // The authority section.
  State solve_authority(State state);
  State solve_denial(State state);
  State solve_delegation();
  State solve_wildcard_proofs();
  State after(Proof proof) const;

  void solve_additional(State state);

  [[nodiscard]] zone::NodeView find(dns::NameView name) const { return snapshot_.find(*step_.zone, name); }
  [[nodiscard]] bool closest_encloser();
  [[nodiscard]] zone::NodeView topmost_cut(dns::NameView& name, zone::NodeView node) const;
  [[nodiscard]] uint16_t place_of(dns::NameView ancestor) const;

  const zone::Snapshot& snapshot_;
  const Request& request_;
  Response& response_;
  ProofWriter proofs_;
  Chain& chain_;
  const bool dnssec_;

  Step step_;
  zone::NodeView node_;          // with the name of step_
  dns::NameView encloser_name_;  // the closest encloser of step_.name, where that does not exist
  zone::NodeView encloser_;
  zone::NodeView wildcard_;  // what matched step_.name, if a wildcard did
  dns::NameView cut_name_;   // of a delegation
  zone::NodeView cut_;
  const void* source_ = nullptr;

  size_t links_ = 0;
  size_t expansion_count_ = 0;
  size_t dname_count_ = 0;

  // The RRset whose RDATA names others: where it starts in the message.
  zone::StoredRrset named_;
  zone::NodeView named_node_;
  size_t named_at_ = 0;
  uint16_t named_place_ = 0;
};

}  // namespace steward::serve

#pragma once
// Proofs that something is not there: NSEC (RFC 4035 §3.1.3) and NSEC3 (RFC 5155 §7.2) records in the authority
// section.

#include <array>
#include <cstdint>

#include "serve/response.hh"
#include "zone/snapshot.hh"

namespace steward::serve {

/// A name on the way to the answer: the question's, then each that a CNAME or DNAME led to.
struct Step {
  const zone::ZoneInfo* zone = nullptr;
  dns::NameView name;               ///< in lower case, at or below the zone's apex
  uint16_t place = question_place;  ///< where it stands in the message
  zone::NodeView nsec;              ///< whose NSEC matches or covers the name, where that was looked for ahead
};

enum class Proof : uint8_t {
  Written,
  NoRoom,        ///< the record has to be there and does not fit: TC (RFC 4035 §3.1.3)
  Unaffordable,  ///< an NSEC3 hash with more iterations than we compute
};

class ProofWriter {
 public:
  ProofWriter(const zone::Snapshot& snapshot, Response& response, const Settings& settings)
      : snapshot_(snapshot), response_(response), settings_(settings) {}

  /// NXDOMAIN: neither the name nor a wildcard that would match it. `encloser` is the closest encloser, `node` its node.
  Proof name_error(const Step& step, dns::NameView encloser, zone::NodeView node);
  /// NODATA at the name itself, whose node is `node` (an empty non-terminal too).
  Proof no_data(const Step& step, zone::NodeView node);
  /// NODATA at the wildcard `*.<encloser>`, whose node is `wildcard`.
  Proof wildcard_no_data(const Step& step, dns::NameView encloser, zone::NodeView wildcard);
  /// A positive answer from `*.<encloser>`: no closer match exists.
  Proof wildcard_answer(const Step& step, dns::NameView encloser);
  /// A referral without DS; `cut`, an ancestor of the name or itself, is the delegation.
  Proof no_ds(const Step& step, dns::NameView cut, zone::NodeView node);

 private:
  Proof put(const Step& step, zone::NodeView node, dns::RrType type);
  /// Of the step's own name.
  [[nodiscard]] zone::NodeView nsec_of(const Step& step) const {
    return step.nsec ? step.nsec : snapshot_.nsec_at_or_before(*step.zone, step.name);
  }
  Proof nsec_covering(const Step& step, dns::NameView name);
  Proof nsec3_covering(const Step& step, dns::NameView name);
  Proof nsec3_matching(const Step& step, dns::NameView name, bool& exact);
  Proof nsec3_closest_encloser(const Step& step, dns::NameView name, dns::NameView& encloser);
  Proof nsec3_matching_or_opt_out(const Step& step, dns::NameView name);
  [[nodiscard]] bool affordable(const zone::ZoneInfo& zone) const {
    return zone.nsec3_iterations <= settings_.max_nsec3_iterations;
  }

  const zone::Snapshot& snapshot_;
  Response& response_;
  const Settings& settings_;
  // What stands in the response already: one NSEC often proves two things.
  std::array<const uint8_t*, 16>
      written_;  // NOLINT(cppcoreguidelines-pro-type-member-init): the first written_count_ are set
  size_t written_count_ = 0;
};

}  // namespace steward::serve

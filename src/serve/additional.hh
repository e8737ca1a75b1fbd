#pragma once
// The additional section: addresses (and SVCB chains) of the names in the RDATA of what was answered.

#include "serve/proof.hh"
#include "serve/response.hh"
#include "zone/snapshot.hh"

namespace steward::serve {

/// An RRset that stands in the response.
struct WrittenRrset {
  dns::RrType type{};
  size_t rr_count = 0;
  size_t at = 0;             ///< offset of its first RR in the message
  uint16_t owner_place = 0;  ///< where its owner's name stands
  zone::NodeView node;       ///< that it came from
};

/// Whether RDATA of `type` names something whose addresses are worth sending along.
constexpr bool has_additional(dns::RrType type) {
  return type == dns::RrType::NS || type == dns::RrType::MX || type == dns::RrType::SRV || type == dns::RrType::SVCB ||
         type == dns::RrType::HTTPS;
}

/// Adds what fits, and drops silently what does not (RFC 2181 §9).
void add_additional(const zone::Snapshot& snapshot, Response& response, const WrittenRrset& source, bool dnssec);

/// Adds the glue of a referral whose NS RRset is `source`, at `cut` in `zone`. False where glue for an in-domain
/// name server does not fit: then TC has to be set (RFC 9471 §3.1).
[[nodiscard]] bool add_glue(const zone::Snapshot& snapshot, Response& response, const WrittenRrset& source,
                            const zone::ZoneInfo& zone, dns::NameView cut, bool dnssec);

}  // namespace steward::serve

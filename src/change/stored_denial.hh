#pragma once
// How a zone that comes signed denies, told by its own records.

#include "base/bytes.hh"
#include "zone/snapshot.hh"

namespace steward::change {

struct StoredDenial {
  zone::Denial denial = zone::Denial::None;
  uint16_t nsec3_iterations = 0;
  Bytes nsec3_salt;
};

/// `has_chain`: NSEC3 nodes are stored. None where the chain has more iterations than RFC 5155 §10.3 allows: it would
/// cost too much to deny by it.
[[nodiscard]] StoredDenial stored_denial(zone::NodeView apex, bool has_chain);

}  // namespace steward::change

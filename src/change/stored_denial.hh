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

/// `has_chain`: NSEC3 nodes are stored.
[[nodiscard]] StoredDenial stored_denial(zone::NodeView apex, bool has_chain);

}  // namespace steward::change

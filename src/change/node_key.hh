#pragma once
// Keys of names in a zone's node table, and what of a stored node is content. Private to this room.

#include "change/draft.hh"

namespace steward::change {

/// The canonical key relative to the apex (dns/name.hh).
inline Bytes key_of(NameView name, NameView apex) {
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(name, apex, key.data()));
  return key;
}

/// The lowest key behind this one: names below it included.
inline void step_past(Bytes& key) { key.push_back(0); }

/// Whether anything is there but what the signer made.
inline bool has_content(zone::NodeView node, Keep keep) {
  for (size_t i = 0; i < node.rrset_count(); ++i)
    if (keep == Keep::All || node.rrset(i).type != RrType::NSEC) return true;
  return false;
}

}  // namespace steward::change

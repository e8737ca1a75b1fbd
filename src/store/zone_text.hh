#pragma once
// A stored zone's records one by one, and as a zone file.

#include <functional>
#include <string_view>

#include "store/store.hh"

namespace steward::store {

/// f(owner, type, ttl, uncompressed RDATA) for every record of a node, RRSIGs behind what they cover; ends at the first
/// failure.
template <class F>
Result<void> for_each_record(zone::NodeView node, F f) {
  Bytes rdata;
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const zone::StoredRrset rrset = node.rrset(i);
    for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
      const zone::StoredRr rr = reader.next();
      rdata.clear();
      zone::expand_rdata(rrset.type, rr.rdata, node.owner(), rdata);
      if (auto done = f(node.owner(), rrset.type, rr.ttl, ByteView(rdata)); !done) return done;
    }
    for (zone::StoredRrReader reader(rrset.sigs()); !reader.done();) {
      const zone::StoredRr rr = reader.next();
      if (auto done = f(node.owner(), dns::RrType::RRSIG, rr.ttl, rr.rdata); !done) return done;
    }
  }
  return {};
}

/// Writes the zone as it stands in the snapshot that `reader` has acquired, in master file format, in blocks of some 64
/// KiB: the SOA first, then names in canonical order, then the NSEC3 chain. Fails with what `sink` failed with.
Result<void> write_zone_text(const Reader& reader, const zone::ZoneInfo& info,
                             std::function<Result<void>(std::string_view)> sink);

}  // namespace steward::store

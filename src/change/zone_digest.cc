#include "change/zone_digest.hh"

#include <algorithm>

#include "zone/record_source.hh"

namespace steward::change {

bool has_made_zonemd(zone::NodeView apex) {
  if (!apex) return false;
  const auto entries = read_provenance(apex.provenance());
  return std::any_of(entries.begin(), entries.end(), [](const ProvenanceEntry& entry) {
    return entry.origin == Origin::Signer && entry.type == RrType::ZONEMD;
  });
}

void remove_zonemd(NodeDraft& draft) {
  draft.remove_type(RrType::ZONEMD);
  draft.forget(Origin::Signer, RrType::ZONEMD);
}

void draft_zonemd(NodeDraft& draft, zone::NodeView stored, uint32_t served_serial, sign::ZonemdHash hash) {
  Bytes rdata = sign::zonemd_placeholder(served_serial, hash);
  if (has_made_zonemd(stored)) {
    const auto rrset = stored.find(RrType::ZONEMD);
    const ByteView before = rrset ? zone::StoredRrReader(rrset->rrs).next().rdata : ByteView{};
    // Serial, scheme and hash algorithm are as they would be now.
    constexpr size_t head = 6;
    if (before.size() == rdata.size() && std::equal(before.begin(), before.begin() + head, rdata.begin()))
      rdata.assign(before.begin(), before.end());
  }
  uint32_t ttl = 0;
  for (const zone::RrsetInput& rrset : draft.rrsets())
    if (rrset.type == RrType::SOA) ttl = rrset.ttl;
  remove_zonemd(draft);
  const ByteView held[] = {draft.hold(std::move(rdata))};
  draft.add(RrType::ZONEMD, ttl, held);
  draft.note({Origin::Signer, RrType::ZONEMD, ttl, held[0]});
}

Result<Bytes> with_zonemd(Finisher& finisher, zone::NodeView apex, sign::ZonemdHash hash, zone::NodeTable& nodes,
                          zone::NodeTable& nsec3) {
  if (!has_made_zonemd(apex)) return Bytes(apex.data(), apex.data() + apex.size());
  zone::TableRecords records(apex.owner(), nodes, nsec3);
  records.set_apex_node(apex);
  const auto rdata = sign::make_zonemd(records, hash);
  if (!rdata) return tl::unexpected<Error>(rdata.error());
  return finisher.replace_made(apex, RrType::ZONEMD, *rdata);
}

}  // namespace steward::change

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

Result<void> digest_zone(Finisher& finisher, Task& apex, std::optional<sign::ZonemdHash> hash, zone::NodeTable& nodes,
                         zone::NodeTable& nsec3) {
  const zone::NodeView node(apex.node.data());
  if (!hash || !has_made_zonemd(node)) return {};
  zone::TableRecords records(node.owner(), nodes, nsec3);
  records.set_apex_node(node);
  const auto rdata = sign::make_zonemd(records, *hash);
  if (!rdata) return tl::unexpected<Error>(rdata.error());
  auto digested = finisher.replace_made(node, RrType::ZONEMD, *rdata);
  if (!digested) return tl::unexpected<Error>(digested.error());
  apex.node = std::move(*digested);
  return {};
}

}  // namespace steward::change

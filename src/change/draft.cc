#include "change/draft.hh"

#include <algorithm>

#include "dns/rdata.hh"

namespace steward::change {
namespace {

bool same(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

bool is_listed(const std::vector<ProvenanceEntry>& entries, Origin origin, RrType type, ByteView rdata) {
  return std::any_of(entries.begin(), entries.end(), [&](const ProvenanceEntry& entry) {
    return entry.origin == origin && entry.type == type && same(entry.rdata, rdata);
  });
}

// What the signer makes for itself wherever it signs.
bool is_signers_type(RrType type) {
  return type == RrType::NSEC || type == RrType::NSEC3 || type == RrType::NSEC3PARAM || type == RrType::RRSIG;
}

// Whether a record of an update can stand beside what is there.
bool may_join(NodeDraft& draft, RrType type) {
  if (type == RrType::CNAME) {
    const auto rrsets = draft.rrsets();
    return std::all_of(rrsets.begin(), rrsets.end(), [](const zone::RrsetInput& rrset) { return is_signers_type(rrset.type); });
  }
  if (type == RrType::DNAME && draft.has(type)) return false;
  return is_signers_type(type) || !draft.has(RrType::CNAME);
}

}  // namespace

void append_provenance(Bytes& out, const ProvenanceEntry& entry) {
  constexpr size_t head = 9;
  const size_t at = out.size();
  out.resize(at + head + entry.rdata.size());
  ByteWriter to(out, at);
  to.u8(static_cast<uint8_t>(entry.origin));
  to.u16(value(entry.type));
  to.u32(entry.ttl);
  to.u16(static_cast<uint16_t>(entry.rdata.size()));
  to.bytes(entry.rdata);
}

std::vector<ProvenanceEntry> read_provenance(ByteView provenance) {
  std::vector<ProvenanceEntry> entries;
  ByteReader reader(provenance);
  while (reader.left() > 0) {
    ProvenanceEntry entry;
    entry.origin = static_cast<Origin>(reader.u8());
    entry.type = static_cast<RrType>(reader.u16());
    entry.ttl = reader.u32();
    const size_t size = reader.u16();
    entry.rdata = reader.bytes(size);
    if (!reader.ok()) break;
    entries.push_back(entry);
  }
  return entries;
}

void NodeDraft::clear() {
  rrsets_.clear();
  views_.clear();
  held_.clear();
  provenance_.clear();
}

NodeDraft::Entry* NodeDraft::find(RrType type) {
  const auto at = std::find_if(rrsets_.begin(), rrsets_.end(), [&](const Entry& entry) { return entry.type == type; });
  return at != rrsets_.end() ? &*at : nullptr;
}

bool NodeDraft::has(RrType type) const {
  return std::any_of(rrsets_.begin(), rrsets_.end(), [&](const Entry& entry) { return entry.type == type; });
}

void NodeDraft::add(RrType type, uint32_t ttl, std::span<const ByteView> rdatas, std::span<const ByteView> rrsigs) {
  if (rdatas.empty()) return;
  const size_t first = views_.size();
  views_.insert(views_.end(), rdatas.begin(), rdatas.end());
  views_.insert(views_.end(), rrsigs.begin(), rrsigs.end());
  rrsets_.push_back({type, ttl, first, rdatas.size(), first + rdatas.size(), rrsigs.size()});
}

void NodeDraft::add_record(RrType type, uint32_t ttl, ByteView rdata) {
  Entry* entry = find(type);
  if (entry == nullptr) {
    const ByteView one[] = {rdata};
    add(type, ttl, one);
    return;
  }
  // Canonical order compares canonical forms (RFC 4034 §6.3): names in lower case for the types that have it so.
  const auto canonical = [&](ByteView octets) {
    Bytes copy(octets.begin(), octets.end());
    dns::canonicalize_rdata(type, copy);
    return copy;
  };
  const Bytes wanted = canonical(rdata);
  std::vector<ByteView> merged(views_.begin() + static_cast<long>(entry->first),
                               views_.begin() + static_cast<long>(entry->first + entry->count));
  auto at = merged.begin();
  for (; at != merged.end(); ++at) {
    const int order = dns::compare_rdata(wanted, canonical(*at));
    if (order == 0) return;
    if (order < 0) break;
  }
  merged.insert(at, rdata);
  entry->first = views_.size();
  entry->count = merged.size();
  entry->sig_count = 0;
  views_.insert(views_.end(), merged.begin(), merged.end());
}

void NodeDraft::remove_record(RrType type, ByteView rdata) {
  Entry* entry = find(type);
  if (entry == nullptr) return;
  const auto first = views_.begin() + static_cast<long>(entry->first);
  const auto last = first + static_cast<long>(entry->count);
  entry->count = static_cast<size_t>(std::remove_if(first, last, [&](ByteView have) { return same(have, rdata); }) - first);
  entry->sig_count = 0;
  if (entry->count == 0) remove_type(type);
}

void NodeDraft::remove_type(RrType type) {
  std::erase_if(rrsets_, [&](const Entry& entry) { return entry.type == type; });
}

void NodeDraft::set_soa_serial(uint32_t serial) {
  const Entry* soa = find(RrType::SOA);
  if (soa == nullptr) return;
  // RFC 1035 §3.3.13: SERIAL is the first of the five numbers that end the RDATA.
  const ByteView old = views_[soa->first];
  Bytes rdata(old.begin(), old.end());
  store_u32(&rdata[rdata.size() - 20], serial);
  views_[soa->first] = hold(std::move(rdata));
}

void NodeDraft::forget(Origin origin, RrType type) {
  const Bytes before = std::exchange(provenance_, {});
  for (const ProvenanceEntry& entry : read_provenance(before))
    if (entry.origin != origin || entry.type != type) append_provenance(provenance_, entry);
}

std::span<zone::RrsetInput> NodeDraft::rrsets() {
  std::sort(rrsets_.begin(), rrsets_.end(), [](const Entry& a, const Entry& b) { return a.type < b.type; });
  inputs_.clear();
  for (const Entry& entry : rrsets_)
    inputs_.push_back({entry.type, entry.ttl, {views_.data() + entry.first, entry.count},
                       {views_.data() + entry.sig_first, entry.sig_count}});
  return inputs_;
}

void draft_stored(zone::NodeView node, Keep keep, NodeDraft& draft) {
  const auto provenance = read_provenance(node.provenance());
  std::vector<ByteView> rdatas;
  std::vector<ByteView> rrsigs;
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const zone::StoredRrset rrset = node.rrset(i);
    if (keep == Keep::WithoutSigner && is_signers_type(rrset.type)) continue;
    rdatas.clear();
    rrsigs.clear();
    for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
      Bytes expanded;
      zone::expand_rdata(rrset.type, reader.next().rdata, node.owner(), expanded);
      if (keep == Keep::WithoutSigner && is_listed(provenance, Origin::Signer, rrset.type, expanded)) continue;
      rdatas.push_back(draft.hold(std::move(expanded)));
    }
    if (keep == Keep::All)
      for (zone::StoredRrReader reader(rrset.sigs()); !reader.done();) rrsigs.push_back(reader.next().rdata);
    draft.add(rrset.type, rrset.ttl(), rdatas, rrsigs);
  }
  for (const ProvenanceEntry& entry : provenance)
    if (entry.origin != Origin::Signer || keep == Keep::All) draft.note(entry);
}

void draft_file(std::span<const zone::RrsetInput> file, ByteView provenance, Keep keep, NodeDraft& draft) {
  for (const zone::RrsetInput& rrset : file) {
    if (keep == Keep::WithoutSigner && is_signers_type(rrset.type)) continue;
    draft.add(rrset.type, rrset.ttl, rrset.rdatas, keep == Keep::All ? rrset.rrsigs : std::span<const ByteView>{});
  }
  const auto file_has = [&](RrType type, ByteView rdata) {
    for (const zone::RrsetInput& rrset : file)
      if (rrset.type == type)
        return std::any_of(rrset.rdatas.begin(), rrset.rdatas.end(), [&](ByteView have) { return same(have, rdata); });
    return false;
  };
  const auto entries = read_provenance(provenance);
  for (const ProvenanceEntry& entry : entries) {
    if (entry.origin != Origin::Withdrawn || !file_has(entry.type, entry.rdata)) continue;
    draft.remove_record(entry.type, entry.rdata);
    draft.note(entry);
  }
  for (const ProvenanceEntry& entry : entries) {
    // Once the file says it too, it is the file's.
    if (entry.origin != Origin::Dynamic || file_has(entry.type, entry.rdata) || !may_join(draft, entry.type)) continue;
    draft.add_record(entry.type, entry.ttl, entry.rdata);
    draft.note(entry);
  }
}

}  // namespace steward::change

#include "memory_snapshot.hh"

#include <algorithm>
#include <bit>
#include <set>
#include <stdexcept>
#include <unordered_map>

#include "dns/rdata.hh"
#include "zone_text.hh"

namespace steward::test {
namespace {

using dns::Name;
using dns::NameView;
using dns::RrType;
using zone::NodeView;

struct Rrset {
  uint32_t ttl = 0;
  std::vector<Bytes> rdatas;
  std::vector<Bytes> sigs;
};

struct Node {
  Name owner;
  std::map<RrType, Rrset> rrsets;
  uint16_t flags = 0;
};

using Key = std::string;  // canonical, relative to the apex

Key key_of(NameView name, NameView apex) {
  uint8_t octets[dns::max_canonical_key_size];
  return std::string(reinterpret_cast<const char*>(octets), canonical_key(name, apex, octets));
}

uint64_t hash_of(NameView name) {
  uint64_t hash = 0x9e3779b97f4a7c15U ^ name.size();
  const uint8_t* p = name.data();
  size_t left = name.size();
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, p, 8);
    hash = std::rotl((hash ^ word) * 0xff51afd7ed558ccdU, 29);
  }
  uint64_t word = 0;
  std::memcpy(&word, p, left);
  hash = (hash ^ word) * 0xff51afd7ed558ccdU;
  return hash ^ hash >> 32;
}

// Every RRset in canonical order, without repeats.
void sort_rdatas(RrType type, std::vector<Bytes>& rdatas) {
  for (Bytes& rdata : rdatas) canonicalize_rdata(type, rdata);
  std::sort(rdatas.begin(), rdatas.end());
  rdatas.erase(std::unique(rdatas.begin(), rdatas.end()), rdatas.end());
}

Bytes blob_of(const Node& node) {
  std::vector<std::vector<ByteView>> views;
  std::vector<zone::RrsetInput> inputs;
  views.reserve(2 * node.rrsets.size());
  for (const auto& [type, rrset] : node.rrsets) {
    auto& rdatas = views.emplace_back(rrset.rdatas.begin(), rrset.rdatas.end());
    auto& sigs = views.emplace_back(rrset.sigs.begin(), rrset.sigs.end());
    inputs.push_back({type, rrset.ttl, rdatas, sigs});
  }
  Bytes blob;
  zone::NodeInput input;
  input.owner = node.owner;
  input.flags = node.flags;
  input.rrsets = inputs;
  if (auto built = zone::build_node(input, blob); !built) throw std::runtime_error(built.error().what);
  if (auto checked = NodeView::check(blob); !checked) throw std::runtime_error(checked.error().what);
  return blob;
}

zone::Nsec3Hash decode_hash(ByteView label) {
  zone::Nsec3Hash hash{};
  uint64_t bits = 0;
  unsigned count = 0;
  size_t out = 0;
  for (const uint8_t octet : label) {
    const uint8_t c = dns::fold(octet);
    bits = bits << 5 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    count += 5;
    if (count >= 8 && out < hash.size()) {
      count -= 8;
      hash[out++] = static_cast<uint8_t>(bits >> count);
    }
  }
  return hash;
}

// What a signer would sign (RFC 4035 §2.2): nothing below a cut, of a cut only DS and NSEC.
void add_signatures(Node& node, NameView apex) {
  if ((node.flags & zone::node_occluded) != 0) return;
  for (auto& [type, rrset] : node.rrsets) {
    if ((node.flags & zone::node_cut) != 0 && type != RrType::DS && type != RrType::NSEC) continue;
    const NameView owner = node.owner;
    Bytes sig;
    append_u16(sig, value(type));
    append_u8(sig, 13);
    append_u8(sig, static_cast<uint8_t>(owner.label_count() - (owner.is_wildcard() ? 1 : 0)));
    append_u32(sig, rrset.ttl);
    append_u32(sig, 2000000000);
    append_u32(sig, 1000000000);
    append_u16(sig, 12345);
    append(sig, apex.wire());
    sig.resize(sig.size() + 64);
    rrset.sigs.push_back(std::move(sig));
  }
}

}  // namespace

struct MemorySnapshot::Zone {
  zone::ZoneInfo info;
  std::vector<Bytes> blobs;
  std::vector<std::pair<uint64_t, const uint8_t*>> slots;  // open addressing, a power of two
  std::vector<std::pair<Key, const uint8_t*>> nsec;
  std::vector<std::pair<zone::Nsec3Hash, const uint8_t*>> nsec3;

  const uint8_t* keep(Bytes blob) { return blobs.emplace_back(std::move(blob)).data(); }
  void fill(std::string_view text, bool sign);
  void set_flags(std::map<Key, Node>& nodes) const;
  void index(const std::map<Key, Node>& nodes);
  void read_denial(const Node& apex);
};

MemorySnapshot::MemorySnapshot() = default;
MemorySnapshot::~MemorySnapshot() = default;

void MemorySnapshot::Zone::fill(std::string_view text, bool sign) {
  std::map<Key, Node> nodes;
  std::map<Key, Node> hashed;
  std::vector<Record> records = parse_zone_text(text, info.apex);
  const auto is_denial3 = [](const Record& r) {
    return r.type == RrType::NSEC3 ||
           (r.type == RrType::RRSIG && static_cast<RrType>(load_u16(r.rdata.data())) == RrType::NSEC3);
  };
  for (Record& record : records) {
    if (!record.owner.view().is_at_or_below(info.apex))
      throw std::runtime_error("out of zone: " + record.owner.to_text());
    const bool sig = record.type == RrType::RRSIG;
    auto& table = is_denial3(record) ? hashed : nodes;
    auto [at, fresh] = table.try_emplace(key_of(record.owner, info.apex));
    if (fresh) at->second.owner = record.owner;
    Rrset& rrset = at->second.rrsets[sig ? static_cast<RrType>(load_u16(record.rdata.data())) : record.type];
    if (!sig) rrset.ttl = record.ttl;
    (sig ? rrset.sigs : rrset.rdatas).push_back(std::move(record.rdata));
  }
  // Empty non-terminals.
  std::set<Key> known;
  std::vector<Name> missing;
  for (const auto& [key, node] : nodes)
    for (NameView name = NameView(node.owner).parent();
         name.is_at_or_below(info.apex) && node.owner.size() > info.apex.size(); name = name.parent()) {
      if (!known.insert(key_of(name, info.apex)).second) break;
      missing.emplace_back(name);
      if (name.size() == info.apex.size()) break;
    }
  for (const Name& name : missing) {
    auto [at, fresh] = nodes.try_emplace(key_of(name, info.apex));
    if (fresh) at->second.owner = name.folded();
  }
  for (auto* table : {&nodes, &hashed})
    for (auto& [key, node] : *table)
      for (auto& [type, rrset] : node.rrsets) sort_rdatas(type, rrset.rdatas);

  set_flags(nodes);
  if (sign)
    for (auto* table : {&nodes, &hashed})
      for (auto& [key, node] : *table) add_signatures(node, info.apex);
  blobs.reserve(nodes.size() + hashed.size());
  index(nodes);
  for (const auto& [key, node] : hashed)
    nsec3.emplace_back(decode_hash(node.owner.view().first_label()), keep(blob_of(node)));
  std::sort(nsec3.begin(), nsec3.end());
  read_denial(nodes.at(Key()));
}

void MemorySnapshot::Zone::set_flags(std::map<Key, Node>& nodes) const {
  for (auto& [key, node] : nodes) {
    const bool apex = key.empty();
    if (apex) node.flags |= zone::node_apex;
    if (!apex && node.rrsets.contains(RrType::NS)) node.flags |= zone::node_cut;
    if (node.rrsets.contains(RrType::CNAME)) node.flags |= zone::node_cname;
    if (node.rrsets.contains(RrType::DNAME)) node.flags |= zone::node_dname;
  }
  // Canonical order: a parent before its children.
  for (auto& [key, node] : nodes) {
    if (key.empty()) continue;
    const NameView owner = node.owner;
    Node& parent = nodes.at(key_of(owner.parent(), info.apex));
    parent.flags |= zone::node_children;
    if (owner.is_wildcard()) parent.flags |= zone::node_wildcard_child;
    if ((parent.flags & (zone::node_cut | zone::node_dname | zone::node_occluded)) != 0)
      node.flags |= zone::node_occluded;
  }
}

void MemorySnapshot::Zone::index(const std::map<Key, Node>& nodes) {
  slots.resize(std::bit_ceil(nodes.size() * 2 + 1));
  for (const auto& [key, node] : nodes) {
    const uint8_t* const blob = keep(blob_of(node));
    const uint64_t hash = hash_of(node.owner.folded());
    size_t slot = hash & (slots.size() - 1);
    while (slots[slot].second != nullptr) slot = (slot + 1) & (slots.size() - 1);
    slots[slot] = {hash, blob};
    if (node.rrsets.contains(RrType::NSEC)) nsec.emplace_back(key, blob);
  }
}

void MemorySnapshot::Zone::read_denial(const Node& apex) {
  if (apex.rrsets.contains(RrType::NSEC)) info.denial = zone::Denial::Nsec;
  const auto param = apex.rrsets.find(RrType::NSEC3PARAM);
  if (param == apex.rrsets.end()) return;
  const Bytes& rdata = param->second.rdatas.front();
  info.denial = zone::Denial::Nsec3;
  info.nsec3_iterations = load_u16(&rdata[2]);
  info.nsec3_salt_size = rdata[4];
  std::copy_n(rdata.begin() + 5, rdata[4], info.nsec3_salt.begin());
}

void MemorySnapshot::add_zone(std::string_view apex, std::string_view text) { add(apex, text, false); }
void MemorySnapshot::add_signed_zone(std::string_view apex, std::string_view text) { add(apex, text, true); }

void MemorySnapshot::add(std::string_view apex, std::string_view text, bool sign) {
  auto zone = std::make_unique<Zone>();
  zone->info.id = static_cast<uint32_t>(zones_.size() + 1);
  zone->info.apex = Name::from_text(apex)->folded();
  zone->fill(text, sign);
  zones_.push_back(std::move(zone));
}

zone::ZoneInfo& MemorySnapshot::info(std::string_view apex) {
  const Name name = *Name::from_text(apex);
  for (const auto& zone : zones_)
    if (zone->info.apex == name) return zone->info;
  throw std::runtime_error("no zone " + name.to_text());
}

std::vector<NodeView> MemorySnapshot::nodes(std::string_view apex) {
  std::vector<NodeView> all;
  for (const Bytes& blob : zones_[info(apex).id - 1]->blobs) all.emplace_back(blob.data());
  return all;
}

const zone::ZoneInfo* MemorySnapshot::find_zone(NameView name) const {
  const zone::ZoneInfo* best = nullptr;
  for (const auto& zone : zones_)
    if (name.is_at_or_below(zone->info.apex) && (best == nullptr || zone->info.apex.size() > best->apex.size()))
      best = &zone->info;
  return best;
}

NodeView MemorySnapshot::find(const zone::ZoneInfo& zone, NameView name) const {
  zone::Probe probe;
  begin(probe, zone, name);
  return finish(probe);
}

void MemorySnapshot::begin(zone::Probe& probe, const zone::ZoneInfo& zone, NameView name) const {
  probe.zone = &zone;
  probe.name = name;
  probe.hash = hash_of(name);
}

void MemorySnapshot::fetch(zone::Probe& probe) const {
  const Zone& zone = *zones_[probe.zone->id - 1];
  __builtin_prefetch(&zone.slots[probe.hash & (zone.slots.size() - 1)]);
}

NodeView MemorySnapshot::finish(const zone::Probe& probe) const {
  const Zone& zone = *zones_[probe.zone->id - 1];
  for (size_t slot = probe.hash;; ++slot) {
    const auto& [hash, blob] = zone.slots[slot & (zone.slots.size() - 1)];
    if (blob == nullptr) return {};
    if (hash == probe.hash && NodeView(blob).owner() == probe.name) return NodeView(blob);
  }
}

NodeView MemorySnapshot::nsec_at_or_before(const zone::ZoneInfo& zone, NameView name) const {
  const auto& nsec = zones_[zone.id - 1]->nsec;
  uint8_t octets[dns::max_canonical_key_size];
  const std::string_view key(reinterpret_cast<const char*>(octets), canonical_key(name, zone.apex, octets));
  auto after = std::upper_bound(nsec.begin(), nsec.end(), key,
                                [](std::string_view wanted, const auto& entry) { return wanted < entry.first; });
  return after == nsec.begin() ? NodeView() : NodeView(std::prev(after)->second);
}

NodeView MemorySnapshot::nsec3_at_or_before(const zone::ZoneInfo& zone, const zone::Nsec3Hash& hash,
                                            bool& exact) const {
  const auto& nsec3 = zones_[zone.id - 1]->nsec3;
  exact = false;
  if (nsec3.empty()) return {};
  auto after = std::upper_bound(nsec3.begin(), nsec3.end(), hash,
                                [](const zone::Nsec3Hash& wanted, const auto& entry) { return wanted < entry.first; });
  const auto& entry = after == nsec3.begin() ? nsec3.back() : *std::prev(after);
  exact = entry.first == hash;
  return NodeView(entry.second);
}

}  // namespace steward::test

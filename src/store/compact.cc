// Compaction: what is alive in a mostly dead segment moves to the end of the log, and the segment is dropped.

#include "store/state.hh"
#include "store/store.hh"

namespace steward::store {
namespace {

constexpr uint64_t worth_moving = NodeLog::segment_size * 2 / 5;  // below 40 % alive

/// The emptiest closed segment below the mark; nothing where all are well filled.
std::optional<uint64_t> emptiest(const std::map<uint64_t, uint64_t>& live, uint64_t tail) {
  std::optional<uint64_t> found;
  uint64_t least = worth_moving;
  for (const auto& [segment, octets] : live)
    if (segment < tail && octets < least) {
      least = octets;
      found = segment;
    }
  return found;
}

}  // namespace

Bytes key_of(zone::NodeView node, dns::NameView apex) {
  if (node.is(zone::node_nsec3)) {
    // The key of an NSEC3 node is its hash: the owner's first label, in base32hex (RFC 5155 §3).
    Bytes hash;
    uint64_t bits = 0;
    int count = 0;
    for (const uint8_t c : node.owner().first_label()) {
      const uint8_t folded = dns::fold(c);
      bits = bits << 5 | static_cast<uint64_t>(folded <= '9' ? folded - '0' : folded - 'a' + 10);
      if ((count += 5) >= 8) hash.push_back(static_cast<uint8_t>(bits >> (count -= 8)));
    }
    return hash;
  }
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(node.owner(), apex, key.data()));
  return key;
}

Result<bool> Store::compact() {
  State& s = *state_;
  const auto segment = emptiest(s.live, NodeLog::segment_of(s.log->end()));
  if (!segment) return false;
  auto write = begin_write();
  if (!write) return tl::unexpected<Error>(write.error());

  std::map<uint32_t, dns::Name> apexes;
  for (const auto& zone : s.view.load()->zones) apexes.emplace(zone->info.id, zone->info.apex);
  const NodePosition border = (*segment + 1) * NodeLog::segment_size;
  NodePosition at = std::max<NodePosition>(*segment * NodeLog::segment_size, 8);
  while (at + 8 < border) {
    const zone::NodeView node(s.log->at(at));
    if (load_u32(node.data()) == 0) break;
    const NodePosition position = at;
    at += node.size();
    const auto apex = apexes.find(node.zone());
    if (apex == apexes.end()) continue;
    zone::NodeTable& table = node.is(zone::node_nsec3) ? (*write)->nsec3(node.zone()) : (*write)->nodes(node.zone());
    const Bytes key = key_of(node, apex->second);
    if (table.find(key).data() != s.log->at(position)) continue;
    if (auto put = table.put(key, ByteView(node.data(), node.size())); !put) return tl::unexpected<Error>(put.error());
  }
  if (auto committed = (*write)->commit(); !committed) return tl::unexpected<Error>(committed.error());
  return true;
}

}  // namespace steward::store

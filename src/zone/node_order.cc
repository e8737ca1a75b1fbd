#include "zone/node_order.hh"

#include <algorithm>
#include <span>

namespace steward::zone {
namespace {

// Sorting compares eight octets of the canonical key (dns/name.hh) as one number, and goes on with the next eight where
// those are equal. A key that has ended is filled up with zeros; as no label begins with a zero octet in a key, the
// shorter of two names comes first and no two names look the same.
struct Head {
  uint64_t octets;
  NodeIndex node;
};
constexpr size_t head_size = 8;

// Eight octets of the key from `depth` on.
uint64_t key_head(ByteView labels, size_t depth) {
  std::array<uint8_t, dns::max_labels> starts;
  size_t count = 0;
  for (size_t at = 0; at < labels.size(); at += labels[at] + size_t{1}) starts[count++] = static_cast<uint8_t>(at);
  uint64_t head = 0;
  size_t at = 0;  // in the key
  const auto put = [&](uint8_t octet) {
    if (at >= depth) head |= uint64_t{octet} << (8 * (head_size - 1 - (at - depth)));
    return ++at == depth + head_size;
  };
  while (count > 0) {
    const uint8_t* label = labels.data() + starts[--count];
    for (size_t i = 1; i <= *label; ++i) {
      uint8_t octet = dns::fold(label[i]);
      if (octet <= 1) {
        if (put(1)) return head;
        ++octet;
      }
      if (put(octet)) return head;
    }
    if (put(0)) return head;
  }
  return head;
}

void sort_heads(const OwnerTable& owners, std::span<Head> heads, size_t depth) {
  for (Head& head : heads) head.octets = key_head(owners.labels(head.node), depth);
  std::sort(heads.begin(), heads.end(), [](const Head& a, const Head& b) { return a.octets < b.octets; });
  for (size_t from = 0; from < heads.size();) {
    size_t to = from + 1;
    while (to < heads.size() && heads[to].octets == heads[from].octets) ++to;
    if (to - from > 1) sort_heads(owners, heads.subspan(from, to - from), depth + head_size);
    from = to;
  }
}

}  // namespace

void sort_canonically(const OwnerTable& owners, std::vector<NodeIndex>& nodes) {
  std::vector<Head> heads;
  heads.reserve(nodes.size());
  for (const NodeIndex node : nodes) heads.push_back({0, node});
  sort_heads(owners, heads, 0);
  std::transform(heads.begin(), heads.end(), nodes.begin(), [](const Head& head) { return head.node; });
}

}  // namespace steward::zone

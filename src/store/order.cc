#include "store/order.hh"

#include <algorithm>
#include <array>
#include <new>

namespace steward::store {
namespace {

constexpr size_t most_entries = 48;
constexpr size_t usual_entries = 32;  // of nodes that are made out of too many
constexpr size_t most_changes = 8192;
constexpr size_t line = 64;

uint64_t load_head(const uint8_t* p) {
  uint64_t head;
  std::memcpy(&head, p, sizeof head);
  return __builtin_bswap64(head);
}

}  // namespace

/// In memory: this; the prefix, filled up to a multiple of 8; heads; values; tails; octets of the keys behind their
/// heads.
struct Order::Node {
  struct Tail {
    uint16_t at;    // from the end of the tails
    uint16_t size;  // of the whole key
  };
  uint64_t edit;    // that made it
  uint32_t octets;  // of all of it
  uint16_t count;
  uint16_t prefix_size;
  uint8_t level;  // 0: values are positions; else Nodes of the level below, each with its lowest key

  static constexpr size_t head_size = sizeof(uint64_t);
  static size_t padded(size_t size) { return (size + 7) & ~size_t{7}; }

  [[nodiscard]] const uint8_t* prefix() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  [[nodiscard]] uint8_t* prefix() { return reinterpret_cast<uint8_t*>(this + 1); }
  [[nodiscard]] const uint64_t* heads() const {
    return reinterpret_cast<const uint64_t*>(prefix() + padded(prefix_size));
  }
  [[nodiscard]] uint64_t* heads() { return reinterpret_cast<uint64_t*>(prefix() + padded(prefix_size)); }
  [[nodiscard]] const uint64_t* values() const { return heads() + count; }
  [[nodiscard]] uint64_t* values() { return heads() + count; }
  [[nodiscard]] const Tail* tails() const { return reinterpret_cast<const Tail*>(values() + count); }
  [[nodiscard]] Tail* tails() { return reinterpret_cast<Tail*>(values() + count); }
  [[nodiscard]] const uint8_t* rest() const { return reinterpret_cast<const uint8_t*>(tails() + count); }
  [[nodiscard]] uint8_t* rest() { return reinterpret_cast<uint8_t*>(tails() + count); }
  [[nodiscard]] const Node* child(size_t i) const { return reinterpret_cast<const Node*>(values()[i]); }

  /// How many keys are not above this one.
  [[nodiscard]] size_t rank(const uint8_t* key, size_t size) const {
    const int order = std::memcmp(key, prefix(), std::min<size_t>(size, prefix_size));
    if (order != 0) return order < 0 ? 0 : count;
    if (size < prefix_size) return 0;
    const uint64_t head = load_head(key + prefix_size);
    const uint64_t* base = heads();
    for (size_t left = count; left > 1;) {
      const size_t half = left / 2;
      base += base[half - 1] <= head ? half : 0;
      left -= half;
    }
    const auto found = static_cast<size_t>(base - heads()) + (*base <= head ? 1 : 0);
    return found == 0 || heads()[found - 1] != head ? found : settle(found, head, key, size);
  }
  /// Among keys with the same head the whole decides.
  [[nodiscard]] size_t settle(size_t high, uint64_t head, const uint8_t* key, size_t size) const {
    size_t low = static_cast<size_t>(std::lower_bound(heads(), heads() + high, head) - heads());
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      if (compare_behind_head(middle, key, size) <= 0)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }
  [[nodiscard]] int compare_behind_head(size_t i, const uint8_t* key, size_t size) const {
    const Tail tail = tails()[i];
    const size_t behind = prefix_size + head_size;
    if (const size_t common = std::min<size_t>(tail.size, size); common > behind)
      if (const int order = std::memcmp(rest() + tail.at, key + behind, common - behind); order != 0) return order;
    return static_cast<int>(tail.size) - static_cast<int>(size);
  }
  /// Given that rank() is `rank`: whether the last key not above this one is this one.
  [[nodiscard]] bool matches(size_t rank, const uint8_t* key, size_t size) const {
    return rank > 0 && tails()[rank - 1].size == size && size >= prefix_size &&
           std::memcmp(prefix(), key, prefix_size) == 0 && heads()[rank - 1] == load_head(key + prefix_size) &&
           compare_behind_head(rank - 1, key, size) == 0;
  }
  void prefetch() const {
    const auto* const at = reinterpret_cast<const uint8_t*>(this);
    for (size_t i = 0; i < 6; ++i) __builtin_prefetch(at + i * line);
  }
};

void Order::at_or_before(const Version& version, std::span<Search> searches) {
  if (version.root == nullptr) return;
  for (Search& search : searches) search.node = version.root;
  for (int level = version.root->level; level >= 0; --level) {
    for (Search& search : searches) {
      const size_t rank = search.node != nullptr ? search.node->rank(search.key, search.size) : 0;
      search.place = rank > 0 ? search.node->values() + rank - 1 : nullptr;
      __builtin_prefetch(search.place);
    }
    if (level == 0) break;
    for (Search& search : searches) {
      search.node = search.place != nullptr ? reinterpret_cast<const Node*>(*search.place) : nullptr;
      if (search.node != nullptr) search.node->prefetch();
    }
  }
  for (Search& search : searches) search.found = search.place != nullptr ? *search.place : none;
}

namespace {
void free_node(const Order::Node* node) { ::operator delete(const_cast<Order::Node*>(node)); }
void free_tree(const Order::Node* node) {
  for (size_t i = 0; node->level > 0 && i < node->count; ++i) free_tree(node->child(i));
  free_node(node);
}
}  // namespace

Order::~Order() {
  const Version* version = version_.load();
  if (version->root != nullptr) free_tree(version->root);
  delete version;
}

Order::Edit::Edit(Order& order, bool anew)
    : order_(order), number_(++order.edits_), root_(order.version().root), memory_(order.memory_) {
  if (!anew || root_ == nullptr) return;
  replaced_with_all_below(*root_);
  root_ = nullptr;
}

Order::Edit::~Edit() {
  if (!published_ && root_ != nullptr) discard(*root_);
}

// What this edit made; below what it did not make there is nothing of it.
void Order::Edit::discard(const Node& node) {
  if (node.edit != number_) return;
  for (size_t i = 0; node.level > 0 && i < node.count; ++i) discard(*node.child(i));
  free_node(&node);
}

void Order::Edit::replaced(const Node& node) {
  memory_ -= node.octets;
  if (node.edit == number_)
    free_node(&node);
  else
    dead_.push_back(&node);
}

void Order::Edit::replaced_with_all_below(const Node& node) {
  for (size_t i = 0; node.level > 0 && i < node.count; ++i) replaced_with_all_below(*node.child(i));
  replaced(node);
}

void Order::Edit::set(ByteView key, NodePosition position) {
  changes_.push_back({keys_.size(), key.size(), position});
  append(keys_, key);
  keys_.insert(keys_.end(), padding, 0);
  if (changes_.size() == most_changes) merge();
}

void Order::Edit::publish(uint64_t transaction) {
  merge();
  const Version* old = order_.version_.exchange(new Version{transaction, root_}, std::memory_order_seq_cst);
  published_ = true;
  order_.memory_ = memory_;
  order_.epochs_.retire([old, dead = std::move(dead_)] {
    for (const Node* node : dead) free_node(node);
    delete old;
  });
}

// By key; of several changes of one key the last.
void Order::Edit::sort_changes() {
  const auto less = [this](const Change& a, const Change& b) {
    const ByteView x = key_of(a);
    const ByteView y = key_of(b);
    const int order = std::memcmp(x.data(), y.data(), std::min(x.size(), y.size()));
    return order != 0 ? order < 0 : x.size() < y.size();
  };
  if (!std::is_sorted(changes_.begin(), changes_.end(), less)) std::stable_sort(changes_.begin(), changes_.end(), less);
  size_t kept = 0;
  for (size_t i = 0; i < changes_.size(); ++i)
    if (i + 1 == changes_.size() || less(changes_[i], changes_[i + 1])) changes_[kept++] = changes_[i];
  changes_.resize(kept);
}

void Order::Edit::merge() {
  if (changes_.empty()) return;
  sort_changes();
  Entries nodes;
  uint8_t level = 0;
  if (root_ != nullptr) {
    level = root_->level;
    apply(*root_, changes_, nodes);
  } else {
    Entries entries;
    for (const Change& change : changes_)
      if (change.position != none) entries.push_back({key_of(change), change.position});
    make_nodes(0, entries, nodes);
  }
  for (Entries above; nodes.size() > 1; above.clear()) {
    make_nodes(++level, nodes, above);
    nodes.swap(above);
  }
  root_ = nodes.empty() ? nullptr : reinterpret_cast<const Node*>(nodes[0].value);
  while (root_ != nullptr && root_->level > 0 && root_->count == 1) {
    const Node& top = *root_;
    root_ = top.child(0);
    replaced(top);
  }
  changes_.clear();
  keys_.clear();
  decoded_.release();
}

void Order::Edit::apply(const Node& node, Changes changes, Entries& out) {
  if (node.level == 0)
    apply_leaf(node, changes, out);
  else
    apply_inner(node, changes, out);
}

// Mostly names stay and their nodes have moved.
void Order::Edit::apply_leaf(const Node& leaf, Changes changes, Entries& out) {
  Node* moved = nullptr;
  for (const Change& change : changes) {
    const ByteView key = key_of(change);
    const size_t rank = leaf.rank(key.data(), key.size());
    const bool known = leaf.matches(rank, key.data(), key.size());
    if (known != (change.position != none)) {
      if (moved != nullptr && moved != &leaf) replaced(*moved);
      return merge_leaf(leaf, changes, out);
    }
    if (!known) continue;
    if (moved == nullptr) moved = clone(leaf);
    moved->values()[rank - 1] = change.position;
  }
  if (moved != nullptr && moved != &leaf) replaced(leaf);
  out.push_back({{}, reinterpret_cast<uint64_t>(moved != nullptr ? moved : &leaf)});
}

void Order::Edit::merge_leaf(const Node& leaf, Changes changes, Entries& out) {
  Entries entries;
  size_t next = 0;
  const auto keep_up_to = [&](size_t end) {
    for (; next < end; ++next) entries.push_back({decode(leaf, next), leaf.values()[next]});
  };
  for (const Change& change : changes) {
    const ByteView key = key_of(change);
    const size_t rank = leaf.rank(key.data(), key.size());
    const bool known = leaf.matches(rank, key.data(), key.size());
    keep_up_to(known ? rank - 1 : rank);
    next = rank;
    if (change.position != none) entries.push_back({key, change.position});
  }
  keep_up_to(leaf.count);
  make_nodes(0, entries, out);
  replaced(leaf);
}

void Order::Edit::apply_inner(const Node& inner, Changes changes, Entries& out) {
  const auto child_of = [&](const Change& change) {
    const ByteView key = key_of(change);
    return std::max<size_t>(inner.rank(key.data(), key.size()), 1) - 1;
  };
  struct Part {
    size_t child;
    size_t end;  // of what it became, in `made`
  };
  std::vector<Part> parts;
  Entries made;
  bool same_keys = true;
  for (size_t from = 0, to = 0; from < changes.size(); from = to) {
    const size_t child = child_of(changes[from]);
    for (to = from + 1; to < changes.size() && child_of(changes[to]) == child;) ++to;
    const size_t first = made.size();
    apply(*inner.child(child), changes.subspan(from, to - from), made);
    same_keys = same_keys && made.size() == first + 1 && made[first].key.empty();
    parts.push_back({child, made.size()});
  }
  if (same_keys) {
    Node* const moved = clone(inner);
    for (size_t i = 0; i < parts.size(); ++i) moved->values()[parts[i].child] = made[i].value;
    if (moved != &inner) replaced(inner);
    out.push_back({{}, reinterpret_cast<uint64_t>(moved)});
    return;
  }
  Entries entries;
  auto part = parts.begin();
  size_t first = 0;
  for (size_t i = 0; i < inner.count; ++i) {
    if (part == parts.end() || part->child != i) {
      entries.push_back({decode(inner, i), inner.values()[i]});
      continue;
    }
    for (; first < part->end; ++first)
      entries.push_back({made[first].key.empty() ? decode(inner, i) : made[first].key, made[first].value});
    ++part;
  }
  make_nodes(inner.level, entries, out);
  replaced(inner);
}

void Order::Edit::make_nodes(uint8_t level, std::span<const Entry> entries, Entries& out) {
  const size_t parts = entries.size() <= most_entries ? std::min<size_t>(entries.size(), 1)
                                                      : (entries.size() + usual_entries - 1) / usual_entries;
  for (size_t i = 0; i < parts; ++i) {
    const size_t from = entries.size() * i / parts;
    const auto part = entries.subspan(from, entries.size() * (i + 1) / parts - from);
    out.push_back({part.front().key, reinterpret_cast<uint64_t>(make_node(level, part))});
  }
}

Order::Node* Order::Edit::make_node(uint8_t level, std::span<const Entry> entries) {
  // Sorted: what the first and the last begin with, all do.
  const ByteView first = entries.front().key;
  const ByteView last = entries.back().key;
  size_t prefix = 0;
  while (prefix < std::min(first.size(), last.size()) && first[prefix] == last[prefix]) ++prefix;
  const size_t behind = prefix + Node::head_size;
  size_t rest = 0;
  for (const Entry& entry : entries) rest += entry.key.size() > behind ? entry.key.size() - behind : 0;
  const size_t octets =
      sizeof(Node) + Node::padded(prefix) + entries.size() * (2 * sizeof(uint64_t) + sizeof(Node::Tail)) + rest;

  Node* const node =
      new (::operator new(octets)) Node{number_, static_cast<uint32_t>(octets), static_cast<uint16_t>(entries.size()),
                                        static_cast<uint16_t>(prefix), level};
  memory_ += octets;
  std::memcpy(node->prefix(), first.data(), prefix);
  size_t at = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const ByteView key = entries[i].key;
    std::array<uint8_t, Node::head_size> head{};
    std::memcpy(head.data(), key.data() + prefix, std::min(key.size() - prefix, head.size()));
    node->heads()[i] = load_head(head.data());
    node->values()[i] = entries[i].value;
    node->tails()[i] = {static_cast<uint16_t>(at), static_cast<uint16_t>(key.size())};
    if (key.size() <= behind) continue;
    std::memcpy(node->rest() + at, key.data() + behind, key.size() - behind);
    at += key.size() - behind;
  }
  return node;
}

// What nobody else has seen is changed in place.
Order::Node* Order::Edit::clone(const Node& node) {
  if (node.edit == number_) return const_cast<Node*>(&node);
  auto* const copy = static_cast<Node*>(::operator new(node.octets));
  std::memcpy(static_cast<void*>(copy), &node, node.octets);
  copy->edit = number_;
  memory_ += node.octets;
  return copy;
}

ByteView Order::Edit::decode(const Node& node, size_t entry) {
  const Node::Tail tail = node.tails()[entry];
  auto* const key = static_cast<uint8_t*>(decoded_.allocate(tail.size, 1));
  std::memcpy(key, node.prefix(), node.prefix_size);
  const uint64_t head = __builtin_bswap64(node.heads()[entry]);
  const size_t behind = node.prefix_size + Node::head_size;
  std::memcpy(key + node.prefix_size, &head, std::min<size_t>(tail.size - node.prefix_size, Node::head_size));
  if (tail.size > behind) std::memcpy(key + behind, node.rest() + tail.at, tail.size - behind);
  return {key, tail.size};
}

}  // namespace steward::store

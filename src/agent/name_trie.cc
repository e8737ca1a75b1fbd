#include "agent/name_trie.hh"

#include <algorithm>
#include <utility>

namespace steward::agent {

NameTrie::NameTrie(const IndexedNames& names, Reading reading)
    : names_(names), reading_(reading), root_(new_node({0, many, 0, 0, 0, 0, 0})) {}

uint32_t NameTrie::new_node(const Node& node) {
  uint32_t at = 0;
  if (free_nodes_.empty()) {
    at = nodes_.take(1);
  } else {
    at = free_nodes_.back();
    free_nodes_.pop_back();
  }
  nodes_[at] = node;
  return at;
}

void NameTrie::free_edges(const Node& node) {
  if (node.count > 0) free_edges_[node.log_room].push_back(node.edges);
}

void NameTrie::free_node(uint32_t at) {
  free_edges(nodes_[at]);
  free_nodes_.push_back(at);
}

void NameTrie::add_edge(Node& node, Edge edge) {
  if (node.count == 0 || node.count == 1U << node.log_room) {
    const uint32_t log_room = node.count == 0 ? 0 : node.log_room + 1U;
    auto& reusable = free_edges_[log_room];
    uint32_t room = 0;
    if (reusable.empty()) {
      room = edges_.take(1U << log_room);
    } else {
      room = reusable.back();
      reusable.pop_back();
    }
    if (node.count > 0) std::copy_n(&edges_[node.edges], node.count, &edges_[room]);
    free_edges(node);
    node.edges = room;
    node.log_room = log_room & 0x1fU;
  }
  Edge* const begin = &edges_[node.edges];
  Edge* const end = begin + node.count;
  Edge* const at =
      std::lower_bound(begin, end, edge.point, [](const Edge& have, char32_t wanted) { return have.point < wanted; });
  std::copy_backward(at, end, end + 1);
  *at = edge;
  ++node.count;
}

void NameTrie::remove_edge(Node& node, Edge* edge) {
  Edge* const end = &edges_[node.edges] + node.count;
  std::copy(edge + 1, end, edge);
  if (node.count == 1) free_edges(node);
  --node.count;
}

const NameTrie::Edge* NameTrie::find_edge(const Node& node, char32_t point) const {
  const std::span<const Edge> all = edges(node);
  const auto at = std::lower_bound(all.begin(), all.end(), point,
                                   [](const Edge& have, char32_t wanted) { return have.point < wanted; });
  return at != all.end() && at->point == point ? &*at : nullptr;
}

NameTrie::Edge* NameTrie::find_edge(const Node& node, char32_t point) {
  const Edge* const edge = std::as_const(*this).find_edge(node, point);
  return edge != nullptr ? &edges_[node.edges] + (edge - edges(node).data()) : nullptr;
}

// Cuts the node that `edge` leads to in two; the upper one ends at `depth`.
uint32_t NameTrie::split(Edge& edge, size_t depth) {
  const uint32_t lower = edge.node;
  Node upper{nodes_[lower].name, nodes_[lower].publisher, 0, 0, 0, static_cast<uint32_t>(depth) & 0xffU, 0};
  add_edge(upper, {point(names_[upper.name], depth), lower});
  return edge.node = new_node(upper);
}

void NameTrie::insert(uint32_t number) {
  const IndexedName name = names_[number];
  const bool is_first = empty();
  uint32_t at = root_;
  for (size_t depth = 0;;) {
    Node& node = nodes_[at];
    if (is_first)
      node.publisher = name.publisher();
    else if (node.publisher != name.publisher())
      node.publisher = many;
    if (depth == name.size()) {
      node.name = number;
      node.is_end = 1;
      return;
    }
    Edge* const edge = find_edge(node, point(name, depth));
    if (edge == nullptr) {
      const uint32_t leaf =
          new_node({number, name.publisher(), 0, 0, 0, static_cast<uint32_t>(name.size()) & 0xffU, 1});
      add_edge(nodes_[at], {point(name, depth), leaf});
      return;
    }
    const Node& child = nodes_[edge->node];
    const IndexedName other = names_[child.name];
    do ++depth;
    while (depth < child.depth && depth < name.size() && point(name, depth) == point(other, depth));
    at = depth < child.depth ? split(*edge, depth) : edge->node;
  }
}

// After a name below went: the node's own and its publisher, by what is left.
void NameTrie::settle(Node& node, uint32_t erased) {
  const std::span<const Edge> below = edges(node);
  if (node.name == erased && !below.empty()) node.name = nodes_[below.front().node].name;
  if (node.publisher != many) return;
  if (below.empty() && node.is_end == 0) return;
  const uint32_t publisher = node.is_end != 0 ? names_[node.name].publisher() : nodes_[below.front().node].publisher;
  const bool is_one = publisher != many && std::all_of(below.begin(), below.end(), [&](const Edge& edge) {
                        return nodes_[edge.node].publisher == publisher;
                      });
  node.publisher = is_one ? publisher : many;
}

void NameTrie::erase(uint32_t number) {
  const IndexedName name = names_[number];
  std::vector<uint32_t> path{root_};
  for (size_t depth = 0; depth < name.size(); depth = nodes_[path.back()].depth)
    path.push_back(find_edge(nodes_[path.back()], point(name, depth))->node);
  const auto edge_to_last = [&] {
    Node& parent = nodes_[path[path.size() - 2]];
    return find_edge(parent, point(name, parent.depth));
  };
  nodes_[path.back()].is_end = 0;
  if (nodes_[path.back()].count == 0) {
    remove_edge(nodes_[path[path.size() - 2]], edge_to_last());
    free_node(path.back());
    path.pop_back();
  }
  if (const Node& last = nodes_[path.back()]; path.size() > 1 && last.count == 1 && last.is_end == 0) {
    edge_to_last()->node = edges(last).front().node;
    free_node(path.back());
    path.pop_back();
  }
  for (; !path.empty(); path.pop_back()) settle(nodes_[path.back()], number);
}

std::optional<uint32_t> NameTrie::find(std::u32string_view points) const {
  const auto at = [&](size_t depth) {
    return points[reading_ == Reading::FromFront ? depth : points.size() - 1 - depth];
  };
  const Node* node = &nodes_[root_];
  for (size_t depth = 0; depth < points.size();) {
    const Edge* const edge = find_edge(*node, at(depth));
    if (edge == nullptr) return std::nullopt;
    node = &nodes_[edge->node];
    if (node->depth > points.size()) return std::nullopt;
    const IndexedName name = names_[node->name];
    for (++depth; depth < node->depth; ++depth)
      if (point(name, depth) != at(depth)) return std::nullopt;
  }
  return node->is_end != 0 ? std::optional(node->name) : std::nullopt;
}

size_t NameTrie::shared(std::u32string_view points, uint32_t exempt) const {
  const Node* node = &nodes_[root_];
  size_t depth = 0;
  while (depth < points.size()) {
    const Edge* const edge = find_edge(*node, points[depth]);
    if (edge == nullptr) return depth;
    node = &nodes_[edge->node];
    if (node->publisher == exempt) return depth;
    if (node->count == 0) return depth + 1;
    const IndexedName name = names_[node->name];
    for (++depth; depth < node->depth; ++depth)
      if (depth == points.size() || point(name, depth) != points[depth]) return depth;
  }
  return depth;
}

}  // namespace steward::agent

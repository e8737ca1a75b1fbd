#pragma once
// A trie of names by code points, read from the front or from the end, whose nodes know whether all names below them
// are one publisher's. Inside of agent/look_alikes.cc. One thread.
//
// A node with one child and no name of its own is joined with it, so there are at most two nodes a name, 16 octets
// each, and 8 for the edge that leads to it.

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "agent/indexed_names.hh"

namespace steward::agent {

enum class Reading : uint8_t { FromFront, FromEnd };

class NameTrie {
 public:
  static constexpr uint32_t many = ~0U;  ///< publishers

  struct Edge {
    char32_t point;  ///< the first of the node that it leads to
    uint32_t node;
  };
  struct Node {
    uint32_t name;          ///< whose code points the node has; the one that ends here, where one does
    uint32_t publisher;     ///< of all names below, or `many`
    uint32_t edges;         ///< the first, ascending by code point
    uint32_t count : 18;    ///< of edges
    uint32_t log_room : 5;  ///< for so many there is room
    uint32_t depth : 8;     ///< code points from the root to the end of the node
    uint32_t is_end : 1;    ///< a name ends here
  };

  NameTrie(const IndexedNames& names, Reading reading);

  /// A name that is not there yet, and has at least one code point.
  void insert(uint32_t name);
  /// A name that is there, and is still in the names.
  void erase(uint32_t name);
  [[nodiscard]] std::optional<uint32_t> find(std::u32string_view points) const;
  /// How many of these code points, in the order of reading, lead to names of other publishers than `exempt`, up to
  /// where only one is left.
  [[nodiscard]] size_t shared(std::u32string_view points, uint32_t exempt) const;

  [[nodiscard]] bool empty() const { return nodes_[root_].count == 0; }
  [[nodiscard]] uint32_t root() const { return root_; }
  [[nodiscard]] const Node& node(uint32_t at) const { return nodes_[at]; }
  [[nodiscard]] std::span<const Edge> edges(const Node& node) const {
    return node.count == 0 ? std::span<const Edge>() : std::span<const Edge>(&edges_[node.edges], node.count);
  }
  [[nodiscard]] IndexedName name(const Node& node) const { return names_[node.name]; }
  /// The code point of a name `depth` steps from where reading begins.
  [[nodiscard]] char32_t point(IndexedName name, size_t depth) const {
    return name[reading_ == Reading::FromFront ? depth : name.size() - 1 - depth];
  }
  /// Ask for memory that is read soon: the node; then its name's code points and its edges.
  void fetch_node(uint32_t at) const { __builtin_prefetch(&nodes_[at]); }
  void fetch_what_it_has(uint32_t at) const {
    names_.fetch(nodes_[at].name);
    constexpr uint32_t edges_a_line = 64 / sizeof(Edge);
    const Node& node = nodes_[at];
    for (uint32_t edge = 0; edge < node.count && edge < 8 * edges_a_line; edge += edges_a_line) __builtin_prefetch(&edges_[node.edges] + edge);
  }
  [[nodiscard]] size_t memory() const { return nodes_.memory() + edges_.memory(); }

 private:
  uint32_t new_node(const Node& node);
  void free_node(uint32_t at);
  void free_edges(const Node& node);
  void add_edge(Node& node, Edge edge);
  void remove_edge(Node& node, Edge* edge);
  [[nodiscard]] const Edge* find_edge(const Node& node, char32_t point) const;
  [[nodiscard]] Edge* find_edge(const Node& node, char32_t point);
  uint32_t split(Edge& edge, size_t depth);
  void settle(Node& node, uint32_t erased);

  const IndexedNames& names_;
  Reading reading_;
  Blocks<Node> nodes_;
  Blocks<Edge> edges_;
  std::vector<uint32_t> free_nodes_;
  std::array<std::vector<uint32_t>, 19> free_edges_;  // by the logarithm of their number
  uint32_t root_;
};

}  // namespace steward::agent

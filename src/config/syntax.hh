#pragma once
// YAML text as a tree of marked nodes: the one place that knows yaml-cpp.
//
// Stricter than YAML: UTF-8 without control characters, one document, no tabs in the indentation, no anchors, aliases,
// tags or merge keys, plain text keys without repeats, bounded depth and size. So what a person reads in the file is
// what the server gets.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "config/config.hh"

namespace steward::config {

constexpr size_t max_text_size = size_t{64} << 20;
constexpr size_t max_depth = 16;

/// One thing that is wrong with the file.
struct Problem {
  Mark at;
  std::string what;
};

enum class NodeKind : uint8_t { Null, Scalar, List, Map };

struct Entry;

struct Node {
  NodeKind kind = NodeKind::Null;
  std::string text;  ///< Scalar
  bool quoted = false;
  Mark at;
  std::vector<Node> items;     ///< List
  std::vector<Entry> entries;  ///< Map, in the file's order

  Node();
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Entry {
  Node key;  ///< Scalar
  Node value;
};

/// The document's root; problems (one or more) in file order otherwise. An empty document is an empty map.
[[nodiscard]] tl::expected<Node, std::vector<Problem>> parse_yaml(std::string_view text);

/// Text of the file for a message: cut where long, '?' for what a terminal would act on. YAML's escapes can make any
/// character.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace steward::config

#include "config/syntax.hh"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <sstream>

namespace steward::config {
namespace {

Mark mark_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<uint32_t>(mark.line) + 1, static_cast<uint32_t>(mark.column) + 1};
}

/// Thrown by the tree builder to leave yaml-cpp's parser at once; caught in parse_yaml().
struct Stop {
  Problem problem;
};

/// Octets of the UTF-8 sequence that starts at `text[at]`, 0 where it is not one (RFC 3629 §4: no overlong forms, no
/// surrogates).
size_t utf8_size(std::string_view text, size_t at) {
  const auto octet = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto tail = [&](size_t i) { return (octet(i) & 0xC0) == 0x80; };
  const uint8_t a = octet(at);
  const uint8_t b = octet(at + 1);
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return tail(at + 1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    const bool ok = tail(at + 1) && tail(at + 2) && !(a == 0xE0 && b < 0xA0) && !(a == 0xED && b > 0x9F);
    return ok ? 3 : 0;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    const bool ok =
        tail(at + 1) && tail(at + 2) && tail(at + 3) && !(a == 0xF0 && b < 0x90) && !(a == 0xF4 && b > 0x8F);
    return ok ? 4 : 0;
  }
  return 0;
}

/// What yaml-cpp would take silently or in its own way is refused before it sees the text.
std::optional<Problem> check_octets(std::string_view text) {
  if (text.size() > max_text_size) return Problem{{}, fmt::format("over {} MiB", max_text_size >> 20)};
  Mark at{1, 1};
  bool indentation = true;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const size_t size = utf8_size(text, i);
    if (size == 0) return Problem{at, "not UTF-8 text"};
    if (c == '\t' && indentation) return Problem{at, "a tab in the indentation; expected spaces"};
    const bool control = static_cast<uint8_t>(c) < 0x20 || c == 0x7F;
    const bool line_end = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
    if (control && c != '\t' && !line_end)
      return Problem{at, fmt::format("control character {:#04x}; expected text", static_cast<uint8_t>(c))};
    indentation = c == '\n' || (indentation && c == ' ');
    at = c == '\n' ? Mark{at.line + 1, 1} : Mark{at.line, at.column + 1};
    i += size;
  }
  return std::nullopt;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  Node root;
  std::vector<Problem> problems;  ///< repeated keys: the rest of the file is still read

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(mark, fmt::format("anchor '&{}'; anchors and aliases are not used here, write the value out", shown(name)));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "an alias; anchors and aliases are not used here, write the value out");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(make(NodeKind::Null, mark)); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    check_tag(mark, tag);
    Node node = make(NodeKind::Scalar, mark);
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(NodeKind::List, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(NodeKind::Map, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    std::optional<Node> key;  ///< a key that waits for its value
    std::map<std::string, Mark> seen;
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string what) {
    throw Stop{{mark_of(mark), std::move(what)}};
  }
  static Node make(NodeKind kind, const YAML::Mark& mark) {
    Node node;
    node.kind = kind;
    node.at = mark_of(mark);
    return node;
  }
  // yaml-cpp gives "?" for a plain node, "!" for a quoted one and "" for a collection without a tag.
  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, fmt::format("tag '{}'; tags are not used here", shown(tag)));
  }
  void open(NodeKind kind, const YAML::Mark& mark, const std::string& tag) {
    check_tag(mark, tag);
    if (levels_.size() >= max_depth) refuse(mark, fmt::format("nested deeper than {} levels", max_depth));
    if (!levels_.empty() && levels_.back().node.kind == NodeKind::Map && !levels_.back().key)
      refuse(mark, "a list or map as a key; expected a word");
    levels_.push_back({make(kind, mark), std::nullopt, {}});
  }
  void close() {
    Node node = std::move(levels_.back().node);
    levels_.pop_back();
    add(std::move(node));
  }
  void add(Node node) {
    if (levels_.empty()) {
      root = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == NodeKind::List) {
      level.node.items.push_back(std::move(node));
    } else if (!level.key) {
      if (node.kind != NodeKind::Scalar) throw Stop{{node.at, "a key without a name; expected a word"}};
      level.key = std::move(node);
    } else {
      add_entry(level, std::move(node));
    }
  }
  void add_entry(Level& level, Node value) {
    Node key = std::move(*level.key);
    level.key.reset();
    const auto [before, fresh] = level.seen.emplace(key.text, key.at);
    if (fresh)
      level.node.entries.push_back({std::move(key), std::move(value)});
    else
      problems.push_back({key.at, fmt::format("duplicate key '{}', given before in line {}; expected once",
                                              shown(key.text), before->second.line)});
  }

  std::vector<Level> levels_;
};

}  // namespace

std::string shown(std::string_view text) {
  constexpr size_t most = 60;
  std::string out;
  for (const char c : text.substr(0, most)) out += static_cast<uint8_t>(c) < 0x20 || c == 0x7F ? '?' : c;
  return out + (text.size() > most ? "…" : "");
}

Node::Node() = default;
Node::~Node() = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.text == key) return &value;
  return nullptr;
}

tl::expected<Node, std::vector<Problem>> parse_yaml(std::string_view text) {
  const auto one = [](Problem problem) { return tl::unexpected(std::vector{std::move(problem)}); };
  // A byte order mark of UTF-8 is the one that yaml-cpp skips too.
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (auto problem = check_octets(text)) return one(std::move(*problem));
  TreeBuilder builder;
  try {
    // yaml-cpp takes a quoted text that the file's end cuts off; it refuses a document's end inside of one.
    std::istringstream stream{std::string(text) + "\n...\n"};
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) {
      Node first = std::move(builder.root);
      if (parser.HandleNextDocument(builder)) return one({builder.root.at, "a second document; expected one"});
      builder.root = std::move(first);
    }
  } catch (const Stop& stop) {
    return one(stop.problem);
  } catch (const YAML::Exception& error) {
    if (error.msg == YAML::ErrorMsg::DOC_IN_SCALAR)
      return one({mark_of(error.mark), "a quoted text that does not end"});
    return one({mark_of(error.mark), error.msg});
  } catch (const std::exception& error) {
    return one({{}, fmt::format("not YAML: {}", error.what())});
  }
  if (!builder.problems.empty()) return tl::unexpected(std::move(builder.problems));
  if (builder.root.kind == NodeKind::Null) builder.root.kind = NodeKind::Map;
  return std::move(builder.root);
}

}  // namespace steward::config

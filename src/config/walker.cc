#include "config/walker.hh"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "config/value.hh"

namespace steward::config {
namespace {

std::string join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string_view kind_text(const Node& node) {
  switch (node.kind) {
    case NodeKind::Null: return "nothing";
    case NodeKind::Scalar: return "a single value";
    case NodeKind::List: return "a list";
    case NodeKind::Map: return "a map";
  }
  return "";
}

/// Edits between two words (Levenshtein), for "did you mean".
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t corner = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, corner + 1, replaced});
    }
  }
  return row.back();
}

std::string expected_keys(std::string_view key, const std::vector<const Row*>& rows) {
  const Row* nearest = nullptr;
  size_t least = 3;
  std::string all;
  for (const Row* row : rows) {
    all += (all.empty() ? "" : ", ") + std::string(leaf(*row));
    const size_t edits = key.size() > 40 ? least : distance(key, leaf(*row));
    if (edits >= least) continue;
    least = edits;
    nearest = row;
  }
  return nearest != nullptr ? fmt::format("did you mean '{}'?", leaf(*nearest)) : "expected one of: " + all;
}

/// A list element of an access list in one spelling.
std::string flat_text(const Node& node) {
  if (node.kind == NodeKind::Scalar) return node.text;
  std::string out;
  for (const auto& [key, value] : node.entries)
    out += fmt::format("{}{}: {}", out.empty() ? "{" : ", ", key.text, flat_text(value));
  for (const Node& item : node.items) out += (out.empty() ? "" : ", ") + flat_text(item);
  return node.kind == NodeKind::Map ? out + "}" : out;
}

std::string identity(const Node& element, size_t index) {
  const Node* name = element.find("name");
  if (name == nullptr || name->kind != NodeKind::Scalar) return std::to_string(index + 1);
  const auto parsed = dns::Name::from_text(name->text);
  std::string text = parsed ? parsed->folded().to_text() : shown(name->text);
  if (text.size() > 1 && text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

std::string at_text(const Path& file, Mark at) {
  return at.line == 0 ? file.string() : fmt::format("{}:{}:{}", file.string(), at.line, at.column);
}

void Walker::walk(const Node& root) {
  if (root.kind != NodeKind::Map) {
    problems_.push_back({root.at, fmt::format("expected a map of keys, found {}", kind_text(root))});
    return;
  }
  map(root, {});
  defaults({});
}

void Walker::zone_defaults(ZoneConfig& zone) {
  target_.zone = &zone;
  defaults({"zones[]", "zones[]", true});
}

void Walker::map(const Node& node, const Place& place) {
  const auto rows = rows_below(place.pattern);
  for (const auto& [key, value] : node.entries) {
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&, &name = key.text](const Row* r) { return leaf(*r) == name; });
    if (row != rows.end())
      entry(key, value, **row, place);
    else
      problems_.push_back(
          {key.at, fmt::format("unknown key '{}'{}; {}", shown(key.text),
                               place.actual.empty() ? "" : " in " + place.actual, expected_keys(key.text, rows))});
  }
  for (const Row* row : rows)
    if (row->required && node.find(leaf(*row)) == nullptr)
      problems_.push_back(
          {node.at, fmt::format("{}: the key '{}' is missing; expected {}", place.actual, leaf(*row), expected(*row))});
}

void Walker::entry(const Node& key, const Node& value, const Row& row, const Place& place) {
  const Place here{std::string(row.path), join(place.actual, key.text), place.recorded};
  availability(row, here, key.at);
  if (value.kind == NodeKind::Null) {
    wrong(value, row, here, "nothing");
    return;
  }
  switch (row.shape) {
    case Shape::One: scalar(value, row, here); return;
    case Shape::List: list(value, row, here); return;
    case Shape::Map: section(value, row, here); return;
    case Shape::Maps: sections(value, row, here); return;
  }
}

void Walker::wrong(const Node& node, const Row& row, const Place& place, std::string_view found) {
  problems_.push_back({node.at, fmt::format("{}: expected {}, found {}", place.actual, expected(row), found)});
}

void Walker::availability(const Row& row, const Place& place, Mark at) {
  if (row.available == Available::Yes) return;
  const std::string_view doc = row.doc.substr(0, row.doc.rfind('.'));
  if (row.available == Available::Refused)
    problems_.push_back({at, fmt::format("{}: not available in this version ({}); remove the key", place.actual, doc)});
  else
    target_.config.warnings.push_back(fmt::format("{}: {}: checked, but not in effect in this version ({})",
                                                  at_text(target_.config.file, at), place.actual, doc));
}

void Walker::record(const Place& place, std::string text, Mark at) {
  if (place.recorded) target_.config.settings[place.actual] = {std::move(text), at};
}

void Walker::scalar(const Node& node, const Row& row, const Place& place) {
  if (node.kind != NodeKind::Scalar) return wrong(node, row, place, kind_text(node));
  // A quoted "true" is text for a reader of YAML, so it is none here.
  if (node.quoted && row.type == Type::Flag)
    return wrong(node, row, place, fmt::format("the text \"{}\"", shown(node.text)));
  auto value = parse_value(row, node.text, folder_);
  if (!value) {
    const std::string found = row.secret ? "something else" : "'" + shown(node.text) + "'";
    return wrong(node, row, place, row.secret ? found : fmt::format("{} ({})", found, value.error().what));
  }
  value->at = node.at;
  record(place, value->text, node.at);
  row.set(target_, *value);
}

void Walker::list(const Node& node, const Row& row, const Place& place) {
  if (node.kind == NodeKind::Map) return wrong(node, row, place, "a map");
  std::string all;
  const auto one = [&](const Node& item) {
    if (item.kind != NodeKind::Scalar) return wrong(item, row, place, kind_text(item));
    auto value = parse_value(row, item.text, folder_);
    if (!value) return wrong(item, row, place, fmt::format("'{}' ({})", shown(item.text), value.error().what));
    value->at = item.at;
    all += (all.empty() ? "" : ", ") + value->text;
    row.set(target_, *value);
  };
  if (node.kind == NodeKind::Scalar)
    one(node);
  else
    for (const Node& item : node.items) one(item);
  record(place, all, node.at);
}

void Walker::section(const Node& node, const Row& row, const Place& place) {
  if (node.kind == NodeKind::Map) {
    if (row.type == Type::Flag) {
      Value on;
      on.flag = true;
      row.set(target_, on);
    }
    record(place, row.type == Type::Flag ? "true" : "", node.at);
    return map(node, place);
  }
  if (row.type == Type::Flag) return scalar(node, row, place);
  if (row.short_for.empty() || node.kind != NodeKind::Scalar) return wrong(node, row, place, kind_text(node));
  const std::string path = join(row.path, row.short_for);
  scalar(node, *find_row(path), {path, join(place.actual, row.short_for), place.recorded});
}

void Walker::sections(const Node& node, const Row& row, const Place& place) {
  if (node.kind != NodeKind::List) return wrong(node, row, place, kind_text(node));
  const std::string_view keys = row.keys_of.empty() ? row.path : row.keys_of;
  const bool named = find_row(std::string(keys) + "[].name") != nullptr;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    Place here{std::string(keys) + "[]",
               fmt::format("{}[{}]", place.actual, named ? identity(item, i) : std::to_string(i + 1)), named};
    element(item, row, here);
  }
  if (!named) record(place, flat_text(node), node.at);
}

void Walker::element(const Node& node, const Row& row, const Place& place) {
  Value start;
  start.at = node.at;
  if (node.kind == NodeKind::Map) {
    row.set(target_, start);
    if (node.entries.empty()) wrong(node, row, place, "an empty map");
    map(node, place);
    // Elements of access lists have no defaults.
    if (place.recorded) defaults(place);
    return;
  }
  if (node.kind != NodeKind::Scalar || row.short_for.empty()) return wrong(node, row, place, kind_text(node));
  row.set(target_, start);
  const std::string path = fmt::format("{}.{}", place.pattern, row.short_for);
  scalar(node, *find_row(path), {path, place.actual, place.recorded});
}

void Walker::defaults(const Place& place) {
  for (const Row* row : rows_below(place.pattern)) {
    const std::string actual = join(place.actual, leaf(*row));
    if (target_.config.settings.contains(actual)) continue;
    if (!row->fallback.empty() && row->fallback[0] != '(') {
      std::string_view left = row->fallback;
      while (!left.empty()) {
        const size_t comma = row->shape == Shape::List ? left.find(", ") : std::string_view::npos;
        // The table's own defaults parse: a unit test holds it to that.
        if (const auto value = parse_value(*row, left.substr(0, comma), folder_)) row->set(target_, *value);
        left.remove_prefix(comma == std::string_view::npos ? left.size() : comma + 2);
      }
    }
  }
  for (const Row* row : rows_below(place.pattern)) {
    const std::string actual = join(place.actual, leaf(*row));
    // These two are there or not; the other sections have their defaults whether the file opens them or not.
    const bool absent = (row->path == "registry" || row->path == "resolver") && !target_.config.settings.contains(actual);
    if (row->shape == Shape::Map && !absent) defaults({std::string(row->path), actual, true});
  }
}

}  // namespace steward::config

#include "config/schema.hh"

#include <doctest/doctest.h>

#include <set>

#include "config/value.hh"

using namespace steward::config;

TEST_CASE("schema: every key has a place in a map, a meaning, and something that takes its value") {
  std::set<std::string_view> seen;
  for (const Row& row : schema()) {
    CAPTURE(row.path);
    CHECK(seen.insert(row.path).second);
    CHECK(!row.doc.empty());
    CHECK(row.doc.ends_with('.'));
    CHECK(!row.since.empty());
    const size_t dot = row.path.rfind('.');
    if (dot != std::string_view::npos) {
      std::string_view parent = row.path.substr(0, dot);
      const Row* map = find_row(parent.ends_with("[]") ? parent.substr(0, parent.size() - 2) : parent);
      REQUIRE(map != nullptr);
      CHECK(map->shape == (parent.ends_with("[]") ? Shape::Maps : Shape::Map));
    }
    const bool plain_map = row.shape == Shape::Map && row.type == Type::None;
    CHECK((row.set != nullptr) != plain_map);
    CHECK(!expected(row).empty());
    CHECK((row.type == Type::Choice) == !row.choices.empty());
    // Elements of a list may take the keys of another's.
    const std::string_view keys = row.keys_of.empty() ? row.path : row.keys_of;
    if (!row.short_for.empty())
      CHECK(find_row(std::string(keys) + (row.shape == Shape::Maps ? "[]." : ".") + std::string(row.short_for)));
  }
}

TEST_CASE("schema: every default is a value that the key would take") {
  for (const Row& row : schema()) {
    if (row.fallback.empty() || row.fallback.front() == '(') continue;
    CAPTURE(row.path);
    CHECK(!row.required);
    std::string_view left = row.fallback;
    while (!left.empty()) {
      const size_t comma = row.shape == Shape::List ? left.find(", ") : std::string_view::npos;
      const auto value = parse_value(row, left.substr(0, comma), "/");
      REQUIRE_MESSAGE(value, left);
      if (row.type != Type::File && row.type != Type::Name)
        CHECK(parse_value(row, value->text, "/")->text == value->text);
      left.remove_prefix(comma == std::string_view::npos ? left.size() : comma + 2);
    }
  }
}

TEST_CASE("schema: the list of keys names all of them") {
  const std::string text = key_listing();
  for (const Row& row : schema()) CHECK(text.find(std::string(row.path) + "\n") != std::string::npos);
}

#pragma once
// Catalogs from text, for the tests of this room.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "catalog/catalog.hh"
#include "zone/file_loader.hh"

namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string all;
    for (const auto& line : lines) all += "\n  | " + line;
    return all.c_str();
  }
};
}  // namespace doctest

namespace steward::catalog::test {

inline dns::Name name(std::string_view text) {
  const auto parsed = dns::Name::from_text(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}

inline Result<Catalog> read(std::string_view text, std::string_view apex = "catalog.example.") {
  zone::LoadOptions options;
  options.checks = false;
  auto loaded = zone::load_zone_text(text, "catalog.zone", name(apex), options);
  for (const auto& error : loaded.errors) FAIL(error.to_text());
  zone::ImageRecords records(*loaded.image);
  return read_catalog(records);
}

/// SOA, NS and version 2, with `members` behind.
inline std::string text(std::string_view members = {}) {
  return fmt::format("$TTL 0\n@ SOA invalid. invalid. 1 3600 600 2147483646 0\n@ NS invalid.\nversion TXT \"2\"\n{}\n",
                     members);
}

inline Catalog valid(std::string_view members, std::string_view apex = "catalog.example.") {
  auto catalog = read(text(members), apex);
  if (!catalog) FAIL(catalog.error().what);
  return std::move(*catalog);
}

/// "a.example. under l1 [fast,slow] -> other.", one a member.
inline std::vector<std::string> lines(const Catalog& catalog) {
  std::vector<std::string> out;
  for (const Member& member : catalog.members) {
    out.push_back(fmt::format("{} under {}", member.zone.to_text(), label_text(member.label)));
    if (!member.groups.empty()) out.back() += fmt::format(" [{}]", fmt::join(member.groups, ","));
    if (member.coo) out.back() += " -> " + member.coo->to_text();
  }
  return out;
}
using Lines = std::vector<std::string>;

}  // namespace steward::catalog::test

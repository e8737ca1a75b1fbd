#pragma once
// Zone text in, image or messages out.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "dns/rdata.hh"
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

namespace steward::zone::test {

inline dns::Name name(std::string_view text) {
  auto parsed = dns::Name::from_text(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}

using Files = std::map<std::string, std::string>;

inline LoadResult load(std::string_view text, LoadOptions options = {}, std::string_view apex = "example.",
                       const Files& files = {}) {
  return load_zone_text(text, "z.zone", name(apex), options, [&](const std::string& path) -> Result<OpenedText> {
    const auto found = files.find(path);
    if (found == files.end()) return fail(Errc::NotFound, path + ": no such file");
    return OpenedText{std::make_unique<MemorySource>(found->second), path};
  });
}

/// As load(), without the checks of what a zone must hold: a few records are enough.
inline LoadResult load_records(std::string_view text, const Files& files = {}, std::string_view apex = "example.") {
  LoadOptions options;
  options.checks = false;
  return load(text, options, apex, files);
}

/// One line a record, in canonical order, with absolute names: "a.example. 300 A 192.0.2.1".
inline std::vector<std::string> lines(const LoadResult& result) {
  std::vector<std::string> out;
  if (result.image == nullptr) {
    for (const auto& error : result.errors) out.push_back(error.to_text());
    return out;
  }
  ZoneImage::Node node;
  result.image->rewind();
  while (result.image->next(node)) {
    for (const auto& rrset : node.rrsets) {
      const auto add = [&](RrType type, ByteView rdata) {
        out.push_back(fmt::format("{} {} {} {}", node.owner.to_text(), rrset.ttl, dns::to_text(type),
                                  dns::rdata_to_text(type, rdata)));
      };
      for (const auto& rdata : rrset.rdatas) add(rrset.type, rdata);
      for (const auto& rdata : rrset.rrsigs) add(RrType::RRSIG, rdata);
    }
  }
  return out;
}

inline std::vector<std::string> errors(const LoadResult& result) {
  std::vector<std::string> out;
  for (const auto& error : result.errors) out.push_back(error.to_text());
  return out;
}

inline std::vector<std::string> warnings(const LoadResult& result) {
  std::vector<std::string> out;
  for (const auto& warning : result.warnings) out.push_back(warning.to_text());
  return out;
}

inline std::vector<uint64_t> digests(const LoadResult& result) {
  std::vector<uint64_t> out;
  REQUIRE(result.image != nullptr);
  ZoneImage::Node node;
  result.image->rewind();
  while (result.image->next(node)) out.push_back(node.digest);
  return out;
}

}  // namespace steward::zone::test

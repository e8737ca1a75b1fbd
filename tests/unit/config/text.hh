#pragma once
// What the tests of this room share: a file's text, and what is wrong with it.

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "config/loader.hh"

namespace steward::config {

inline Result<Config> load(std::string_view text) { return load_text(text, "/etc/steward/registry.yaml"); }

inline Config good(std::string_view text) {
  auto config = load(text);
  if (!config) FAIL(config.error().what);
  return *std::move(config);
}

/// The error without the file's path: "2:3: unknown key …".
inline std::string problems(std::string_view text) {
  const auto config = load(text);
  if (config) return "";
  std::string what = config.error().what;
  const std::string file = "/etc/steward/registry.yaml";
  for (size_t at = what.find(file); at != std::string::npos; at = what.find(file)) what.erase(at, file.size() + 1);
  return what;
}

}  // namespace steward::config

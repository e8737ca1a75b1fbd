#pragma once
// The agents that were verified before, each with the fingerprint of its key: a file of lines `NAME FINGERPRINT`,
// written whole and atomically, under a lock of its folder, so that no entry is lost where two programs write.

#include <optional>
#include <string>

#include "base/result.hh"

namespace steward::client {

class KnownAgents {
 public:
  explicit KnownAgents(std::string path) : path_(std::move(path)) {}

  /// Nothing where it was not seen before. Invalid with the line where the file is malformed.
  [[nodiscard]] Result<std::optional<std::string>> find(std::string_view name) const;
  Result<void> remember(std::string_view name, std::string_view fingerprint) const;

 private:
  std::string path_;
};

}  // namespace steward::client

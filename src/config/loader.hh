#pragma once
// registry.yaml to Config: every key is checked against the table in config/schema.cc, then against each other
// (config/checks.hh).
//
// Reads only that one file: whether zone files, keys and folders are there is seen by who opens them.

#include <string_view>

#include "base/result.hh"
#include "config/config.hh"

namespace steward::config {

/// The file's configuration. The error holds one line for each problem, in the file's order: `FILE:LINE:COLUMN: what,
/// expected what`.
[[nodiscard]] Result<Config> load_file(const Path& file);

/// The same from text; `file` names it in messages, and its folder is what relative paths count from.
[[nodiscard]] Result<Config> load_text(std::string_view text, const Path& file);

}  // namespace steward::config

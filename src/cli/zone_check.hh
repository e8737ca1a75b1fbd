#pragma once
// Reading zone files without a server: what `check` and `zone check` have in common.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/console.hh"
#include "config/config.hh"

namespace steward::cli {

struct CheckedFile {
  std::string zone;
  std::string file;
  size_t nodes = 0;
  size_t records = 0;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::string elsewhere = {};  ///< a zone without a file: where it comes from
};

/// Reads the file as the server would.
[[nodiscard]] CheckedFile check_zone_file(const std::string& file, const dns::Name& zone,
                                          const config::ZoneFileConfig& limits);
/// A configured zone; one without a file has nothing to be read before the server runs.
[[nodiscard]] CheckedFile check_zone(const config::ZoneConfig& zone, const config::ZoneFileConfig& limits);
/// One line for the zone, one for each error and warning; sets the exit code where there are errors.
void show_checked(Console& console, const CheckedFile& checked);
[[nodiscard]] nlohmann::json json_of(const CheckedFile& checked);
/// One line of JSON; text that is not UTF-8 is replaced.
void show_json(Console& console, const nlohmann::json& json);

}  // namespace steward::cli

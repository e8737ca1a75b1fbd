#pragma once
// Zone files in master file format (RFC 1035 §5, RFC 2308 §4, RFC 3597 §5), with BIND's $GENERATE and TTL units, read
// into a ZoneImage.
//
// One pass, one block of text in memory at a time, wire form straight into an arena. A file with an error yields no
// image, but what is wrong with it, by file, line and column. Blocking file I/O on the calling thread.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "dns/name.hh"
#include "zone/file_report.hh"
#include "zone/image.hh"
#include "zone/scanner.hh"

namespace steward::zone {

struct LoadOptions {
  uint32_t max_include_depth = 16;
  uint32_t max_includes = 65536;          ///< $INCLUDEs in all
  size_t max_octets = size_t{16} << 30;   ///< of names in wire form, and of records, each
  uint64_t max_generate = 1048576;        ///< records that one $GENERATE may make
  size_t block = Scanner::default_block;  ///< octets of text that are held at a time
  bool checks = true;                     ///< check_zone_file() (zone/file_checks.hh) too
  Severities severities = default_severities();
};

struct LoadResult {
  std::unique_ptr<ZoneImage> image;  ///< null where there are errors
  std::vector<FileError> errors;     ///< the first FileReport::max_messages
  std::vector<FileWarning> warnings;
  size_t more_errors = 0;  ///< not listed; reading stops at the first of them
  size_t more_warnings = 0;
  std::vector<std::string> files;  ///< every file that was read or should have been, the zone file first: what to watch
};

/// Text by name, with what tells whether two names are the same text ($INCLUDE loops).
struct OpenedText {
  std::unique_ptr<TextSource> source;
  std::string identity;
};
using TextOpener = std::function<Result<OpenedText>(const std::string& name)>;

/// Reads the zone `apex` from the file at `path`; its $INCLUDEs relative to the file in which they stand.
LoadResult load_zone_file(const std::string& path, NameView apex, const LoadOptions& options = {});

/// Reads it from `text`, called `name` in messages; `open` opens $INCLUDEs (by default there are none).
LoadResult load_zone_text(std::string_view text, const std::string& name, NameView apex,
                          const LoadOptions& options = {}, const TextOpener& open = {});

}  // namespace steward::zone

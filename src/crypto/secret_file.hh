#pragma once
// Small files that must be whole or absent, some of them secret: keys.

#include <string>
#include <string_view>

#include "base/result.hh"

namespace steward::crypto {

/// Replaces `path` by `text`: temporary file beside it, fsync, rename, fsync of the directory. The mode is set before a
/// single octet is written. Io names the path and what the operating system said; then `path` is as before.
Result<void> write_file_atomically(const std::string& path, std::string_view text, unsigned mode);

/// The whole file, at most 64 KiB. NotFound, or Io with the reason.
Result<std::string> read_small_file(const std::string& path);

}  // namespace steward::crypto

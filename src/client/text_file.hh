#pragma once
// Small files, read whole and replaced whole. Any thread; two writers of one file do not mix, the later one stays.

#include <string>

#include "base/result.hh"

namespace steward::client {

/// NotFound, Io, or Invalid where it is over `most` octets.
Result<std::string> read_text_file(const std::string& path, size_t most);

/// Written beside its place, synced, then renamed over what stood there; mode 0600 for a new one. Missing folders are
/// made.
Result<void> replace_text_file(const std::string& path, std::string_view text);

}  // namespace steward::client

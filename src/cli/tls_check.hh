#pragma once
// Whether the files that a configuration names for TLS are there, parse and belong together, before a server that starts, or a transfer in the night,
// finds out. Reads files; nothing is started.

#include <string>
#include <vector>

#include "config/config.hh"

namespace steward::cli {

/// One line each, with file, line and column of the key that names the file, and the reason. What registry.identity's own certificates are is only
/// looked at where they are there: a running server makes them.
[[nodiscard]] std::vector<std::string> tls_errors(const config::Config& config);

}  // namespace steward::cli

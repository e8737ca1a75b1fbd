#pragma once
// The server's whole life, from reading its configuration to a clean end. Called once, by the main thread.

#include <filesystem>
#include <optional>

#include "base/log.hh"

namespace steward::daemon {

/// What the command line says; it goes before the file.
struct ServeOptions {
  std::filesystem::path config;               ///< registry.yaml
  std::optional<std::filesystem::path> data;  ///< instead of its `data`, seen from the working folder
  std::optional<log::Level> log_level;
  std::optional<log::Format> log_format;
};

/// Serves in the foreground until SIGTERM or SIGINT; logs to stderr. The exit status: 0 after a clean stop, 1 where it
/// could not start.
int serve(const ServeOptions& options);

}  // namespace steward::daemon

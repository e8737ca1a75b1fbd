#pragma once
// The database without a server: commands that ask the running one, and open the store themselves where none runs.

#include <functional>
#include <string>

#include "cli/remote.hh"
#include "store/backup.hh"

namespace steward::cli {

/// Adds --data to a command with remote options. The text is shared with the callback.
std::shared_ptr<std::string> add_data_option(CLI::App& command);

/// `data` where it is given, else that of the configuration.
[[nodiscard]] Result<std::string> data_folder(const std::string& config, const std::string& data);

/// Asks the server as ask() does. Where none listens, and with `data`, `offline` gets a snapshot of the store instead,
/// and standard error says so. Not with --control, which means a server. Sets the exit code; a failure of either way is
/// told.
void ask_or_read(Console& console, const Remote& remote, const std::string& data, const Json& request,
                 const std::function<void(const Json&)>& show, const std::function<void(const Json&)>& judge,
                 const std::function<Result<void>(const store::Reader&)>& offline);

/// A bar for `what`; its total may become known late.
[[nodiscard]] store::Progress progress_on(Console& console, std::string_view what, uint64_t total = 0);

}  // namespace steward::cli

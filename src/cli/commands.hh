#pragma once
// The subcommands of steward-registry, a file a group. Each adds itself to the command line; when it is chosen, its
// callback does the work and leaves the exit code in the console.

#include <string>
#include <string_view>

#include "cli/console.hh"
#include "daemon/serve.hh"

namespace CLI {
class App;
}

namespace steward::cli {

/// What `serve` calls in the end: daemon::serve, or a test's.
using ServeFunction = int (*)(const daemon::ServeOptions&);

void add_serve(CLI::App& app, Console& console, ServeFunction serve);
void add_init(CLI::App& app, Console& console);
void add_check(CLI::App& app, Console& console);
void add_keygen(CLI::App& app, Console& console);
/// status, health, reload, stop
void add_status(CLI::App& app, Console& console);
/// zone list, show, export, check, reload, sign
void add_zone(CLI::App& app, Console& console);
/// zone keys, with rollover and ds-seen below it
void add_zone_keys(CLI::App& zone, Console& console);
/// zone log
void add_zone_log(CLI::App& zone, Console& console);
/// publisher list, allow, remove
void add_publisher(CLI::App& app, Console& console);
void add_register(CLI::App& app, Console& console);
void add_invite(CLI::App& app, Console& console);
/// pending list, approve, reject, remove
void add_pending(CLI::App& app, Console& console);
/// agent list, show, suspend, restore, attest
void add_agent(CLI::App& app, Console& console);
/// conflicts list, show, resolve
void add_conflicts(CLI::App& app, Console& console);
/// peers
void add_peers(CLI::App& app, Console& console);
void add_import(CLI::App& app, Console& console);
/// zone check: offline
void add_zone_check(CLI::App& zone, Console& console);

/// backup, restore
void add_backup(CLI::App& app, Console& console);
/// store verify, stat
void add_store(CLI::App& app, Console& console);

/// Parses the arguments (without the program's name) and does what they say. 0 done, 1 refused or failed, 2 wrong
/// usage.
int run_registry(int argc, const char* const* argv, Console& console, ServeFunction serve);

}  // namespace steward::cli

#pragma once
// The subcommands of `steward`, a file a group, built on libsteward. Each adds itself to the command line; when it is
// chosen, its callback does the work and leaves the exit code in the console.

#include <memory>
#include <string>

#include "cli/console.hh"
#include "steward/outcome.hh"
#include "steward/settings.hh"

namespace CLI {
class App;
}

namespace steward::cli {

/// What every command takes; shared with its callback, which outlives the function that adds it.
struct ClientOptions {
  std::string config;  ///< empty: client::Settings::default_file(), where it is there
  std::string registry;
  std::string name_space;
  std::string apex;
  std::string trust_anchor;
  bool json = false;
};

/// Adds --config, --registry, --namespace, --apex, --trust-anchor and --json.
std::shared_ptr<ClientOptions> add_client_options(CLI::App& command);

/// The configuration's settings with what the options say put over them.
[[nodiscard]] client::Outcome<client::Settings> settings_of(const ClientOptions& options);

/// "steward: …", with text from the network made safe, and the exit code for it.
int failed(Console& console, const client::Failure& failure);

/// discover
void add_discover(CLI::App& app, Console& console);
/// resolve
void add_resolve(CLI::App& app, Console& console);
/// verify, prove
void add_verify(CLI::App& app, Console& console);
/// trust
void add_trust(CLI::App& app, Console& console);

/// keygen
void add_publisher_keygen(CLI::App& app, Console& console);
/// publish, withdraw, revoke, deprecate, rotate
void add_publish(CLI::App& app, Console& console);

/// Parses the arguments and does what they say. 0 done, 1 refused or failed, 2 wrong usage.
int run_steward(int argc, const char* const* argv, Console& console);

}  // namespace steward::cli

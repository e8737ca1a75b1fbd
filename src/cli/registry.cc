#include <CLI/CLI.hpp>

#include "cli/commands.hh"
#include "cli/program.hh"

namespace steward::cli {
namespace {

constexpr const char* about =
    "STEWARD registry: an authoritative DNS server, and the registry of AI agents that it serves.\n"
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage.";

constexpr const char* examples =
    "Examples:\n"
    "  steward-registry init acme --namespace acme-corp.com\n"
    "  steward-registry serve --config acme/registry.yaml\n"
    "  steward-registry zone list --config acme/registry.yaml\n"
    "See steward-registry(8), registry.yaml(5), steward-records(7).";

}  // namespace

int run_registry(int argc, const char* const* argv, Console& console, ServeFunction serve) {
  CLI::App app(about, "steward-registry");
  app.footer(examples);
  app.set_version_flag("--version", "steward-registry " STEWARD_VERSION);
  app.require_subcommand(1);
  add_serve(app, console, serve);
  add_init(app, console);
  add_check(app, console);
  add_keygen(app, console);
  add_status(app, console);
  add_zone(app, console);
  add_publisher(app, console);
  add_register(app, console);
  add_invite(app, console);
  add_pending(app, console);
  add_agent(app, console);
  add_peers(app, console);
  add_conflicts(app, console);
  add_import(app, console);
  add_backup(app, console);
  add_store(app, console);
  return run_app(app, argc, argv, console);
}

}  // namespace steward::cli

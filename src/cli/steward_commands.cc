#include <CLI/CLI.hpp>

#include "cli/client_commands.hh"
#include "cli/program.hh"

namespace steward::cli {
namespace {

constexpr const char* about =
    "STEWARD: find, verify and publish AI agents in registries that are DNS zones.\n"
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage.";

constexpr const char* examples =
    "Examples:\n"
    "  steward discover orchestrate_sdlc\n"
    "  steward resolve vibe-agency-orchestrator.vibe-agency.com\n"
    "  steward verify vibe-agency-orchestrator --namespace vibe-agency.com\n"
    "  steward prove vibe-agency-orchestrator.vibe-agency.com -o orchestrator.proof\n"
    "  steward keygen --agent-id my-agent.acme-corp.com\n"
    "  steward publish steward.json --namespace acme-corp.com\n"
    "See steward(1), steward-records(7).";

}  // namespace

int run_steward(int argc, const char* const* argv, Console& console) {
  CLI::App app(about, "steward");
  app.footer(examples);
  app.set_version_flag("--version", "steward " STEWARD_VERSION);
  app.require_subcommand(1);
  add_discover(app, console);
  add_resolve(app, console);
  add_verify(app, console);
  add_trust(app, console);
  add_publisher_keygen(app, console);
  add_publish(app, console);
  return run_app(app, argc, argv, console);
}

}  // namespace steward::cli

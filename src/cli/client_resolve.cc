#include <CLI/App.hpp>

#include "cli/client_commands.hh"
#include "cli/client_show.hh"

namespace steward::cli {
namespace {

void resolve(Console& console, const ClientOptions& options, const std::string& agent) {
  auto settings = settings_of(options);
  if (!settings) return static_cast<void>(failed(console, settings.failure()));
  auto client = client::Client::open(std::move(*settings));
  if (!client) return static_cast<void>(failed(console, client.failure()));
  const auto found = client->resolve(agent);
  if (!found) return static_cast<void>(failed(console, found.failure()));
  if (options.json)
    show_json(console, to_json(*found));
  else
    show(console, *found);
  if (!found->usable) console.exit_code = exit_failed;
}

}  // namespace

void add_resolve(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("resolve", "Show how an agent is reached, and what is known of it");
  command->footer(
      "Exit status 1 also where nobody should connect: suspended, withdrawn, revoked, or not proved by DNSSEC.\n"
      "Examples:\n"
      "  steward resolve vibe-agency-orchestrator.vibe-agency.com\n"
      "  steward resolve orchestrator --namespace acme-corp.com --registry 127.0.0.1@5300 --trust-anchor acme.ds "
      "--json");
  auto agent = std::make_shared<std::string>();
  command->add_option("agent", *agent, "Its name: in full, below the apex, reversed, or its label")
      ->type_name("AGENT")
      ->required();
  command->callback([&console, options = add_client_options(*command), agent] { resolve(console, *options, *agent); });
}

}  // namespace steward::cli

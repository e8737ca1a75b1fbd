#include <CLI/App.hpp>

#include "cli/client_commands.hh"
#include "cli/client_show.hh"

namespace steward::cli {
namespace {

void trust(Console& console, const ClientOptions& options, const std::string& agent) {
  auto settings = settings_of(options);
  if (!settings) return static_cast<void>(failed(console, settings.failure()));
  auto client = client::Client::open(std::move(*settings));
  if (!client) return static_cast<void>(failed(console, client.failure()));
  const auto sum = client->trust(agent);
  if (!sum) return static_cast<void>(failed(console, sum.failure()));
  if (options.json)
    show_json(console, to_json(*sum));
  else
    show(console, *sum);
}

}  // namespace

void add_trust(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("trust", "Show how a registry's trust in an agent comes about");
  command->footer("Example:\n  steward trust vibe-agency-orchestrator.vibe-agency.com");
  auto agent = std::make_shared<std::string>();
  command->add_option("agent", *agent, "Its name, as in resolve")->type_name("AGENT")->required();
  command->callback([&console, options = add_client_options(*command), agent] { trust(console, *options, *agent); });
}

}  // namespace steward::cli

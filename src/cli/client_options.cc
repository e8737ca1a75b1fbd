#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>

#include "base/address.hh"
#include "cli/client_commands.hh"
#include "steward/text.hh"

namespace steward::cli {

std::shared_ptr<ClientOptions> add_client_options(CLI::App& command) {
  auto options = std::make_shared<ClientOptions>();
  command.add_option("--config", options->config, "Settings; default: ~/.config/steward/config.yaml")
      ->type_name("FILE");
  command.add_option("--registry", options->registry, "Ask this registry, and nobody else")
      ->type_name("ADDRESS@PORT")
      ->check([](const std::string& text) {
        const auto address = SocketAddress::from_text(text);
        return address ? std::string() : address.error().what;
      });
  command.add_option("--namespace", options->name_space, "Completes short names")->type_name("NAME");
  command.add_option("--apex", options->apex, "Above all registries; default: steward-registry.org")->type_name("NAME");
  command.add_option("--trust-anchor", options->trust_anchor, "DS or DNSKEY records; default: the system's root key")
      ->type_name("FILE");
  command.add_flag("--json", options->json, "Print the result as JSON");
  return options;
}

client::Outcome<client::Settings> settings_of(const ClientOptions& options) {
  const std::string standard = client::Settings::default_file();
  std::error_code error;
  client::Settings settings;
  if (!options.config.empty() || (!standard.empty() && std::filesystem::exists(standard, error))) {
    auto loaded = client::Settings::load(options.config.empty() ? standard : options.config);
    if (!loaded) return loaded.failure();
    settings = std::move(*loaded);
  }
  if (settings.known_agents.empty()) settings.known_agents = client::Settings::default_known_agents();
  if (!options.registry.empty() && options.registry != settings.registry) {
    // The certificate's name is another registry's, unless the file names none.
    settings.tls = settings.tls && settings.registry.empty();
    settings.registry = options.registry;
  }
  if (!options.name_space.empty()) settings.name_space = options.name_space;
  if (!options.apex.empty()) settings.apex = options.apex;
  if (!options.trust_anchor.empty()) settings.trust_anchor = options.trust_anchor;
  return settings;
}

int failed(Console& console, const client::Failure& failure) {
  console.end_progress();
  std::string_view what = failure.what;
  while (!what.empty()) {
    const size_t end = what.find('\n');
    console.err() << console.toned(Tone::Bad, "steward: ") << client::for_terminal(what.substr(0, end)) << '\n';
    what.remove_prefix(end == std::string_view::npos ? what.size() : end + 1);
  }
  return console.exit_code = exit_failed;
}

}  // namespace steward::cli

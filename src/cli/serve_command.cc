#include <fmt/format.h>

#include <CLI/App.hpp>

#include <filesystem>
#include <memory>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "cli/working_folder.hh"
#include "config/loader.hh"
#include "config/namespace.hh"

namespace steward::cli {
namespace {

namespace fs = std::filesystem;

struct ServeCommand {
  std::string config;
  std::string data;
  std::shared_ptr<FolderWords> folder = std::make_shared<FolderWords>();
  std::string log_level;
  std::string log_format;
};

/// With --namespace and without --config: the folder that `init` would make, in --data, made at the first start, which
/// is told.
Result<fs::path> folder_config(Console& console, const ServeCommand& command) {
  const fs::path folder = command.data.empty() ? fs::path("steward-registry.d") : fs::path(command.data);
  const fs::path file = folder / "registry.yaml";
  const auto plan = plan_folder(*command.folder);
  if (!plan) return tl::unexpected(plan.error());
  std::error_code error;
  if (!fs::exists(file, error)) {
    if (auto made = make_folder(folder, *plan); !made) return tl::unexpected(made.error());
    console.note(fmt::format("{}: made for the registry of {}: registry.yaml, {}; from now on they are served as they are",
                             folder.string(), plan->zone.to_text(), zone_file_name(*plan)));
    return file;
  }
  const auto config = config::load_file(file);
  if (!config) return tl::unexpected(config.error());
  if (!config->registry || !(config->registry->space == plan->space))
    return fail(
        Errc::Refused,
        fmt::format("--namespace {}: {} is of another namespace; leave --namespace out, or choose another --data",
                    command.folder->space, config->where("registry.namespace")));
  if (!command.folder->parent.empty() && config->registry->parent != plan->parent)
    return fail(Errc::Refused,
                fmt::format("--parent {}: {} has another parent", command.folder->parent, config->where("registry.parent")));
  return file;
}

Result<daemon::ServeOptions> serve_options(Console& console, const ServeCommand& command) {
  daemon::ServeOptions options;
  if (!command.folder->space.empty() && command.config.empty()) {
    auto file = folder_config(console, command);
    if (!file) return tl::unexpected(file.error());
    options.config = *file;
  } else {
    auto file = find_config(command.config);
    if (!file) return tl::unexpected(file.error());
    options.config = *file;
    if (!command.data.empty()) options.data = command.data;
  }
  if (command.log_format == "json") options.log_format = log::Format::Json;
  if (command.log_format == "text") options.log_format = log::Format::Text;
  constexpr std::string_view levels[] = {"debug", "info", "notice", "warning", "error"};
  for (size_t i = 0; i < std::size(levels); ++i)
    if (command.log_level == levels[i]) options.log_level = static_cast<log::Level>(i);
  return options;
}

}  // namespace

void add_serve(CLI::App& app, Console& console, ServeFunction serve) {
  CLI::App* command = app.add_subcommand(
      "serve", "Serve in the foreground; says 'ready' on standard error, reloads on SIGHUP, ends on SIGTERM");
  command->footer(
      "Examples:\n  steward-registry serve --config /etc/steward-registry/registry.yaml --log-format json\n"
      "  steward-registry serve --namespace acme-corp.com --parent com.steward-registry.org --data acme");
  auto options = std::make_shared<ServeCommand>();
  CLI::Option* config = command
                            ->add_option("--config", options->config,
                                         config_help)
                            ->type_name("FILE");
  CLI::Option* space = command
                           ->add_option("--namespace", options->folder->space,
                                        "Without a configuration: serve this namespace from a folder as init makes it")
                           ->type_name("NAME");
  command->add_option("--parent", options->folder->parent, "Zone of the parent registry of --namespace")
      ->type_name("ZONE")
      ->needs(space);
  command
      ->add_option("--data", options->data,
                   "The folder of --namespace, made where it is not there; with --config, instead of its 'data'")
      ->type_name("DIR");
  add_folder_options(*command, options->folder);
  for (const char* only : {"--apex", "--listen", "--address", "--root", "--trust-anchor", "--root-ca", "--push"}) command->get_option(only)->needs(space);
  command->add_option("--log-level", options->log_level, "Least level that is written, instead of the configuration's")
      ->check(CLI::IsMember({"debug", "info", "notice", "warning", "error"}));
  command->add_option("--log-format", options->log_format, "Form of the log, instead of the configuration's")
      ->check(CLI::IsMember({"text", "json"}));
  space->excludes(config);
  command->callback([&console, options, serve] {
    const auto chosen = serve_options(console, *options);
    if (chosen)
      console.exit_code = serve(*chosen);
    else
      console.failed(chosen.error());
  });
}

}  // namespace steward::cli

#include <fmt/format.h>

#include <CLI/App.hpp>

#include <memory>

#include "cli/commands.hh"
#include "cli/working_folder.hh"

namespace steward::cli {
namespace {

struct InitOptions {
  std::string folder;
  std::shared_ptr<FolderWords> words = std::make_shared<FolderWords>();
};

void init(Console& console, const InitOptions& options) {
  const auto plan = plan_folder(*options.words);
  if (!plan) {
    console.failed(plan.error());
    return;
  }
  if (const auto made = make_folder(options.folder, *plan); !made) {
    console.failed(made.error());
    return;
  }
  console.line(fmt::format("{}: a registry for {}", options.folder, plan->zone.to_text()));
  console.line(fmt::format("  configuration  {}/registry.yaml", options.folder));
  console.line(fmt::format("  zone file      {}/{}", options.folder, zone_file_name(*plan)));
  console.line(fmt::format("next: steward-registry serve --config {}/registry.yaml", options.folder));
}

}  // namespace

void add_init(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand(
      "init", "Make a folder that serve runs as it is: configuration, zone file, places for keys and data");
  command->footer(
      "Examples:\n  steward-registry init acme --namespace acme-corp.com\n"
      "  steward-registry init acme --namespace acme-corp.com --listen 0.0.0.0@53 --address 192.0.2.53\n"
      "  steward-registry init root --namespace . --apex registry.example");
  auto options = std::make_shared<InitOptions>();
  command->add_option("DIR", options->folder, "Folder to make; nothing is ever overwritten")->required();
  command->add_option("--namespace", options->words->space, "Namespace below the apex; '.' for the root registry")
      ->type_name("NAME")
      ->required();
  command
      ->add_option("--parent", options->words->parent,
                   "Zone of the parent registry; default the zone's name without its first label")
      ->type_name("ZONE");
  add_folder_options(*command, options->words);
  command->callback([&console, options] { init(console, *options); });
}

}  // namespace steward::cli

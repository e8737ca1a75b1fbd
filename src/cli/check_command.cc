#include <fmt/format.h>

#include <CLI/App.hpp>

#include <filesystem>
#include <memory>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "cli/tls_check.hh"
#include "cli/zone_check.hh"
#include "config/loader.hh"
#include "config/schema.hh"
#include "crypto/identity.hh"

namespace steward::cli {
namespace {

struct CheckOptions {
  std::string config;
  bool json = false;
  bool list_keys = false;
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

void check(Console& console, const CheckOptions& options) {
  const auto path = find_config(options.config);
  if (!path) {
    console.failed(path.error());
    return;
  }
  const auto config = config::load_file(*path);
  if (!config) {
    if (options.json) show_json(console, {{"config", *path}, {"ok", false}, {"errors", lines_of(config.error().what)}});
    console.exit_code = exit_failed;
    if (!options.json)
      for (const std::string& line : lines_of(config.error().what)) console.failed({Errc::Invalid, line});
    return;
  }
  std::vector<nlohmann::json> zones;
  bool good = true;
  if (!options.json)
    for (const std::string& warning : config->warnings) console.warn(warning);
  for (const config::ZoneConfig& zone : config->zones) {
    const CheckedFile checked = check_zone(zone, config->zone_files);
    good = good && checked.errors.empty();
    if (options.json)
      zones.push_back(json_of(checked));
    else
      show_checked(console, checked);
  }
  nlohmann::json errors = nlohmann::json::array();
  std::error_code ignored;
  const bool has_identity = config->registry && !config->registry->identity.empty();
  // As init leaves it: it is served without, and taken up once it is there.
  if (has_identity && !std::filesystem::exists(config->registry->identity, ignored)) {
    if (!options.json)
      console.note(fmt::format("{}: {} is not there yet: steward-registry keygen makes it", config->where("registry.identity"),
                               config->registry->identity.string()));
  } else if (has_identity) {
    if (const auto key = crypto::Identity::load(config->registry->identity.string()); !key) {
      good = false;
      const std::string error = fmt::format("{}: {}", config->where("registry.identity"), key.error().what);
      errors.push_back(error);
      if (!options.json) console.failed({key.error().code, error});
    }
  }
  for (const std::string& error : tls_errors(*config)) {
    good = false;
    errors.push_back(error);
    if (!options.json) console.failed({Errc::Invalid, error});
  }
  if (!good) console.exit_code = exit_failed;
  if (options.json)
    show_json(console, {{"config", *path},
                        {"ok", good},
                        {"errors", errors},
                        {"warnings", config->warnings},
                        {"zones", zones}});
  else
    console.line(
        fmt::format("{}: {}", *path, good ? console.toned(Tone::Good, "ok") : console.toned(Tone::Bad, "has errors")));
}

}  // namespace

void add_check(CLI::App& app, Console& console) {
  CLI::App* command =
      app.add_subcommand("check", "Check the configuration, all zone files and the files for TLS, and tell every error; starts nothing");
  command->footer(
      "Examples:\n  steward-registry check --config acme/registry.yaml\n  steward-registry check --json\n"
      "  steward-registry check --list-keys");
  auto options = std::make_shared<CheckOptions>();
  command
      ->add_option("--config", options->config,
                   config_help)
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->add_flag("--list-keys", options->list_keys,
                    "Print all keys of the configuration with their meaning, and check nothing");
  command->callback([&console, options] {
    if (options->list_keys)
      console.out() << config::key_listing();
    else
      check(console, *options);
  });
}

}  // namespace steward::cli

#include "cli/zone_check.hh"

#include <fmt/format.h>

#include <CLI/App.hpp>

#include <memory>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "config/loader.hh"
#include "sign/verify_zone.hh"
#include "zone/file_loader.hh"

namespace steward::cli {
namespace {

struct ZoneCheckOptions {
  std::string file;
  std::string zone;
  std::string config;
  bool json = false;
};

void tell_one(Console& console, const ZoneCheckOptions& options, const CheckedFile& checked, std::vector<nlohmann::json>& all) {
  if (!checked.errors.empty()) console.exit_code = exit_failed;
  if (options.json)
    all.push_back(json_of(checked));
  else
    show_checked(console, checked);
}

/// The zones of the configuration, or the one that is named.
Result<void> check_configured(Console& console, const ZoneCheckOptions& options, std::vector<nlohmann::json>& all) {
  const auto path = find_config(options.config);
  if (!path) return tl::unexpected(path.error());
  const auto config = config::load_file(*path);
  if (!config) return tl::unexpected(config.error());
  dns::Name only;
  if (!options.zone.empty()) {
    const auto name = dns::Name::from_text(options.zone);
    if (!name) return fail("--zone", name.error());
    only = *name;
    if (config->find_zone(only) == nullptr)
      return fail(Errc::NotFound, fmt::format("{}: no zone {}", *path, only.to_text()));
  }
  for (const config::ZoneConfig& zone : config->zones)
    if (options.zone.empty() || zone.name == only)
      tell_one(console, options, check_zone(zone, config->zone_files), all);
  return {};
}

Result<void> check_file(Console& console, const ZoneCheckOptions& options, std::vector<nlohmann::json>& all) {
  const auto name = dns::Name::from_text(options.zone);
  if (!name) return fail("--zone", name.error());
  tell_one(console, options, check_zone_file(options.file, name->folded(), config::default_config(".").zone_files), all);
  return {};
}

}  // namespace

CheckedFile check_zone_file(const std::string& file, const dns::Name& zone, const config::ZoneFileConfig& limits) {
  zone::LoadOptions options;
  options.max_include_depth = limits.max_include_depth;
  options.max_generate = limits.max_generate;
  const zone::LoadResult loaded = zone::load_zone_file(file, zone, options);
  CheckedFile checked{zone.to_text(), file, 0, 0, {}, {}};
  if (loaded.image) {
    checked.nodes = loaded.image->node_count();
    checked.records = loaded.image->record_count();
    const UnixTime now = SystemClock().now();
    checked.warnings = sign::warnings_of(sign::verify_zone(*loaded.image, now), now);
  }
  for (const auto& error : loaded.errors) checked.errors.push_back(error.to_text());
  for (const auto& warning : loaded.warnings) checked.warnings.push_back(warning.to_text());
  if (loaded.more_errors > 0) checked.errors.push_back(fmt::format("{}: and more errors", file));
  if (loaded.more_warnings > 0)
    checked.warnings.push_back(fmt::format("{}: and {} more warnings", file, loaded.more_warnings));
  return checked;
}

CheckedFile check_zone(const config::ZoneConfig& zone, const config::ZoneFileConfig& limits) {
  if (!zone.file.empty()) return check_zone_file(zone.file.string(), zone.name, limits);
  CheckedFile checked{zone.name.to_text(), "", 0, 0, {}, {}};
  for (const config::Peer& primary : zone.primaries)
    checked.elsewhere += (checked.elsewhere.empty() ? "transferred from " : ", ") + primary.address.to_text();
  if (zone.catalog == config::CatalogRole::Produce) checked.elsewhere = "a catalog that is made of its members";
  return checked;
}

void show_checked(Console& console, const CheckedFile& checked) {
  if (!checked.elsewhere.empty())
    return console.line(fmt::format("{}: {}, {}", printable(checked.zone), console.toned(Tone::Good, "ok"), checked.elsewhere));
  for (const std::string& warning : checked.warnings) console.warn(warning);
  for (const std::string& error : checked.errors) console.failed({Errc::Invalid, error});
  console.line(
      fmt::format("{}: {}, {} nodes, {} records", printable(checked.zone),
                  checked.errors.empty() ? console.toned(Tone::Good, "ok") : console.toned(Tone::Bad, "has errors"),
                  checked.nodes, checked.records));
}

nlohmann::json json_of(const CheckedFile& checked) {
  return {{"zone", checked.zone},        {"file", checked.file},       {"ok", checked.errors.empty()},
          {"nodes", checked.nodes},      {"records", checked.records}, {"errors", checked.errors},
          {"warnings", checked.warnings}, {"elsewhere", checked.elsewhere}};
}

void show_json(Console& console, const nlohmann::json& json) {
  console.line(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void add_zone_check(CLI::App& zone, Console& console) {
  CLI::App* command =
      zone.add_subcommand("check", "Read zone files as the server would, without a server, and tell every error");
  command->footer(
      "Examples:\n  steward-registry zone check example.com.zone --zone example.com\n  steward-registry zone check "
      "--config acme/registry.yaml");
  auto options = std::make_shared<ZoneCheckOptions>();
  CLI::Option* file = command->add_option("FILE", options->file, "Zone file; without it, those of the configuration");
  CLI::Option* name = command->add_option("--zone", options->zone, "Name of the zone")->type_name("NAME");
  CLI::Option* config = command
                            ->add_option("--config", options->config,
                                         config_help)
                            ->type_name("FILE");
  command->add_flag("--json", options->json, "Print the result as JSON");
  file->needs(name);
  file->excludes(config);
  command->callback([&console, options] {
    std::vector<nlohmann::json> all;
    const auto done =
        options->file.empty() ? check_configured(console, *options, all) : check_file(console, *options, all);
    if (!done) {
      console.failed(done.error());
      return;
    }
    if (options->json) show_json(console, {{"zones", all}});
  });
}

}  // namespace steward::cli

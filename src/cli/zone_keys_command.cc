#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

struct KeyRequest {
  std::string zone;
  std::string role = "zsk";
  uint16_t tag = 0;
  bool dry_run = false;
};

void show_keys(Console& console, const Json& reply) {
  Table table({"TAG", "ROLE", "ALGORITHM", "SIZE", "STATE", "PUBLISH", "ACTIVE", "RETIRE", "REMOVE"});
  for (const Json& key : list_field(reply, "keys"))
    table.row({number_field(key, "tag"), text_field(key, "role"), text_field(key, "algorithm"),
               number_field(key, "size"), text_field(key, "state"), time_field(key, "publish"),
               time_field(key, "active"), time_field(key, "retire"), time_field(key, "remove")});
  if (table.empty()) {
    console.line(fmt::format("{}: no keys", printable(text_field(reply, "zone"))));
    return;
  }
  console.out() << table.text();
  console.line(fmt::format("next: {}", printable(event_field(reply, "next_event"))));
  for (const Json& key : list_field(reply, "keys"))
    for (const Json& ds : list_field(key, "ds"))
      if (ds.is_string()) console.line(printable(ds.get<std::string>()));
}

void show_steps(Console& console, const Json& reply) {
  for (const Json& step : list_field(reply, "steps"))
    console.line(fmt::format("{}  {}", time_field(step, "at"), printable(text_field(step, "what"))));
  if (!flag_field(reply, "applied")) console.line(console.toned(Tone::Dim, "nothing was changed (--dry-run)"));
}

void add_rollover(CLI::App& keys, Console& console) {
  CLI::App* rollover =
      keys.add_subcommand("rollover", "Begin to replace a key: a ZSK by pre-publication, a KSK by double signature");
  rollover->footer(
      "Examples:\n  steward-registry zone keys rollover example.com --role zsk --dry-run\n"
      "  steward-registry zone keys rollover example.com --role ksk");
  auto remote = add_remote_options(*rollover, JsonOption::Offered);
  auto request = std::make_shared<KeyRequest>();
  rollover->add_option("ZONE", request->zone, "Name of the zone")->required();
  rollover->add_option("--role", request->role, "Which key")
      ->check(CLI::IsMember({"ksk", "zsk", "csk"}))
      ->capture_default_str();
  rollover->add_flag("--dry-run", request->dry_run, "Only say what would happen, and when");
  rollover->callback([&console, remote, request] {
    const Json json{{"command", control::zone_keys_rollover},
                    {"zone", request->zone},
                    {"role", request->role},
                    {"dry_run", request->dry_run}};
    ask(console, *remote, json, [&](const Json& reply) { show_steps(console, reply); });
  });
}

void add_ds_seen(CLI::App& keys, Console& console) {
  CLI::App* ds_seen = keys.add_subcommand(
      "ds-seen", "Say that the parent zone serves the DS of the new KSK, so that its rollover goes on");
  ds_seen->footer(
      "Examples:\n  steward-registry zone keys ds-seen example.com\n  steward-registry zone keys ds-seen example.com "
      "--tag 12345 --dry-run");
  auto remote = add_remote_options(*ds_seen, JsonOption::Offered);
  auto request = std::make_shared<KeyRequest>();
  ds_seen->add_option("ZONE", request->zone, "Name of the zone")->required();
  CLI::Option* tag = ds_seen->add_option("--tag", request->tag, "Key tag of the KSK, where several wait for their DS")
                         ->type_name("TAG");
  ds_seen->add_flag("--dry-run", request->dry_run, "Only say what would happen, and when");
  ds_seen->callback([&console, remote, request, tag] {
    Json json{{"command", control::zone_keys_ds_seen}, {"zone", request->zone}, {"dry_run", request->dry_run}};
    if (tag->count() > 0) json["tag"] = request->tag;
    ask(console, *remote, json, [&](const Json& reply) { show_steps(console, reply); });
  });
}

}  // namespace

void add_zone_keys(CLI::App& zone, Console& console) {
  CLI::App* keys = zone.add_subcommand("keys", "Show the keys of a zone with their DS records, or roll them");
  keys->footer(
      "Examples:\n  steward-registry zone keys example.com\n  steward-registry zone keys rollover example.com --role "
      "ksk --dry-run\n"
      "  steward-registry zone keys ds-seen example.com");
  keys->require_subcommand(0, 1);
  auto remote = add_remote_options(*keys, JsonOption::Offered);
  auto request = std::make_shared<KeyRequest>();
  keys->add_option("ZONE", request->zone, "Name of the zone");
  add_rollover(*keys, console);
  add_ds_seen(*keys, console);
  keys->callback([&console, keys, remote, request] {
    if (!keys->get_subcommands().empty()) return;
    if (request->zone.empty()) throw CLI::RequiredError("ZONE");
    ask(console, *remote, {{"command", control::zone_keys}, {"zone", request->zone}},
        [&](const Json& reply) { show_keys(console, reply); });
  });
}

}  // namespace steward::cli

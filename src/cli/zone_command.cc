#include <fcntl.h>
#include <fmt/format.h>

#include <unistd.h>
#include <CLI/App.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "cli/commands.hh"
#include "cli/local_store.hh"
#include "daemon/control_protocol.hh"
#include "store/zone_text.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

std::string signed_text(const Json& zone) { return flag_field(zone, "signed") ? text_field(zone, "denial") : "no"; }

// The zone file, or the servers that it is transferred from.
std::string source_of(const Json& zone) {
  const std::string primaries = joined(list_field(zone, "primaries"));
  return primaries.empty() || primaries == "-" ? text_field(zone, "file") : "from " + primaries;
}

void show_list(Console& console, const Json& reply) {
  Table table({"ZONE", "STATE", "SERIAL", "SIGNED", "NODES", "RECORDS", "LOADED", "NEXT", "CATALOG", "SOURCE"});
  for (const Json& zone : list_field(reply, "zones"))
    table.row({text_field(zone, "zone"), text_field(zone, "state"), number_field(zone, "serial"), signed_text(zone),
               number_field(zone, "nodes"), number_field(zone, "records"), time_field(zone, "loaded_at"),
               event_field(zone, "next_event"), text_field(zone, "catalog"), source_of(zone)});
  console.out() << (table.empty() ? "no zones\n" : table.text());
}

void show_zone(Console& console, const Json& zone) {
  const auto row = [&](std::string_view name, std::string_view value) {
    console.line(fmt::format("{:<10}{}", name, printable(value)));
  };
  row("zone", text_field(zone, "zone"));
  row("state", text_field(zone, "state"));
  if (zone.contains("error")) row("error", text_field(zone, "error"));
  row("serial", number_field(zone, "serial"));
  row("signed", signed_text(zone));
  row("nodes", number_field(zone, "nodes"));
  row("records", fmt::format("{}, {} of them not from the file, {} of the file withdrawn", number_field(zone, "records"),
                             number_field(zone, "dynamic_records"), number_field(zone, "withdrawn_records")));
  row("keys", number_field(zone, "keys"));
  row("loaded", time_field(zone, "loaded_at"));
  row("next", event_field(zone, "next_event"));
  row("source", source_of(zone));
  if (zone.value("catalog", "") != "") row("catalog", text_field(zone, "catalog"));
  for (const Json& group : list_field(zone, "groups"))
    if (group.is_string()) row("group", group.get<std::string>());
  for (const Json& member : list_field(zone, "members"))
    if (member.is_string()) row("member", member.get<std::string>());
  for (const Json& file : list_field(zone, "files"))
    if (file.is_string() && file != zone.value("file", Json())) row("includes", file.get<std::string>());
  for (const Json& warning : list_field(zone, "warnings"))
    if (warning.is_string()) console.warn(warning.get<std::string>());
}

void show_records(Console& console, const Json& reply) {
  const Json& records = list_field(reply, "records");
  if (records.empty()) console.line("no records");
  for (const Json& record : records)
    console.line(fmt::format("{} {} {} {}", printable(text_field(record, "name")), number_field(record, "ttl"),
                             printable(text_field(record, "type")), printable(text_field(record, "rdata"))));
}

void show_reloaded(Console& console, const Json& reply) {
  for (const Json& zone : list_field(reply, "zones")) {
    const std::string name = printable(text_field(zone, "zone"));
    for (const Json& warning : list_field(zone, "warnings"))
      if (warning.is_string()) console.warn(warning.get<std::string>());
    if (!flag_field(zone, "ok"))
      console.line(fmt::format("{}: {}, nothing changed: {}", name, console.toned(Tone::Bad, "failed"),
                               printable(text_field(zone, "error"))));
    else if (!flag_field(zone, "changed"))
      console.line(fmt::format("{}: unchanged, serial {}", name, number_field(zone, "serial")));
    else
      console.line(fmt::format("{}: {} names changed, {} signatures made, serial {}", name,
                               number_field(zone, "written"), number_field(zone, "signatures"),
                               number_field(zone, "serial")));
  }
}

struct Named {
  std::string zone;
  std::string name;
  std::string type;
  std::string out;
  std::vector<std::string> zones;
  bool all = false;
};

void add_zone_list(CLI::App& zone, Console& console) {
  CLI::App* list = zone.add_subcommand("list", "List the zones that the running server has");
  list->footer("Examples:\n  steward-registry zone list\n  steward-registry zone list --json | jq -r '.zones[].zone'");
  auto remote = add_remote_options(*list, JsonOption::Offered);
  list->callback([&console, remote] {
    ask(console, *remote, {{"command", control::zone_list}}, [&](const Json& reply) { show_list(console, reply); });
  });
}

void add_zone_show(CLI::App& zone, Console& console) {
  CLI::App* show = zone.add_subcommand("show", "Show a zone's state, or the records at one name of it");
  show->footer(
      "Examples:\n  steward-registry zone show example.com\n  steward-registry zone show example.com www.example.com\n"
      "  steward-registry zone show example.com www.example.com AAAA --json");
  auto remote = add_remote_options(*show, JsonOption::Offered);
  auto named = std::make_shared<Named>();
  show->add_option("ZONE", named->zone, "Name of the zone")->required();
  CLI::Option* name = show->add_option("NAME", named->name, "Owner name of records");
  show->add_option("TYPE", named->type, "Type of records, such as AAAA")->needs(name);
  show->callback([&console, remote, named] {
    Json request{{"command", control::zone_show}, {"zone", named->zone}};
    if (!named->name.empty()) request["name"] = named->name;
    if (!named->type.empty()) request["type"] = named->type;
    ask(console, *remote, request, [&](const Json& reply) {
      // A zone's row has a count of that name.
      reply.value("records", Json()).is_array() ? show_records(console, reply) : show_zone(console, reply);
    });
  });
}

/// From the store itself, which may also have zones that are not served any more.
Result<void> export_stored(const store::Reader& reader, const std::string& zone, std::ostream& out) {
  const auto name = dns::Name::from_text(zone);
  if (!name) return fail("zone '" + zone + "'", name.error());
  for (const auto& record : reader.zones())
    if (record->info.apex == *name)
      return store::write_zone_text(reader, record->info, [&](std::string_view text) -> Result<void> {
        out << text;
        return out.good() ? Result<void>{} : fail(Errc::Io, "the zone cannot be written");
      });
  return fail(Errc::NotFound, name->to_text() + ": no such zone in the database");
}

/// Streams to standard output, or to a new file that appears under its name only when it is whole.
void export_zone(Console& console, const Remote& remote, const std::string& data, const Named& named) {
  const std::string part = named.out + ".part";
  std::ofstream file;
  if (!named.out.empty()) {
    // The zone may hold what not everybody should list.
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
      console.failed({Errc::Io, fmt::format("{}: {}", part, std::strerror(errno))});
      return;
    }
    ::close(fd);
    file.open(part);
  }
  std::ostream& out = named.out.empty() ? console.out() : file;
  const auto take = [&](const Json& reply) {
    const auto text = reply.find("text");
    if (text != reply.end() && text->is_string()) out << text->get_ref<const std::string&>();
  };
  ask_or_read(console, remote, data, {{"command", control::zone_export}, {"zone", named.zone}}, take, {},
              [&](const store::Reader& reader) { return export_stored(reader, named.zone, out); });
  if (named.out.empty()) return;
  file.close();
  const bool written = file.good() && console.exit_code == exit_done;
  if (written && std::rename(part.c_str(), named.out.c_str()) == 0) return;
  const std::string why = std::strerror(errno);
  std::remove(part.c_str());
  if (console.exit_code == exit_done) console.failed({Errc::Io, fmt::format("{}: {}", named.out, why)});
}

void add_export(CLI::App& zone, Console& console) {
  CLI::App* command = zone.add_subcommand("export", "Write a zone as the server has it, in master file format; from the database where none runs");
  command->footer(
      "Examples:\n  steward-registry zone export example.com\n  steward-registry zone export example.com --out "
      "example.com.zone");
  auto remote = add_remote_options(*command, JsonOption::Left);
  auto data = add_data_option(*command);
  auto named = std::make_shared<Named>();
  command->add_option("ZONE", named->zone, "Name of the zone")->required();
  command
      ->add_option("--out", named->out, "File to write instead of standard output; replaced at once when all is there")
      ->type_name("FILE");
  command->callback([&console, remote, data, named] { export_zone(console, *remote, *data, *named); });
}

void add_reload(CLI::App& zone, Console& console) {
  CLI::App* reload =
      zone.add_subcommand("reload", "Read zone files again and apply the difference; an error changes nothing");
  reload->footer("Examples:\n  steward-registry zone reload\n  steward-registry zone reload example.com example.org");
  auto remote = add_remote_options(*reload, JsonOption::Offered);
  auto named = std::make_shared<Named>();
  reload->add_option("ZONE", named->zones, "Names of zones; all where none is given");
  reload->callback([&console, remote, named] {
    Json request{{"command", control::zone_reload}};
    if (!named->zones.empty()) request["zones"] = named->zones;
    ask(console, *remote, request, [&](const Json& reply) { show_reloaded(console, reply); });
  });
}

void add_sign(CLI::App& zone, Console& console) {
  CLI::App* sign = zone.add_subcommand("sign", "Make the signatures that are due now, or all of them anew");
  sign->footer("Examples:\n  steward-registry zone sign example.com\n  steward-registry zone sign example.com --all");
  auto remote = add_remote_options(*sign, JsonOption::Offered);
  auto named = std::make_shared<Named>();
  sign->add_option("ZONE", named->zone, "Name of the zone")->required();
  sign->add_flag("--all", named->all, "Every signature, not only those that are due");
  sign->callback([&console, remote, named] {
    ask(console, *remote, {{"command", control::zone_sign}, {"zone", named->zone}, {"all", named->all}},
        [&](const Json& reply) {
          console.line(fmt::format("{}: {} signatures made, serial {}", printable(text_field(reply, "zone")),
                                   number_field(reply, "signatures"), number_field(reply, "serial")));
        });
  });
}

}  // namespace

void add_zone(CLI::App& app, Console& console) {
  CLI::App* zone = app.add_subcommand("zone", "List, show, check, reload and sign zones");
  zone->footer(
      "Examples:\n  steward-registry zone list\n  steward-registry zone check example.com.zone --zone example.com\n"
      "  steward-registry zone keys example.com");
  zone->require_subcommand(1);
  add_zone_list(*zone, console);
  add_zone_show(*zone, console);
  add_export(*zone, console);
  add_zone_check(*zone, console);
  add_reload(*zone, console);
  add_sign(*zone, console);
  add_zone_keys(*zone, console);
  add_zone_log(*zone, console);
}

}  // namespace steward::cli

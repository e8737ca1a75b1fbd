#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/commands.hh"
#include "cli/local_store.hh"
#include "daemon/control_protocol.hh"
#include "daemon/store_reply.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

uint64_t count_field(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_unsigned() ? at->get<uint64_t>() : 0;
}

void show_verified(Console& console, const Json& reply) {
  if (!flag_field(reply, "sound")) {
    console.line(fmt::format("{}: {}", console.toned(Tone::Bad, "damaged"), printable(text_field(reply, "error"))));
    return;
  }
  console.line(fmt::format("{}: {} zones, {} names, {} NSEC3 names, {} records, {} of nodes",
                           console.toned(Tone::Good, "sound"), number_field(reply, "zones"),
                           number_field(reply, "names"), number_field(reply, "hashes"), number_field(reply, "records"),
                           human_size(count_field(reply, "octets"))));
}

void show_stat(Console& console, const Json& reply) {
  const auto row = [&](std::string_view name, std::string_view value) {
    console.line(fmt::format("{:<10}{}", name, value));
  };
  const auto share = reply.find("live_share");
  row("format", number_field(reply, "format"));
  row("zones", fmt::format("{}, {} of them served", number_field(reply, "zones"), number_field(reply, "zones_served")));
  row("names", fmt::format("{}, and {} of NSEC3 chains", number_field(reply, "names"), number_field(reply, "hashes")));
  row("tree", fmt::format("{} pages, {} of at most {}", number_field(reply, "tree_pages"),
                          human_size(count_field(reply, "tree_octets")), human_size(count_field(reply, "map_size"))));
  row("node log",
      fmt::format("{} segments, {}", number_field(reply, "segments"), human_size(count_field(reply, "log_octets"))));
  row("alive", fmt::format("{}, {:.0f}% of it", human_size(count_field(reply, "live_octets")),
                           share != reply.end() && share->is_number() ? share->get<double>() * 100 : 0.0));
}

void show_either(Console& console, const Remote& remote, const Json& reply, void (*show)(Console&, const Json&)) {
  remote.json ? console.line(reply.dump(-1, ' ', false, Json::error_handler_t::replace)) : show(console, reply);
}

void add_store_verify(CLI::App& store, Console& console) {
  CLI::App* command = store.add_subcommand(
      "verify",
      "Read and check the whole database, while the server runs or without one; exit status 1 where it is damaged");
  command->footer(
      "Examples:\n  steward-registry store verify\n  steward-registry store verify --json\n"
      "  steward-registry store verify --data /var/lib/steward-registry");
  auto remote = add_remote_options(*command, JsonOption::Offered);
  auto data = add_data_option(*command);
  command->callback([&console, remote, data] {
    bool sound = false;
    const auto judge = [&](const Json& reply) { sound = flag_field(reply, "sound"); };
    const auto offline = [&](const store::Reader& reader) -> Result<void> {
      const auto verified = store::verify(reader, progress_on(console, "verify"));
      if (!verified && verified.error().code != Errc::Corrupt) return tl::unexpected<Error>(verified.error());
      console.end_progress();
      const Json reply = daemon::json_of_verified(verified);
      judge(reply);
      show_either(console, *remote, reply, show_verified);
      return {};
    };
    ask_or_read(
        console, *remote, *data, {{"command", control::store_verify}},
        [&](const Json& reply) { show_verified(console, reply); }, judge, offline);
    if (!sound) console.exit_code = exit_failed;
  });
}

void add_stat(CLI::App& store, Console& console) {
  CLI::App* command =
      store.add_subcommand("stat", "Show the sizes of the database, of the running server's or without one");
  command->footer("Examples:\n  steward-registry store stat\n  steward-registry store stat --json | jq .live_share");
  auto remote = add_remote_options(*command, JsonOption::Offered);
  auto data = add_data_option(*command);
  command->callback([&console, remote, data] {
    const auto offline = [&](const store::Reader& reader) -> Result<void> {
      const auto figures = store::figures_of(reader);
      if (!figures) return tl::unexpected<Error>(figures.error());
      show_either(console, *remote, daemon::json_of(*figures), show_stat);
      return {};
    };
    ask_or_read(
        console, *remote, *data, {{"command", control::store_stat}},
        [&](const Json& reply) { show_stat(console, reply); }, {}, offline);
  });
}

}  // namespace

void add_store(CLI::App& app, Console& console) {
  CLI::App* store = app.add_subcommand("store", "Verify the database, and show its sizes");
  store->footer("Examples:\n  steward-registry store verify\n  steward-registry store stat");
  store->require_subcommand(1);
  add_store_verify(*store, console);
  add_stat(*store, console);
}

}  // namespace steward::cli

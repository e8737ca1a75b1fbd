#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

struct ConflictRequest {
  std::string space;
  std::string agent;
  bool seen = false;
};

void add_conflict(Table& table, const Json& row) {
  const Json& writes = list_field(row, "writes");
  const Json winner = writes.empty() ? Json::object() : writes.front();
  table.row({text_field(row, "agent"), number_field(row, "number"), text_field(winner, "version"), text_field(winner, "replica"),
             flag_field(row, "seen") ? "yes" : "no"});
}

void show_conflict(Console& console, const Json& row) {
  console.line(fmt::format("{}, of {}: {} writes, none of which knew of another", printable(text_field(row, "agent")),
                           printable(text_field(row, "child")), number_field(row, "number")));
  Table table({"WRITE", "VERSION", "STATUS", "STAMP", "REPLICA", "CLOCK", "KEY"});
  for (const Json& write : list_field(row, "writes"))
    table.row({text_field(write, "write"), text_field(write, "version"), text_field(write, "status"), text_field(write, "stamp"),
               text_field(write, "replica"), text_field(write, "vc"), text_field(write, "fp")});
  console.out() << table.text();
}

void add_conflicts_list(CLI::App& conflicts, Console& console) {
  CLI::App* list = conflicts.add_subcommand("list", "List names of which more than one write stands, with the winner of each");
  list->footer("Examples:\n  steward-registry conflicts list\n  steward-registry conflicts list --namespace vibe-agency.com --json");
  auto remote = add_remote_options(*list, JsonOption::Offered);
  auto request = std::make_shared<ConflictRequest>();
  list->add_option("--namespace", request->space, "Only of this child, by its namespace below the apex")->type_name("NAME");
  list->callback([&console, remote, request] {
    Json json{{"command", control::conflicts_list}};
    if (!request->space.empty()) json["namespace"] = request->space;
    Table table({"AGENT", "WRITES", "VERSION", "REPLICA", "SEEN"});
    ask(console, *remote, json, [&](const Json& reply) {
      for (const Json& row : list_field(reply, "conflicts")) add_conflict(table, row);
    });
    if (console.exit_code == exit_done && !remote->json) console.out() << (table.empty() ? "no conflicts\n" : table.text());
  });
}

void add_conflicts_show(CLI::App& conflicts, Console& console) {
  CLI::App* show = conflicts.add_subcommand("show", "Show the writes of a name that stand side by side, the winner first");
  show->footer("Examples:\n  steward-registry conflicts show orchestrator.vibe-agency\n"
               "  steward-registry conflicts show orchestrator.vibe-agency.com.steward-registry.org --json");
  auto remote = add_remote_options(*show, JsonOption::Offered);
  auto request = std::make_shared<ConflictRequest>();
  show->add_option("AGENT", request->agent, "Its name, or the part of it before the registry's zone")->required();
  show->callback([&console, remote, request] {
    ask(console, *remote, {{"command", control::conflicts_show}, {"agent", request->agent}},
        [&](const Json& reply) { show_conflict(console, reply); });
  });
}

void add_conflicts_resolve(CLI::App& conflicts, Console& console) {
  CLI::App* resolve = conflicts.add_subcommand(
      "resolve", "Note that a conflict of an agent below another registry was seen; only that registry can end it");
  resolve->footer("Examples:\n  steward-registry conflicts resolve orchestrator.vibe-agency --seen");
  auto remote = add_remote_options(*resolve, JsonOption::Offered);
  auto request = std::make_shared<ConflictRequest>();
  resolve->add_option("AGENT", request->agent, "Its name, or the part of it before the registry's zone")->required();
  resolve->add_flag("--seen", request->seen, "Take its _conflict records away until the writes that stand are others");
  resolve->callback([&console, remote, request] {
    ask(console, *remote, {{"command", control::conflicts_resolve}, {"agent", request->agent}, {"seen", request->seen}},
        [&](const Json& reply) { console.line(fmt::format("{}: seen", printable(text_field(reply, "agent")))); });
  });
}

}  // namespace

void add_conflicts(CLI::App& app, Console& console) {
  CLI::App* conflicts = app.add_subcommand("conflicts", "List and show names of which several writes stand, none of which knew of another");
  conflicts->footer("Examples:\n  steward-registry conflicts list\n  steward-registry conflicts show orchestrator.vibe-agency");
  conflicts->require_subcommand(1);
  add_conflicts_list(*conflicts, console);
  add_conflicts_show(*conflicts, console);
  add_conflicts_resolve(*conflicts, console);
}

}  // namespace steward::cli

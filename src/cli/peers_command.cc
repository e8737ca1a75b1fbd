#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

struct PeersRequest {
  std::string space;
  bool refused = false;
};

std::string seconds_field(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? human_duration(at->get<int64_t>()) : "-";
}

std::string agents_field(const Json& row) {
  const std::string limit = number_field(row, "agents_limit");
  return number_field(row, "agents") + (limit == "-" ? "" : " of " + limit);
}

std::string ceiling_field(const Json& row) {
  const auto at = row.find("trust_ceiling");
  return at != row.end() && at->is_number() ? fmt::format("{:.2f}", at->get<double>()) : "-";
}

void add_child(Table& table, const Json& row) {
  table.row({text_field(row, "child"), text_field(row, "replica"), number_field(row, "serial"),
             agents_field(row), ceiling_field(row), number_field(row, "refused"), number_field(row, "conflicts"), time_field(row, "last_success"),
             seconds_field(row, "lag"), text_field(row, "error")});
}

void add_refused(Table& table, const Json& row) {
  table.row({text_field(row, "agent"), text_field(row, "rule"), flag_field(row, "listed") ? "yes" : "no",
             text_field(row, "reason")});
}

}  // namespace

void add_peers(CLI::App& app, Console& console) {
  CLI::App* peers = app.add_subcommand("peers", "Show the registries below whose feeds are followed");
  peers->footer(
      "Examples:\n  steward-registry peers\n  steward-registry peers --json | jq '.children[].lag'\n"
      "  steward-registry peers --refused --namespace vibe-agency.com");
  auto remote = add_remote_options(*peers, JsonOption::Offered);
  auto request = std::make_shared<PeersRequest>();
  peers->add_option("--namespace", request->space, "Only this child, by its namespace below the apex")->type_name("NAME");
  peers->add_flag("--refused", request->refused, "The agents that are refused, each with the rule and the reason");
  peers->callback([&console, remote, request] {
    Json json{{"command", daemon::control::peers}};
    if (!request->space.empty()) json["namespace"] = request->space;
    if (request->refused) json["refused"] = true;
    Table children({"CHILD", "REPLICA", "SERIAL", "AGENTS", "CEILING", "REFUSED", "CONFLICTS", "LAST SUCCESS", "LAG", "ERROR"});
    Table refused({"AGENT", "RULE", "LISTED", "REASON"});
    ask(console, *remote, json, [&](const Json& reply) {
      for (const Json& row : list_field(reply, "children")) add_child(children, row);
      for (const Json& row : list_field(reply, "refused")) add_refused(refused, row);
    });
    if (console.exit_code != exit_done || remote->json) return;
    const Table& table = request->refused ? refused : children;
    console.out() << (!table.empty() ? table.text() : request->refused ? "nothing is refused\n" : "no children\n");
  });
}

}  // namespace steward::cli

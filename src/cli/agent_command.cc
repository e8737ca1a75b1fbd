#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

struct AgentRequest {
  std::string agent;
  std::string space;
  std::string reason;
  std::string fact;
  double value = 0;
};

std::string decimal_field(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number() ? fmt::format("{:.2f}", at->get<double>()) : "-";
}

void add_agent_list(CLI::App& agent, Console& console) {
  CLI::App* list = agent.add_subcommand(
      "list", "List the agents of the registry's zone, also those that are gone and whose names are kept");
  list->footer(
      "Examples:\n  steward-registry agent list\n  steward-registry agent list --namespace team.acme-corp.com --json");
  auto remote = add_remote_options(*list, JsonOption::Offered);
  auto request = std::make_shared<AgentRequest>();
  list->add_option("--namespace", request->space, "Only of this namespace, below the apex")->type_name("NAME");
  list->callback([&console, remote, request] {
    Json json{{"command", control::agent_list}};
    if (!request->space.empty()) json["namespace"] = request->space;
    Table table({"AGENT", "VERSION", "STATUS", "PRESENCE", "TRUST", "MODIFIED", "LEASE", "KEY"});
    ask(console, *remote, json, [&](const Json& reply) {
      for (const Json& row : list_field(reply, "agents"))
        table.row({text_field(row, "agent"), text_field(row, "version"), text_field(row, "status"),
                   text_field(row, "presence"), decimal_field(row, "trust"), time_field(row, "modified"),
                   time_field(row, "lease_until"), text_field(row, "key")});
    });
    if (console.exit_code != exit_done || remote->json) return;
    console.out() << (table.empty() ? "no agents\n" : table.text());
  });
}

void show_agent(Console& console, const Json& agent) {
  const auto row = [&](std::string_view name, std::string_view value) {
    console.line(fmt::format("{:<17}{}", name, printable(value)));
  };
  row("agent", text_field(agent, "agent"));
  row("version", text_field(agent, "version"));
  row("status", text_field(agent, "status"));
  if (agent.value("suspended", Json()).is_string()) row("suspended", text_field(agent, "suspended"));
  row("presence", text_field(agent, "presence"));
  row("key", text_field(agent, "key"));
  row("custody", flag_field(agent, "custodial") ? "the registry's" : "the publisher's");
  row("modified", time_field(agent, "modified"));
  row("first published", time_field(agent, "first_published"));
  row("lease", time_field(agent, "lease_until"));
  row("key lease", time_field(agent, "key_lease_until"));
  row("capabilities", joined(list_field(agent, "capabilities")));
  row("protocols", joined(list_field(agent, "protocols")));
  row("looks alike", flag_field(agent, "looks_alike") ? "yes, and was let in" : "no");
  row("rotations", number_field(agent, "rotations"));
  for (const Json& key : list_field(agent, "revoked"))
    if (key.is_string()) row("revoked key", key.get<std::string>());
  row("changes", number_field(agent, "history"));
  row("trust", decimal_field(agent, "trust"));
  for (const Json& fact : list_field(agent, "facts"))
    row("", fmt::format("{} {} ({}{})", text_field(fact, "fact"), decimal_field(fact, "value"),
                        flag_field(fact, "claimed") ? "claimed, " : "attested, ", time_field(fact, "at")));
  for (const Json& term : list_field(agent, "trust_terms"))
    row("", fmt::format("{}: {} of {} makes {}  {}", text_field(term, "name"), decimal_field(term, "value"),
                        decimal_field(term, "weight"), decimal_field(term, "result"), term.value("note", "")));
}

void add_show(CLI::App& agent, Console& console) {
  CLI::App* show = agent.add_subcommand("show", "Show what the registry keeps of an agent");
  show->footer(
      "Examples:\n  steward-registry agent show orchestrator\n  steward-registry agent show "
      "orchestrator.team.acme-corp.com.steward-registry.org --json");
  auto remote = add_remote_options(*show, JsonOption::Offered);
  auto request = std::make_shared<AgentRequest>();
  show->add_option("AGENT", request->agent, "Its name, or the part of it before the registry's zone")->required();
  show->callback([&console, remote, request] {
    ask(console, *remote, {{"command", control::agent_show}, {"agent", request->agent}},
        [&](const Json& reply) { show_agent(console, reply); });
  });
}

void add_suspend(CLI::App& agent, Console& console) {
  CLI::App* suspend = agent.add_subcommand(
      "suspend", "Take an agent out of the listings and state that it is suspended; its publisher cannot undo it");
  suspend->footer("Examples:\n  steward-registry agent suspend orchestrator --reason 'reported as malicious, case 42'");
  auto remote = add_remote_options(*suspend, JsonOption::Offered);
  auto request = std::make_shared<AgentRequest>();
  suspend->add_option("AGENT", request->agent, "Its name, or the part of it before the registry's zone")->required();
  suspend->add_option("--reason", request->reason, "Why; kept in the history")->type_name("TEXT")->required();
  suspend->callback([&console, remote, request] {
    ask(console, *remote, {{"command", control::agent_suspend}, {"agent", request->agent}, {"reason", request->reason}},
        [&](const Json& reply) { console.line(fmt::format("{}: suspended", printable(text_field(reply, "agent")))); });
  });
}

void add_agent_restore(CLI::App& agent, Console& console) {
  CLI::App* restore = agent.add_subcommand("restore", "End the suspension of an agent");
  restore->footer("Examples:\n  steward-registry agent restore orchestrator");
  auto remote = add_remote_options(*restore, JsonOption::Offered);
  auto request = std::make_shared<AgentRequest>();
  restore->add_option("AGENT", request->agent, "Its name, or the part of it before the registry's zone")->required();
  restore->callback([&console, remote, request] {
    ask(console, *remote, {{"command", control::agent_restore}, {"agent", request->agent}},
        [&](const Json& reply) { console.line(fmt::format("{}: restored", printable(text_field(reply, "agent")))); });
  });
}

void add_attest(CLI::App& agent, Console& console) {
  CLI::App* attest = agent.add_subcommand(
      "attest", "Enter a fact that the agent's trust is made of, as the registry has it from others");
  attest->footer(
      "Examples:\n  steward-registry agent attest orchestrator tests 0.98\n  steward-registry agent attest "
      "orchestrator uptime 0.999");
  auto remote = add_remote_options(*attest, JsonOption::Offered);
  auto request = std::make_shared<AgentRequest>();
  attest->add_option("AGENT", request->agent, "Its name, or the part of it before the registry's zone")->required();
  attest->add_option("FACT", request->fact, "Which fact")
      ->check(CLI::IsMember({"tests", "success", "uptime", "endorsements", "attestation"}))
      ->required();
  attest->add_option("VALUE", request->value, "From 0 to 1")->check(CLI::Range(0.0, 1.0))->required();
  attest->callback([&console, remote, request] {
    ask(console, *remote,
        {{"command", control::agent_attest},
         {"agent", request->agent},
         {"fact", request->fact},
         {"value", request->value}},
        [&](const Json& reply) {
          console.line(fmt::format("{}: {} is {}", printable(text_field(reply, "agent")),
                                   printable(text_field(reply, "fact")), decimal_field(reply, "value")));
        });
  });
}

}  // namespace

void add_agent(CLI::App& app, Console& console) {
  CLI::App* agent =
      app.add_subcommand("agent", "List and show agents, suspend them, attest what their trust is made of");
  agent->footer("Examples:\n  steward-registry agent list\n  steward-registry agent show orchestrator");
  agent->require_subcommand(1);
  add_agent_list(*agent, console);
  add_show(*agent, console);
  add_suspend(*agent, console);
  add_agent_restore(*agent, console);
  add_attest(*agent, console);
}

void add_zone_log(CLI::App& zone, Console& console) {
  CLI::App* log = zone.add_subcommand(
      "log",
      "Show what was done with the agents of the registry's zone, and check that the entries are linked by hash");
  log->footer(
      "Examples:\n  steward-registry zone log acme-corp.com.steward-registry.org\n"
      "  steward-registry zone log acme-corp.com.steward-registry.org orchestrator --json");
  auto remote = add_remote_options(*log, JsonOption::Offered);
  struct LogRequest {
    std::string zone;
    std::string agent;
  };
  auto request = std::make_shared<LogRequest>();
  log->add_option("ZONE", request->zone, "Name of the zone")->required();
  log->add_option("AGENT", request->agent, "Only of this agent");
  log->callback([&console, remote, request] {
    Json json{{"command", control::zone_log}, {"zone", request->zone}};
    if (!request->agent.empty()) json["agent"] = request->agent;
    ask(console, *remote, json, [&](const Json& reply) {
      console.line(fmt::format(
          "{}: {}", printable(text_field(reply, "agent")),
          flag_field(reply, "sound") ? console.toned(Tone::Good, "sound") : console.toned(Tone::Bad, "not sound")));
      Table table({"N", "TIME", "ACTION", "VERSION", "BY", "LINKED", "HASH", "REASON"});
      for (const Json& entry : list_field(reply, "entries"))
        table.row({number_field(entry, "number"), time_field(entry, "at"), text_field(entry, "action"),
                   text_field(entry, "version"), text_field(entry, "by"), flag_field(entry, "linked") ? "yes" : "NO",
                   text_field(entry, "hash").substr(0, 16), text_field(entry, "reason")});
      console.out() << table.text();
    });
  });
}

}  // namespace steward::cli

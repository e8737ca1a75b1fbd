#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

struct ChildRequest {
  std::string space;
  std::string fingerprint;
  int64_t days = 14;
};

Json request_of(std::string_view command, const ChildRequest& child) {
  Json request{{"command", command}, {"namespace", child.space}};
  if (!child.fingerprint.empty()) request["fingerprint"] = child.fingerprint;
  return request;
}

void show_children(Console& console, const Json& reply) {
  Table table({"NAMESPACE", "STATE", "WAY", "SINCE", "CERTIFIED UNTIL", "KEY", "PROBLEM"});
  for (const Json& child : list_field(reply, "children"))
    table.row({text_field(child, "namespace"), text_field(child, "state"), text_field(child, "way"), time_field(child, "since"),
               time_field(child, "certified_until"), text_field(child, "fingerprint"), text_field(child, "problem")});
  console.out() << (table.empty() ? "no registries below this one, and none that asks to be\n" : table.text());
  for (const Json& invitation : list_field(reply, "invitations"))
    console.line(fmt::format("invited: {} until {}", printable(text_field(invitation, "zone")), time_field(invitation, "until")));
}

void add_pending_list(CLI::App& pending, Console& console) {
  CLI::App* list = pending.add_subcommand("list", "List registries that ask to be children of this one, and its children");
  list->footer("Examples:\n  steward-registry pending list\n  steward-registry pending list --json");
  auto remote = add_remote_options(*list, JsonOption::Offered);
  list->callback([&console, remote] {
    ask(console, *remote, {{"command", control::pending_list}}, [&](const Json& reply) { show_children(console, reply); });
  });
}

void add_decision(CLI::App& pending, Console& console, const char* word, const char* about, std::string_view command,
                  const char* outcome) {
  CLI::App* decision = pending.add_subcommand(word, about);
  std::string footer = fmt::format("Examples:\n  steward-registry pending {} acme-corp.com", word);
  if (command != control::child_remove) footer += fmt::format("\n  steward-registry pending {} acme-corp.com --key sha256:0123…ef", word);
  decision->footer(footer);
  auto remote = add_remote_options(*decision, JsonOption::Offered);
  auto child = std::make_shared<ChildRequest>();
  decision->add_option("NAMESPACE", child->space, "Namespace below the apex that is asked for")->required();
  if (command != control::child_remove)
    decision->add_option("--key", child->fingerprint, "Fingerprint of the registry's key, where several ask for the namespace")
        ->type_name("FINGERPRINT");
  decision->callback([&console, remote, child, command, outcome] {
    ask(console, *remote, request_of(command, *child), [&](const Json& reply) {
      console.line(fmt::format("{}: {}", printable(text_field(reply, "zone")), outcome));
    });
  });
}

}  // namespace

void add_invite(CLI::App& app, Console& console) {
  CLI::App* invite = app.add_subcommand("invite", "Make a token that lets a registry in as a child of this one, once");
  invite->footer("Examples:\n  steward-registry invite --namespace acme-corp.com\n"
                 "  steward-registry invite --namespace acme-corp.com --days 2 --json");
  auto remote = add_remote_options(*invite, JsonOption::Offered);
  auto child = std::make_shared<ChildRequest>();
  invite->add_option("--namespace", child->space, "Namespace below the apex that it is for")->type_name("NAME")->required();
  invite->add_option("--days", child->days, "How long it is good")->type_name("N")->check(CLI::Range(1, 3650))->capture_default_str();
  invite->callback([&console, remote, child] {
    Json request = request_of(control::child_invite, *child);
    request["days"] = child->days;
    ask(console, *remote, request, [&](const Json& reply) {
      console.line(fmt::format("token: {}", printable(text_field(reply, "token"))));
      console.line(fmt::format("for {} until {}; it is shown this once", printable(text_field(reply, "zone")), time_field(reply, "until")));
    });
  });
}

void add_pending(CLI::App& app, Console& console) {
  CLI::App* pending = app.add_subcommand("pending", "List registries that ask to be children of this one, let them in or turn them away");
  pending->footer("Examples:\n  steward-registry pending list\n  steward-registry pending approve acme-corp.com");
  pending->require_subcommand(1);
  add_pending_list(*pending, console);
  add_decision(*pending, console, "approve", "Let a registry in that asks to be a child of this one", control::pending_approve,
               "let in; it is delegated once its servers answer");
  add_decision(*pending, console, "remove", "Take its name from a child of this registry: delegation, key and certificates", control::child_remove,
               "no child of this registry any more");
  add_decision(*pending, console, "reject", "Forget a registry that asks to be a child of this one", control::pending_reject, "turned away");
}

}  // namespace steward::cli

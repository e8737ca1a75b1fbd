#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

struct PublisherRequest {
  std::string fingerprint;
  std::string space;
  std::string note;
};

void show_publishers(Console& console, const Json& reply) {
  Table table({"NAMESPACE", "FINGERPRINT", "SINCE", "SOURCE", "NOTE"});
  for (const Json& publisher : list_field(reply, "publishers"))
    table.row({text_field(publisher, "namespace"), text_field(publisher, "fingerprint"), time_field(publisher, "since"),
               text_field(publisher, "source"), text_field(publisher, "note")});
  console.out() << (table.empty() ? "no publishers\n" : table.text());
  if (flag_field(reply, "open")) console.line("open: any key may publish a name that nobody has");
}

Json request_of(std::string_view command, const PublisherRequest& publisher) {
  Json request{{"command", command}, {"fingerprint", publisher.fingerprint}};
  if (!publisher.space.empty()) request["namespace"] = publisher.space;
  if (!publisher.note.empty()) request["note"] = publisher.note;
  return request;
}

void add_publisher_list(CLI::App& publisher, Console& console) {
  CLI::App* list = publisher.add_subcommand("list", "List the keys that may publish new agents");
  list->footer(
      "Examples:\n  steward-registry publisher list\n  steward-registry publisher list --json | jq -r "
      "'.publishers[].fingerprint'");
  auto remote = add_remote_options(*list, JsonOption::Offered);
  list->callback([&console, remote] {
    ask(console, *remote, {{"command", control::publisher_list}},
        [&](const Json& reply) { show_publishers(console, reply); });
  });
}

void add_allow(CLI::App& publisher, Console& console) {
  CLI::App* allow = publisher.add_subcommand("allow", "Let a key publish new agents in a namespace");
  allow->footer(
      "Examples:\n  steward-registry publisher allow sha256:0123…ef --note 'Ada, build server'\n"
      "  steward-registry publisher allow sha256:0123…ef --namespace team.acme-corp.com");
  auto remote = add_remote_options(*allow, JsonOption::Offered);
  auto request = std::make_shared<PublisherRequest>();
  allow
      ->add_option("FINGERPRINT", request->fingerprint,
                   "sha256: and 64 hexadecimal digits, as the publisher's keygen shows it")
      ->required();
  allow->add_option("--namespace", request->space, "Namespace below the apex; default the registry's own")
      ->type_name("NAME");
  allow->add_option("--note", request->note, "Whose it is, for people")->type_name("TEXT");
  allow->callback([&console, remote, request] {
    ask(console, *remote, request_of(control::publisher_allow, *request), [&](const Json& reply) {
      console.line(fmt::format("{} may publish in {}", printable(text_field(reply, "fingerprint")),
                               printable(text_field(reply, "namespace"))));
    });
  });
}

void add_remove(CLI::App& publisher, Console& console) {
  CLI::App* remove =
      publisher.add_subcommand("remove", "Let a key publish no new agents any more; those that it has it keeps");
  remove->footer("Examples:\n  steward-registry publisher remove sha256:0123…ef");
  auto remote = add_remote_options(*remove, JsonOption::Offered);
  auto request = std::make_shared<PublisherRequest>();
  remove->add_option("FINGERPRINT", request->fingerprint, "sha256: and 64 hexadecimal digits")->required();
  remove->add_option("--namespace", request->space, "Namespace below the apex; default the registry's own")
      ->type_name("NAME");
  remove->callback([&console, remote, request] {
    ask(console, *remote, request_of(control::publisher_remove, *request), [&](const Json& reply) {
      console.line(fmt::format("{} may publish nothing new in {}", printable(text_field(reply, "fingerprint")),
                               printable(text_field(reply, "namespace"))));
    });
  });
}

}  // namespace

void add_publisher(CLI::App& app, Console& console) {
  CLI::App* publisher = app.add_subcommand("publisher", "List, allow and remove the keys that may publish new agents");
  publisher->footer("Examples:\n  steward-registry publisher list\n  steward-registry publisher allow sha256:0123…ef");
  publisher->require_subcommand(1);
  add_publisher_list(*publisher, console);
  add_allow(*publisher, console);
  add_remove(*publisher, console);
}

}  // namespace steward::cli

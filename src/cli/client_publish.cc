#include "cli/client_publish.hh"

#include <CLI/App.hpp>
#include <iostream>
#include <iterator>

#include "base/file.hh"
#include "dns/ttl.hh"

namespace steward::cli {
namespace {

constexpr size_t max_manifest_file = size_t{4} << 20;

struct PublishWish : PublisherWish {
  std::string manifest;
  std::string lease;
  std::string key_lease;
  client::PublishRequest request;
};

/// `-` is the standard input.
client::Outcome<std::string> read_manifest_file(const std::string& path) {
  const auto too_long = [&] {
    return client::Failure{client::Fault::Invalid, path + ": over 4 MiB, which no manifest is"};
  };
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (text.size() > max_manifest_file) return too_long();
    return text;
  }
  auto file = FileReader::open(path);
  if (!file) return client::Failure{client::Fault::Io, file.error().what};
  Bytes block(size_t{64} << 10);
  while (true) {
    const auto read = file->read(block);
    if (!read) return client::Failure{client::Fault::Io, read.error().what};
    if (*read == 0) return text;
    text.append(as_text(ByteView(block).first(*read)));
    if (text.size() > max_manifest_file) return too_long();
  }
}

std::string check_period(const std::string& text) {
  const auto seconds = dns::period_from_text(text);
  return seconds ? std::string() : seconds.error().what;
}

std::optional<uint32_t> period_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return dns::period_from_text(text).value_or(0);
}

void publish(Console& console, PublishWish& wish) {
  const auto manifest = read_manifest_file(wish.manifest);
  if (!manifest) return void(failed(console, manifest.failure()));
  wish.request.lease = period_of(wish.lease);
  wish.request.key_lease = period_of(wish.key_lease);
  wish.request.name_space = wish.common->name_space;
  run_publisher(console, wish, [&](client::Publisher& publisher) -> client::Outcome<client::Published> {
    auto done = publisher.publish(*manifest, wish.request);
    if (done || done.failure().fault != client::Fault::Invalid) return done;
    return client::Failure{client::Fault::Invalid, wish.manifest + ": " + done.failure().what};
  });
}

void add_publish_command(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("publish", "Publish an agent, a new version of it, or one that was withdrawn");
  command->footer(
      "Examples:\n"
      "  steward publish steward.json --registry 127.0.0.1@5300 --namespace acme-corp.com\n"
      "  steward publish agent-card.json --dry-run\n"
      "  steward publish server.json --print | nsupdate -v -k "
      "Kmy-agent.acme-corp.com.steward-registry.org.+015+01234.key\n"
      "  steward publish steward.json --lease 1h --key-lease 7d");
  auto wish = std::make_shared<PublishWish>();
  command
      ->add_option("MANIFEST", wish->manifest,
                   "STEWARD manifest, A2A agent card or MCP server.json; - reads it from the standard input")
      ->required();
  add_publisher_options(*command, *wish);
  command->add_option("--agent", wish->request.agent, "The agent's name, where it is not the manifest's")
      ->type_name("NAME");
  command
      ->add_option("--lease", wish->lease,
                   "Gone after that time unless it is published again, as in 1h; default: never")
      ->type_name("TIME")
      ->check(check_period);
  command->add_option("--key-lease", wish->key_lease, "The name stays reserved for that time; default: as --lease")
      ->type_name("TIME")
      ->check(check_period);
  command->callback([&console, wish] { publish(console, *wish); });
}

struct AgentWish : PublisherWish {
  std::string agent;
  std::string reason;
  std::string successor;
};

using AgentChange = client::Outcome<client::Published> (*)(client::Publisher&, const AgentWish&);

/// A command that is about one agent that stands.
CLI::App* add_agent_command(CLI::App& app, Console& console, const std::shared_ptr<AgentWish>& wish, const char* name,
                            const char* about, AgentChange change) {
  CLI::App* command = app.add_subcommand(name, about);
  command->add_option("AGENT", wish->agent, "The agent's name")->required();
  add_publisher_options(*command, *wish);
  command->callback([&console, wish, change] {
    run_publisher(console, *wish, [&](client::Publisher& publisher) { return change(publisher, *wish); });
  });
  return command;
}

void add_withdraw_command(CLI::App& app, Console& console) {
  add_agent_command(app, console, std::make_shared<AgentWish>(), "withdraw",
                    "Take an agent out of service; publishing it again brings it back",
                    [](client::Publisher& publisher, const AgentWish& wish) { return publisher.withdraw(wish.agent); })
      ->footer("Examples:\n  steward withdraw my-agent.acme-corp.com");
}

void add_revoke_command(CLI::App& app, Console& console) {
  auto wish = std::make_shared<AgentWish>();
  CLI::App* command =
      add_agent_command(app, console, wish, "revoke", "Take an agent out of service for good; nothing undoes it",
                        [](client::Publisher& publisher, const AgentWish& w) {
                          return publisher.revoke(w.agent, w.reason, w.successor);
                        });
  command->add_option("--reason", wish->reason, "Why, for everybody to read")->required()->type_name("TEXT");
  command->add_option("--successor", wish->successor, "The agent that takes its place")->type_name("AGENT");
  command->footer(
      "Examples:\n  steward revoke my-agent.acme-corp.com --reason \"key was stolen\" --successor "
      "my-agent-2.acme-corp.com");
}

void add_deprecate_command(CLI::App& app, Console& console) {
  auto wish = std::make_shared<AgentWish>();
  CLI::App* command = add_agent_command(
      app, console, wish, "deprecate", "Name the agent that takes the place of another, which stays in service",
      [](client::Publisher& publisher, const AgentWish& w) { return publisher.deprecate(w.agent, w.successor); });
  command->add_option("--successor", wish->successor, "The agent that takes its place")->required()->type_name("AGENT");
  command->footer("Examples:\n  steward deprecate my-agent.acme-corp.com --successor my-agent-2.acme-corp.com");
}

void add_rotate_command(CLI::App& app, Console& console) {
  add_agent_command(app, console, std::make_shared<AgentWish>(), "rotate",
                    "Put the agent's newest key in the place of the one that it has",
                    [](client::Publisher& publisher, const AgentWish& wish) { return publisher.rotate(wish.agent); })
      ->footer(
          "Examples:\n  steward keygen --agent-id my-agent.acme-corp.com --rotate && steward rotate "
          "my-agent.acme-corp.com");
}

}  // namespace

void add_publish(CLI::App& app, Console& console) {
  add_publish_command(app, console);
  add_withdraw_command(app, console);
  add_revoke_command(app, console);
  add_deprecate_command(app, console);
  add_rotate_command(app, console);
}

}  // namespace steward::cli

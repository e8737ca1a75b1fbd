#include <fmt/format.h>

#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

#include "cli/client_commands.hh"
#include "cli/client_publish.hh"
#include "steward/client.hh"
#include "steward/keys.hh"

namespace steward::cli {
namespace {

struct KeygenWish {
  ClientOptions common;
  std::string agent;
  std::string algorithm = "ed25519";
  std::string folder = client::KeyFolder::default_path();
  bool rotate = false;
};

std::string json_text(const client::KeyFile& key) {
  const nlohmann::ordered_json json{
      {"agent", key.agent},    {"algorithm", key.algorithm},      {"fingerprint", key.fingerprint},
      {"record", key.record},  {"private_key", key.private_file}, {"public_key", key.public_file},
      {"created", key.created}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void keygen(Console& console, const KeygenWish& wish) {
  std::string agent;
  if (!wish.agent.empty()) {
    const auto settings = settings_of(wish.common);
    if (!settings) return void(failed(console, settings.failure()));
    const auto name = client::full_name(wish.agent, *settings);
    if (!name) return void(failed(console, name.failure()));
    agent = *name;
  }
  const auto algorithm = client::key_algorithm_from_text(wish.algorithm);
  if (!algorithm) return void(failed(console, algorithm.failure()));
  const auto key = client::KeyFolder(wish.folder).generate(agent, *algorithm, wish.rotate);
  if (!key) return void(failed(console, key.failure()));
  if (wish.common.json) return console.line(json_text(*key));
  console.line(fmt::format("Private key: {}", key->private_file));
  console.line(fmt::format("Public key: {}", key->public_file));
  console.line(fmt::format("Fingerprint: {}", key->fingerprint));
  console.line(fmt::format("KEY record: {}", key->record));
  console.line(
      wish.rotate
          ? "The next `steward publish` puts it in the place of the key before it, or `steward rotate` does now. "
            "Keep both files until then."
          : fmt::format("Before the first publish the registry's operator allows it: "
                        "steward-registry publisher allow {}",
                        key->fingerprint));
}

}  // namespace

void add_publisher_keygen(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("keygen", "Make a key that publishes agents");
  command->footer(
      "Examples:\n"
      "  steward keygen --agent-id my-agent.acme-corp.com\n"
      "  steward keygen --agent-id my-agent.acme-corp.com --rotate\n"
      "  steward keygen --algorithm rsa4096");
  auto wish = std::make_shared<KeygenWish>();
  command->add_option("--agent-id", wish->agent, "The agent that it publishes; default: any agent")->type_name("AGENT");
  command->add_option("--algorithm", wish->algorithm, "Kind of key")
      ->check(CLI::IsMember({"ed25519", "rsa4096", "ecdsap256"}))
      ->capture_default_str();
  command->add_flag("--rotate", wish->rotate, "Make the key that follows the one that is there");
  add_key_folder(*command, wish->folder);
  command->add_option("--config", wish->common.config, "Settings; default: ~/.config/steward/config.yaml")
      ->type_name("FILE");
  command->add_option("--namespace", wish->common.name_space, "Completes a short name")->type_name("NAME");
  command->add_option("--apex", wish->common.apex, "Above all registries; default: steward-registry.org")
      ->type_name("NAME");
  command->add_flag("--json", wish->common.json, "Print the result as JSON");
  command->callback([&console, wish] { keygen(console, *wish); });
}

}  // namespace steward::cli

// How a publish is shown, in text and as JSON.

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/client_publish.hh"
#include "cli/client_show.hh"
#include "steward/text.hh"

namespace steward::cli {
namespace {

using client::for_terminal;
using client::Published;

constexpr uint64_t steps_shown = 3;  ///< of a publish that nothing disturbs: reading, sending, done

std::string_view past_tense(std::string_view action) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"publish", "published"},         {"update", "published"}, {"return", "published again"},
      {"rotate", "rotated the key of"}, {"claim", "claimed"},    {"renew", "renewed the lease of"},
      {"withdraw", "withdrew"},         {"revoke", "revoked"},   {"deprecate", "deprecated"}};
  for (const auto& [known, word] : words)
    if (known == action) return word;
  return action;
}

std::string json_text(const Published& done) {
  const auto number = [](const std::optional<uint32_t>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  };
  const nlohmann::ordered_json json{{"agent", done.agent},
                                    {"unicode", unicode_json(done.agent)},
                                    {"action", done.action},
                                    {"sent", done.sent},
                                    {"registry", done.registry},
                                    {"zone", done.zone},
                                    {"version", done.version},
                                    {"previous_version", done.previous_version},
                                    {"status", client::to_text(done.status)},
                                    {"modified", done.modified},
                                    {"fingerprint", done.fingerprint},
                                    {"previous_fingerprint", done.previous_fingerprint},
                                    {"key_file", done.key_file},
                                    {"lease", number(done.lease)},
                                    {"key_lease", number(done.key_lease)},
                                    {"notes", done.notes},
                                    {"records", done.records},
                                    {"names", done.names}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// "127.0.0.1@5300 over TLS" as dig's words.
std::string dig_server(std::string_view registry) {
  const std::string_view address = registry.substr(0, registry.find(' '));
  const size_t at = address.rfind('@');
  return fmt::format("@{} -p {}{}", address.substr(0, at), address.substr(at + 1),
                     address.size() < registry.size() ? " +tls" : "");
}

void show(Console& console, const Published& done) {
  const std::string versions = done.previous_version.empty() || done.previous_version == done.version
                                   ? done.version
                                   : fmt::format("{}, before it {}", done.version, done.previous_version);
  console.line(
      fmt::format("{}{} {}", done.sent ? "" : "would have ", past_tense(done.action), client::shown_name(done.agent)));
  console.line(fmt::format("  version      {}", for_terminal(versions)));
  console.line(fmt::format("  status       {}", client::to_text(done.status)));
  console.line(fmt::format("  modified     {}", done.modified));
  console.line(fmt::format("  key          {}", done.fingerprint));
  if (!done.previous_fingerprint.empty()) console.line(fmt::format("  key before   {}", done.previous_fingerprint));
  console.line(fmt::format("  registry     {}, zone {}", done.registry, for_terminal(done.zone)));
  if (done.lease) {
    console.line(fmt::format("  lease        {}{}", human_duration(*done.lease),
                             done.key_lease ? fmt::format(", its name {}", human_duration(*done.key_lease)) : ""));
  }
  for (const std::string& note : done.notes) console.line(fmt::format("  left out     {}", for_terminal(note)));
  if (!done.sent) {
    for (const std::string& record : done.records) console.line(for_terminal(record));
    return console.line(console.toned(Tone::Dim, "nothing was changed (--dry-run)"));
  }
  const std::string server = dig_server(done.registry);
  for (const std::string& name : done.names) console.line(fmt::format("  dig {} {}", server, for_terminal(name)));
}

}  // namespace

void add_key_folder(CLI::App& command, std::string& folder) {
  command.add_option("--keys", folder, "Folder of keys; default: ~/.config/steward/keys")->type_name("DIR");
}

void add_publisher_options(CLI::App& command, PublisherWish& wish) {
  wish.common = add_client_options(command);
  command.add_option("--key", wish.key, "The key to publish with; default: the newest of the agent's")
      ->type_name("FILE");
  add_key_folder(command, wish.folder);
  command.add_flag("--dry-run", wish.dry_run, "Show what would be sent, and send nothing");
  command.add_flag("--print", wish.print, "Print a script for nsupdate(1) that does the same, and send nothing");
}

void run_publisher(Console& console, const PublisherWish& wish,
                   const std::function<client::Outcome<Published>(client::Publisher&)>& change) {
  auto settings = settings_of(*wish.common);
  if (!settings) return void(failed(console, settings.failure()));
  client::PublisherOptions options;
  options.key_folder = wish.folder;
  options.key = wish.key;
  options.dry_run = wish.dry_run || wish.print;
  uint64_t steps = 0;
  options.on_step = [&](const std::string& step) {
    console.progress(std::min(steps++, steps_shown), steps_shown, for_terminal(step));
  };
  auto publisher = client::Publisher::open(std::move(*settings), std::move(options));
  if (!publisher) return void(failed(console, publisher.failure()));
  const auto done = change(*publisher);
  console.end_progress();
  if (!done) return void(failed(console, done.failure()));
  if (wish.print) {
    console.out() << done->script;
  } else if (wish.common->json) {
    console.line(json_text(*done));
  } else {
    show(console, *done);
  }
}

}  // namespace steward::cli

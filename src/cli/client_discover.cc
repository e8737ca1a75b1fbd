#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>

#include "agent/a_label.hh"
#include "cli/client_commands.hh"
#include "cli/client_show.hh"

namespace steward::cli {
namespace {

using client::Discovery;
using client::for_terminal;
using client::FoundAgent;
using client::shown_name;

struct DiscoverWords {
  std::string term;
  bool all = false;
  bool federated = false;
  bool geo_aware = false;
  client::SortBy sort = client::SortBy::Trust;
  size_t limit = client::DiscoverOptions{}.limit;
};

/// "  Parent (com.steward-registry.org): 2 agents", for who waits.
void tell(Console& console, const client::AskedRegistry& registry, std::string_view apex) {
  std::string role = client::to_text(registry.role);
  role.front() = static_cast<char>(role.front() - 'a' + 'A');
  const std::string result = !registry.answered     ? "no answer"
                             : registry.agents == 0 ? "no results"
                             : registry.agents == 1 ? "1 result"
                                                    : fmt::format("{} results", registry.agents);
  console.note(fmt::format("  {} ({}): {}", role, shown_name(short_zone(registry.zone, apex)), result));
}

/// The agents of the first label that stands in several namespaces, the term's own before others.
std::vector<const FoundAgent*> namesakes(const Discovery& discovery) {
  std::vector<const FoundAgent*> all;
  for (const bool any_label : {false, true}) {
    for (const FoundAgent& first : discovery.agents) {
      if (!any_label && first.label != discovery.term) continue;
      all.clear();
      for (const FoundAgent& agent : discovery.agents)
        if (agent.label == first.label) all.push_back(&agent);
      if (all.size() > 1) return all;
    }
  }
  return {};
}

/// Lets a person choose one; null where nobody does.
const FoundAgent* choose(Console& console, const std::vector<const FoundAgent*>& agents) {
  console.note(fmt::format("{} stands in {} namespaces:", shown_name(agents.front()->label), agents.size()));
  for (size_t i = 0; i < agents.size(); ++i)
    console.note(fmt::format("  {}. {} ({})", i + 1, shown_name(agents[i]->reversed), trust_text(*agents[i])));
  std::string range;
  for (size_t i = 1; i <= agents.size(); ++i) range += fmt::format("{}{}", i == 1 ? "" : "/", i);
  std::string line;
  while (true) {
    console.err() << fmt::format("Select agent [{}]: ", range) << std::flush;
    if (!std::getline(std::cin, line) || line.empty()) return nullptr;
    size_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error == std::errc{} && end == line.data() + line.size() && number >= 1 && number <= agents.size())
      return agents[number - 1];
  }
}

void show_chosen(Console& console, client::Client& client, const Discovery& discovery) {
  const auto agents = namesakes(discovery);
  const bool is_somebody_there = console.is_interactive() && ::isatty(STDIN_FILENO) == 1;
  if (agents.empty() || !is_somebody_there) return;
  const FoundAgent* chosen = choose(console, agents);
  if (chosen == nullptr) return;
  // What a search shows is for listing: whom to connect to, the agent's own name says.
  const auto agent = client.resolve(chosen->name);
  if (!agent) return static_cast<void>(failed(console, agent.failure()));
  if (agent->fingerprint != chosen->fingerprint)
    return static_cast<void>(
        failed(console, {client::Fault::Untrusted, fmt::format("{} has another key at its own name than at {}",
                                                               chosen->name, chosen->found_at.front().registry)}));
  show(console, *agent);
}

void discover(Console& console, const ClientOptions& options, const DiscoverWords& words) {
  const auto label = agent::a_label(words.term);
  const auto term = client::search_term(label ? *label : words.term);
  if (!term) {
    failed(console, term.failure());
    console.exit_code = exit_usage;
    return;
  }
  if (*term != words.term) console.note(fmt::format("'{}' is searched as '{}'", for_terminal(words.term), *term));
  auto settings = settings_of(options);
  if (!settings) return static_cast<void>(failed(console, settings.failure()));
  const std::string apex = settings->apex;
  auto client = client::Client::open(std::move(*settings));
  if (!client) return static_cast<void>(failed(console, client.failure()));

  client::DiscoverOptions chosen{.scope = words.federated ? client::Scope::Federated
                                          : words.all     ? client::Scope::All
                                                          : client::Scope::Climb,
                                 .sort = words.sort,
                                 .limit = words.limit,
                                 .geo_aware = words.geo_aware,
                                 .on_registry = {}};
  if (console.is_interactive())
    chosen.on_registry = [&](const client::AskedRegistry& registry) { tell(console, registry, apex); };
  const auto found = client->discover(*term, chosen);
  if (!found) return static_cast<void>(failed(console, found.failure()));
  for (const client::DiscoveryWarning& warning : found->warnings)
    console.warn(for_terminal(fmt::format("{}: {}", warning.registry, warning.what)));
  if (found->agents.empty()) console.exit_code = exit_failed;
  if (options.json) return show_json(console, to_json(*found));
  show(console, *found, apex);
  show_chosen(console, *client, *found);
}

}  // namespace

void add_discover(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("discover", "Find agents by a capability, a name, or a word of a name");
  command->footer(
      "The local registry is asked, that of --namespace; where it has nothing its parent, and so on to the root.\n"
      "Exit status 1 where no agent is found. A registry that is out of reach is named, and costs its rows.\n"
      "Examples:\n"
      "  steward discover orchestrate_sdlc --namespace vibe-agency.com\n"
      "  steward discover orchestrator --federated --sort latency\n"
      "  steward discover plan --all --limit 0 --json\n"
      "  steward discover plan --geo-aware --namespace vibe-agency.com");
  auto words = std::make_shared<DiscoverWords>();
  command->add_option("term", words->term, "1 to 62 of a-z, 0-9, _ and -")->type_name("TERM")->required();
  CLI::Option* all = command->add_flag("--all", words->all, "Ask all registries from the local one to the root");
  command
      ->add_flag("--federated", words->federated,
                 "Ask these and all that their agents' names lead to, at the same time")
      ->excludes(all);
  command->add_flag("--geo-aware", words->geo_aware,
                    "Measure all servers of the local registry, and ask the closest; where it fails, the next");
  const std::map<std::string, client::SortBy> sorts{
      {"trust", client::SortBy::Trust}, {"latency", client::SortBy::Latency}, {"name", client::SortBy::Name}};
  command->add_option("--sort", words->sort, "trust (default), latency or name")
      ->type_name("KEY")
      ->transform(CLI::CheckedTransformer(sorts).description(""));
  command->add_option("--limit", words->limit, "Agents at most; 0: all; default: 50")->type_name("N");
  command->callback([&console, options = add_client_options(*command), words] { discover(console, *options, *words); });
}

}  // namespace steward::cli

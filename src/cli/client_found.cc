// How a discovery is shown.

#include <fmt/format.h>

#include <algorithm>

#include "cli/client_show.hh"

namespace steward::cli {
namespace {

using client::Discovery;
using client::for_terminal;
using client::FoundAgent;
using client::shown_name;
using Json = nlohmann::ordered_json;

double milliseconds(std::chrono::microseconds latency) { return static_cast<double>(latency.count()) / 1000; }

std::string_view stars(double trust) {
  if (trust >= 0.9) return " ★★★";
  if (trust >= 0.85) return " ★★";
  if (trust >= 0.5) return " ★";
  return "";
}

/// Less than ten with a decimal: a registry on the same machine has an answer in some tenths.
std::string latency_text(std::chrono::microseconds latency) {
  const double ms = milliseconds(latency);
  return ms < 10 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.0f} ms", ms);
}

bool is_local(const FoundAgent& agent, const Discovery& discovery) {
  return std::ranges::any_of(discovery.registries, [&](const client::AskedRegistry& registry) {
    return registry.role == client::Role::Local && std::ranges::any_of(agent.found_at, [&](const auto& sighting) {
             return sighting.registry == registry.zone;
           });
  });
}

std::string counted(size_t number, std::string_view one, std::string_view more) {
  return fmt::format("{} {}", number, number == 1 ? one : more);
}

Json found_json(const FoundAgent& agent) {
  Json json{{"agent", agent.name},
            {"unicode", unicode_json(agent.name)},
            {"label", agent.label},
            {"namespace", agent.name_space},
            {"reversed", agent.reversed},
            {"version", agent.version},
            {"status", client::to_text(agent.status)},
            {"capabilities", agent.capabilities},
            {"description", agent.description},
            {"fingerprint", agent.fingerprint},
            {"trust", agent.trust ? Json(*agent.trust) : Json(nullptr)},
            {"self_stated", agent.self_stated},
            {"latency_ms", milliseconds(agent.latency)},
            {"found_at", Json::array()}};
  for (const client::Sighting& sighting : agent.found_at)
    json["found_at"].push_back({{"registry", sighting.registry},
                                {"trust", sighting.trust ? Json(*sighting.trust) : Json(nullptr)},
                                {"home", sighting.is_home},
                                {"latency_ms", milliseconds(sighting.latency)}});
  return json;
}

}  // namespace

std::string short_zone(std::string_view zone, std::string_view apex) {
  if (apex.ends_with('.')) apex.remove_suffix(1);
  const std::string end = fmt::format(".{}", apex);
  return std::string(zone.ends_with(end) ? zone.substr(0, zone.size() - end.size()) : zone);
}

std::string trust_text(const FoundAgent& agent) {
  if (!agent.trust) return "-";
  return fmt::format("{:.2f}{}{}", *agent.trust, stars(*agent.trust), agent.self_stated ? " self-stated" : "");
}

Json to_json(const Discovery& discovery) {
  Json json{{"term", discovery.term},  {"about", discovery.about},    {"complete", discovery.is_complete},
            {"agents", Json::array()}, {"registries", Json::array()}, {"replicas", Json::array()},
            {"warnings", Json::array()}};
  for (const FoundAgent& agent : discovery.agents) json["agents"].push_back(found_json(agent));
  for (const client::AskedRegistry& registry : discovery.registries)
    json["registries"].push_back({{"registry", registry.zone},
                                  {"role", client::to_text(registry.role)},
                                  {"answered", registry.answered},
                                  {"agents", registry.agents},
                                  {"latency_ms", milliseconds(registry.latency)}});
  for (const client::MeasuredReplica& replica : discovery.replicas)
    json["replicas"].push_back({{"address", replica.address},
                                {"host", replica.host},
                                {"answered", replica.answered},
                                {"latency_ms", replica.answered ? Json(milliseconds(replica.latency)) : Json(nullptr)},
                                {"used", replica.used}});
  for (const client::DiscoveryWarning& warning : discovery.warnings)
    json["warnings"].push_back({{"registry", warning.registry}, {"what", warning.what}});
  return json;
}

void show(Console& console, const Discovery& discovery, std::string_view apex) {
  Table replicas({"server", "address", "latency", ""});
  for (const client::MeasuredReplica& replica : discovery.replicas)
    replicas.row({shown_name(replica.host), replica.address, replica.answered ? latency_text(replica.latency) : "no answer",
                  replica.used ? "closest, used" : ""});
  if (!replicas.empty()) console.out() << replicas.text();
  const auto answered = static_cast<size_t>(
      std::ranges::count_if(discovery.registries, [](const auto& registry) { return registry.answered; }));
  console.line(fmt::format("Found {} across {}{}", counted(discovery.agents.size(), "agent", "agents"),
                           counted(answered, "registry", "registries"), discovery.agents.empty() ? "" : ":"));
  Table table({"agent", "registry", "trust", "latency"});
  for (const FoundAgent& agent : discovery.agents) {
    const bool is_deprecated = agent.status == client::Status::Deprecated;
    table.row({shown_name(agent.label) + (is_deprecated ? " (deprecated)" : ""),
               shown_name(short_zone(agent.name_space, apex)), trust_text(agent),
               latency_text(agent.latency) + (is_local(agent, discovery) ? " (local)" : "")});
  }
  if (!table.empty()) console.out() << table.text();
  if (discovery.about > discovery.agents.size() && !discovery.agents.empty())
    console.note(fmt::format("{} of about {}; --limit shows more", discovery.agents.size(), discovery.about));
}

}  // namespace steward::cli

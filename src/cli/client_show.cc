#include "cli/client_show.hh"

#include <fmt/format.h>

namespace steward::cli {
namespace {

using client::Agent;
using client::Endpoint;
using client::for_terminal;
using client::shown_name;
using client::Status;
using client::StepResult;
using Json = nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// "name:        text", nothing where there is no text.
void row(Console& console, std::string_view name, std::string_view text, Tone tone = Tone::Plain) {
  if (text.empty()) return;
  console.line(fmt::format("  {:<14}{}", name, console.toned(tone, for_terminal(text))));
}

std::string described(const Endpoint& endpoint) {
  std::string text = fmt::format("{}:{}", endpoint.host, endpoint.port);
  if (!endpoint.protocol.empty()) text = endpoint.protocol + "  " + text;
  if (!endpoint.alpn.empty()) text += "  alpn " + joined(endpoint.alpn);
  if (!endpoint.well_known.empty()) text += "  " + endpoint.well_known;
  return text;
}

Tone tone_of(Status status) {
  switch (status) {
    case Status::Active: return Tone::Good;
    case Status::Deprecated: return Tone::Warn;
    case Status::Withdrawn:
    case Status::Revoked: return Tone::Bad;
  }
  return Tone::Bad;
}

void show_status(Console& console, const Agent& agent) {
  std::string status = client::to_text(agent.status);
  if (!agent.reason.empty()) status += ": " + agent.reason;
  row(console, "status", status, tone_of(agent.status));
  if (!agent.successor.empty()) console.line(fmt::format("  {:<14}{}", "successor", shown_name(agent.successor)));
  if (!agent.registry) return;
  const bool suspended = agent.registry->status == "suspended";
  row(console, "registry", agent.registry->registry + (suspended ? ": suspended" : ""),
      suspended ? Tone::Bad : Tone::Plain);
  if (agent.registry->trust) row(console, "trust", fmt::format("{:.2f}", *agent.registry->trust));
}

Json endpoint_json(const Endpoint& endpoint) {
  return {{"protocol", endpoint.protocol}, {"host", endpoint.host},         {"port", endpoint.port},
          {"alpn", endpoint.alpn},         {"priority", endpoint.priority}, {"well_known", endpoint.well_known}};
}

std::string_view to_text(StepResult result) {
  switch (result) {
    case StepResult::Passed: return "passed";
    case StepResult::Failed: return "failed";
    case StepResult::Skipped: return "skipped";
  }
  return "failed";
}

Tone tone_of(StepResult result) {
  switch (result) {
    case StepResult::Passed: return Tone::Good;
    case StepResult::Failed: return Tone::Bad;
    case StepResult::Skipped: return Tone::Dim;
  }
  return Tone::Bad;
}

}  // namespace

Json unicode_json(std::string_view name) {
  const std::string unicode = client::unicode_name(name);
  return unicode.empty() ? Json(nullptr) : Json(unicode);
}

Json to_json(const Agent& agent) {
  Json json{{"agent", agent.name},
            {"unicode", unicode_json(agent.name)},
            {"label", agent.label},
            {"namespace", agent.name_space},
            {"dnssec", client::to_text(agent.security)},
            {"usable", agent.usable},
            {"unusable_because", agent.unusable_because},
            {"version", agent.version},
            {"status", client::to_text(agent.status)},
            {"reason", agent.reason},
            {"successor", agent.successor},
            {"capabilities", agent.capabilities},
            {"description", agent.description},
            {"fingerprint", agent.fingerprint},
            {"key_algorithm", agent.key_algorithm},
            {"custody", agent.custody},
            {"modified", agent.modified},
            {"manifest", agent.manifest},
            {"manifest_digest", agent.manifest_digest},
            {"registry", nullptr},
            {"rotations", Json::array()},
            {"endpoints", Json::array()}};
  if (agent.registry) {
    json["registry"] = {{"id", agent.registry->registry},
                        {"status", agent.registry->status},
                        {"reason", agent.registry->reason},
                        {"clock", agent.registry->clock}};
    json["registry"]["trust"] = agent.registry->trust ? Json(*agent.registry->trust) : Json(nullptr);
  }
  for (const auto& rotation : agent.rotations)
    json["rotations"].push_back({{"n", rotation.number},
                                 {"old", rotation.old_fingerprint},
                                 {"new", rotation.new_fingerprint},
                                 {"modified", rotation.modified}});
  for (const Endpoint& endpoint : agent.endpoints) json["endpoints"].push_back(endpoint_json(endpoint));
  return json;
}

Json to_json(const client::Verification& verification) {
  Json json{{"agent", verification.name},
            {"unicode", unicode_json(verification.name)},
            {"verified", verification.passed()},
            {"absent", verification.absent},
            {"steps", Json::array()}};
  for (const client::Step& step : verification.steps)
    json["steps"].push_back({{"step", step.name}, {"result", to_text(step.result)}, {"what", step.what}});
  return json;
}

Json to_json(const client::TrustSum& sum) {
  Json json{{"agent", sum.name}, {"unicode", unicode_json(sum.name)}, {"trust", sum.trust}, {"terms", Json::array()}};
  for (const client::TrustTerm& term : sum.terms)
    json["terms"].push_back({{"name", term.name},
                             {"weight", term.weight},
                             {"value", term.value},
                             {"result", term.result},
                             {"note", term.note}});
  return json;
}

void show_json(Console& console, const Json& json) {
  console.line(json.dump(-1, ' ', true, Json::error_handler_t::replace));
}

void show(Console& console, const Agent& agent) {
  console.line(shown_name(agent.name));
  row(console, "version", agent.version);
  show_status(console, agent);
  row(console, "description", agent.description);
  row(console, "capabilities", joined(agent.capabilities));
  row(console, "key", fmt::format("{} {}", agent.fingerprint, agent.key_algorithm));
  if (!agent.custody.empty())
    row(console, "custody", fmt::format("{} signs for a publisher without a key of its own", agent.custody),
        Tone::Warn);
  row(console, "signed", human_time(agent.modified));
  row(console, "manifest", agent.manifest);
  row(console, "dnssec", client::to_text(agent.security),
      agent.security == client::Security::Secure ? Tone::Good : Tone::Bad);
  if (!agent.usable) return row(console, "endpoints", "not to be used: " + agent.unusable_because, Tone::Bad);
  if (agent.endpoints.empty()) row(console, "endpoints", "none: no network endpoint serves it");
  std::string_view title = "endpoints";
  for (const Endpoint& endpoint : agent.endpoints) row(console, std::exchange(title, ""), described(endpoint));
}

void show(Console& console, const client::Verification& verification) {
  if (!verification.name.empty()) console.line(shown_name(verification.name));
  for (const client::Step& step : verification.steps)
    console.line(fmt::format("  {:<11}{}  {}", step.name,
                             console.toned(tone_of(step.result), fmt::format("{:<7}", to_text(step.result))),
                             for_terminal(step.what)));
  const bool passed = verification.passed();
  console.line(console.toned(passed ? Tone::Good : Tone::Bad, !passed               ? "not verified"
                                                              : verification.absent ? "absence proved"
                                                                                    : "verified"));
}

void show(Console& console, const client::TrustSum& sum) {
  console.line(shown_name(sum.name));
  Table table({"fact", "weight", "value", "result", "note"});
  for (const client::TrustTerm& term : sum.terms)
    table.row({for_terminal(term.name), fmt::format("{:.2f}", term.weight), fmt::format("{:.2f}", term.value),
               fmt::format("{:.3f}", term.result), for_terminal(term.note)});
  console.out() << table.text();
  console.line(fmt::format("trust {:.2f}", sum.trust));
}

}  // namespace steward::cli

#include "client/read_agent.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "client/names.hh"
#include "crypto/algorithm.hh"

namespace steward::client {
namespace {

using agent::AgentStatus;
using agent::Rotation;
using agent::Statement;
using agent::TextField;

constexpr std::string_view registry_version = "steward-registry1";

std::vector<ByteView> views_of(const std::vector<Bytes>& rdatas) { return {rdatas.begin(), rdatas.end()}; }

bool is_statement(ByteView txt_rdata) {
  const auto fields = agent::fields_from_txt(txt_rdata);
  return fields && !fields->empty() && (*fields)[0].key == "v" && (*fields)[0].value == agent::statement_version;
}

std::string text_of(const Statement& statement, std::string_view key) {
  return std::string(statement.find(key).value_or(""));
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    if (comma != 0) words.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return words;
}

Status status_of(AgentStatus status) {
  switch (status) {
    case AgentStatus::Active: return Status::Active;
    case AgentStatus::Deprecated: return Status::Deprecated;
    case AgentStatus::Withdrawn: return Status::Withdrawn;
    case AgentStatus::Revoked: return Status::Revoked;
  }
  return Status::Revoked;
}

std::optional<double> trust_of(std::string_view text) {
  double trust = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), trust, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !(trust >= 0 && trust <= 1)) return std::nullopt;
  return trust;
}

/// What a registry says of an agent that it neither suspended nor took down.
bool is_in_service(std::string_view registry_status) {
  return registry_status == "active" || registry_status == "deprecated";
}

/// Why nobody should connect to it; empty where there is no reason against it.
std::string reason_against(const Agent& agent) {
  if (agent.security != Security::Secure) return "DNSSEC does not prove what was answered: " + agent.security_note;
  if (agent.status == Status::Withdrawn) return "withdrawn by its publisher";
  if (agent.status == Status::Revoked) return "revoked by its publisher: " + agent.reason;
  if (agent.registry && !is_in_service(agent.registry->status))
    return agent.registry->status + " by its registry" +
           (agent.registry->reason.empty() ? "" : ": " + agent.registry->reason);
  return {};
}

void take_statement(const Statement& statement, const AgentRecords& records, Agent& agent) {
  agent.version = statement.version();
  agent.status = status_of(statement.status());
  agent.capabilities = words_of(text_of(statement, "capabilities"));
  agent.description = text_of(statement, "desc");
  agent.successor = text_of(statement, "succ");
  agent.reason = text_of(statement, "reason");
  agent.custody = text_of(statement, "custody");
  agent.fingerprint = statement.fingerprint();
  agent.modified = seconds_of(statement.modified());
  agent.manifest = text_of(statement, "manifest");
  agent.manifest_digest = text_of(statement, "digest");
  for (const Bytes& rdata : records.keys)
    if (const auto key = agent::PublisherKey::from_rdata(rdata); key && key->fingerprint() == agent.fingerprint)
      agent.key_algorithm = crypto::to_text(key->key().algorithm());
}

}  // namespace

Result<Statement> read_statement(const AgentRecords& records) {
  const Bytes* found = nullptr;
  for (const Bytes& rdata : records.texts) {
    if (!is_statement(rdata)) continue;
    if (found != nullptr) return fail(Errc::Corrupt, "more than one v=steward1 record at its name");
    found = &rdata;
  }
  if (found == nullptr) return fail(Errc::NotFound, fmt::format("{} has no statement", plain_text(records.agent)));
  auto statement = Statement::from_txt(*found);
  if (!statement) return fail(Errc::Corrupt, "statement: " + statement.error().what);
  if (const auto sound = statement->verify(records.agent, views_of(records.keys)); !sound)
    return fail(Errc::Corrupt, sound.error().what);
  return statement;
}

Result<void> check_endpoints(const Statement& statement, const AgentRecords& records) {
  std::vector<agent::Endpoint> rows;
  for (const Bytes& rdata : records.srv) rows.push_back({dns::RrType::SRV, rdata});
  for (const Bytes& rdata : records.svcb) rows.push_back({dns::RrType::SVCB, rdata});
  if (const auto sound = statement.verify_endpoints(rows); !sound) return fail(Errc::Corrupt, sound.error().what);
  return {};
}

Result<std::vector<Rotation>> read_rotations(const AgentRecords& records) {
  std::vector<Rotation> rotations;
  for (const Bytes& rdata : records.rotations) {
    auto rotation = Rotation::from_txt(rdata);
    if (!rotation) return fail(Errc::Corrupt, rotation.error().what);
    if (const auto sound = rotation->verify(records.agent, views_of(records.keys)); !sound)
      return fail(Errc::Corrupt, sound.error().what);
    rotations.push_back(std::move(*rotation));
  }
  std::sort(rotations.begin(), rotations.end(), [](const auto& a, const auto& b) { return a.number() < b.number(); });
  return rotations;
}

Result<std::optional<RegistryStatement>> read_registry_statement(const AgentRecords& records) {
  std::optional<RegistryStatement> found;
  for (const Bytes& rdata : records.registry) {
    const auto fields = agent::fields_from_txt(rdata);
    if (!fields || fields->empty() || (*fields)[0] != TextField{"v", std::string(registry_version)}) continue;
    if (found) return fail(Errc::Corrupt, "more than one v=steward-registry1 record");
    const auto text = [&](std::string_view key) { return std::string(agent::find_field(*fields, key).value_or("")); };
    found = RegistryStatement{.registry = text("registry"),
                              .trust = {},
                              .status = text("status"),
                              .reason = text("reason"),
                              .clock = text("vc")};
    if (const auto trust = agent::find_field(*fields, "trust")) {
      found->trust = trust_of(*trust);
      if (!found->trust) return fail(Errc::Corrupt, "registry's statement: trust: a number from 0 to 1 wanted");
    }
    if (found->registry.empty() || found->status.empty())
      return fail(Errc::Corrupt, "registry's statement: registry and status are needed");
  }
  return found;
}

Result<Agent> read_agent(const AgentRecords& records, dns::NameView apex) {
  Agent agent;
  agent.name = plain_text(records.agent);
  agent.label = as_text(records.agent.view().first_label());
  agent.security = records.security;
  agent.security_note = records.security_note;
  const std::string below_label = plain_text(records.agent.view().parent());
  const std::string end = "." + plain_text(apex);
  agent.name_space = below_label.ends_with(end) ? below_label.substr(0, below_label.size() - end.size()) : below_label;

  const auto statement = read_statement(records);
  if (!statement) return tl::unexpected(statement.error());
  take_statement(*statement, records, agent);
  auto registry = read_registry_statement(records);
  if (!registry) return tl::unexpected(registry.error());
  agent.registry = std::move(*registry);
  // For who only connects, a history that does not hold changes nothing: verify() is what walks along it.
  for (const Rotation& rotation : read_rotations(records).value_or(std::vector<Rotation>{}))
    agent.rotations.push_back({rotation.number(), std::string(rotation.old_fingerprint()),
                               std::string(rotation.new_fingerprint()), seconds_of(rotation.modified())});

  agent.unusable_because = reason_against(agent);
  if (const auto sound = check_endpoints(*statement, records); !sound && agent.unusable_because.empty())
    agent.unusable_because = "its SRV and SVCB rows are not the ones that its publisher signed: " + sound.error().what;
  agent.usable = agent.unusable_because.empty();
  if (agent.usable) agent.endpoints = read_endpoints(records);
  return agent;
}

std::string to_text(Status status) {
  switch (status) {
    case Status::Active: return "active";
    case Status::Deprecated: return "deprecated";
    case Status::Withdrawn: return "withdrawn";
    case Status::Revoked: return "revoked";
  }
  return "revoked";
}

std::string to_text(Security security) {
  switch (security) {
    case Security::Secure: return "secure";
    case Security::Insecure: return "insecure";
    case Security::Bogus: return "bogus";
  }
  return "bogus";
}

}  // namespace steward::client

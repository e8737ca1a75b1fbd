#include "client/proofs.hh"

#include <fmt/format.h>

#include "agent/text_fields.hh"
#include "client/names.hh"
#include "client/read_agent.hh"

namespace steward::client {
namespace {

using agent::Statement;

Step passed(std::string what) { return {.name = {}, .result = StepResult::Passed, .what = std::move(what)}; }
Step failed(std::string what) { return {.name = {}, .result = StepResult::Failed, .what = std::move(what)}; }
Step skipped(std::string what) { return {.name = {}, .result = StepResult::Skipped, .what = std::move(what)}; }

Step check_endpoint_rows(const Statement& statement, const AgentRecords& records) {
  if (const auto sound = check_endpoints(statement, records); !sound) return failed(sound.error().what);
  const size_t rows = records.srv.size() + records.svcb.size();
  return passed(rows == 0 ? "none, and none were signed"
                          : fmt::format("{} SRV and SVCB rows, the ones that were signed", rows));
}

/// The octets of the strings of a TXT RR, one after the other.
std::string joined(ByteView txt_rdata) {
  std::string text;
  while (!txt_rdata.empty()) {
    text += as_text(txt_rdata.subspan(1, txt_rdata[0]));
    txt_rdata = txt_rdata.subspan(size_t{1} + txt_rdata[0]);
  }
  return text;
}

Step check_manifest(const Statement& statement, const AgentRecords& records) {
  const auto digest = statement.find("digest");
  const auto url = statement.find("manifest");
  if (!digest) return skipped("the statement names none");
  if (!records.manifest) return skipped(fmt::format("left out of a bundle; its digest is {}", *digest));
  if (records.manifest->size() > 1) return failed("more than one record at _manifest");
  if (records.manifest->empty()) {
    const bool stored = url && url->starts_with("dns:");
    return stored ? failed("it is not there, and the statement says that it is")
                  : skipped(fmt::format("is at {}; its digest is {}", url.value_or("-"), *digest));
  }
  const std::string text = joined(records.manifest->front());
  if (agent::sha256_text(as_bytes(text)) != *digest) return failed("its digest is not the one that was signed");
  return passed(fmt::format("{} octets with the digest that was signed", text.size()));
}

Step check_key(const Statement& statement, const AgentRecords& records, const ProofContext& context) {
  const std::string_view present = statement.fingerprint();
  if (context.known.empty()) return passed(fmt::format("{}, not seen before", present));
  if (context.known == present) return passed(fmt::format("{}, {}", present, context.known_from));
  const auto rotations = read_rotations(records);
  if (!rotations) return failed(rotations.error().what);
  if (const auto leads = agent::check_rotation_chain(*rotations, context.known, present); !leads)
    return failed(fmt::format("another key than the one {}: {}", context.known_from, leads.error().what));
  return passed(fmt::format("{}, by rotation from {}, {}", present, context.known, context.known_from));
}

Step check_registry(const AgentRecords& records) {
  const auto registry = read_registry_statement(records);
  if (!registry) return failed(registry.error().what);
  if (!*registry) return failed("the registry says nothing about it");
  const RegistryStatement& said = **registry;
  if (said.status != "active" && said.status != "deprecated")
    return failed(fmt::format("{}: {}{}{}", said.registry, said.status, said.reason.empty() ? "" : ": ", said.reason));
  return passed(said.trust ? fmt::format("{} trusts it by {:.2f}", said.registry, *said.trust)
                           : fmt::format("{}, without a number of trust", said.registry));
}

Step check_status(const Statement& statement) {
  const std::string successor(statement.find("succ").value_or(""));
  const std::string follows = successor.empty() ? "" : ", succeeded by " + successor;
  switch (statement.status()) {
    case agent::AgentStatus::Active: return passed("active");
    case agent::AgentStatus::Deprecated: return passed("deprecated" + follows);
    case agent::AgentStatus::Withdrawn: return failed("withdrawn by its publisher");
    case agent::AgentStatus::Revoked:
      return failed(fmt::format("revoked by its publisher: {}{}", statement.find("reason").value_or(""), follows));
  }
  return failed("a status that is not known");
}

Step check_dnssec(const AgentRecords& records, const ProofContext& context) {
  if (records.security != Security::Secure)
    return failed(fmt::format("{}: {}", to_text(records.security), records.security_note));
  if (!records.exists) return failed("there is no such agent: that is proved");
  return passed(context.chain);
}

}  // namespace

Verification check_proofs(const AgentRecords& records, const ProofContext& context) {
  Verification verification{.name = plain_text(records.agent), .steps = {}, .agent = {}};
  const auto add = [&](std::string_view name, Step step) {
    step.name = name;
    verification.steps.push_back(std::move(step));
    return verification.steps.back().result != StepResult::Failed;
  };
  if (!add("dnssec", check_dnssec(records, context))) return verification;
  const auto statement = read_statement(records);
  if (!statement) {
    add("statement", failed(statement.error().what));
    return verification;
  }
  add("statement", passed(fmt::format("version {}, signed {} by {}", statement->version(),
                                      agent::modified_to_text(statement->modified()), statement->fingerprint())));
  if (auto agent = read_agent(records, context.apex)) verification.agent = std::move(*agent);
  static_cast<void>(add("endpoints", check_endpoint_rows(*statement, records)) &&
                    add("manifest", check_manifest(*statement, records)) &&
                    add("key", check_key(*statement, records, context)) && add("status", check_status(*statement)) &&
                    add("registry", check_registry(records)));
  return verification;
}

}  // namespace steward::client

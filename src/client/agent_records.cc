#include "client/agent_records.hh"

#include "client/names.hh"

namespace steward::client {
namespace {

using dns::NameView;
using dns::RrType;

/// Whether `owner` is `label` below the agent's name.
bool is_below_as(NameView owner, std::string_view label, NameView agent) {
  return as_text(owner.first_label()) == label && owner.parent() == agent && owner.size() > agent.size();
}

}  // namespace

Result<std::vector<Question>> agent_questions(NameView agent, WithManifest manifest) {
  const dns::Name name(agent);
  std::vector<Question> questions{{name, RrType::TXT}, {name, RrType::KEY}, {name, RrType::SRV}, {name, RrType::SVCB}};
  for (const std::string_view label : {"_registry", "_keys", "_manifest"}) {
    if (label == "_manifest" && manifest == WithManifest::No) continue;
    const auto owner = below(label, agent);
    if (!owner) return tl::unexpected(owner.error());
    questions.push_back({*owner, RrType::TXT});
  }
  return questions;
}

bool take_rrset(AgentRecords& records, NameView owner, RrType type, std::vector<Bytes> rdatas) {
  std::vector<Bytes>* place = nullptr;
  if (owner == records.agent.view()) {
    if (type == RrType::TXT) place = &records.texts;
    if (type == RrType::KEY) place = &records.keys;
    if (type == RrType::SRV) place = &records.srv;
    if (type == RrType::SVCB) place = &records.svcb;
  } else if (type == RrType::TXT) {
    if (is_below_as(owner, "_registry", records.agent)) place = &records.registry;
    if (is_below_as(owner, "_keys", records.agent)) place = &records.rotations;
    if (is_below_as(owner, "_manifest", records.agent)) place = &records.manifest.emplace();
  }
  if (place == nullptr) return false;
  *place = std::move(rdatas);
  if (place == &records.texts) records.exists = !records.texts.empty();
  return true;
}

AgentRecords records_of(NameView agent, std::span<const Answer> answers) {
  AgentRecords records{.agent = dns::Name(agent)};
  records.security = Security::Secure;
  for (const Answer& answer : answers) {
    if (answer.security > records.security) {
      records.security = answer.security;
      records.security_note = answer.note;
    }
    take_rrset(records, answer.question.name, answer.question.type, answer.rdatas);
  }
  return records;
}

}  // namespace steward::client

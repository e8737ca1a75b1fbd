#include "client/agent_facts.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/find_page.hh"
#include "client/names.hh"
#include "client/read_agent.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::NameView;
using dns::RrType;

/// Of the answers at `_ref`: the TXT there are the publisher's statement and the registry's.
AgentRecords referred_records(const Name& agent, std::span<const Answer> answers) {
  AgentRecords records{.agent = agent};
  records.security = Security::Secure;
  for (const Answer& answer : answers) {
    if (answer.security > records.security) {
      records.security = answer.security;
      records.security_note = answer.note;
    }
    if (answer.question.type == RrType::KEY) {
      records.keys = answer.rdatas;
    } else {
      records.texts = records.registry = answer.rdatas;
      records.exists = !records.texts.empty();
    }
  }
  return records;
}

Result<void> check_service(const Agent& agent) {
  if (agent.status == Status::Withdrawn || agent.status == Status::Revoked)
    return fail(Errc::Refused, to_text(agent.status));
  if (agent.registry && agent.registry->status != "active" && agent.registry->status != "deprecated")
    return fail(Errc::Refused, agent.registry->status + " by its registry");
  return {};
}

}  // namespace

std::string reversed_name(NameView agent, NameView apex) {
  std::string text;
  for (size_t labels = apex.label_count() + 1; labels <= agent.label_count(); ++labels) {
    const NameView suffix = agent.suffix(labels);
    // A name of this one label, so that it is escaped as names are.
    Bytes label(suffix.data(), suffix.data() + suffix.first_label().size() + 1);
    append_u8(label, 0);
    text += (text.empty() ? "" : ".") + plain_text(NameView(label.data(), label.size()));
  }
  return text;
}

AgentFacts::AgentFacts(const Name& agent, const Name& zone) : agent_(agent), zone_(zone) {
  const auto ref = ref_name(zone, agent);
  // What is published in the registry's own namespace has no `_ref` there.
  if (agent.view().parent() == zone.view() || !ref) {
    ask_own_name();
  } else {
    questions_ = {{*ref, RrType::TXT}, {*ref, RrType::KEY}};
    open_ = questions_.size();
  }
}

void AgentFacts::ask_own_name() {
  is_own_name_ = true;
  answers_.clear();
  questions_ = {{agent_, RrType::TXT}, {agent_, RrType::KEY}};
  if (const auto registry = below("_registry", agent_)) questions_.push_back({*registry, RrType::TXT});
  open_ = questions_.size();
}

std::vector<Question> AgentFacts::take_questions() { return std::exchange(questions_, {}); }

void AgentFacts::take(const Answer& answer) {
  answers_.push_back(answer);
  if (--open_ > 0 || is_own_name_) return;
  const AgentRecords records = referred_records(agent_, answers_);
  // A namespace that the registry hosts in its own zone, or one below that it does not follow.
  if (records.security == Security::Secure && !records.exists) ask_own_name();
}

Result<AgentFact> AgentFacts::judge(NameView apex, std::string_view term) const {
  const AgentRecords records = is_own_name_ ? records_of(agent_, answers_) : referred_records(agent_, answers_);
  if (records.security != Security::Secure)
    return fail(Errc::Corrupt, fmt::format("DNSSEC: {}: {}", to_text(records.security), records.security_note));
  if (!records.exists) return fail(Errc::NotFound, "it is not there");
  const auto agent = read_agent(records, apex);
  if (!agent) return tl::unexpected(agent.error());
  if (const auto in_service = check_service(*agent); !in_service) return tl::unexpected(in_service.error());
  if (!is_found_by(*agent, term))
    return fail(Errc::Refused, fmt::format("its publisher does not say '{}' of it", term));
  AgentFact fact{.agent = {.name = agent->name,
                           .label = agent->label,
                           .name_space = agent->name_space,
                           .reversed = reversed_name(agent_, apex),
                           .version = agent->version,
                           .status = agent->status,
                           .capabilities = agent->capabilities,
                           .description = agent->description,
                           .fingerprint = agent->fingerprint,
                           .trust = {},
                           .found_at = {}},
                 .trust = agent->registry ? agent->registry->trust : std::nullopt,
                 .is_home = is_own_name_};
  return fact;
}

}  // namespace steward::client

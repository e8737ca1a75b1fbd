#include "client/standing.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "client/failure.hh"
#include "client/names.hh"
#include "client/publish_message.hh"

namespace steward::client {

namespace {

using dns::RrType;

struct StandingQuestion {
  dns::Name name;
  RrType type{};
};

constexpr uint16_t opt_udp_size = 1232;  // octets; over TCP it means nothing

Failure refused(const RegistryCall& call, const std::string& what) {
  return {Fault::Refused, fmt::format("registry {}: {}", call.text(), what)};
}

Outcome<std::vector<dns::Message>> ask(RegistryCall& call, std::span<const StandingQuestion> questions) {
  std::vector<Bytes> queries;
  // RFC 7766 §6.2.1: messages under way on one connection have IDs of their own.
  uint16_t id = net::random_message_id();
  for (const StandingQuestion& question : questions) {
    dns::Message query;
    query.header.id = id++;
    query.question.push_back({question.name, question.type, dns::RrClass::IN});
    query.additional.push_back(dns::make_opt(opt_udp_size, false));
    auto built = query.build();
    if (!built) return failure_of(built.error());
    queries.push_back(std::move(*built));
  }
  const auto responses = call.exchange(queries);
  if (!responses) return Failure{Fault::Unreachable, "registry " + responses.error().why};
  std::vector<dns::Message> messages;
  for (size_t i = 0; i < questions.size(); ++i) {
    const std::string asked = fmt::format("{} {}", plain_text(questions[i].name), dns::to_text(questions[i].type));
    auto message = dns::Message::parse((*responses)[i]);
    if (!message) return refused(call, fmt::format("its answer to {} is malformed: {}", asked, message.error().what));
    const dns::Rcode rcode = message->rcode();
    if (rcode != dns::Rcode::NOERROR && rcode != dns::Rcode::NXDOMAIN) {
      return refused(call, fmt::format("answered {} with {}: it does not serve that name; is --registry the right one?",
                                       asked, dns::to_text(rcode)));
    }
    messages.push_back(std::move(*message));
  }
  return messages;
}

std::vector<Bytes> rdata_of(const dns::Message& message, const dns::Name& owner, RrType type) {
  std::vector<Bytes> out;
  for (const dns::Record& record : message.answer)
    if (record.type == type && record.owner == owner) out.push_back(record.rdata);
  return out;
}

/// The zone that the name stands in, by the SOA that comes with the answer (RFC 2308 §3).
Outcome<dns::Name> zone_from(const RegistryCall& call, const dns::Message& message, const dns::Name& agent) {
  for (const auto* section : {&message.answer, &message.authority})
    for (const dns::Record& record : *section)
      if (record.type == RrType::SOA && message.header.aa && agent.view().is_at_or_below(record.owner))
        return record.owner.folded();
  for (const dns::Record& record : message.authority) {
    if (record.type != RrType::NS) continue;
    return refused(call, fmt::format("{} lies in the zone {}, which it delegates: publish to the registry of that zone",
                                     plain_text(agent), plain_text(record.owner)));
  }
  return refused(call, fmt::format("is not authoritative for {}: it answers without an SOA", plain_text(agent)));
}

Outcome<Done> take_statement(const RegistryCall& call, const dns::Name& agent, Standing& standing) {
  const std::vector<ByteView> keys(standing.keys.begin(), standing.keys.end());
  const auto untrusted = [&](const std::string& what) {
    return Failure{Fault::Untrusted, fmt::format("registry {}: {}", call.text(), what)};
  };
  if (standing.texts.size() > 1)
    return untrusted(
        fmt::format("{}: {} TXT records where one statement is wanted", plain_text(agent), standing.texts.size()));
  for (const Bytes& text : standing.texts) {
    auto statement = agent::Statement::from_txt(text);
    if (!statement) return untrusted(fmt::format("{}: {}", plain_text(agent), statement.error().what));
    if (const auto good = statement->verify(agent, keys); !good) return untrusted(good.error().what);
    standing.statement = std::move(*statement);
  }
  return Done{};
}

}  // namespace

std::vector<agent::Endpoint> Standing::endpoints() const {
  std::vector<agent::Endpoint> out;
  for (const StandingRow& row : rows) out.push_back({row.type, row.rdata});
  return out;
}

uint32_t Standing::next_rotation() const {
  uint32_t last = 0;
  for (const agent::Rotation& rotation : rotations) last = std::max(last, rotation.number());
  return last + 1;
}

Outcome<Standing> read_standing(RegistryCall& call, const dns::Name& agent) {
  const std::array<StandingQuestion, 7> questions{{{agent, RrType::SOA},
                                           {agent, RrType::TXT},
                                           {agent, RrType::KEY},
                                           {agent, RrType::SRV},
                                           {agent, RrType::SVCB},
                                           {manifest_name(agent), RrType::TXT},
                                           {rotations_name(agent), RrType::TXT}}};
  const auto answers = ask(call, questions);
  if (!answers) return answers.failure();
  Standing standing;
  auto zone = zone_from(call, (*answers)[0], agent);
  if (!zone) return zone.failure();
  standing.zone = *zone;
  standing.texts = rdata_of((*answers)[1], agent, RrType::TXT);
  standing.keys = rdata_of((*answers)[2], agent, RrType::KEY);
  for (const size_t i : {size_t{3}, size_t{4}})
    for (Bytes& rdata : rdata_of((*answers)[i], agent, questions[i].type))
      standing.rows.push_back({questions[i].type, std::move(rdata)});
  standing.manifest = rdata_of((*answers)[5], questions[5].name, RrType::TXT);
  for (const Bytes& rdata : rdata_of((*answers)[6], questions[6].name, RrType::TXT)) {
    auto rotation = agent::Rotation::from_txt(rdata);
    if (!rotation) {
      return Failure{Fault::Untrusted, fmt::format("registry {}: {}: {}", call.text(), plain_text(questions[6].name),
                                                   rotation.error().what)};
    }
    standing.rotations.push_back(std::move(*rotation));
  }
  const auto taken = take_statement(call, agent, standing);
  if (!taken) return taken.failure();
  return standing;
}

Outcome<std::vector<Bytes>> read_texts(RegistryCall& call, const dns::Name& agent) {
  const StandingQuestion question{agent, RrType::TXT};
  const auto answers = ask(call, {&question, 1});
  if (!answers) return answers.failure();
  return rdata_of(answers->front(), agent, RrType::TXT);
}

Outcome<bool> is_there(RegistryCall& call, const dns::Name& name) {
  const StandingQuestion question{name, RrType::TXT};
  const auto answers = ask(call, {&question, 1});
  if (!answers) return answers.failure();
  return answers->front().rcode() == dns::Rcode::NOERROR;
}

}  // namespace steward::client

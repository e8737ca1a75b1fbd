#include "publish_fixture.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "dns/rdata.hh"

namespace steward::change::test {
namespace {

agent::Manifest manifest_of(const Draft& draft) {
  agent::Manifest manifest;
  manifest.name = draft.agent.substr(0, draft.agent.find('.'));
  manifest.version = draft.version;
  manifest.status = "active";
  manifest.capabilities = draft.capabilities;
  if (draft.has_endpoint) {
    agent::NetworkEndpoint endpoint;
    endpoint.protocol = "a2a";
    endpoint.transport = "h2";
    endpoint.host = "agents.acme.com";
    endpoint.path = "/";
    endpoint.url = "https://agents.acme.com/";
    manifest.endpoints.push_back(endpoint);
  }
  manifest.description = "An agent of tests";
  manifest.octets = fmt::format("{{\"name\":\"{}\",\"version\":\"{}\"}}", manifest.name, draft.version);
  return manifest;
}

agent::Statement any_statement(const Owner& owner, const Draft& draft) {
  const std::vector<agent::TextField> fields{{"version", draft.version},
                                             {"status", "active"},
                                             {"modified", "2025-11-21T13:00:00Z"},
                                             {"ep", agent::endpoint_digest({})}};
  auto statement = agent::Statement::make(name(draft.agent), fields, *owner.pair);
  REQUIRE(statement);
  return *statement;
}

}  // namespace

Owner::Owner() : Owner(std::move(*crypto::KeyPair::generate(crypto::Algorithm::ED25519))) {}
Owner::Owner(crypto::KeyPair made) : pair(std::make_shared<const crypto::KeyPair>(std::move(made))) {
  print = *pair->public_key().fingerprint();
  rdata = pair->public_key().dnskey_rdata(agent::publisher_key_flags);
}

Registry::Registry(Mode with, std::string_view rest) : mode(with), book(name("example."), agents, history, publishers) {
  zone.load(text(7, rest), mode);
  policy.zone = name("example.");
  policy.apex = name("example.");
  policy.registry_id = "example";
  policy.replica = "eu-4f2a";
  policy.namespaces = {name("acme.example."), name("*.github.example.")};
}

std::vector<PublishedRecord> Registry::records(const Draft& draft, const Owner& owner) const {
  agent::PublishOptions options;
  options.agent = name(draft.agent);
  options.modified = draft.modified == UnixTime{} ? clock : draft.modified;
  options.status = draft.status;
  options.ttl = draft.ttl;
  if (draft.status == AgentStatus::Deprecated) options.successor = "other.acme.example.";
  if (draft.status == AgentStatus::Revoked) options.reason = draft.reason;
  if (!draft.has_manifest) options.manifest_url = "https://acme.com/manifest.json";
  const bool is_ending = draft.status == AgentStatus::Withdrawn || draft.status == AgentStatus::Revoked;
  auto made = is_ending ? agent::make_tombstone(any_statement(owner, draft), options, *owner.pair)
                        : agent::make_publication(manifest_of(draft), options, *owner.pair);
  REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
  return *std::move(made);
}

Script Registry::update(const std::string& agent, const std::vector<PublishedRecord>& records, ByteView rotation) {
  Script script;
  for (const RrType type : {RrType::TXT, RrType::SRV, RrType::SVCB}) script.remove(agent, type);
  script.remove("_manifest." + agent, RrType::TXT);
  for (const PublishedRecord& one : records) script.update({one.owner, one.type, RrClass::IN, one.ttl, one.rdata});
  if (!rotation.empty())
    script.update({name("_keys." + agent), RrType::TXT, RrClass::IN, 300, Bytes(rotation.begin(), rotation.end())});
  return script;
}

RegistryState Registry::state() {
  return {
      book,
      ranks,
      pages,
      [this](const dns::Name& space) -> agent::LookAlikes& { return look_alikes[space.to_text()]; },
      [this](std::string_view print) {
        return static_cast<uint32_t>(std::ranges::count_if(keys, [&](const auto& one) { return one.second == print; }));
      },
      [this](const dns::Name& space) {
        return static_cast<uint32_t>(std::ranges::count_if(
            keys, [&](const auto& one) { return dns::Name(name(one.first).view().parent()) == space; }));
      },
      custody.pair};
}

void Registry::learn(const PublishEffect& effect) {
  const std::string text = effect.agent.to_text();
  CHECK((keys.contains(text) ? keys[text] : "") == effect.key_before);
  agent::LookAlikes& likes = look_alikes[dns::Name(effect.agent.view().parent()).to_text()];
  const std::string label(as_text(effect.agent.view().first_label()));
  if (effect.key_after.empty()) {
    keys.erase(text);
    likes.remove(label);
  } else {
    keys[text] = effect.key_after;
    likes.add(label, effect.key_after);
  }
}

PublishOutcome Registry::send(const Script& script, const Owner& signer, std::string_view agent,
                              std::optional<UpdateLease> lease) {
  const Bytes wire = script.wire();
  const auto request = parse_update(wire);
  if (!request) return {request.error(), {}, {}};
  UpdateSender sender;
  sender.sig0_signer = name(agent);
  const auto publisher = publisher_of(sender, policy);
  REQUIRE(publisher);
  const auto before = shape(zone);
  const auto tables = std::tuple(agents.kept, history.kept, ranks.kept, pages.kept);
  PublishOutcome outcome;
  const EditResult result = zone.edit(mode, [&](ZoneEdit& edit) {
    const EditedRrset* stored = edit.find(*publisher, RrType::KEY);
    const auto checked = check_publish(*request, *publisher, signer.rdata,
                                       stored == nullptr ? std::vector<Bytes>{} : stored->rdatas, lease, policy, clock);
    if (!checked) {
      outcome = {checked.error(), {}, {}};
      return;
    }
    RegistryState held = state();
    outcome = admit_publish(*request, *checked, policy, limits, edit, held, clock);
  });
  CHECK(result.changed == (outcome.update.done() && outcome.update.changed));
  CHECK(outcome.update.done() != outcome.update.why.has_value());
  if (outcome.update.why) {
    CHECK(outcome.update.why->text.size() <= 240);
    CHECK(std::ranges::all_of(outcome.update.why->text, [](char c) { return c >= ' ' && c <= '~'; }));
    CHECK(std::tuple(agents.kept, history.kept, ranks.kept, pages.kept) == tables);
    CHECK_FALSE(outcome.effect);
    CHECK_FALSE(outcome.granted);
  }
  if (!outcome.update.changed && examine) CHECK(shape(zone) == before);
  if (outcome.update.changed && examine) CHECK(faults(zone, mode).empty());
  if (outcome.effect) learn(*outcome.effect);
  return outcome;
}

PublishOutcome Registry::publish(const Draft& draft, const Owner& owner, std::optional<UpdateLease> lease) {
  return send(update(draft.agent, records(draft, owner)), owner, draft.agent, lease);
}

PublishOutcome Registry::rotate(const Draft& draft, const Owner& from, const Owner& to, uint32_t number) {
  const auto rotation = agent::Rotation::make(name(draft.agent), number, *from.pair, *to.pair, clock);
  REQUIRE(rotation);
  return send(update(draft.agent, records(draft, to), rotation->txt_rdata()), from, draft.agent);
}

PublishOutcome Registry::claim(const Draft& draft, std::string_view custodial, const Owner& to, uint32_t number) {
  const auto rotation = agent::Rotation::make_claim(name(draft.agent), number, custodial, *to.pair, clock);
  REQUIRE(rotation);
  return send(update(draft.agent, records(draft, to), rotation->txt_rdata()), to, draft.agent);
}

Result<PublishEffect> Registry::act(const std::function<Result<PublishEffect>(ZoneEdit&, RegistryState&)>& what) {
  const auto before = shape(zone);
  const auto tables = std::tuple(agents.kept, history.kept, ranks.kept, pages.kept);
  Result<PublishEffect> effect;
  zone.edit(mode, [&](ZoneEdit& edit) {
    RegistryState held = state();
    effect = what(edit, held);
  });
  if (!effect) {
    CHECK(shape(zone) == before);
    CHECK(std::tuple(agents.kept, history.kept, ranks.kept, pages.kept) == tables);
    return effect;
  }
  if (examine) CHECK(faults(zone, mode).empty());
  learn(*effect);
  return effect;
}

Result<PublishEffect> Registry::import(const Draft& draft, const std::map<std::string, agent::TrustFact>& facts) {
  agent::PublishOptions options;
  options.agent = name(draft.agent);
  options.modified = draft.modified == UnixTime{} ? clock : draft.modified;
  options.custody = policy.registry_id;
  const auto made = agent::make_publication(manifest_of(draft), options, *custody.pair);
  REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
  agent::AgentEntry entry;
  entry.facts = facts;
  return act([&](ZoneEdit& edit, RegistryState& held) {
    return import_agent(name(draft.agent), *made, entry, policy, edit, held, clock);
  });
}

void Registry::allow(const Owner& owner, std::string_view space) {
  REQUIRE(book.allow({name(space), owner.print, "", clock}));
}

std::optional<agent::AgentEntry> Registry::entry(std::string_view agent) {
  auto found = book.find(name(agent));
  REQUIRE(found);
  return *found;
}

std::vector<std::string> Registry::at(std::string_view owner) {
  std::vector<std::string> lines;
  zone.edit(mode, [&](ZoneEdit& edit) {
    for (const EditedRrset& rrset : edit.rrsets(name(owner)))
      for (const Bytes& rdata : rrset.rdatas)
        lines.push_back(
            fmt::format("{} {} {}", rrset.ttl, dns::to_text(rrset.type), dns::rdata_to_text(rrset.type, rdata)));
  });
  return lines;
}

std::vector<Bytes> Registry::rdatas(std::string_view owner, RrType type) {
  std::vector<Bytes> found;
  zone.edit(mode, [&](ZoneEdit& edit) {
    if (const EditedRrset* rrset = edit.find(name(owner), type)) found = rrset->rdatas;
  });
  return found;
}

void state_anew(std::vector<PublishedRecord>& records, const Owner& owner, const std::function<void(Fields&)>& change,
                std::string_view agent) {
  for (PublishedRecord& record : records) {
    if (record.type != RrType::TXT || record.owner.view().first_label()[0] == '_') continue;
    Fields fields = *agent::fields_from_txt(record.rdata);
    std::erase_if(fields,
                  [](const auto& field) { return field.key == "v" || field.key == "fp" || field.key == "sig"; });
    change(fields);
    const auto statement = agent::Statement::make(name(agent), fields, *owner.pair);
    REQUIRE_MESSAGE(statement, (statement ? "" : statement.error().what));
    record.rdata.assign(statement->txt_rdata().begin(), statement->txt_rdata().end());
  }
}

void put_field(Fields& fields, std::string_view key, std::string_view value) {
  for (auto& field : fields)
    if (field.key == key) {
      field.value = value;
      return;
    }
  fields.insert(fields.end() - 1, {std::string(key), std::string(value)});
}

std::string rule_of(const PublishOutcome& outcome) {
  return outcome.update.why ? outcome.update.why->text : std::string();
}
bool mentions(const PublishOutcome& outcome, std::string_view part) {
  return rule_of(outcome).find(part) != std::string::npos;
}

}  // namespace steward::change::test

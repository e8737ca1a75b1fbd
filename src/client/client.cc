#include "steward/client.hh"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "agent/trust.hh"
#include "base/clock.hh"
#include "client/agent_records.hh"
#include "client/bundle.hh"
#include "client/failure.hh"
#include "client/known_agents.hh"
#include "client/names.hh"
#include "client/proofs.hh"
#include "client/prover.hh"
#include "client/read_agent.hh"
#include "client/replicas.hh"
#include "client/resolver_source.hh"
#include "client/search.hh"
#include "client/trust_anchor.hh"

namespace steward::client {
namespace {

using dns::Name;

/// What an answer that DNSSEC does not prove is called; nothing where it is proved.
std::optional<Failure> distrust(const Name& name, Security security, const std::string& note) {
  if (security == Security::Secure) return std::nullopt;
  return Failure{Fault::Untrusted, fmt::format("{}: DNSSEC: {}: {}", plain_text(name), to_text(security), note)};
}

/// An answer that did not come is another thing than a file that cannot be read.
Failure unreachable(const Error& error) {
  Failure failure = failure_of(error);
  if (failure.fault == Fault::Io) failure.fault = Fault::Unreachable;
  return failure;
}

Result<Name> apex_of(const Settings& settings) {
  auto apex = Name::from_text(settings.apex);
  if (!apex) return fail("apex", apex.error());
  return apex->folded();
}

}  // namespace

struct Client::State {
  Settings settings;
  Name apex;
  std::vector<dns::Record> anchors;
  Resolver resolver;

  Result<AgentRecords> look_up(const Name& agent, WithManifest manifest) {
    const auto questions = agent_questions(agent, manifest);
    if (!questions) return tl::unexpected(questions.error());
    const auto answers = resolver.ask(*questions);
    if (!answers) return tl::unexpected(answers.error());
    return records_of(agent, *answers);
  }

  Result<ProofContext> context_for(const std::string& name, const VerifyOptions& options) const {
    ProofContext context{.apex = apex,
                         .chain = "secure, validated here from the trust anchor on",
                         .known = options.fingerprint,
                         .known_from = "as given"};
    if (!context.known.empty() || settings.known_agents.empty()) return context;
    const auto known = KnownAgents(settings.known_agents).find(name);
    if (!known) return tl::unexpected(known.error());
    context.known = known->value_or("");
    context.known_from = "as seen before";
    return context;
  }
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Outcome<Client> Client::open(Settings settings) {
  const auto apex = apex_of(settings);
  if (!apex) return failure_of(apex.error());
  const auto text = read_anchor_text(settings);
  if (!text) return failure_of(text.error());
  auto anchors = parse_anchors(*text);
  if (!anchors) return failure_of(anchors.error());
  auto resolver = Resolver::open(settings, *anchors);
  if (!resolver) return failure_of(resolver.error());
  return Client(std::make_unique<State>(State{std::move(settings), *apex, std::move(*anchors), std::move(*resolver)}));
}

const Settings& Client::settings() const { return state_->settings; }

Outcome<Agent> Client::resolve(std::string_view agent) {
  const auto name = agent_name(agent, state_->settings);
  if (!name) return failure_of(name.error());
  const auto records = state_->look_up(*name, WithManifest::No);
  if (!records) return unreachable(records.error());
  const auto distrusted = distrust(*name, records->security, records->security_note);
  // What is merely not signed is shown, and its endpoints are not; what is forged is not shown.
  if (distrusted && (records->security == Security::Bogus || !records->exists)) return *distrusted;
  if (!records->exists)
    return Failure{Fault::NotFound, fmt::format("there is no agent {}: that is proved", plain_text(*name))};
  auto read = read_agent(*records, state_->apex);
  if (!read) return failure_of(Error{read.error().code, fmt::format("{}: {}", plain_text(*name), read.error().what)});
  return std::move(*read);
}

Outcome<Verification> Client::verify(std::string_view agent, const VerifyOptions& options) {
  const auto name = agent_name(agent, state_->settings);
  if (!name) return failure_of(name.error());
  const std::string text = plain_text(*name);
  const auto context = state_->context_for(text, options);
  if (!context) return failure_of(context.error());
  const auto records = state_->look_up(*name, WithManifest::Yes);
  if (!records) return unreachable(records.error());
  Verification verification = check_proofs(*records, *context);
  const bool is_new = verification.agent && verification.agent->fingerprint != context->known;
  if (verification.passed() && is_new && options.remember && !state_->settings.known_agents.empty())
    if (const auto kept = KnownAgents(state_->settings.known_agents).remember(text, verification.agent->fingerprint);
        !kept)
      return failure_of(kept.error());
  return verification;
}

Outcome<std::vector<uint8_t>> Client::prove(std::string_view agent, ProofOf what) {
  const auto name = agent_name(agent, state_->settings);
  if (!name) return failure_of(name.error());
  const auto bundle = make_bundle(state_->resolver, state_->anchors, *name, what, SystemClock().now());
  if (!bundle) return unreachable(bundle.error());
  return bundle->to_octets();
}

Outcome<TrustSum> Client::trust(std::string_view agent) {
  const auto name = agent_name(agent, state_->settings);
  if (!name) return failure_of(name.error());
  const auto owner = below("_trust", *name);
  if (!owner) return failure_of(owner.error());
  const Question question{*owner, dns::RrType::TXT};
  const auto answers = state_->resolver.ask({&question, 1});
  if (!answers) return unreachable(answers.error());
  const Answer& answer = answers->front();
  if (auto distrusted = distrust(*name, answer.security, answer.note)) return std::move(*distrusted);
  if (answer.rdatas.size() != 1)
    return Failure{answer.rdatas.empty() ? Fault::NotFound : Fault::Untrusted,
                   fmt::format("{}: {} records at _trust, one expected", plain_text(*name), answer.rdatas.size())};
  const auto sum = agent::trust_from_record(answer.rdatas[0]);
  if (!sum) return Failure{Fault::Untrusted, fmt::format("{}: {}", plain_text(*owner), sum.error().what)};
  TrustSum out{.name = plain_text(*name), .trust = sum->trust, .terms = {}};
  for (const agent::TrustTerm& term : sum->terms)
    out.terms.push_back({term.name, term.weight, term.value, term.result, term.note});
  return out;
}

namespace {

/// The search at each server that was measured, the closest first, until the local registry answers there.
Discovery search_closest(std::vector<MeasuredReplica> replicas, const Name& local,
                         const std::function<Discovery(std::optional<Resolver::Closest>)>& search) {
  std::vector<DiscoveryWarning> silent;
  std::optional<Discovery> found;
  for (MeasuredReplica& replica : replicas) {
    if (replica.answered) {
      found = search(Resolver::Closest{local, replica.address});
      replica.used = std::ranges::any_of(found->registries, [](const AskedRegistry& asked) { return asked.role == Role::Local && asked.answered; });
      if (replica.used) break;
    }
    silent.push_back({plain_text(local), fmt::format("{} ({}) does not answer", replica.address, replica.host)});
  }
  if (!found) found = search(std::nullopt);
  found->replicas = std::move(replicas);
  found->warnings.insert(found->warnings.begin(), silent.begin(), silent.end());
  return *std::move(found);
}

}  // namespace

Outcome<Discovery> Client::discover(std::string_view term, const DiscoverOptions& options) {
  const auto word = search_term(term);
  if (!word) return word.failure();
  const auto local = registry_zone(state_->settings);
  if (!local) return failure_of(local.error());
  DiscoverOptions chosen = options;
  if (chosen.patience.count() == 0)
    chosen.patience = options.scope == Scope::Climb ? state_->settings.timeout
                                                    : std::min(parallel_patience, state_->settings.timeout);
  const auto search = [&](std::optional<Resolver::Closest> closest) {
    ResolverSource source(state_->settings, state_->anchors, std::move(closest));
    return Search(source, state_->apex, *word, chosen).run(*local);
  };
  if (!options.geo_aware) return search(std::nullopt);
  if (state_->settings.tls)
    return Failure{Fault::Invalid, "geo-aware: with TLS no other address than the registry's is asked"};
  auto replicas = find_replicas(state_->resolver, *local);
  if (!replicas) return failure_of(replicas.error());
  measure_replicas(*replicas, *local);
  return search_closest(*std::move(replicas), *local, search);
}

Verification verify_bundle(const std::vector<uint8_t>& octets, std::string_view trust_anchor, int64_t now,
                           const VerifyOptions& options) {
  const auto refused = [](std::string name, std::string what) {
    return Verification{
        .name = std::move(name), .steps = {{"dnssec", StepResult::Failed, std::move(what)}}, .agent = {}};
  };
  const auto apex = Name::from_text(options.apex);
  if (!apex) return refused({}, "apex: " + apex.error().what);
  const auto anchors = parse_anchors(trust_anchor);
  if (!anchors) return refused({}, anchors.error().what);
  const auto bundle = Bundle::from_octets(octets);
  if (!bundle) return refused({}, bundle.error().what);
  const std::string name = plain_text(bundle->agent);
  const auto proof = check_bundle(*bundle, *anchors, unix_time(now));
  if (!proof) return refused(name, proof.error().what);
  if (bundle->what == ProofOf::Absence)
    return {.name = name,
            .steps = {{"dnssec", StepResult::Passed, proof->chain}, {"absence", StepResult::Passed, proof->denial}},
            .agent = {},
            .absent = true};
  return check_proofs(
      proof->records,
      {.apex = apex->folded(), .chain = proof->chain, .known = options.fingerprint, .known_from = "as given"});
}

}  // namespace steward::client

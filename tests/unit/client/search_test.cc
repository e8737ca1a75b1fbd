#include "client/search.hh"

#include <algorithm>

#include "find_world.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;
using namespace std::chrono_literals;

namespace {

const Name apex = name("steward-registry.org.");
constexpr std::string_view vibe = "vibe-agency.com.steward-registry.org.";
constexpr std::string_view acme = "acme.org.steward-registry.org.";
constexpr std::string_view com = "com.steward-registry.org.";
constexpr std::string_view org = "org.steward-registry.org.";

/// Registries in memory. A zone that is silent never answers; the clock moves to where who waits gives up.
class Federation final : public AnswerSource {
 public:
  std::set<std::string> silent;  // zones
  Security security = Security::Secure;
  std::vector<Question> asked;
  size_t most_open = 0;

  Federation() {
    for (const std::string_view zone : {std::string_view("steward-registry.org."), com, org, vibe, acme})
      add_zone(zone);
  }
  void add_zone(std::string_view zone) { zones_.emplace_back(name(zone)); }

  void put(const Name& owner, RrType type, std::vector<Bytes> rdatas) {
    records_[{owner.folded().to_text(), type}] = std::move(rdatas);
  }
  /// One page of the term.
  void list(std::string_view zone, std::string_view term, const std::vector<std::string>& agents) {
    const Name page = find_page_name(name(zone), term, {}).value();
    put(page, RrType::TXT,
        {txt({{"v", "steward-find1"},
              {"n", std::to_string(agents.size())},
              {"from", ""},
              {"to", ""},
              {"next", ""},
              {"serial", "1"}})});
    std::vector<Bytes> targets;
    for (const std::string& agent : agents) targets.push_back(ptr(name(agent)));
    put(page, RrType::PTR, std::move(targets));
  }
  /// At its own name.
  void publish(const std::string& agent, const std::string& trust, const std::string& status = "active") {
    put(name(agent), RrType::TXT, {statement(agent, status)});
    put(name(agent), RrType::KEY, {key_rdata()});
    put(below("_registry", name(agent)).value(), RrType::TXT, {registry_statement(trust)});
  }
  /// At `_ref` of a registry above it.
  void refer(std::string_view zone, const std::string& agent, const std::string& trust) {
    const Name owner = ref_name(name(zone), name(agent)).value();
    put(owner, RrType::TXT, {statement(agent, "active"), registry_statement(trust)});
    put(owner, RrType::KEY, {key_rdata()});
  }
  void new_key() { key_ = made_key(); }

  [[nodiscard]] TimePoint now() const override { return now_; }
  Result<uint64_t> start(const Question& question, unsigned) override {
    asked.push_back(question);
    const uint64_t ticket = ++last_;
    open_.emplace(ticket, question);
    most_open = std::max(most_open, open_.size());
    return ticket;
  }
  std::vector<Arrival> wait(TimePoint until) override {
    std::vector<Arrival> arrivals;
    for (auto at = open_.begin(); at != open_.end();) {
      const Name zone = zone_of(at->second.name);
      if (silent.contains(zone.to_text())) {
        ++at;
        continue;
      }
      const auto found = records_.find({at->second.name.folded().to_text(), at->second.type});
      Answer answer = secure_answer(at->second, found == records_.end() ? std::vector<Bytes>() : found->second, zone);
      answer.security = security;
      arrivals.push_back({at->first, std::move(answer)});
      at = open_.erase(at);
    }
    now_ = arrivals.empty() ? std::max(until, now_) : now_ + 1ms;
    return arrivals;
  }
  void forget(uint64_t ticket) override { open_.erase(ticket); }

 private:
  static crypto::KeyPair made_key() {
    auto key = crypto::KeyPair::generate(crypto::Algorithm::ED25519);
    REQUIRE(key);
    return std::move(*key);
  }
  [[nodiscard]] Bytes key_rdata() const { return key_.public_key().dnskey_rdata(512); }
  [[nodiscard]] Bytes statement(const std::string& agent, const std::string& status) const {
    std::vector<agent::TextField> fields{{"version", "1.0.0"},
                                         {"capabilities", "plan,orchestrate_sdlc"},
                                         {"status", status},
                                         {"modified", "2025-11-21T13:00:00Z"},
                                         {"ep", agent::endpoint_digest({})}};
    const auto made = agent::Statement::make(name(agent), fields, key_);
    REQUIRE_MESSAGE(made, made.error().what);
    return {made->txt_rdata().begin(), made->txt_rdata().end()};
  }
  static Bytes registry_statement(const std::string& trust) {
    return txt({{"v", "steward-registry1"}, {"registry", "x"}, {"trust", trust}, {"status", "active"}});
  }
  [[nodiscard]] Name zone_of(const Name& owner) const {
    const Name* found = &zones_.front();
    for (const Name& zone : zones_)
      if (owner.view().is_at_or_below(zone) && zone.size() > found->size()) found = &zone;
    return *found;
  }

  std::vector<Name> zones_;
  std::map<std::pair<std::string, RrType>, std::vector<Bytes>> records_;
  std::map<uint64_t, Question> open_;
  uint64_t last_ = 0;
  TimePoint now_{};
  crypto::KeyPair key_ = made_key();
};

const std::string orchestrator = "orchestrator." + std::string(vibe);
const std::string planner = "planner." + std::string(acme);

Discovery search(Federation& federation, Scope scope, DiscoverOptions options = {}, std::string_view local = vibe,
                 std::string term = "plan") {
  options.scope = scope;
  options.patience = 100ms;
  return Search(federation, apex, std::move(term), options).run(name(local));
}

std::vector<std::string> labels(const Discovery& discovery) {
  std::vector<std::string> out;
  for (const FoundAgent& agent : discovery.agents) out.push_back(agent.label);
  return out;
}

std::vector<std::string> zones(const Discovery& discovery) {
  std::vector<std::string> out;
  for (const AskedRegistry& registry : discovery.registries) out.push_back(registry.zone);
  return out;
}

/// Two organisations, each with an agent that its parent and the root know.
Federation two_agents() {
  Federation federation;
  federation.publish(orchestrator, "0.94");
  federation.publish(planner, "0.90");
  federation.list(vibe, "plan", {orchestrator});
  federation.list(acme, "plan", {planner});
  federation.list(com, "plan", {orchestrator});
  federation.list(org, "plan", {planner});
  federation.list("steward-registry.org.", "plan", {orchestrator, planner});
  federation.refer(com, orchestrator, "0.92");
  federation.refer(org, planner, "0.90");
  federation.refer("steward-registry.org.", orchestrator, "0.91");
  federation.refer("steward-registry.org.", planner, "0.60");
  return federation;
}

}  // namespace

TEST_CASE("search: the local registry's agents end a climb, and their trust is self-stated") {
  Federation federation = two_agents();
  const Discovery found = search(federation, Scope::Climb);
  REQUIRE(labels(found) == std::vector<std::string>{"orchestrator"});
  CHECK(zones(found) == std::vector<std::string>{"vibe-agency.com.steward-registry.org"});
  const FoundAgent& agent = found.agents.front();
  CHECK(agent.trust == 0.94);
  CHECK(agent.self_stated);
  CHECK(agent.reversed == "com.vibe-agency.orchestrator");
  CHECK(agent.name_space == "vibe-agency.com");
  CHECK(found.is_complete);
  CHECK(found.warnings.empty());
}

TEST_CASE("search: a climb goes on to the parent, then to the root, where there is nothing below") {
  Federation federation = two_agents();
  federation.add_zone("empty.com.steward-registry.org.");
  const Discovery at_parent = search(federation, Scope::Climb, {}, "empty.com.steward-registry.org.");
  CHECK(labels(at_parent) == std::vector<std::string>{"orchestrator"});
  CHECK(at_parent.registries.size() == 2);
  CHECK_FALSE(at_parent.agents.front().self_stated);
  CHECK(at_parent.agents.front().trust == 0.92);

  federation.list(com, "plan", {});
  const Discovery at_root = search(federation, Scope::Climb, {}, "empty.com.steward-registry.org.");
  CHECK(labels(at_root) == std::vector<std::string>{"orchestrator", "planner"});
  CHECK(at_root.registries.size() == 3);
  CHECK(at_root.registries.back().role == Role::Root);
}

TEST_CASE("search: a namespace that another registry hosts is no registry, and its host is asked") {
  Federation federation = two_agents();
  federation.add_zone("github.steward-registry.org.");
  const std::string hosted = "plan.user\\047kim.github.steward-registry.org.";
  federation.publish(hosted, "0.70");
  federation.list("github.steward-registry.org.", "plan", {hosted});
  const Discovery found = search(federation, Scope::Climb, {}, "user\\047kim.github.steward-registry.org.");
  REQUIRE(found.agents.size() == 1);
  CHECK(zones(found) == std::vector<std::string>{"github.steward-registry.org"});
  CHECK(found.agents.front().name_space == "user/kim.github");
  CHECK(found.agents.front().reversed == "github.user/kim.plan");
  CHECK(found.agents.front().self_stated);
}

TEST_CASE("search: all goes to the root, and the lowest trust of the path is the agent's") {
  Federation federation = two_agents();
  const Discovery found = search(federation, Scope::All);
  REQUIRE(labels(found) == std::vector<std::string>{"orchestrator", "planner"});
  CHECK(found.agents[0].trust == 0.91);
  CHECK(found.agents[0].found_at.size() == 3);
  CHECK(found.agents[0].found_at[0].is_home);
  CHECK(found.agents[1].trust == 0.60);
  CHECK(found.registries.size() == 3);
}

TEST_CASE("search: federated asks the registries that the agents' names lead to, each once") {
  Federation federation = two_agents();
  const Discovery found = search(federation, Scope::Federated);
  CHECK(labels(found) == std::vector<std::string>{"orchestrator", "planner"});
  auto asked = zones(found);
  std::sort(asked.begin(), asked.end());
  CHECK(asked == std::vector<std::string>{"acme.org.steward-registry.org", "com.steward-registry.org",
                                          "org.steward-registry.org", "steward-registry.org",
                                          "vibe-agency.com.steward-registry.org"});
  CHECK(found.agents[1].found_at.size() == 3);
}

TEST_CASE("search: a dead registry costs its rows and a warning that names it, never the search") {
  Federation federation = two_agents();
  federation.silent = {std::string(vibe), std::string(org)};
  const auto before = federation.now();
  const Discovery found = search(federation, Scope::Federated);
  CHECK(labels(found) == std::vector<std::string>{"orchestrator", "planner"});
  std::set<std::string> named;
  for (const DiscoveryWarning& warning : found.warnings) {
    named.insert(warning.registry);
    CHECK(warning.what == "no answer within 100 ms");
  }
  CHECK(named == std::set<std::string>{"vibe-agency.com.steward-registry.org", "org.steward-registry.org"});
  CHECK_FALSE(found.is_complete);
  CHECK(federation.now() - before < 250ms);

  const Discovery climbed = search(federation, Scope::Climb);
  CHECK(labels(climbed) == std::vector<std::string>{"orchestrator"});
  CHECK(climbed.warnings.size() == 1);
}

TEST_CASE("search: an agent whose registry is silent is left out, and those beside it are not") {
  Federation federation = two_agents();
  const std::string lost = "lost." + std::string(acme);
  federation.list("steward-registry.org.", "plan", {orchestrator, lost});
  federation.silent = {std::string(acme)};
  const Discovery found = search(federation, Scope::Climb, {}, "steward-registry.org.");
  CHECK(labels(found) == std::vector<std::string>{"orchestrator"});
  REQUIRE(found.warnings.size() == 1);
  CHECK(found.warnings.front().what.starts_with("lost.acme.org.steward-registry.org is left out: no answer"));
}

TEST_CASE(
    "search: agents that do not hold are left out: no statement, another's signature, another term, out of service") {
  Federation federation = two_agents();
  const std::string end = "." + std::string(vibe);
  federation.publish("gone" + end, "0.5", "withdrawn");
  federation.publish("copied" + end, "0.5");
  federation.put(name("stolen" + end), RrType::TXT, {});
  federation.publish("signed" + end, "0.5");
  federation.new_key();
  federation.put(name("signed" + end), RrType::KEY, {});
  federation.list(vibe, "plan", {"gone" + end, "stolen" + end, "signed" + end, orchestrator});
  const Discovery found = search(federation, Scope::Climb);
  CHECK(labels(found) == std::vector<std::string>{"orchestrator"});
  CHECK(found.warnings.size() == 3);

  federation.list(vibe, "cook", {orchestrator});
  const Discovery cooks = search(federation, Scope::Climb, {}, vibe, "cook");
  CHECK(cooks.agents.empty());
  REQUIRE_FALSE(cooks.warnings.empty());
  CHECK(cooks.warnings.front().what.find("does not say 'cook'") != std::string::npos);
}

TEST_CASE("search: nothing that DNSSEC does not prove is shown, not even that there is nobody") {
  for (const Security security : {Security::Insecure, Security::Bogus}) {
    Federation federation = two_agents();
    federation.security = security;
    const Discovery found = search(federation, Scope::All);
    CHECK(found.agents.empty());
    CHECK(found.warnings.size() == 3);
    CHECK(found.warnings.front().what.starts_with("DNSSEC: " + to_text(security)));
    CHECK_FALSE(found.is_complete);
  }
}

TEST_CASE("search: two registries that know another key of an agent are both named") {
  Federation federation = two_agents();
  federation.new_key();
  federation.refer("steward-registry.org.", orchestrator, "0.91");
  const Discovery found = search(federation, Scope::All);
  const auto told = std::ranges::find_if(found.warnings,
                                         [](const auto& w) { return w.what.find("another key") != std::string::npos; });
  REQUIRE(told != found.warnings.end());
  const std::string both = told->registry + " " + told->what;
  CHECK(both.find("steward-registry.org") != std::string::npos);
  CHECK(both.find("vibe-agency.com") != std::string::npos);
}

TEST_CASE("search: 5,000 agents, sorted as asked, with a bounded number of questions on their way") {
  Federation federation;
  std::vector<std::string> agents;
  TermPages pages(apex, "plan", 5000, 20);
  for (const std::string& label : pages.agents) {
    const std::string agent = label + ".steward-registry.org.";
    federation.publish(agent, fmt::format("0.{:02}", 10 + agents.size() % 90));
    agents.push_back(agent);
  }
  for (const auto& page : pages.pages)
    for (const RrType type : {RrType::TXT, RrType::PTR}) {
      const Question question{find_page_name(apex, "plan", page.id).value(), type};
      federation.put(question.name, type, pages.rdatas(question));
    }
  const Discovery by_name =
      search(federation, Scope::Climb, {.sort = SortBy::Name, .limit = 0}, "steward-registry.org.");
  CHECK(by_name.agents.size() == 5000);
  CHECK(std::ranges::is_sorted(by_name.agents, {}, &FoundAgent::label));
  CHECK(by_name.is_complete);
  CHECK(federation.most_open <= RegistrySearch::max_open);

  federation.asked.clear();
  const Discovery best = search(federation, Scope::Climb, {.limit = 30}, "steward-registry.org.");
  CHECK(best.agents.size() == 30);
  CHECK(best.about == 5000);
  CHECK_FALSE(best.is_complete);
  CHECK(federation.asked.size() < 150);
  CHECK(std::ranges::is_sorted(best.agents, [](const auto& a, const auto& b) { return *a.trust > *b.trust; }));
}

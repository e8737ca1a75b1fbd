// Pages of terms: what stands in them, and how little a change touches (steward-records(7), "FINDING").

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "find_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

using Strings = std::vector<std::string>;

Strings terms(std::string_view agent, Strings capabilities = {}) { return terms_of(name(agent), capabilities); }

std::vector<std::pair<std::string, double>> crowd(int from, int to, double trust = 0.5) {
  std::vector<std::pair<std::string, double>> agents;
  for (int i = from; i < to; ++i) agents.emplace_back(fmt::format("agent-{:05}", i), trust);
  return agents;
}

}  // namespace

TEST_CASE("find: terms are capabilities, the agent's label and its words, each once") {
  CHECK(terms("vibe-agency-Orchestrator.example.", {"orchestrate_sdlc", "plan", "agency"}) ==
        Strings{"orchestrate_sdlc", "plan", "agency", "vibe-agency-orchestrator", "vibe", "orchestrator"});
  CHECK(terms("coder.example.") == Strings{"coder"});
  CHECK(terms("a--b.example.") == Strings{"a--b", "a", "b"});
  CHECK(terms("x.example.", {"Plan", "", "a b", "a.b", std::string(63, 'a'), std::string(62, 'a')}) ==
        Strings{std::string(62, 'a'), "x"});
  Strings many;
  for (int i = 0; i < 100; ++i) many.push_back(fmt::format("c{}", i));
  CHECK(terms("x.example.", many).size() == max_capability_terms + 1);
}

TEST_CASE("find: an agent that is suspended, a tombstone or gone is not found") {
  agent::AgentEntry entry;
  entry.trust = 0.5;
  entry.presence = agent::Presence::Live;
  REQUIRE(found_agent(name("x.example."), entry));
  CHECK(found_agent(name("x.example."), entry)->terms == Strings{"x"});
  entry.suspended = "why";
  CHECK_FALSE(found_agent(name("x.example."), entry));
  entry.suspended.reset();
  for (const auto presence : {agent::Presence::Tombstone, agent::Presence::Gone}) {
    entry.presence = presence;
    CHECK_FALSE(found_agent(name("x.example."), entry));
  }
}

TEST_CASE("find: a term has one page while its agents fit, and nothing is left of it afterwards") {
  Finder finder;
  const auto empty = shape(finder.zone);
  finder.set("coder", 0.9, {"plan", "coder"});
  CHECK(finder.ptr("plan._find._agents") == Strings{"coder"});
  CHECK(finder.ptr("coder._find._agents") == Strings{"coder"});
  auto text = finder.txt("plan._find._agents");
  REQUIRE(text);
  CHECK(text->at("n") == "1");
  CHECK(text->at("from").empty());
  CHECK(text->at("to").empty());
  CHECK(text->at("next").empty());
  finder.set("planner", 0.2, {"plan"});
  CHECK(finder.txt("plan._find._agents")->at("n") == "2");
  finder.check_complete();
  finder.set("coder", 0.9, {"coder"});
  CHECK(finder.ptr("plan._find._agents") == Strings{"planner"});
  finder.set("coder", std::nullopt);
  finder.set("planner", std::nullopt);
  CHECK(shape(finder.zone) == empty);
  CHECK(finder.table.kept.size() == 1);  // the counter: no id is given twice
}

TEST_CASE("find: a change of trust within a page changes no record") {
  Finder finder;
  finder.set_all({{"a", 0.9}, {"b", 0.8}, {"c", 0.7}});
  CHECK_FALSE(finder.set("c", 0.95).changed);
  CHECK_FALSE(finder.set("c", 0.951).changed);
  finder.check_complete();
}

TEST_CASE("find: a full page splits into itself and a new id, and an emptied one is joined to the page before it") {
  Finder finder(Mode::Nsec);
  for (int i = 0; i < 60; ++i) finder.set(fmt::format("agent-{:02}", i), i / 100.0);
  const Strings owners = finder.pages();
  REQUIRE(owners.size() > 2);
  finder.check_complete();
  CHECK(faults(finder.zone, finder.mode).empty());
  const auto best = finder.ptr(owners[0]);
  CHECK(std::ranges::find(best, "agent-59") != best.end());
  CHECK(finder.txt(owners[0])->at("to") == finder.txt(owners[1])->at("from"));
  CHECK(finder.txt(owners[0])->at("to").starts_with("0."));
  for (const std::string& label : finder.ptr(owners[1])) finder.set(label, std::nullopt);
  CHECK_FALSE(finder.zone.node(owners[1]));
  finder.check_complete();
  // The first page stays where it is: it takes in the next.
  for (const std::string& label : finder.ptr(owners[0])) finder.set(label, std::nullopt);
  CHECK(finder.zone.node(owners[0]));
  finder.check_complete();
  CHECK(faults(finder.zone, finder.mode).empty());
}

TEST_CASE("find: equal trust is ordered by name") {
  Finder finder;
  finder.set_all(crowd(0, 100));
  const Strings owners = finder.pages();
  REQUIRE(owners.size() > 2);
  std::string last;
  for (const std::string& at : owners) {
    Strings labels = finder.ptr(at);
    std::sort(labels.begin(), labels.end());
    CHECK(labels.front() > last);
    last = labels.back();
  }
  CHECK(finder.txt(owners[1])->at("from").starts_with("0.50:agent-000"));
  finder.check_complete();
}

TEST_CASE("find: an id is not given a second time") {
  Finder finder;
  std::set<std::string> ids;
  for (int round = 0; round < 5; ++round) {
    finder.set_all(crowd(0, 60));
    for (const std::string& at : finder.pages())
      if (at.starts_with("_p")) CHECK(ids.insert(at).second);
    for (const auto& [label, trust] : crowd(0, 60)) finder.set(label, std::nullopt);
  }
  CHECK(finder.table.kept.size() == 1);
}

TEST_CASE("find: long names and long terms fit, also those that leave room for few") {
  const std::string term(max_term, 't');
  Finder finder(Mode::Nsec);
  for (int i = 0; i < 30; ++i) finder.set(fmt::format("{:a>63}.{:b>63}.{:c>38}", i, i, i), 0.5, {term});
  CHECK(finder.pages(term).size() > 5);
  finder.check_complete(term);
  CHECK(faults(finder.zone, finder.mode).empty());
}

TEST_CASE("find: a term whose pages would have names that are too long is left out [RFC 1035 §3.1]") {
  Finder finder;
  const dns::Name zone = name(fmt::format("{:a>63}.{:b>63}.{:c>30}.", "", "", ""));
  MemoryAttic table;
  CHECK(finder.zone
            .edit(finder.mode,
                  [&](ZoneEdit& edit) {
                    const FoundAgent found{*zone.child(as_bytes("x")), 0.5, {std::string(max_term, 't')}};
                    CHECK(update_found(edit, table, zone, std::nullopt, found));
                  })
            .changed == false);
  CHECK(table.kept.empty());
}

TEST_CASE("find: what is not below the zone, or another agent than before, is refused") {
  Finder finder;
  finder.zone.edit(finder.mode, [&](ZoneEdit& edit) {
    const FoundAgent one{name("a.example."), 0.5, {"plan"}};
    const FoundAgent other{name("b.example."), 0.5, {"plan"}};
    const FoundAgent strange{name("b.example.org."), 0.5, {"plan"}};
    CHECK(update_found(edit, finder.table, name("example."), one, other).error().code == Errc::Invalid);
    CHECK(update_found(edit, finder.table, name("example."), std::nullopt, strange).error().code == Errc::Invalid);
  });
}

TEST_CASE("find: where the operator has an alias nothing is listed [RFC 1034 §3.6.2]") {
  Finder finder(Mode::Unsigned, "plan._find._agents CNAME elsewhere\n");
  finder.set("a", 0.5);
  CHECK(finder.ptr("plan._find._agents").empty());
  CHECK(finder.zone.node("plan._find._agents").find(RrType::CNAME));
}

TEST_CASE("find: random changes leave pages without gap, and what is listed is what is there") {
  std::mt19937 random(5);
  Finder finder(Mode::Nsec3);
  for (int i = 0; i < 3000; ++i) {
    const std::string label = fmt::format("agent-{}", random() % 150);
    const bool goes = random() % 100 < (i / 500 % 2 == 0 ? 20 : 70);
    finder.set(label, goes ? std::nullopt : std::optional(static_cast<double>(random() % 101) / 100),
               random() % 2 == 0 ? Strings{"plan", "sing"} : Strings{"plan"});
    if (i % 100 != 99) continue;
    finder.check_complete("plan");
    finder.check_complete("sing");
  }
  CHECK(faults(finder.zone, finder.mode).empty());
}

#include "client/page_walk.hh"

#include "find_world.hh"
#include "steward/discover.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;

namespace {

const Name zone = name("steward-registry.org.");

Bytes page(const std::string& from, const std::string& to, const std::string& next, const std::string& serial = "1") {
  return txt({{"v", "steward-find1"}, {"n", "7"}, {"from", from}, {"to", to}, {"next", next}, {"serial", serial}});
}

std::string only_problem(const PageWalk& walked) {
  REQUIRE(walked.problems().size() == 1);
  return walked.problems().front();
}

}  // namespace

TEST_CASE("find: a term is lower case, letters, digits, _ and -, up to 62 of them") {
  CHECK(search_term("Orchestrate_SDLC").value() == "orchestrate_sdlc");
  CHECK(search_term("a-1").value() == "a-1");
  CHECK(search_term(std::string(62, 'x')).ok());
  for (const std::string& wrong : {std::string(), std::string(63, 'x'), std::string("a.b"), std::string("a b"),
                                   std::string("\xc3\xa4"), std::string("a\x1b[m")})
    CHECK_MESSAGE(!search_term(wrong).ok(), wrong);
}

TEST_CASE("find: a page says what range it has; what is malformed is told") {
  const std::vector<Bytes> both{txt({{"v", "other"}}), page("a", "b", "1f", "7")};
  const auto read = read_find_page(both);
  REQUIRE(read);
  CHECK(read->about == 7);
  CHECK(read->from == "a");
  CHECK(read->to == "b");
  CHECK(read->next == "1f");
  CHECK(read_find_page({}).error().code == Errc::NotFound);
  const std::vector<Bytes> twice{page("", "", ""), page("a", "", "")};
  CHECK(read_find_page(twice).error().code == Errc::Corrupt);
  for (const Bytes& wrong :
       {page("", "", "a.b"), page("", "", std::string(62, 'a')),
        txt({{"v", "steward-find1"}, {"n", "x"}, {"from", ""}, {"to", ""}, {"next", ""}, {"serial", ""}}),
        txt({{"v", "steward-find1"}, {"n", "1"}})})
    CHECK(read_find_page({&wrong, 1}).error().code == Errc::Corrupt);
}

TEST_CASE("find: an agent is found by its label, a word of it, and its capabilities") {
  Agent agent;
  agent.label = "acme-sdlc-bot";
  agent.capabilities = {"plan"};
  for (const char* term : {"acme-sdlc-bot", "acme", "sdlc", "bot", "plan"})
    CHECK_MESSAGE(is_found_by(agent, term), term);
  for (const char* term : {"acme-sdlc", "sdl", "", "planner"}) CHECK_FALSE_MESSAGE(is_found_by(agent, term), term);
}

TEST_CASE("walk: all agents of one page, and that they are all is asked again past every cache") {
  TermPages pages(zone, "plan", 5, 100);
  PageWalk walked(zone, "plan", 0);
  const auto got = walk(
      walked, [&](const Question& q) { return pages.rdatas(q); }, zone);
  CHECK(got.agents == pages.agents);
  CHECK(got.asked == 3);
  CHECK(walked.about() == 5);
  CHECK(walked.problems().empty());
}

TEST_CASE("walk: an unknown term has nobody, and its denial tells whether there is a registry") {
  PageWalk here(zone, "plan", 0);
  CHECK(walk(
            here, [](const Question&) { return std::vector<Bytes>(); }, zone)
            .agents.empty());
  CHECK(here.is_registry());
  const Name hosted = name("user\\047x.github.steward-registry.org.");
  PageWalk elsewhere(hosted, "plan", 0);
  walk(
      elsewhere, [](const Question&) { return std::vector<Bytes>(); }, zone);
  CHECK_FALSE(elsewhere.is_registry());
}

TEST_CASE("walk: 5,000 agents, each page asked for three times") {
  TermPages pages(zone, "plan", 5000, 15);
  PageWalk walked(zone, "plan", 0);
  const auto got = walk(
      walked, [&](const Question& q) { return pages.rdatas(q); }, zone);
  CHECK(got.agents == pages.agents);
  CHECK(got.asked == 3 * pages.pages.size());
  CHECK(walked.problems().empty());
}

TEST_CASE("walk: who wants some reads no more pages than hold them") {
  TermPages pages(zone, "plan", 5000, 15);
  PageWalk walked(zone, "plan", 20);
  const auto got = walk(
      walked, [&](const Question& q) { return pages.rdatas(q); }, zone);
  CHECK(got.agents.size() == 30);
  CHECK(got.asked == 6);
  CHECK(walked.is_cut());
}

TEST_CASE("walk: an agent that is there all the time is never missed while pages split and join") {
  unsigned given_up = 0;  // that say so: no registry changes as fast as this one
  for (unsigned seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    TermPages pages(zone, "plan", 60, 4 + random() % 12);
    const std::set<std::string> throughout = pages.agents;
    PageWalk walked(zone, "plan", 0);
    unsigned changes = 12;
    const auto answer = [&](const Question& question) {
      if (changes > 0 && random() % 4 == 0) {
        --changes;
        const size_t at = random() % pages.pages.size();
        const auto listed = pages.listed(pages.pages[at]);
        if (random() % 2 == 0 && at + 1 < pages.pages.size())
          pages.join(at);
        else if (listed.size() > 1)
          pages.split(at, listed[1 + random() % (listed.size() - 1)]);
        pages.add(random() % 600);
      }
      return pages.rdatas(question);
    };
    const auto got = walk(walked, answer, zone, &random);
    if (!walked.problems().empty()) ++given_up;
    CHECK(std::includes(got.agents.begin(), got.agents.end(), throughout.begin(), throughout.end()));
  }
  CHECK(given_up <= 3);
}

TEST_CASE("walk: pages that go in a circle are told and left") {
  PageWalk walked(zone, "plan", 0);
  walk(
      walked,
      [](const Question& question) -> std::vector<Bytes> {
        if (question.type == RrType::PTR) return {};
        return {question.name.view().label_count() == 5 ? page("", "a", "1") : page("a", "a", "1")};
      },
      zone);
  CHECK(only_problem(walked).find("circle") != std::string::npos);
}

TEST_CASE("walk: pages that never meet, begin late or end early are read again some times and told") {
  const std::vector<std::function<Bytes(bool)>> liars{
      [](bool first) { return first ? page("", "m", "1") : page("n", "", ""); },   // a gap
      [](bool first) { return first ? page("b", "m", "1") : page("m", "", ""); },  // no beginning
      [](bool first) { return first ? page("", "m", "1") : page("m", "z", ""); },  // no end
  };
  for (const auto& liar : liars) {
    PageWalk walked(zone, "plan", 0);
    const auto got = walk(
        walked,
        [&](const Question& question) -> std::vector<Bytes> {
          const bool first = question.name.view().label_count() == 5;
          if (question.type == RrType::PTR)
            return {ptr(name(first ? "one.steward-registry.org." : "two.steward-registry.org."))};
          return {liar(first)};
        },
        zone);
    CHECK(got.agents.size() == 2);
    CHECK(got.asked <= 4 * PageWalk::max_rounds);
    CHECK(only_problem(walked).find("do not fit together") != std::string::npos);
  }
}

TEST_CASE("walk: pages without end are given up, and those without agents soon") {
  size_t pages = 0;
  PageWalk empty(zone, "plan", 0);
  const auto endless = [&](const Question& question) -> std::vector<Bytes> {
    if (question.type == RrType::PTR) return {};
    const std::string from = pages == 0 ? "" : fmt::format("k{}", pages);
    ++pages;
    return {page(from, fmt::format("k{}", pages), fmt::format("{:x}", pages))};
  };
  CHECK(walk(empty, endless, zone).asked < 3 * PageWalk::max_fruitless);
  CHECK(only_problem(empty).find("more pages than anybody reads") != std::string::npos);

  pages = 0;
  size_t agents = 0;
  PageWalk full(zone, "plan", 0);
  const auto flood = [&](const Question& question) -> std::vector<Bytes> {
    if (question.type == RrType::TXT) return endless(question);
    return {ptr(name(fmt::format("f{}.steward-registry.org.", ++agents)))};
  };
  CHECK(walk(full, flood, zone).asked <= 2 * PageWalk::max_pages + 2);
  CHECK(only_problem(full).find("more pages than anybody reads") != std::string::npos);
}

TEST_CASE("walk: a registry that lists what is not below it says so of itself") {
  PageWalk walked(name("com.steward-registry.org."), "plan", 0);
  const auto got = walk(
      walked,
      [](const Question& question) -> std::vector<Bytes> {
        if (question.type == RrType::TXT) return {page("", "", "")};
        return {ptr(name("gpt.openai.org.steward-registry.org.")), ptr(name("COM.steward-registry.org.")),
                ptr(name("Plan.ACME.com.steward-registry.org.")), Bytes{0x40}};
      },
      name("com.steward-registry.org."));
  CHECK(got.agents == std::set<std::string>{"plan"});
  CHECK(walked.problems().size() == 2);
  CHECK(walked.problems().front().find("gpt.openai.org") != std::string::npos);
}

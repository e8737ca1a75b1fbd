// What others find agents by: DNS-SD (RFC 6763) and the DNS-AID index, kept with each change.

#include "change/listing.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "dns/rdata.hh"
#include "zone_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

using Lines = std::vector<std::string>;

ListedAgent agent(std::string_view label, double trust = 0.5, std::vector<std::string> protocols = {"a2a"},
                  std::vector<std::string> capabilities = {}) {
  ListedAgent listed;
  listed.agent = name(fmt::format("{}.example.", label));
  listed.protocols = std::move(protocols);
  listed.capabilities = std::move(capabilities);
  listed.trust = trust;
  listed.version = "1.0.0";
  listed.srv = rdata_of(RrType::SRV, "0 0 443 host.example.");
  return listed;
}

/// A zone, its ranks, and what list_agent() was told last.
struct Registry {
  explicit Registry(std::string_view rest = "", Mode with = Mode::Unsigned) : mode(with) {
    zone.load(text(1, rest), mode);
  }

  EditResult list(const std::vector<ListedAgent>& agents) {
    return zone.edit(mode, [&](ZoneEdit& edit) {
      for (const ListedAgent& listed : agents) change(edit, listed.agent, listed);
    });
  }
  EditResult list(const ListedAgent& listed) { return list(std::vector{listed}); }
  EditResult drop(std::string_view label) {
    return zone.edit(mode,
                     [&](ZoneEdit& edit) { change(edit, name(fmt::format("{}.example.", label)), std::nullopt); });
  }
  void change(ZoneEdit& edit, const dns::Name& who, const std::optional<ListedAgent>& after) {
    std::optional<ListedAgent>& before = known[who.to_text()];
    const auto done = list_agent(edit, ranks, before, after);
    REQUIRE_MESSAGE(done, done.error().what);
    before = after;
  }
  Lines at(std::string_view owner, RrType type) {
    Lines lines;
    const zone::NodeView node = zone.node(owner);
    const auto rrset = node ? node.find(type) : std::nullopt;
    if (!rrset) return lines;
    for (zone::StoredRrReader reader(rrset->rrs); !reader.done();) {
      Bytes rdata;
      zone::expand_rdata(type, reader.next().rdata, node.owner(), rdata);
      lines.push_back(fmt::format("{} {}", rrset->ttl(), dns::rdata_to_text(type, rdata)));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  Lines ptr(std::string_view owner) { return at(owner, RrType::PTR); }
  Lines txt(std::string_view owner) { return at(owner, RrType::TXT); }

  Zone zone;
  Mode mode;
  MemoryAttic ranks;
  std::map<std::string, std::optional<ListedAgent>> known;
};

}  // namespace

TEST_CASE(
    "listing: an agent is an instance of its service, found by type, subtype and domain [RFC 6763 §4, §7.1, §9, §11]") {
  Registry registry;
  registry.list(agent("Coder", 0.91, {"a2a", "mcp"}, {"generate_code", "review_code"}));
  CHECK(registry.at("coder._a2a._tcp", RrType::SRV) == Lines{"300 0 0 443 host.example."});
  CHECK(registry.txt("coder._a2a._tcp") ==
        Lines{R"(300 "txtvers=1" "agent=coder.example" "version=1.0.0" "capabilities=generate_code,review_code")"});
  CHECK(registry.at("coder._mcp._tcp", RrType::SRV).size() == 1);
  CHECK(registry.ptr("_a2a._tcp") == Lines{"300 coder._a2a._tcp.example."});
  CHECK(registry.ptr("_generate_code._sub._a2a._tcp") == Lines{"300 coder._a2a._tcp.example."});
  CHECK(registry.ptr("_review_code._sub._mcp._tcp") == Lines{"300 coder._mcp._tcp.example."});
  CHECK(registry.ptr("_services._dns-sd._udp") == Lines{"300 _a2a._tcp.example.", "300 _mcp._tcp.example."});
  CHECK(registry.ptr("b._dns-sd._udp") == Lines{"300 example."});
  CHECK(registry.ptr("lb._dns-sd._udp") == Lines{"300 example."});
  CHECK(registry.txt("_index._agents") == Lines{R"(300 "agents=coder:a2a")"});
}

TEST_CASE("listing: when the last agent goes, nothing is left") {
  Registry registry;
  const Lines empty = shape(registry.zone);
  registry.list({agent("a", 0.5, {"a2a"}, {"plan"}), agent("b", 0.6, {"mcp"}, {"plan"}), agent("c", 0.7, {})});
  CHECK(registry.ptr("_services._dns-sd._udp").size() == 3);
  CHECK(registry.ptr("_agent._tcp") == Lines{"300 c._agent._tcp.example."});
  registry.drop("b");
  CHECK(registry.ptr("_services._dns-sd._udp") == Lines{"300 _a2a._tcp.example.", "300 _agent._tcp.example."});
  CHECK(registry.ptr("_plan._sub._mcp._tcp").empty());
  CHECK(registry.ptr("b._dns-sd._udp").size() == 1);
  registry.drop("a");
  registry.drop("c");
  CHECK(shape(registry.zone) == empty);
  CHECK(registry.ranks.kept.empty());
}

TEST_CASE("listing: an agent without network endpoint stands in the index alone") {
  Registry registry;
  ListedAgent tool = agent("tool", 0.5, {}, {"plan"});
  tool.srv.clear();
  registry.list(tool);
  CHECK(registry.txt("_index._agents") == Lines{R"(300 "agents=tool:agent")"});
  CHECK_FALSE(registry.zone.node("_udp"));
  CHECK_FALSE(registry.zone.node("_tcp"));
  registry.list(agent("tool"));
  CHECK(registry.ptr("_a2a._tcp").size() == 1);
  registry.list(tool);
  CHECK_FALSE(registry.zone.node("_tcp"));
}

TEST_CASE("listing: a protocol that is served elsewhere than the first has an SRV of its own [RFC 6763 §5]") {
  Registry registry;
  ListedAgent both = agent("a", 0.5, {"a2a", "mcp"});
  both.srv_of["mcp"] = rdata_of(RrType::SRV, "1 0 8443 tools.example.");
  registry.list(both);
  CHECK(registry.at("a._a2a._tcp", RrType::SRV) == Lines{"300 0 0 443 host.example."});
  CHECK(registry.at("a._mcp._tcp", RrType::SRV) == Lines{"300 1 0 8443 tools.example."});
  both.srv_of.clear();
  registry.list(both);
  CHECK(registry.at("a._mcp._tcp", RrType::SRV) == Lines{"300 0 0 443 host.example."});
}

TEST_CASE("listing: a change of version, endpoint, capability or protocol changes what it must and nothing else") {
  Registry registry;
  registry.list({agent("a", 0.5, {"a2a"}, {"plan", "sing"}), agent("b", 0.4, {"a2a"}, {"plan"})});
  ListedAgent next = agent("a", 0.5, {"a2a"}, {"plan", "sing"});
  next.version = "1.1.0";
  CHECK(registry.list(next).written == 2);  // the instance, and the apex with its serial
  CHECK(registry.txt("a._a2a._tcp").size() == 1);
  next.srv = rdata_of(RrType::SRV, "0 0 8443 host.example.");
  CHECK(registry.list(next).written == 2);
  CHECK(registry.at("a._a2a._tcp", RrType::SRV) == Lines{"300 0 0 8443 host.example."});
  next.capabilities = {"plan"};
  registry.list(next);
  CHECK_FALSE(registry.zone.node("_sing._sub._a2a._tcp"));
  CHECK(registry.ptr("_plan._sub._a2a._tcp").size() == 2);
  CHECK_FALSE(registry.list(next).changed);
  next.trust = 0.45;  // still before b
  CHECK_FALSE(registry.list(next).changed);
  next.trust = 0.1;
  CHECK(registry.list(next).written == 2);
  CHECK(registry.txt("_index._agents") == Lines{R"(300 "agents=b:a2a,a:a2a")"});
  next.protocols = {"mcp"};
  registry.list(next);
  CHECK(registry.ptr("_a2a._tcp") == Lines{"300 b._a2a._tcp.example."});
  CHECK(registry.ptr("_mcp._tcp") == Lines{"300 a._mcp._tcp.example."});
  CHECK(registry.txt("_index._agents") == Lines{R"(300 "agents=b:a2a,a:mcp")"});
}

TEST_CASE(
    "listing: a browse RRset holds the 64 of the highest trust, and the next takes the place of one that leaves") {
  Registry registry;
  std::vector<ListedAgent> agents;
  for (int i = 0; i < 100; ++i) agents.push_back(agent(fmt::format("n{:02}", i), i / 100.0));
  registry.list(agents);
  const auto held = [&](std::string_view label) {
    const Lines lines = registry.ptr("_a2a._tcp");
    CHECK(lines.size() == max_browse_records);
    return std::find(lines.begin(), lines.end(), fmt::format("300 {}._a2a._tcp.example.", label)) != lines.end();
  };
  CHECK(held("n99"));
  CHECK(held("n36"));
  CHECK_FALSE(held("n35"));
  registry.drop("n50");
  CHECK(held("n35"));
  CHECK_FALSE(held("n34"));
  registry.list(agent("n00", 1));
  CHECK(held("n00"));
  CHECK_FALSE(held("n35"));
  registry.list(agent("n00", 0));
  CHECK(held("n35"));
  CHECK_FALSE(held("n00"));
  // One that is not among them changes nothing there: its own instance is written, and the apex.
  CHECK(registry.list(agent("zz", 0.1)).written == 2);
}

TEST_CASE("listing: equal trust is ordered by name, and trust counts in hundredths") {
  Registry registry;
  registry.list({agent("b", 0.701), agent("a", 0.699), agent("c", 0.71)});
  CHECK(registry.txt("_index._agents") == Lines{R"(300 "agents=c:a2a,a:a2a,b:a2a")"});
}

TEST_CASE("listing: the index is one string of at most 255 octets, of whole entries") {
  Registry registry;
  std::vector<ListedAgent> agents;
  for (int i = 0; i < 30; ++i) agents.push_back(agent(fmt::format("agent-with-long-name-{:02}", i), 0.9));
  registry.list(agents);
  const Lines lines = registry.txt("_index._agents");
  REQUIRE(lines.size() == 1);
  CHECK(lines.front().find("\" \"") == std::string::npos);
  CHECK(lines.front().size() <= 4 + 2 + 255);
  CHECK(lines.front().ends_with("agent-with-long-name-06:a2a,agent-with-long-name-07:a2a\""));
}

TEST_CASE("listing: an RRset has the shortest TTL of those it lists [RFC 2181 §5.2]") {
  Registry registry;
  ListedAgent leased = agent("leased");
  leased.ttl = 3;
  registry.list({agent("a"), leased});
  CHECK(registry.ptr("_a2a._tcp") == Lines{"3 a._a2a._tcp.example.", "3 leased._a2a._tcp.example."});
  CHECK(registry.txt("_index._agents").front().starts_with("3 "));
  leased.ttl = 30;
  registry.list(leased);
  CHECK(registry.ptr("_a2a._tcp").front().starts_with("30 "));
  CHECK(registry.txt("leased._a2a._tcp").front().starts_with("30 "));
  registry.drop("leased");
  CHECK(registry.ptr("_a2a._tcp") == Lines{"300 a._a2a._tcp.example."});
  CHECK(registry.txt("_index._agents") == Lines{R"(300 "agents=a:a2a")"});
}

TEST_CASE("listing: records of the operator's file at these names stay, beside ours and after them") {
  Registry registry(
      "_a2a._tcp PTR theirs._a2a._tcp\n_index._agents TXT \"agents=theirs:a2a\"\nb._dns-sd._udp PTR elsewhere.\n"
      "_mcp._tcp CNAME services.elsewhere.\n");
  const Lines before = shape(registry.zone);
  registry.list(agent("ours", 0.5, {"a2a", "mcp"}));
  CHECK(registry.ptr("_a2a._tcp") == Lines{"300 ours._a2a._tcp.example.", "300 theirs._a2a._tcp.example."});
  CHECK(registry.txt("_index._agents").size() == 2);
  CHECK(registry.ptr("b._dns-sd._udp").size() == 2);
  CHECK(registry.ptr("_mcp._tcp").empty());  // RFC 1034 §3.6.2: nothing beside an alias
  CHECK(registry.at("ours._mcp._tcp", RrType::SRV).size() == 1);
  registry.drop("ours");
  CHECK(registry.ptr("_a2a._tcp") == Lines{"300 theirs._a2a._tcp.example."});
  CHECK(shape(registry.zone) == before);
}

TEST_CASE("listing: what makes no name or no string is left out, what makes no service is refused") {
  Registry registry;
  std::vector<std::string> capabilities{std::string(62, 'x'), std::string(63, 'y'), "", "Plan", "plan"};
  registry.list(agent("a", 0.5, {"a2a", "a2a", ""}, capabilities));
  CHECK(registry.ptr("_" + std::string(62, 'x') + "._sub._a2a._tcp").size() == 1);
  CHECK(registry.ptr("_plan._sub._agent._tcp").size() == 1);
  CHECK(registry.ptr("_services._dns-sd._udp").size() == 2);

  capabilities.clear();
  for (int i = 0; i < 500; ++i) capabilities.push_back(fmt::format("capability_{}", i));
  registry.list(agent("many", 0.5, {"a2a"}, capabilities));
  CHECK(registry.ptr("_capability_63._sub._a2a._tcp").size() == 1);
  CHECK(registry.ptr("_capability_64._sub._a2a._tcp").empty());
  CHECK(registry.txt("many._a2a._tcp").size() == 1);

  registry.zone.edit(Mode::Unsigned, [&](ZoneEdit& edit) {
    CHECK_FALSE(list_agent(edit, registry.ranks, std::nullopt, agent("b", 0.5, {"no such"})));
    CHECK_FALSE(list_agent(edit, registry.ranks, std::nullopt, agent("b", 0.5, {"sixteen-letters-"})));
    CHECK_FALSE(list_agent(edit, registry.ranks, agent("b"), agent("c")));
    CHECK(list_agent(edit, registry.ranks, std::nullopt, std::nullopt));
    CHECK_FALSE(edit.has_changes());
  });
}

TEST_CASE("listing: namespaces in one zone do not mix") {
  Registry registry;
  ListedAgent hosted = agent("a");
  hosted.agent = name("a.user/kim.github.example.");
  registry.list({agent("a"), hosted});
  CHECK(registry.ptr("_a2a._tcp") == Lines{"300 a._a2a._tcp.example."});
  CHECK(registry.ptr("_a2a._tcp.user/kim.github") == Lines{"300 a._a2a._tcp.user/kim.github.example."});
  CHECK(registry.ptr("b._dns-sd._udp.user/kim.github") == Lines{"300 user/kim.github.example."});
}

TEST_CASE("listing: after any changes the zone is what a first listing of the same agents makes, signed too") {
  std::mt19937 random(20);
  for (const Mode mode : {Mode::Unsigned, Mode::Nsec}) {
    Registry registry("", mode);
    std::map<std::string, ListedAgent> present;
    for (int step = 0; step < (mode == Mode::Unsigned ? 300 : 20); ++step) {
      registry.zone.edit(mode, [&](ZoneEdit& edit) {
        for (int i = 0; i < 10; ++i) {
          const std::string label = fmt::format("n{}", random() % 90);
          std::optional<ListedAgent> next;
          if (random() % 5 != 0) {
            static const std::vector<std::string> protocols[] = {{"a2a"}, {"a2a"}, {"a2a"}, {"mcp", "a2a"}, {}};
            next = agent(label, static_cast<double>(random() % 6) / 5, protocols[random() % 5]);
            if (random() % 2 == 0) next->capabilities = {"plan"};
            if (random() % 10 == 0) next->ttl = 30;
            if (random() % 10 == 0) next->srv.clear();
          }
          registry.change(edit, name(label + ".example."), next);
          if (next)
            present.insert_or_assign(label, *next);
          else
            present.erase(label);
        }
      });
      if (step % 10 != 0) continue;
      Registry fresh("", mode);
      std::vector<ListedAgent> agents;
      for (const auto& [label, listed] : present) agents.push_back(listed);
      fresh.list(agents);
      REQUIRE(shape(registry.zone) == shape(fresh.zone));
      REQUIRE(registry.ranks.kept == fresh.ranks.kept);
      REQUIRE(registry.ptr("_a2a._tcp").size() ==
              std::min<size_t>(
                  64, static_cast<size_t>(std::count_if(present.begin(), present.end(), [](const auto& item) {
                    const auto& listed = item.second;
                    return !listed.srv.empty() &&
                           std::find(listed.protocols.begin(), listed.protocols.end(), "a2a") != listed.protocols.end();
                  }))));
      CHECK(faults(registry.zone, mode).empty());
    }
  }
}

#include "catalog/membership.hh"

#include <set>

#include "catalog_text.hh"

using namespace steward;
using namespace steward::catalog;
using namespace steward::catalog::test;

namespace {

std::string_view word(Action action) {
  switch (action) {
    case Action::Add: return "add";
    case Action::Remove: return "remove";
    case Action::Reset: return "reset";
    case Action::Move: return "move";
    case Action::Reconfigure: return "reconfigure";
    case Action::Release: return "release";
  }
  return "";
}

/// A consumer with up to two catalogs, one. and two., and zones of its own.
struct Consumer {
  std::optional<Catalog> one;
  std::optional<Catalog> two;
  Memberships memberships;
  std::set<dns::Name, CanonicalLess> configured{name("one."), name("two.")};
  Lines warnings;

  Lines update(std::string_view which, std::string_view members) {
    std::optional<Catalog>& catalog = which == "one." ? one : two;
    // A broken version changes nothing, and the last valid one goes on counting (§5.1).
    auto next = read(text(members), which);
    if (!next) return {"broken"};
    catalog = std::move(*next);
    std::vector<const Catalog*> all;
    for (const auto* have : {&one, &two})
      if (have->has_value()) all.push_back(&**have);
    const Plan plan =
        plan_update(*catalog, all, memberships, [this](const dns::Name& zone) { return configured.contains(zone); });
    apply_plan(plan, memberships);
    warnings = plan.warnings;
    Lines out;
    for (const Change& change : plan.changes) {
      out.push_back(fmt::format("{} {}", word(change.action), change.zone.to_text()));
      if (change.now.catalog.size() > 1)
        out.back() += fmt::format(" {} {}", change.now.catalog.to_text(), label_text(change.now.label));
      if (!change.now.groups.empty()) out.back() += fmt::format(" [{}]", fmt::join(change.now.groups, ","));
    }
    return out;
  }
  [[nodiscard]] std::string owner(std::string_view zone) const {
    const auto at = memberships.find(name(zone));
    return at == memberships.end() ? "nobody" : at->second.catalog.to_text();
  }
};

}  // namespace

TEST_CASE("membership: zones come and go with their catalog [RFC 9432 §5.1, §5.3]") {
  Consumer consumer;
  CHECK(consumer.update("one.", "a.zones PTR a.example.\nb.zones PTR b.example.\n") ==
        Lines{"add a.example. one. a", "add b.example. one. b"});
  CHECK(consumer.update("one.", "a.zones PTR a.example.\nb.zones PTR b.example.\n").empty());
  CHECK(consumer.update("one.", "c.zones PTR c.example.\nb.zones PTR b.example.\n") ==
        Lines{"remove a.example.", "add c.example. one. c"});
  CHECK(consumer.memberships.size() == 2);
}

TEST_CASE("membership: a broken catalog takes nothing away, and goes on when it is whole again [RFC 9432 §5.1]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\n");
  CHECK(consumer.update("one.", "a.zones PTR a.example.\nb.zones PTR a.example.\n") == Lines{"broken"});
  CHECK(consumer.update("one.", "version TXT \"3\"\n") == Lines{"broken"});
  CHECK(consumer.owner("a.example.") == "one.");
  CHECK(consumer.update("one.", "a.zones PTR a.example.\nb.zones PTR b.example.\n") == Lines{"add b.example. one. b"});
}

TEST_CASE("membership: a catalog that loses all its members says so, though it may [RFC 9432 §5.3]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\nb.zones PTR b.example.\n");
  CHECK(consumer.update("one.", "") == Lines{"remove a.example.", "remove b.example."});
  CHECK(consumer.warnings == Lines{"catalog one. lists none of its 2 members any more"});
}

TEST_CASE("membership: a configured zone is not a catalog's to bring, change or remove [RFC 9432 §5.2, §5.3]") {
  Consumer consumer;
  consumer.configured.insert(name("mine.example."));
  CHECK(consumer.update("one.", "a.zones PTR Mine.Example.\n").empty());
  CHECK(consumer.warnings ==
        Lines{"catalog one.: member mine.example. is configured here and is ignored (RFC 9432 section 5.2)"});
  CHECK(consumer.update("one.", "").empty());
  CHECK(consumer.owner("mine.example.") == "nobody");
}

TEST_CASE("membership: a member that is configured later becomes the configuration's, with all that it has") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\n");
  consumer.configured.insert(name("a.example."));
  CHECK(consumer.update("one.", "") == Lines{"release a.example."});
  CHECK(consumer.update("one.", "").empty());
  CHECK(consumer.owner("a.example.") == "nobody");
}

TEST_CASE("membership: a catalog that lists itself or another catalog does not bring it [RFC 9432 §5.2]") {
  Consumer consumer;
  CHECK(consumer.update("one.", "a.zones PTR one.\nb.zones PTR two.\nc.zones PTR c.example.\n") ==
        Lines{"add c.example. one. c"});
  CHECK(consumer.warnings.size() == 2);
  consumer.configured.clear();
  Consumer forgetful;
  forgetful.configured.clear();
  CHECK(forgetful.update("one.", "a.zones PTR one.\n").empty());
}

TEST_CASE("membership: a zone under another label is another zone [RFC 9432 §5.4]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\n");
  CHECK(consumer.update("one.", "a2.zones PTR a.example.\n") == Lines{"reset a.example. one. a2"});
  CHECK(consumer.update("one.", "A2.zones PTR a.example.\n").empty());
  // Labels that change places: both are others.
  consumer.update("one.", "x.zones PTR x.example.\ny.zones PTR y.example.\n");
  CHECK(consumer.update("one.", "y.zones PTR x.example.\nx.zones PTR y.example.\n") ==
        Lines{"reset x.example. one. y", "reset y.example. one. x"});
}

TEST_CASE("membership: other groups change the configuration and nothing that is kept [RFC 9432 §4.3.2]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\n");
  CHECK(consumer.update("one.", "a.zones PTR a.example.\ngroup.a.zones TXT fast\n") ==
        Lines{"reconfigure a.example. one. a [fast]"});
  CHECK(consumer.update("one.", "a.zones PTR a.example.\ngroup.a.zones TXT fast\n").empty());
  CHECK(consumer.update("one.", "a.zones PTR a.example.\n") == Lines{"reconfigure a.example. one. a"});
}

TEST_CASE("membership: a zone in two catalogs stays with the one that brought it [RFC 9432 §5.2]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\n");
  CHECK(consumer.update("two.", "a.zones PTR a.example.\n").empty());
  CHECK(consumer.warnings ==
        Lines{"catalog two.: member a.example. belongs to catalog one. and is ignored (RFC 9432 section 5.2)"});
  CHECK(consumer.update("two.", "").empty());
  CHECK(consumer.owner("a.example.") == "one.");
}

TEST_CASE(
    "membership: a zone that its catalog drops goes to another one that lists it, without what was kept [RFC 9432 "
    "§5.5]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\n");
  consumer.update("two.", "a.zones PTR a.example.\n");
  CHECK(consumer.update("one.", "") == Lines{"reset a.example. two. a"});
  CHECK(consumer.owner("a.example.") == "two.");
}

TEST_CASE("membership: coo hands a zone over when the new catalog is updated, not before [RFC 9432 §4.3.1]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\n");
  CHECK(consumer.update("one.", "a.zones PTR a.example.\ncoo.a.zones PTR two.\n").empty());
  CHECK(consumer.owner("a.example.") == "one.");
  // The same label: what is kept goes along.
  CHECK(consumer.update("two.", "a.zones PTR a.example.\n") == Lines{"move a.example. two. a"});
  CHECK(consumer.update("one.", "").empty());
  CHECK(consumer.owner("a.example.") == "two.");
}

TEST_CASE("membership: a zone handed over to another label starts anew [RFC 9432 §4.3.1, §5.6]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\ncoo.a.zones PTR two.\n");
  CHECK(consumer.update("two.", "b.zones PTR a.example.\n") == Lines{"reset a.example. two. b"});
}

TEST_CASE("membership: a coo that points elsewhere or is gone again hands nothing over [RFC 9432 §4.3.1]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\ncoo.a.zones PTR three.\n");
  CHECK(consumer.update("two.", "a.zones PTR a.example.\n").empty());
  consumer.update("one.", "a.zones PTR a.example.\ncoo.a.zones PTR two.\n");
  consumer.update("one.", "a.zones PTR a.example.\n");
  CHECK(consumer.update("two.", "a.zones PTR a.example.\n").empty());
  CHECK(consumer.owner("a.example.") == "one.");
}

TEST_CASE("membership: a zone that was handed over is not taken back by the old catalog's coo [RFC 9432 §4.3.1]") {
  Consumer consumer;
  consumer.update("one.", "a.zones PTR a.example.\ncoo.a.zones PTR two.\n");
  consumer.update("two.", "a.zones PTR a.example.\n");
  CHECK(consumer.update("one.", "a.zones PTR a.example.\ncoo.a.zones PTR two.\n").empty());
  CHECK(consumer.update("one.", "a.zones PTR a.example.\n").empty());
  CHECK(consumer.owner("a.example.") == "two.");
}

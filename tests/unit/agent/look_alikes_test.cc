#include "agent/look_alikes.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "agent/look_alike_text.hh"
#include "agent/name_trie.hh"

using namespace steward::agent;

namespace {

// Optimal string alignment by its definition, with the whole table.
unsigned edits_between(std::u32string_view a, std::u32string_view b) {
  std::vector<std::vector<unsigned>> table(a.size() + 1, std::vector<unsigned>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = static_cast<unsigned>(i + j);
        continue;
      }
      const unsigned change = a[i - 1] == b[j - 1] ? 0 : 1;
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.size()][b.size()];
}

// The rules, name by name.
class Oracle {
 public:
  void add(const std::string& label, const std::string& publisher) { names_[label] = publisher; }
  void remove(const std::string& label) { names_.erase(label); }
  [[nodiscard]] size_t size() const { return names_.size(); }

  [[nodiscard]] bool is_alike(const std::string& label, const std::string& publisher, const LookAlike& found) const {
    const auto at = names_.find(found.name);
    return at != names_.end() && at->first != label && at->second != publisher && rule_of(label, at->first, found.rule);
  }
  [[nodiscard]] bool has_any(const std::string& label, const std::string& publisher) const {
    return std::any_of(names_.begin(), names_.end(), [&](const auto& item) {
      return item.second != publisher && item.first != label && rule_of(label, item.first, "");
    });
  }

 private:
  static bool rule_of(const std::string& label, const std::string& other, const std::string& claimed) {
    const std::u32string a = label_points(label);
    const std::u32string b = label_points(other);
    const unsigned edits = edits_between(a, b);
    const size_t shorter = std::min(a.size(), b.size());
    const bool by_edits = edits <= (shorter <= 4 ? 0U : shorter <= 8 ? 1U : 2U);
    const bool by_separators = without_separators(a) == without_separators(b);
    const bool by_skeleton = skeleton_of(a) == skeleton_of(b);
    if (claimed == "equal but for '-'") return by_separators;
    if (claimed == "same skeleton") return by_skeleton;
    if (!claimed.empty()) return by_edits && claimed == fmt::format("edit distance {}", edits);
    return by_edits || by_separators || by_skeleton;
  }
  std::map<std::string, std::string> names_;
};

std::string rule(std::string_view there, std::string_view asked) {
  LookAlikes index;
  index.add(there, "one");
  const auto found = index.find(asked, "other");
  if (found) CHECK(found->name == there);
  CHECK_FALSE(index.find(asked, "one"));
  return found ? found->rule : "";
}

}  // namespace

TEST_CASE("look-alikes: edit distance 0 up to 4 characters of the shorter name, 1 up to 8, 2 above") {
  CHECK(rule("plan", "plen").empty());
  CHECK(rule("plan", "plant").empty());
  CHECK(rule("plant", "plan").empty());
  CHECK(rule("plans", "plane") == "edit distance 1");
  CHECK(rule("plans", "plants") == "edit distance 1");
  CHECK(rule("plans", "plaid").empty());
  CHECK(rule("planners", "planner") == "edit distance 1");
  CHECK(rule("planners", "planning").empty());
  CHECK(rule("orchestrator", "orkestrator") == "edit distance 2");
  CHECK(rule("orchestrator", "orchestratrix").empty());
  CHECK(rule("planner-x", "planners").empty());  // the shorter has 8
}

TEST_CASE("look-alikes: two neighbours that changed places are one edit") {
  CHECK(rule("coder", "codre") == "edit distance 1");
  CHECK(rule("orchestrator", "rochestraotr") == "edit distance 2");
}

TEST_CASE("look-alikes: equal but for separators, at any length") {
  CHECK(rule("ab-c", "abc") == "equal but for '-'");
  CHECK(rule("a-b-c-d-e-f", "abcdef") == "equal but for '-'");
}

TEST_CASE("look-alikes: equal skeletons, of the U-label and without regard to case [UTS #39 §4]") {
  CHECK(rule("g00gle", "google") == "same skeleton");
  CHECK(rule("a1", "al") == "same skeleton");
  CHECK(rule("rnail", "mail") == "same skeleton");
  CHECK(rule("xn--80a1acny", "cope").empty());
  CHECK(rule("xn--pypal-4ve", "paypal") == "same skeleton");  // with U+0430
  CHECK(rule("paypal", "xn--pypal-4ve") == "same skeleton");
  CHECK(rule("xn--bcher-kva", "bucher") == "edit distance 1");  // one code point, not the six octets of its A-label
  CHECK(rule("xn--notreal0", "xn--notreal1") == "edit distance 1");  // no sound A-labels: as they stand
}

TEST_CASE("look-alikes: the name itself is none, nor are names of its publisher") {
  LookAlikes index;
  index.add("planner", "one");
  CHECK_FALSE(index.find("planner", "other"));
  index.add("planners", "two");
  CHECK(index.find("planner", "one")->name == "planners");
  CHECK_FALSE(index.find("planner", "two"));  // planner itself is all that is left
  CHECK_FALSE(index.find("plannerss", "two"));
  CHECK(index.size() == 2);
}

TEST_CASE("look-alikes: a name that changes hands, and one that goes") {
  LookAlikes index;
  index.add("planner", "one");
  index.add("planner", "two");
  CHECK(index.size() == 1);
  CHECK(index.find("planners", "one"));
  CHECK_FALSE(index.find("planners", "two"));
  index.remove("planner");
  index.remove("planner");
  CHECK(index.size() == 0);
  CHECK_FALSE(index.find("planners", "one"));
  LookAlikes other = std::move(index);
  other.add("planner", "three");
  CHECK(other.find("planners", "one"));
}

TEST_CASE("look-alikes: what is no label is taken as it is") {
  LookAlikes index;
  index.add("", "one");
  CHECK(index.size() == 0);
  CHECK_FALSE(index.find("", "two"));
  for (const std::string& label :
       {std::string("\xff\xfe\xfd\xfc\xfb"), std::string("b\xc3"), std::string(400, 'a'), std::string("xn--")}) {
    index.add(label, "one");
    CHECK_FALSE(index.find(label, "two"));
    index.remove(label);
  }
  CHECK(index.size() == 0);
}

TEST_CASE("look-alikes: the index says what the rules say, name by name, after any changes") {
  std::mt19937 random(5);
  const auto pick = [&](size_t count) { return random() % count; };
  // Alphabets: few letters make many neighbours; some names are of other scripts.
  static constexpr std::string_view alphabets[] = {"ab", "abc-", "ab0o1lm", "abcdefghij"};
  const auto label_of = [&]() -> std::string {
    static const std::string others[] = {"xn--bcher-kva", "xn--80ak6aa92e", "xn--mgbh0fb",
                                         "xn--fiqs8s",    "xn--bchr-kva0a", "xn--p1ai"};
    if (pick(20) == 0) return others[pick(std::size(others))];
    static const std::string starts[] = {"", "", "agent-", "a-long-common-start-"};
    static const std::string ends[] = {"", "", "-agent", "-and-a-common-end"};
    std::string label = starts[pick(4)];
    const std::string_view alphabet = alphabets[pick(4)];
    for (size_t size = 1 + pick(12); size > 0; --size) label += alphabet[pick(alphabet.size())];
    return label + ends[pick(4)];
  };
  size_t hits = 0;
  size_t misses = 0;
  for (int round = 0; round < 12; ++round) {
    LookAlikes index;
    Oracle oracle;
    std::vector<std::string> labels;
    const size_t wanted = size_t{20} << pick(4);
    for (int step = 0; step < 600; ++step) {
      const std::string publisher = fmt::format("p{}", pick(round % 3 == 0 ? 2 : 40));
      if (labels.size() < wanted || pick(3) == 0) {
        std::string label = label_of();
        // Now and then next to one that is there.
        if (!labels.empty() && pick(3) == 0) {
          label = labels[pick(labels.size())];
          label.insert(label.begin() + static_cast<ptrdiff_t>(pick(label.size() + 1)), "abc-0"[pick(5)]);
        }
        index.add(label, publisher);
        oracle.add(label, publisher);
        labels.push_back(label);
      } else if (pick(2) == 0) {
        const size_t at = pick(labels.size());
        index.remove(labels[at]);
        oracle.remove(labels[at]);
        labels.erase(labels.begin() + static_cast<ptrdiff_t>(at));
      }
      REQUIRE(index.size() == oracle.size());
      std::string asked = pick(2) == 0 ? label_of() : labels[pick(labels.size())];
      for (size_t edits = pick(4); edits > 0 && !asked.empty(); --edits) {
        const size_t at = pick(asked.size());
        const size_t kind = pick(4);
        if (kind == 0) asked[at] = "abcde"[pick(5)];
        if (kind == 1) asked.erase(at, 1);
        if (kind == 2) asked.insert(asked.begin() + static_cast<ptrdiff_t>(at), 'b');
        if (kind == 3 && at > 0) std::swap(asked[at - 1], asked[at]);
      }
      CAPTURE(asked);
      const auto found = index.find(asked, publisher);
      REQUIRE(found.has_value() == oracle.has_any(asked, publisher));
      if (found) CAPTURE(found->name);
      if (found) CAPTURE(found->rule);
      if (found) REQUIRE(oracle.is_alike(asked, publisher, *found));
      (found ? hits : misses) += 1;
    }
  }
  CHECK(hits > 1000);
  CHECK(misses > 1000);
}

TEST_CASE("look-alikes: all that is two edits away or less is found, wherever the edits lie") {
  const auto variants_of = [](const std::string& name) {
    std::vector<std::string> all;
    for (size_t at = 0; at <= name.size(); ++at) {
      for (const char c : {'a', 'x'}) {
        all.push_back(std::string(name).insert(at, 1, c));
        if (at < name.size()) (all.emplace_back(name))[at] = c;
      }
      if (at < name.size()) all.push_back(std::string(name).erase(at, 1));
      if (at + 1 < name.size()) std::swap((all.emplace_back(name))[at], all.back()[at + 1]);
    }
    return all;
  };
  const std::string name = "abcabbacaab";
  LookAlikes index;
  index.add(name, "one");
  // Others, so that the cut lies elsewhere each time and some paths are shared.
  for (const char* other : {"abcabyyyyyyy", "yyyyyybacaab", "abcabbacyyyyyy", "yyyyyyyycaab"}) index.add(other, "two");
  std::set<std::string> near;
  for (const std::string& once : variants_of(name))
    for (const std::string& twice : variants_of(once)) near.insert({once, twice, twice + "z"});
  size_t far = 0;
  for (const std::string& asked : near) {
    const unsigned edits = edits_between(label_points(asked), label_points(name));
    const bool is_alike = edits > 0 && edits <= 2;
    if (index.find(asked, "two").has_value() != is_alike) FAIL(asked << " has " << edits << " edits");
    far += is_alike ? 0U : 1U;
  }
  CHECK(near.size() > 2000);
  CHECK(far > 1000);
}

TEST_CASE("look-alikes: the sets that hurt are answered, one publisher's million names around a name included") {
  LookAlikes index;
  for (int i = 1; i < 20'000; ++i) index.add(fmt::format("agent-{:06}", i), "one");
  CHECK(index.find("agent-000000", "two"));
  CHECK_FALSE(index.find("agent-000000", "one"));
  CHECK_FALSE(index.find("agent-abcdef", "two"));
  index.add("agent-0x0x01", "three");
  CHECK(index.find("agent-000000", "one") == std::nullopt);
  CHECK(index.find("agent-000001", "one")->name == "agent-0x0x01");
}

TEST_CASE("look-alikes: where a name has more close to it than can be looked through, it counts as alike") {
  LookAlikes index;
  // One edit in each half, and ends that are nothing alike: each is seen to be far only at its end.
  const std::string name(60, 'a');
  for (size_t i = 0; i < 30; ++i)
    for (size_t j = 30; j < 60; ++j)
      for (char c = 'b'; c <= 'z'; ++c) {
        std::string other = name;
        other[i] = other[j] = c;
        index.add(other + "uvw", "one");
      }
  const auto found = index.find(name + "opq", "two");
  REQUIRE(found);
  CHECK(found->rule == "too many names close to it");
  CHECK(found->name.ends_with("uvw"));
  CHECK_FALSE(index.find(name + "opq", "one"));
}

TEST_CASE("name trie: it is as it was when what came has gone") {
  IndexedNames names;
  NameTrie trie(names, Reading::FromFront);
  std::mt19937 random(9);
  std::map<std::u32string, uint32_t> there;
  for (int step = 0; step < 20'000; ++step) {
    std::u32string text;
    for (size_t size = 1 + random() % 6; size > 0; --size) text += U"abü中"[random() % 4];
    if (const auto at = there.find(text); at != there.end()) {
      trie.erase(at->second);
      names.remove(at->second);
      there.erase(at);
    } else {
      const uint32_t name = names.add(text, static_cast<uint32_t>(random() % 3));
      trie.insert(name);
      there.emplace(text, name);
    }
    text.pop_back();
    const auto at = there.find(text);
    REQUIRE(trie.find(text).has_value() == (at != there.end()));
    if (at != there.end()) REQUIRE(*trie.find(text) == at->second);
  }
  const size_t memory = trie.memory() + names.memory();
  for (int round = 0; round < 100; ++round) {
    for (const auto& [text, name] : there) trie.erase(name);
    REQUIRE(trie.empty());
    for (const auto& [text, name] : there) trie.insert(name);
  }
  CHECK(trie.memory() + names.memory() <= memory + 4096);
}

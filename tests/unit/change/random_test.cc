// Whatever a zone was, a rewrite leaves what a first load of the new file would give.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "zone_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

class RandomZone {
 public:
  explicit RandomZone(uint32_t seed) : random_(seed) {}

  std::string owner() {
    static constexpr std::string_view labels[] = {"a", "b", "*", "\\!", "\\%x", "zz", "ns", "\\000", "A-B"};
    std::string name;
    for (size_t depth = 1 + below(3); depth > 0; --depth)
      name += (name.empty() ? "" : ".") + std::string(labels[below(std::size(labels))]);
    return name;
  }
  std::string record() {
    static constexpr std::string_view data[] = {
        "A 192.0.2.1",
        "A 192.0.2.2",
        "TXT one",
        "TXT two",
        "MX 10 mail.A.example.",
        "AAAA 2001:db8::1",
        "NS ns.a",
        "NS ns.elsewhere.",
        "CNAME b",
        "DNAME other.",
        "DS 1 15 2 E2D3C916F6DEEAC73294E8268FB5885044A833FC5459588F4A9184CFC41A5766"};
    return owner() + " " + std::string(data[below(3) > 0 ? below(6) : below(std::size(data))]);
  }
  std::vector<std::string> first() {
    std::vector<std::string> records;
    for (size_t count = below(14); count > 0; --count) records.push_back(record());
    return records;
  }
  void mutate(std::vector<std::string>& records) {
    for (size_t count = below(4); count > 0; --count) {
      if (!records.empty() && below(2) == 0)
        records.erase(records.begin() + static_cast<long>(below(records.size())));
      else
        records.push_back(record());
    }
    if (below(20) == 0) records = first();
  }
  size_t below(size_t bound) { return random_() % bound; }

 private:
  std::mt19937 random_;
};

std::string file_of(uint32_t serial, const std::vector<std::string>& records) {
  std::string rest;
  for (const std::string& record : records) rest += record + "\n";
  return text(serial, rest);
}

}  // namespace

TEST_CASE("rewrite: from any zone and mode to any other is as a first load") {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    RandomZone random(seed);
    Zone zone;
    std::vector<std::string> records = random.first();
    Mode mode = Mode::Unsigned;
    for (uint32_t round = 1; round <= 10; ++round) {
      CAPTURE(seed);
      CAPTURE(round);
      const std::string file = file_of(round, records);
      CAPTURE(file);
      if (random.below(3) == 0) mode = static_cast<Mode>(random.below(4));
      if (random.below(6) == 0) zone.nodes.nodes().empty() ? RewriteResult{} : zone.refresh(mode);
      zone.load(file, mode);
      Zone fresh;
      fresh.load(file, mode);
      REQUIRE(shape(zone) == shape(fresh));
      REQUIRE(faults(zone, mode).empty());
      CHECK(zone.last.nodes == fresh.last.nodes);
      CHECK(zone.last.records == fresh.last.records);
      const auto again = zone.load(file, mode);
      REQUIRE_FALSE(again.changed);
      REQUIRE(zone.nodes.puts + zone.nodes.erases + zone.nsec3.puts + zone.nsec3.erases == 0);
      random.mutate(records);
    }
  }
}

// A zone changed record by record comes out as a first load of what it then holds.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "zone_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

struct Record {
  std::string owner;
  RrType type;
  std::string data;
  friend bool operator==(const Record&, const Record&) = default;
  [[nodiscard]] std::string to_text() const { return fmt::format("{} {} {}\n", owner, dns::to_text(type), data); }
};

std::string file_of(uint32_t serial, const std::vector<Record>& records) {
  std::string rest;
  for (const Record& record : records) rest += record.to_text();
  return text(serial, rest);
}

// Without what only a file gives a node.
std::vector<std::string> content(Zone& zone) {
  std::vector<std::string> lines = shape(zone);
  for (std::string& line : lines) {
    line.erase(line.find(" digest="));
    for (const std::string_view origin : {" <1 ", " <2 "})
      for (size_t at = line.find(origin); at != std::string::npos; at = line.find(origin)) line.erase(at, line.find('>', at) + 1 - at);
  }
  return lines;
}

dns::Name owner_of(const Record& record) { return name(record.owner == "@" ? "example." : record.owner + ".example."); }

bool put(ZoneEdit& edit, const Record& record, uint32_t ttl = 300) {
  return edit.add(owner_of(record), record.type, ttl, rdata_of(record.type, record.data));
}
bool take(ZoneEdit& edit, const Record& record) {
  return edit.remove(owner_of(record), record.type, rdata_of(record.type, record.data));
}

// The same changes, made to a list of records.
class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed) {}

  Record record() {
    static constexpr std::string_view labels[] = {"a", "b", "*", "\\!", "\\%x", "zz", "ns", "\\000", "A-B"};
    static const std::pair<RrType, std::string_view> data[] = {
        {RrType::A, "192.0.2.1"},    {RrType::A, "192.0.2.2"},       {RrType::TXT, "one"},         {RrType::TXT, "two"},
        {RrType::MX, "10 mail.A.example."}, {RrType::AAAA, "2001:db8::1"}, {RrType::NS, "ns.a"},   {RrType::NS, "ns.elsewhere."},
        {RrType::CNAME, "b"},        {RrType::DNAME, "other."},
        {RrType::DS, "1 15 2 E2D3C916F6DEEAC73294E8268FB5885044A833FC5459588F4A9184CFC41A5766"}};
    std::string owner;
    for (size_t depth = 1 + below(3); depth > 0; --depth) owner += (owner.empty() ? "" : ".") + std::string(labels[below(std::size(labels))]);
    const auto& [type, text] = data[below(3) > 0 ? below(6) : below(std::size(data))];
    return {owner, type, std::string(text)};
  }
  void add(const Record& record) {
    if (record.type == RrType::CNAME || record.type == RrType::DNAME)
      std::erase_if(records, [&](const Record& have) { return have.owner == record.owner && have.type == record.type; });
    if (std::find(records.begin(), records.end(), record) == records.end()) records.push_back(record);
  }
  void change(ZoneEdit& edit) {
    if (!records.empty() && below(2) == 0) {
      const Record gone = records[below(records.size())];
      switch (below(3)) {
        case 0:
          take(edit, gone);
          std::erase(records, gone);
          break;
        case 1:
          edit.remove_rrset(owner_of(gone), gone.type);
          std::erase_if(records, [&](const Record& have) { return have.owner == gone.owner && have.type == gone.type; });
          break;
        default:
          edit.remove_name(owner_of(gone));
          std::erase_if(records, [&](const Record& have) { return have.owner == gone.owner; });
      }
      return;
    }
    const Record fresh = record();
    add(fresh);
    put(edit, fresh);
  }
  size_t below(size_t bound) { return random_() % bound; }

  std::vector<Record> records;

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("edit: any zone after any changes is as a first load of what it then holds") {
  for (const Mode mode : {Mode::Unsigned, Mode::Nsec, Mode::Nsec3, Mode::OptOut})
    for (uint32_t seed = 1; seed <= 40; ++seed) {
      Model model(seed);
      for (size_t count = model.below(14); count > 0; --count) model.add(model.record());
      Zone zone;
      zone.load(file_of(1, model.records), mode);
      for (uint32_t round = 1; round <= 8; ++round) {
        CAPTURE(static_cast<int>(mode));
        CAPTURE(seed);
        CAPTURE(round);
        const std::string before = file_of(1, model.records);
        CAPTURE(before);
        const auto counts = std::pair(zone.last.nodes, zone.last.records);
        const auto result = zone.edit(mode, [&](ZoneEdit& edit) {
          for (size_t changes = 1 + model.below(4); changes > 0; --changes) model.change(edit);
        });
        const std::string file = file_of(1, model.records);
        CAPTURE(file);
        Zone fresh;
        fresh.load(file, mode);
        REQUIRE(content(zone) == content(fresh));
        REQUIRE(faults(zone, mode).empty());
        zone.last.nodes = static_cast<uint64_t>(static_cast<int64_t>(counts.first) + result.nodes);
        zone.last.records = static_cast<uint64_t>(static_cast<int64_t>(counts.second) + result.records);
        CHECK(zone.last.nodes == fresh.last.nodes);
        CHECK(zone.last.records == fresh.last.records);
      }
    }
}

TEST_CASE("edit: what is taken back leaves nothing, also not the serial") {
  Zone zone;
  zone.load(text(7, "a A 192.0.2.1\n"), Mode::Nsec);
  const auto before = shape(zone);
  const auto result = zone.edit(Mode::Nsec, [](ZoneEdit& edit) {
    edit.set_savepoint();
    CHECK(put(edit, {"new.deep", RrType::A, "192.0.2.9"}));
    CHECK(edit.remove_name(name("a.example.")));
    CHECK(edit.rrsets(name("a.example.")).empty());
    edit.roll_back();
    CHECK(edit.find(name("A.example."), RrType::A) != nullptr);
    CHECK_FALSE(edit.has_changes());
  });
  CHECK_FALSE(result.changed);
  CHECK(result.serial == 7);
  CHECK(shape(zone) == before);
}

TEST_CASE("edit: one change moves the serial by one and signs only what it touches") {
  Zone zone;
  std::string many;
  for (int i = 0; i < 200; ++i) many += fmt::format("n{:03} A 192.0.2.1\n", i);
  zone.load(text(7, many), Mode::Nsec);
  zone.nodes.puts = 0;
  const auto result = zone.edit(Mode::Nsec, [](ZoneEdit& edit) { put(edit, {"n100", RrType::A, "192.0.2.2"}); });
  CHECK(result.serial == 8);
  CHECK(zone.nodes.puts == 2);       // the node and the apex
  CHECK(result.signatures == 2);     // its A and the SOA
  const auto inserted = zone.edit(Mode::Nsec, [](ZoneEdit& edit) { put(edit, {"n100a", RrType::A, "192.0.2.2"}); });
  CHECK(inserted.signatures == 4);   // A and NSEC, the NSEC before it, the SOA
}

TEST_CASE("edit: records of updates outlive a reload, and withdrawn ones stay away") {
  Zone zone;
  const std::string file = text(1, "a A 192.0.2.1\nb A 192.0.2.2\nb TXT here\n");
  zone.load(file, Mode::Nsec);
  zone.edit(Mode::Nsec, [](ZoneEdit& edit) {
    put(edit, {"new", RrType::TXT, "dynamic"});
    take(edit, {"b", RrType::TXT, "here"});
    take(edit, {"a", RrType::A, "192.0.2.1"});
  });
  CHECK_FALSE(zone.node("a.example."));
  CHECK(zone.attic.kept.size() == 1);
  zone.load(text(2, "a A 192.0.2.1\nb A 192.0.2.2\nb TXT here\nc A 192.0.2.3\n"), Mode::Nsec);
  CHECK(zone.node("new.example."));
  CHECK(zone.node("c.example."));
  CHECK_FALSE(zone.node("a.example."));
  CHECK_FALSE(zone.node("b.example.").find(RrType::TXT));
  CHECK(faults(zone, Mode::Nsec).empty());
  // Added again by an update it is simply the file's once more.
  zone.edit(Mode::Nsec, [](ZoneEdit& edit) { put(edit, {"a", RrType::A, "192.0.2.1"}); });
  CHECK(zone.attic.kept.empty());
  CHECK(zone.node("a.example."));
  CHECK(zone.node("a.example.").provenance().empty());
}

TEST_CASE("edit: a withdrawn name comes back once the file dropped it and has it again") {
  Zone zone;
  const std::string whole = text(1, "a A 192.0.2.1\nb A 192.0.2.2\nz A 192.0.2.3\n");
  zone.load(whole, Mode::Nsec);
  zone.edit(Mode::Nsec, [](ZoneEdit& edit) {
    take(edit, {"a", RrType::A, "192.0.2.1"});
    take(edit, {"b", RrType::A, "192.0.2.2"});
    take(edit, {"z", RrType::A, "192.0.2.3"});
  });
  CHECK(zone.attic.kept.size() == 3);
  zone.load(text(2, "b A 192.0.2.2\n"), Mode::Nsec);
  CHECK(zone.attic.kept.size() == 1);
  zone.load(text(3, "a A 192.0.2.1\nb A 192.0.2.2\nz A 192.0.2.3\n"), Mode::Nsec);
  CHECK(zone.node("a.example."));
  CHECK(zone.node("z.example."));
  CHECK_FALSE(zone.node("b.example."));
  CHECK(faults(zone, Mode::Nsec).empty());
}

TEST_CASE("edit: a new minimum TTL asks for a rewrite, since every NSEC has it [RFC 9077 §3]") {
  Zone zone;
  zone.load(text(1, "a A 192.0.2.1\n"), Mode::Nsec);
  const auto result = zone.edit(Mode::Nsec, [](ZoneEdit& edit) {
    edit.add(name("example."), RrType::SOA, 3600, rdata_of(RrType::SOA, "ns.example. host.example. 9 1 2 3 7"));
  });
  CHECK(result.needs_rewrite);
  CHECK(result.serial == 9);
}

TEST_CASE("edit: a zone that comes signed takes RRSIG, NSEC3 and the serial as they come [RFC 1995 §4]") {
  Zone source;
  source.load(text(1, "a A 192.0.2.1\n"), Mode::Nsec3);
  Zone zone;
  zone.load(text(1, "a A 192.0.2.1\n"));
  zone.edit(Mode::Unsigned, [&](ZoneEdit& edit) {
    edit.remove_name(name("example."));
    edit.remove_name(name("a.example."));
    for (auto* table : {&source.nodes, &source.nsec3})
      for (const auto& [key, blob] : table->nodes()) {
        const zone::NodeView node(blob->data());
        for (size_t i = 0; i < node.rrset_count(); ++i) {
          const auto rrset = node.rrset(i);
          for (zone::StoredRrReader sigs(rrset.sigs()); !sigs.done();) edit.add(node.owner(), RrType::RRSIG, rrset.ttl(), sigs.next().rdata);
          for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
            Bytes rdata;
            zone::expand_rdata(rrset.type, reader.next().rdata, node.owner(), rdata);
            edit.add(node.owner(), rrset.type, rrset.ttl(), rdata);
          }
        }
      }
  }, false, true);
  CHECK(faults(zone, Mode::Nsec3).empty());
  CHECK(zone.nsec3.nodes().size() == source.nsec3.nodes().size());
  CHECK(zone.serial == 1);
}

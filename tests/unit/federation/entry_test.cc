#include "federation/entry.hh"

#include <doctest/doctest.h>

#include <algorithm>

#include "federation/clock.hh"
#include "sample_entries.hh"

using namespace steward;
using namespace steward::federation;
using namespace steward::federation::test;

namespace {

const dns::Name own_zone = name_of(space_text);
const dns::Name feed = name_of(feed_text);

ReadWrites read(std::span<const PublishedRecord> records) {
  auto out = read_feed(records, feed, own_zone);
  REQUIRE_MESSAGE(out, out.error().what);
  return *std::move(out);
}

std::vector<PublishedRecord> records_of(const WriteSet& set) {
  auto records = feed_records(set, feed, own_zone);
  REQUIRE_MESSAGE(records, records.error().what);
  return *std::move(records);
}

void check_round(const WriteSet& set) {
  const ReadWrites out = read(records_of(set));
  CHECK(out.refused.empty());
  const WriteSet again = set_of(out.writes);
  REQUIRE(again.size() == set.size());
  CHECK(same_writes(again, set));
  for (size_t i = 0; i < set.size(); ++i) {
    CHECK(feed_statement(again[i]) == feed_statement(set[i]));
    CHECK(again[i].ttl == set[i].ttl);
    CHECK(again[i].agent == set[i].agent);
  }
}

Bytes txt(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  Bytes out;
  for (const auto& [key, value] : fields) agent::append_field(out, key, value);
  return out;
}

/// The registry's statement of the sample with one field changed, or taken out where the value is null.
Bytes statement_with(std::string_view key, const char* value) {
  Bytes out;
  const auto fields = agent::fields_from_txt(feed_statement(sample_write())).value();
  for (const auto& field : fields) {
    if (field.key != key) agent::append_field(out, field.key, field.value);
    if (field.key == key && value != nullptr) agent::append_field(out, key, value);
  }
  if (!agent::find_field(fields, key) && value != nullptr) agent::append_field(out, key, value);
  return out;
}

std::string refusal_of(Bytes word) {
  auto records = records_of({sample_write()});
  for (PublishedRecord& record : records)
    if (as_text(record.owner.view().first_label()) == "_registry") record.rdata = word;
  const ReadWrites out = read(records);
  CHECK(out.writes.empty());
  return out.refused.empty() ? "" : out.refused.front().what;
}

}  // namespace

TEST_CASE("feed: the owners of an agent's records") {
  const auto records = records_of({written(rotated(), {sample_write()}, "us-91c0", noon + 60)});
  std::vector<std::string> lines;
  for (const PublishedRecord& record : records)
    lines.push_back(record.owner.to_text() + " " + dns::to_text(record.type));
  const std::string owner = "orchestrator." + std::string(feed_text);
  CHECK(lines == std::vector{owner + " TXT", owner + " KEY", owner + " KEY", owner + " SRV", "_keys." + owner + " TXT",
                             "_registry." + owner + " TXT"});
}

TEST_CASE("feed: what the registry's statement says there, to the octet") {
  CHECK(feed_statement(sample_write()) == txt({{"v", "steward-registry1"},
                                               {"registry", "com.vibe-agency"},
                                               {"trust", "0.57"},
                                               {"vc", "eu-4f2a:1"},
                                               {"status", "active"},
                                               {"stamp", "1763726400"},
                                               {"replica", "eu-4f2a"},
                                               {"told", "1763726400"}}));
}

TEST_CASE("feed: writes of all kinds come back as they were") {
  const FeedEntry base = sample_write();
  check_round({base});
  check_round({written(rotated(), {base}, "us-91c0", noon + 60)});
  const FeedEntry revoked =
      written(publication("1.4.2", noon + 10, first_key(), AgentStatus::Revoked), {base}, "eu-4f2a", noon + 10);
  check_round({revoked});
  check_round({written(publication("1.5.0", noon + 20, second_key()), {revoked}, "eu-4f2a", noon + 20)});
  FeedEntry suspended = publication("1.4.3", noon + 20);
  suspended.suspended = true;
  check_round({written(suspended, {base}, "eu-4f2a", noon + 20)});
}

TEST_CASE("feed: a name that is gone leaves its floor and its key behind") {
  FeedEntry gone;
  gone.agent = agent_name();
  gone.registry = "com.vibe-agency";
  gone.gone = GoneName{"1.4.2", unix_time(noon), print_of(first_key())};
  const FeedEntry entry = written(gone, {sample_write()}, "eu-4f2a", noon + 60);
  check_round({entry});
  CHECK(entry.is_tombstone());
  CHECK(records_of({entry}).size() == 1);
}

TEST_CASE("feed: each write that none dominates stands there, the winner at the agent's own place") {
  const FeedEntry base = sample_write();
  const WriteSet set = set_of({written(publication("1.5.0", noon + 60), {base}, "eu-4f2a", noon + 60),
                               written(publication("1.6.0", noon + 61), {base}, "us-91c0", noon + 61),
                               written(publication("1.4.9", noon + 62), {base}, "asia-77aa", noon + 62)});
  REQUIRE(set.size() == 3);
  check_round(set);
  const auto records = records_of(set);
  CHECK(records.front().owner == feed_owner(set.front().agent, feed, own_zone).value());
  CHECK(std::ranges::equal(records.front().rdata, set.front().statement->txt_rdata()));
  const auto place = feed_place(records.back().owner, feed, own_zone);
  REQUIRE(place);
  CHECK(place->agent == agent_name());
  CHECK(place->part == FeedPart::Registry);
  CHECK(place->write.size() == 18);
}

TEST_CASE("feed: the longest name of an agent has room under the longest name of a replica") {
  const std::string label(63, 'a');
  const dns::Name long_zone = name_of("org.").child(as_bytes(label.substr(0, 47))).value();
  const dns::Name agent = long_zone.child(as_bytes(label)).value().child(as_bytes(label.substr(1))).value();
  REQUIRE(agent.size() == 180);
  const auto long_feed = long_zone.child(as_bytes("_feed")).value().child(as_bytes(label.substr(0, 32))).value();
  const FeedEntry one =
      written(publication("1.0.0", noon, first_key(), AgentStatus::Active, agent), {}, "eu-4f2a", noon);
  const FeedEntry other =
      written(publication("1.0.1", noon, first_key(), AgentStatus::Active, agent), {}, "us-91c0", noon);
  CHECK(feed_records(set_of({one, other}), long_feed, long_zone));
}

TEST_CASE("feed: a namespace of one label with a slash has its place too [RFC 2181 §11]") {
  const dns::Name github = name_of("github.steward-registry.org.");
  const dns::Name github_feed = name_of("eu-4f2a._feed.github.steward-registry.org.");
  const dns::Name agent = name_of("coder.user/kimeisele.github.steward-registry.org.");
  const auto owner = feed_owner(agent, github_feed, github);
  REQUIRE(owner);
  CHECK(owner->to_text() == "coder.user/kimeisele.eu-4f2a._feed.github.steward-registry.org.");
  CHECK(feed_place(*owner, github_feed, github)->agent == agent);
}

TEST_CASE("feed: places that are no agent's are refused") {
  for (const std::string owner : {"@", "_registry", "_w0123456789abcdef", "_registry._w0123456789abcdef", "_other.a",
                                  "_w0123.a", "_w0123456789abcdeg.a", "_keys._keys.a", "_w0123456789abcdef._keys.a"})
    CHECK_MESSAGE(!feed_place(dns::Name::from_text(owner, feed).value(), feed, own_zone), owner);
  CHECK_FALSE(feed_place(agent_name(), feed, own_zone));
  CHECK_FALSE(feed_owner(name_of("a.acme-corp.com.steward-registry.org."), feed, own_zone));
}

TEST_CASE("feed: a registry's statement that breaks a rule is refused with it") {
  CHECK(refusal_of(statement_with("v", "steward-registry2")).find("v=steward-registry1") != std::string::npos);
  for (const char* key : {"registry", "trust", "vc", "status", "stamp", "replica", "told"})
    CHECK_MESSAGE(refusal_of(statement_with(key, nullptr)).find(key) != std::string::npos, key);
  for (const char* trust : {"1.01", "0.5", "-0.1", "nan", "9.99", "0,57", "0.577", "+.57"})
    CHECK_MESSAGE(refusal_of(statement_with("trust", trust)).find("trust") != std::string::npos, trust);
  for (const char* clock : {"", "eu-4f2a:0", "us-91c0:1", "eu-4f2a:1763726401", "us-1:1,eu-4f2a:1"})
    CHECK_MESSAGE(refusal_of(statement_with("vc", clock)).find("clock") != std::string::npos, clock);
  CHECK(refusal_of(statement_with("status", "withdrawn")).find("status") != std::string::npos);
  CHECK(refusal_of(statement_with("status", "suspended")).find("state") != std::string::npos);
  CHECK(refusal_of(statement_with("replica", "EU")).find("replica") != std::string::npos);
  CHECK(refusal_of(statement_with("stamp", "18446744073709551616")).find("stamp") != std::string::npos);
  CHECK(refusal_of(statement_with("told", "1763726399")).find("told") != std::string::npos);
  CHECK(refusal_of(statement_with("registry", "com vibe")).find("registry") != std::string::npos);
  CHECK(refusal_of(statement_with("lost", "sha256:1")).find("lost") != std::string::npos);
  CHECK(refusal_of(statement_with("presence", "gone")).find("gone") != std::string::npos);
  CHECK(refusal_of(Bytes{5, 'v'}).find("RFC 1035") != std::string::npos);
}

TEST_CASE("feed: one write that is none does not take the others with it") {
  const FeedEntry base = sample_write();
  const WriteSet set = set_of({written(publication("1.5.0", noon + 60), {base}, "eu-4f2a", noon + 60),
                               written(publication("1.6.0", noon + 61), {base}, "us-91c0", noon + 61)});
  auto records = records_of(set);
  std::erase_if(records, [](const PublishedRecord& record) {
    const auto place = feed_place(record.owner, feed, own_zone);
    return place->part == FeedPart::Registry && !place->write.empty();
  });
  const ReadWrites out = read(records);
  REQUIRE(out.writes.size() == 1);
  CHECK(out.writes.front().version() == "1.6.0");
  REQUIRE(out.refused.size() == 1);
  CHECK(out.refused.front().what.find("_registry") != std::string::npos);
}

TEST_CASE("feed: records that belong to no write, and more than fits, are refused") {
  auto records = records_of({sample_write()});
  const auto with = [&](std::string_view label, dns::RrType type, Bytes rdata) {
    auto more = records;
    more.push_back({label.empty() ? records.front().owner : records.front().owner.child(as_bytes(label)).value(), type,
                    300, std::move(rdata)});
    const ReadWrites out = read(more);
    return out.refused.empty() ? std::string() : out.refused.front().what;
  };
  CHECK(with("", dns::RrType::A, {192, 0, 2, 1}).find("A record") != std::string::npos);
  CHECK(with("_keys", dns::RrType::KEY, key_rdata(first_key())).find("KEY record") != std::string::npos);
  CHECK(with("", dns::RrType::TXT, txt({{"v", "steward1"}})).find("more than one TXT") != std::string::npos);
  CHECK(with("", dns::RrType::SRV, {0, 0, 0}).find("SRV") != std::string::npos);
  CHECK(with("_revoked", dns::RrType::TXT, {}).find("_revoked") != std::string::npos);

  auto many = records;
  for (uint8_t i = 0; i < 129; ++i) many.push_back({records.front().owner, dns::RrType::KEY, 300, {2, 0, 3, 15, i}});
  CHECK(read(many).refused.front().what.find("at most 128") != std::string::npos);
  many = records;
  for (int i = 0; i < 65; ++i)
    many.push_back({records.front().owner.child(as_bytes("_w" + std::string(14, '0') + std::to_string(10 + i))).value(),
                    dns::RrType::KEY,
                    300,
                    {2, 0, 3, 15, 1}});
  CHECK_FALSE(read_feed(many, feed, own_zone));
  many = records;
  many.push_back(records_of({written(publication("1.0.0", noon, first_key(), AgentStatus::Active, agent_name("coder")),
                                     {}, "eu-4f2a", noon)})
                     .front());
  CHECK_FALSE(read_feed(many, feed, own_zone));
  CHECK_FALSE(read_feed({}, feed, own_zone));
}

TEST_CASE("feed: writes that are more than a feed holds are not written") {
  WriteSet set;
  for (int i = 0; i < 65; ++i) set.push_back(written(publication("1.0.0"), {}, "r" + std::to_string(100 + i), noon));
  CHECK_FALSE(feed_records(set_of(set), feed, own_zone));
}

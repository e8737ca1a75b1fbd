#include "federation/check.hh"

#include <doctest/doctest.h>

#include <functional>

#include "sample_entries.hh"

using namespace steward;
using namespace steward::federation;
using namespace steward::federation::test;

namespace {

EntryRules rules(std::optional<std::string> known = std::nullopt) {
  return {name_of(space_text), unix_time(noon + 100), most_ahead, std::move(known)};
}

std::string refusal_of(const FeedEntry& entry, std::optional<std::string> known = std::nullopt) {
  const auto checked = check_entry(entry, rules(std::move(known)));
  return checked ? "" : checked.error().what;
}

FeedEntry with(const std::function<void(FeedEntry&)>& change, FeedEntry entry = sample_write()) {
  change(entry);
  entry.normalize();
  return entry;
}

bool says(const std::string& refusal, std::string_view word) { return refusal.find(word) != std::string::npos; }

}  // namespace

TEST_CASE("check: sound writes of all kinds") {
  const FeedEntry base = sample_write();
  CHECK(refusal_of(base) == "");
  CHECK(refusal_of(written(rotated(), {base}, "us-91c0", noon + 60)) == "");
  for (const AgentStatus status : {AgentStatus::Withdrawn, AgentStatus::Revoked})
    CHECK(refusal_of(written(publication("1.4.2", noon + 10, first_key(), status), {base}, "eu-4f2a", noon + 10)) ==
          "");
}

TEST_CASE("check: a name that the feed's registry does not speak for is refused") {
  const FeedEntry foreign = written(publication("1.0.0", noon, first_key(), AgentStatus::Active,
                                                name_of("orchestrator.acme-corp.com.steward-registry.org.")),
                                    {}, "eu-4f2a", noon);
  CHECK(says(refusal_of(foreign), "does not lie below"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.agent = name_of(space_text); })), "does not lie below"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.agent = agent_name("ns1"); })), "ns1"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.agent = agent_name("a._find"); })), "begins with _"));
}

TEST_CASE("check: every bit of the statement counts") {
  const FeedEntry base = sample_write();
  const ByteView octets = base.statement->txt_rdata();
  bool accepted = false;
  for (size_t i = 0; i < octets.size(); ++i) {
    Bytes forged(octets.begin(), octets.end());
    forged[i] = static_cast<uint8_t>(forged[i] ^ (1U << (i % 8)));
    auto statement = agent::Statement::from_txt(forged);
    if (!statement) continue;
    const auto refusal = refusal_of(with([&](FeedEntry& e) { e.statement = *std::move(statement); }));
    accepted = accepted || refusal.empty();
  }
  CHECK_FALSE(accepted);
}

TEST_CASE("check: every bit of keys, rotations and rows counts") {
  const FeedEntry base = written(rotated(), {sample_write()}, "us-91c0", noon + 60);
  REQUIRE(refusal_of(base, print_of(first_key())) == "");
  for (const auto rows : {&FeedEntry::keys, &FeedEntry::rotations, &FeedEntry::srv})
    for (size_t row = 0; row < (base.*rows).size(); ++row)
      for (size_t i = 0; i < (base.*rows)[row].size(); ++i) {
        const FeedEntry forged = with(
            [&](FeedEntry& e) {
              uint8_t& octet = (e.*rows)[row][i];
              octet = static_cast<uint8_t>(octet ^ (1U << (i % 8)));
            },
            base);
        // Flags 513 are taken as well (steward-records(7)), and case in a target means nothing (RFC 4034 §6.2).
        const bool same_meaning =
            (rows == &FeedEntry::keys && i == 1) || (rows == &FeedEntry::srv && i >= 6 && i % 8 == 5);
        if (!same_meaning) CHECK_MESSAGE(refusal_of(forged, print_of(first_key())) != "", row, " octet ", i);
      }
}

TEST_CASE("check: a statement, a tombstone or a rotation of another name is worth nothing here") {
  const FeedEntry coder = publication("1.4.2", noon, first_key(), AgentStatus::Active, agent_name("coder"));
  CHECK(says(refusal_of(with([&](FeedEntry& e) { e.statement = coder.statement; })), "does not verify"));
  FeedEntry entry = rotated();
  entry.rotations = {rotation_rdata(1, first_key(), second_key(), agent_name("coder"))};
  CHECK(says(refusal_of(written(entry, {}, "eu-4f2a", noon)), "does not verify"));
}

TEST_CASE("check: a tombstone comes with no service and a live agent is no tombstone by its registry's word alone") {
  const FeedEntry base = sample_write();
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.status = AgentStatus::Revoked; })), "the statement says active"));
  FeedEntry live = publication("1.4.2", noon + 10);
  const FeedEntry withdrawn = publication("1.4.2", noon + 10, first_key(), AgentStatus::Withdrawn);
  live.statement = withdrawn.statement;
  live.status = AgentStatus::Withdrawn;
  CHECK(says(refusal_of(written(live, {base}, "eu-4f2a", noon + 10)), "ep is"));
}

TEST_CASE("check: the chain of keys leads from the known key to the one that signed") {
  const std::string first = print_of(first_key());
  const std::string third = print_of(third_key());
  const FeedEntry base = sample_write();
  CHECK(refusal_of(base, first) == "");
  CHECK(says(refusal_of(base, third), "no chain leads"));

  FeedEntry other = publication("1.5.0", noon + 60, second_key());
  CHECK(says(refusal_of(written(other, {}, "eu-4f2a", noon + 60), first), "no chain leads"));
  const FeedEntry good = written(rotated(), {}, "eu-4f2a", noon + 60);
  CHECK(refusal_of(good, first) == "");
  CHECK(refusal_of(good, print_of(second_key())) == "");
  CHECK(says(refusal_of(good, third), "no chain leads"));
  // Ends at another key than the statement's.
  other = publication("1.5.0", noon + 60, third_key());
  other.keys.insert(other.keys.end(), {key_rdata(first_key()), key_rdata(second_key())});
  other.rotations = {rotation_rdata(1, first_key(), second_key())};
  CHECK(says(refusal_of(written(other, {}, "eu-4f2a", noon + 60), first), "the chain ends at"));
  // A gap in the middle, and a number twice.
  other.rotations = {rotation_rdata(1, first_key(), second_key()), rotation_rdata(2, first_key(), third_key())};
  CHECK(says(refusal_of(written(other, {}, "eu-4f2a", noon + 60), first), "the one before ended at"));
  other.rotations = {rotation_rdata(1, first_key(), second_key()), rotation_rdata(1, second_key(), third_key())};
  CHECK(says(refusal_of(written(other, {}, "eu-4f2a", noon + 60), first), "two records with n=1"));
  other.rotations = {rotation_rdata(1, first_key(), second_key()), rotation_rdata(2, second_key(), third_key())};
  CHECK(refusal_of(written(other, {}, "eu-4f2a", noon + 60), first) == "");
}

TEST_CASE("check: a key that was revoked signs nothing more, and only its own revocation ends its chain") {
  const std::string first = print_of(first_key());
  const FeedEntry revoked =
      written(publication("1.4.2", noon + 10, first_key(), AgentStatus::Revoked), {}, "eu-4f2a", noon + 10);
  CHECK(refusal_of(revoked, first) == "");
  CHECK(says(refusal_of(written(publication("1.5.0", noon + 20), {revoked}, "eu-4f2a", noon + 20)), "is revoked"));
  const FeedEntry back = written(publication("1.5.0", noon + 20, second_key()), {revoked}, "eu-4f2a", noon + 20);
  CHECK(refusal_of(back, first) == "");
  // A child that says so without the key's signature.
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.revocations.clear(); }, back), first), "no chain leads"));
  const FeedEntry own = publication("1.4.2", noon + 10, second_key(), AgentStatus::Revoked);
  const ByteView txt = own.statement->txt_rdata();
  CHECK(says(refusal_of(with([&](FeedEntry& e) { e.revocations = {Bytes(txt.begin(), txt.end())}; },
                             written(publication("1.5.0", noon + 20, third_key()), {}, "eu-4f2a", noon + 20)),
                        first),
             "_revoked"));
  const FeedEntry stranger =
      written(publication("1.5.0", noon + 20, third_key()),
              {written(publication("1.4.2", noon + 10, second_key(), AgentStatus::Revoked), {}, "eu-4f2a", noon + 10)},
              "eu-4f2a", noon + 20);
  CHECK(says(refusal_of(stranger, first), "no chain leads"));
}

TEST_CASE("check: clocks and stamps that lie are refused") {
  CHECK(refusal_of(with([](FeedEntry& e) { e.write.stamp = e.told = noon + 400; })) == "");
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.write.stamp = e.told = noon + 401; })), "ahead"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.told = noon + 401; })), "ahead"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.write.clock["eu-4f2a"] = uint64_t{1} << 60; })), "clock"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.write.clock["us-91c0"] = noon + 1; })), "do not fit before"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.write.clock = {{"us-91c0", 1}}; })), "is not in it"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.write.clock["us-91c0"] = 0; })), "no replica's count"));
  CHECK(says(refusal_of(with([](FeedEntry& e) { e.write.clock["US"] = 1; })), "no replica's count"));
  CHECK(says(refusal_of(with([](FeedEntry& e) {
               for (int i = 0; i < 64; ++i) e.write.clock["r" + std::to_string(i)] = 1;
             })),
             "64 replicas"));
}

#include "federation/refer.hh"

#include <doctest/doctest.h>

#include <algorithm>

#include "../change/zone_fixture.hh"
#include "agent/text_fields.hh"
#include "federation/conflict.hh"
#include "sample_entries.hh"

using namespace steward;
using namespace steward::federation;
using namespace steward::federation::test;
using dns::RrType;

namespace {

const dns::Name parent = name_of("example.");
const dns::Name child = name_of("vibe.example.");
const dns::Name feed = name_of("eu-4f2a._feed.vibe.example.");

dns::Name bot(std::string_view label = "bot") { return name_of(std::string(label) + ".vibe.example."); }

FeedEntry entry_of(std::string_view version, int64_t at = noon, const crypto::KeyPair& key = first_key(),
                   const dns::Name& agent = bot(), AgentStatus status = AgentStatus::Active) {
  FeedEntry entry = publication(version, at, key, status, agent);
  entry.trust = 0.95;
  return entry;
}
FeedEntry first_write(const dns::Name& agent = bot(), const crypto::KeyPair& key = first_key()) {
  return written(entry_of("1.0.0", noon, key, agent), {}, "eu-4f2a", noon);
}

/// A parent's zone that follows one child.
struct Parent {
  Parent() { zone.load(change::test::text(1), change::test::Mode::Nsec); }

  JudgedName judge(const dns::Name& agent, const WriteSet& writes) {
    FeedName name{agent, {}};
    if (!writes.empty()) {
      const auto records = feed_records(writes, feed, child);
      REQUIRE_MESSAGE(records, (records ? "" : records.error().what));
      name.records = *records;
    }
    return judge_name(name, rules, row(agent));
  }
  std::optional<Referral> row(const dns::Name& agent = bot()) {
    const auto found = Referrals(parent, referrals).find(agent);
    REQUIRE(found);
    return *found;
  }
  change::PublishEffect apply(const JudgedName& name) {
    change::PublishEffect effect;
    zone.edit(change::test::Mode::Nsec, [&](change::ZoneEdit& edit) {
      const ReferralRoom room{edit,
                              referrals,
                              pages,
                              ranks,
                              [this](const dns::Name&) -> Result<std::optional<std::string>> { return holder; },
                              {},
                              [this](const dns::Name&, const WriteSet& writes,
                                     const std::vector<std::string>& before) -> Result<void> {
                                handed.push_back(writes);
                                losers_before = before;
                                return {};
                              }};
      ReferralEdit writer({parent, "example", child, rules.policy}, room, followed);
      const auto applied = writer.apply(name);
      REQUIRE_MESSAGE(applied, (applied ? "" : applied.error().what));
      REQUIRE(writer.finish());
      effect = applied->effect;
    });
    const auto stored = Referrals(parent, referrals).child(child);
    REQUIRE((stored && *stored));
    followed = **stored;
    return effect;
  }
  void take(const dns::Name& agent, const WriteSet& writes) { apply(judge(agent, writes)); }

  [[nodiscard]] bool is_found(std::string_view term, std::string_view agent = "bot.vibe.example.") {
    const zone::NodeView node = zone.node(std::string(term) + "._find._agents");
    const auto rrset = node ? node.find(RrType::PTR) : std::nullopt;
    if (!rrset) return false;
    for (zone::StoredRrReader reader(rrset->rrs); !reader.done();) {
      Bytes target;
      zone::expand_rdata(RrType::PTR, reader.next().rdata, node.owner(), target);
      if (dns::NameView::from_wire(target)->to_text() == agent) return true;
    }
    return false;
  }
  /// What the parent says at `_ref`; empty where nothing stands there.
  [[nodiscard]] std::string stated(std::string_view key) {
    const zone::NodeView node = zone.node("bot.vibe._ref._agents");
    const auto rrset = node ? node.find(RrType::TXT) : std::nullopt;
    if (!rrset) return "";
    CHECK(rrset->rr_count == 2);
    for (zone::StoredRrReader reader(rrset->rrs); !reader.done();) {
      const auto fields = agent::fields_from_txt(reader.next().rdata);
      REQUIRE(fields);
      if (fields->front().value == "steward-registry1") return std::string(*agent::find_field(*fields, key));
    }
    return "";
  }

  change::test::Zone zone;
  change::test::MemoryAttic referrals;
  change::test::MemoryAttic pages;
  change::test::MemoryAttic ranks;
  JudgeRules rules{.child = child, .feed = feed, .now = unix_time(noon + 600), .policy = {.trust_ceiling = 0.9}};
  FollowedChild followed;
  std::optional<std::string> holder;
  std::vector<WriteSet> handed;
  std::vector<std::string> losers_before;  // as handed on last
  /// TXT records at `_conflict`.
  [[nodiscard]] size_t told() {
    const zone::NodeView node = zone.node("_conflict.bot.vibe._ref._agents");
    const auto rrset = node ? node.find(RrType::TXT) : std::nullopt;
    return rrset ? rrset->rr_count : 0;
  }
};

}  // namespace

TEST_CASE("refer: what is admitted is found, and stated with no more trust than the ceiling") {
  Parent at;
  const WriteSet first{first_write()};
  at.take(bot(), first);
  CHECK(at.is_found("bot"));
  CHECK(at.stated("trust") == "0.90");
  CHECK(at.stated("registry") == "example");
  CHECK(at.stated("status") == "active");
  CHECK(at.followed.agents == 1);
  CHECK(at.followed.refused == 0);
  REQUIRE(at.handed.size() == 1);
  CHECK(winner(at.handed.front())->trust == 0.9);
  CHECK(at.judge(bot(), first).is_known);
  at.rules.policy.trust_ceiling = 0.5;
  CHECK_FALSE(at.judge(bot(), first).is_known);
  at.take(bot(), first);
  CHECK(at.stated("trust") == "0.50");
  CHECK(change::test::faults(at.zone, change::test::Mode::Nsec).empty());
}

TEST_CASE("refer: what the feed has no longer leaves nothing") {
  Parent at;
  const auto empty = change::test::shape(at.zone);
  at.take(bot(), {first_write()});
  const auto effect = at.apply(at.judge(bot(), {}));
  CHECK(effect.key_before == print_of(first_key()));
  CHECK(effect.key_after.empty());
  CHECK(change::test::shape(at.zone) == empty);
  CHECK_FALSE(at.row());
  CHECK(at.followed.agents == 0);
  REQUIRE(at.handed.size() == 2);
  CHECK(at.handed.back().empty());
  CHECK(at.judge(bot(), {}).is_known);
}

TEST_CASE("refer: of a child that is hosted an agent stands at its own name too, as long as that is so") {
  Parent at;
  const auto empty = change::test::shape(at.zone);
  const auto count = [&](const char* owner, RrType type) {
    const zone::NodeView node = at.zone.node(owner);
    const auto rrset = node ? node.find(type) : std::nullopt;
    return rrset ? rrset->rr_count : 0U;
  };
  at.take(bot(), {first_write()});
  const auto referred = change::test::shape(at.zone);
  CHECK(count("bot.vibe", RrType::TXT) == 0);
  at.rules.policy.hosted = true;
  CHECK_FALSE(at.judge(bot(), {first_write()}).is_known);
  at.take(bot(), {first_write()});
  for (const RrType type : {RrType::TXT, RrType::KEY}) CHECK(count("bot.vibe", type) == 1);
  CHECK(count("_registry.bot.vibe", RrType::TXT) == 1);
  CHECK(count("_index._agents.vibe", RrType::TXT) == 1);
  CHECK(at.row()->is_hosted);
  CHECK(Referral::from_octets(at.row()->to_octets())->is_hosted);
  CHECK(change::test::faults(at.zone, change::test::Mode::Nsec).empty());
  SUBCASE("a forged word leaves what is there") {
    at.take(bot(), {written(entry_of("0.9.0", noon + 60), {first_write()}, "eu-4f2a", noon + 60)});
    CHECK(count("bot.vibe", RrType::TXT) == 1);
    CHECK(at.row()->is_hosted);
  }
  SUBCASE("it is delegated to") {
    at.rules.policy.hosted = false;
    at.take(bot(), {first_write()});
    CHECK(change::test::shape(at.zone) == referred);
    CHECK_FALSE(at.row()->is_hosted);
    CHECK(at.ranks.kept.empty());
  }
  SUBCASE("it is gone") {
    at.apply(at.judge(bot(), {}));
    CHECK(change::test::shape(at.zone) == empty);
    CHECK(at.ranks.kept.empty());
  }
}

TEST_CASE("refer: the manifest of a hosted agent is taken where it is the statement's") {
  FeedEntry entry = first_write();
  const auto hosted_with = [&](std::string_view manifest) {
    entry.manifest = {static_cast<uint8_t>(manifest.size())};
    append(entry.manifest, as_bytes(manifest));
    return hosted_agent(entry, 0.5)->manifest;
  };
  CHECK(hosted_with("another").empty());
  entry.manifest.clear();
  CHECK(hosted_agent(entry, 0.5)->manifest.empty());
}

TEST_CASE("refer: a forged word is marked, and what was admitted before stays") {
  Parent at;
  const FeedEntry base = first_write();
  at.take(bot(), {base});
  SUBCASE("another agent's statement") {
    FeedEntry forged = written(entry_of("2.0.0", noon + 60, first_key(), bot("other")), {base}, "eu-4f2a", noon + 60);
    forged.agent = bot();
    at.take(bot(), {forged});
    CHECK(at.row()->mark->rule == "unsound");
  }
  SUBCASE("a key that no chain leads to") {
    at.take(bot(), {written(entry_of("2.0.0", noon + 60, second_key()), {base}, "eu-4f2a", noon + 60)});
    CHECK(at.row()->mark->rule == "unsound");
    CHECK(at.row()->mark->reason.find("no chain leads") != std::string::npos);
    CHECK_FALSE(at.row()->mark->may_pass);
  }
  SUBCASE("a lower version") {
    at.take(bot(), {written(entry_of("0.9.0", noon + 60), {base}, "eu-4f2a", noon + 60)});
    CHECK(at.row()->mark->rule == "version-floor");
  }
  SUBCASE("a stamp too far ahead, until its time has come") {
    const WriteSet early{written(entry_of("1.1.0", noon + 60), {base}, "eu-4f2a", noon + 3600)};
    at.take(bot(), early);
    CHECK(at.row()->mark->rule == "stamp");
    CHECK(at.judge(bot(), early).is_known);
    at.rules.again = true;
    at.rules.now = unix_time(noon + 3600);
    CHECK_FALSE(at.judge(bot(), early).is_known);
    at.take(bot(), early);
    CHECK_FALSE(at.row()->mark);
    return;
  }
  CHECK(at.is_found("bot"));
  CHECK(at.row()->accepted->version == "1.0.0");
  CHECK(at.followed.agents == 1);
  CHECK(at.followed.refused == 1);
  CHECK(at.handed.size() == 1);
  at.take(bot(), {written(entry_of("1.1.0", noon + 90), {base}, "eu-4f2a", noon + 90)});
  CHECK(at.followed.refused == 0);
  CHECK(at.row()->accepted->version == "1.1.0");
}

TEST_CASE("refer: a name that another holds, or that is too many, is marked and never listed") {
  Parent at;
  at.holder = "this registry";
  at.take(bot(), {first_write()});
  CHECK(at.row()->mark->rule == "first-come");
  CHECK_FALSE(at.is_found("bot"));
  CHECK(at.followed.agents == 0);
  CHECK(at.handed.empty());
  at.holder.reset();
  at.rules.policy.agents = 1;
  at.take(bot("other"), {first_write(bot("other"))});
  at.rules.again = true;
  at.take(bot(), {first_write()});
  CHECK(at.row()->mark->rule == "quota");
  at.take(bot("other"), {});
  at.take(bot(), {first_write()});
  CHECK(at.is_found("bot"));
  CHECK(at.followed.refused == 0);
}

TEST_CASE("refer: a tombstone leaves the lists and stays at _ref, and counts again when it comes back") {
  Parent at;
  at.rules.policy.agents = 1;
  const FeedEntry base = first_write();
  at.take(bot(), {base});
  const FeedEntry over = written(entry_of("1.0.0", noon + 60, first_key(), bot(), AgentStatus::Withdrawn), {base},
                                 "eu-4f2a", noon + 60);
  at.take(bot(), {over});
  CHECK_FALSE(at.is_found("bot"));
  CHECK(at.stated("status") == "withdrawn");
  CHECK(at.followed.agents == 0);
  CHECK(at.followed.tombstones == 1);
  at.take(bot("other"), {first_write(bot("other"))});
  at.take(bot(), {written(entry_of("1.1.0", noon + 90), {over}, "eu-4f2a", noon + 90)});
  CHECK(at.row()->mark->rule == "quota");
  CHECK(at.stated("status") == "withdrawn");
}

TEST_CASE("refer: a sound write is taken beside one that is not, which is told") {
  Parent at;
  const FeedEntry base = first_write();
  FeedEntry forged = written(entry_of("2.0.0", noon + 60, first_key(), bot("other")), {}, "us-91c0", noon + 60);
  forged.agent = bot();
  at.take(bot(), set_of({base, forged}));
  CHECK(at.is_found("bot"));
  CHECK(at.row()->accepted->version == "1.0.0");
  CHECK(at.row()->mark->rule == "unsound");
  CHECK(at.followed.agents == 1);
  CHECK(at.followed.refused == 1);
}

TEST_CASE("referrals: rows and children are read as they were written, those of a child in the order of its feed") {
  change::test::MemoryAttic table;
  Referrals rows(parent, table);
  Referral row;
  row.accepted = accepted_write(first_write());
  row.fingerprint = print_of(first_key());
  row.is_suspended = true;
  row.trust = 0.57;
  row.capabilities = {"plan", "orchestrate_sdlc"};
  row.mark = make_mark("unsound", "two\nlines", true);
  row.seen = Bytes(16, 7);
  for (const char* agent : {"b.vibe.example.", "a.vibe.example.", "x.b.vibe.example.", "a.vibes.example."})
    REQUIRE(rows.put(name_of(agent), row));
  const auto read = rows.find(name_of("B.vibe.example."));
  REQUIRE((read && *read));
  CHECK((*read)->to_octets() == row.to_octets());
  CHECK((*read)->mark->reason == "two?lines");
  CHECK((*read)->accepted->clock == row.accepted->clock);

  FollowedChild followed;
  followed.replica = "eu-4f2a";
  followed.reached = 0;
  followed.walking = 7;
  followed.at = {1, 2};
  followed.agents = 3;
  REQUIRE(rows.put_child(child, followed));
  CHECK((*rows.child(child))->to_octets() == followed.to_octets());
  CHECK(rows.children() == std::vector<dns::Name>{child});

  std::string order;
  for (Bytes at;;) {
    const auto next = rows.next(child, at);
    REQUIRE(next);
    if (!*next) break;
    order += (*next)->agent.to_text() + " ";
    at = (*next)->key;
  }
  CHECK(order == "a.vibe.example. b.vibe.example. x.b.vibe.example. ");
  CHECK(rows.key_of(name_of("example.org.")).error().code == Errc::Invalid);
  CHECK(Referral::from_octets(Bytes{9}).error().code == Errc::Corrupt);
}

TEST_CASE("refer: of two writes that stand the winner is listed, both are kept, told and handed on") {
  Parent at;
  const FeedEntry earlier = first_write();
  const FeedEntry later = written(entry_of("2.0.0", noon + 60), {}, "us-91c0", noon + 60);
  const WriteSet both = set_of({earlier, later});
  at.take(bot(), both);
  CHECK(at.row()->accepted->version == "2.0.0");
  CHECK(at.row()->losers == std::vector{write_label(both.back())});
  CHECK(at.told() == 2);
  CHECK(at.followed.conflicts == 1);
  CHECK(at.followed.unseen == 1);
  CHECK(at.handed.back().size() == 2);
  CHECK(at.losers_before.empty());

  SUBCASE("the row says the same when it is read again") {
    const auto read = Referral::from_octets(at.row()->to_octets());
    REQUIRE(read);
    CHECK(read->losers == at.row()->losers);
    CHECK(read->conflict == conflict_rdatas(at.handed.back()));
  }
  SUBCASE("a write that knew of both ends it") {
    at.take(bot(), {written(entry_of("3.0.0", noon + 120), both, "eu-4f2a", noon + 120)});
    CHECK(at.told() == 0);
    CHECK(at.followed.conflicts == 0);
    CHECK(at.followed.unseen == 0);
    CHECK(at.losers_before == std::vector{write_label(both.back())});
  }
  SUBCASE("what an operator has seen is not among the unseen of its child any more, once") {
    Referrals rows(parent, at.referrals);
    REQUIRE(rows.put_child(at.rules.child, at.followed));
    at.zone.edit(change::test::Mode::Nsec, [&](change::ZoneEdit& edit) {
      for (int i = 0; i < 2; ++i) REQUIRE(see_conflict(edit, at.referrals, parent, bot()));
    });
    const auto followed = rows.child(at.rules.child);
    REQUIRE((followed && *followed));
    CHECK((*followed)->unseen == 0);
    CHECK((*followed)->conflicts == 1);
  }
  SUBCASE("what an operator has seen is not told again until the writes are others") {
    at.zone.edit(change::test::Mode::Nsec, [&](change::ZoneEdit& edit) {
      REQUIRE(see_conflict(edit, at.referrals, parent, bot()));
      const auto none = see_conflict(edit, at.referrals, parent, bot("other"));
      CHECK((!none && none.error().code == Errc::NotFound));
    });
    CHECK(at.told() == 0);
    CHECK(at.row()->is_conflict_seen);
    at.rules.policy.trust_ceiling = 0.5;  // judged again, and the same writes
    at.take(bot(), both);
    CHECK(at.told() == 0);
    at.take(bot(), set_of({earlier, later, written(entry_of("2.1.0", noon + 90), {}, "asia-77aa", noon + 90)}));
    CHECK(at.told() == 3);
    CHECK(at.followed.conflicts == 1);
  }
  SUBCASE("the child has nothing of it any more") {
    at.take(bot(), {});
    CHECK(at.told() == 0);
    CHECK(at.followed.conflicts == 0);
    CHECK(at.handed.back().empty());
  }
}

#include "federation/merge.hh"

#include <doctest/doctest.h>

#include <random>

#include "federation/check.hh"
#include "federation/clock.hh"
#include "sample_entries.hh"

using namespace steward;
using namespace steward::federation;
using namespace steward::federation::test;

namespace {

/// All that is the same at two replicas that have seen the same.
std::vector<Bytes> octets_of(const WriteSet& set) {
  std::vector<Bytes> out;
  for (const FeedEntry& entry : set) {
    out.push_back(entry.write_octets());
    out.push_back(feed_statement(entry));
    append_u32(out.back(), entry.ttl);
  }
  return out;
}

/// Signed once, written often: a merge reads what a publisher says and makes nothing of it.
const FeedEntry& any_publication(size_t index) {
  static const std::vector<FeedEntry> all{publication("1.0.0"),
                                          publication("1.1.0", noon + 60),
                                          publication("2.0.0", noon + 120),
                                          rotated(),
                                          publication("1.1.0", noon + 90, first_key(), AgentStatus::Withdrawn),
                                          publication("1.1.0", noon + 95, first_key(), AgentStatus::Revoked)};
  return all[index % all.size()];
}

struct Replica {
  std::string id;
  WriteSet set;
  int64_t now = noon;  // replicas' clocks differ
};

struct Message {
  size_t to;
  WriteSet set;
};

/// A federation whose messages are lost, repeated and late, and whose replicas are at times apart.
class History {
 public:
  History(unsigned seed, size_t replicas) : random_(seed) {
    for (size_t i = 0; i < replicas; ++i)
      replicas_.push_back({"r" + std::to_string(i) + "-4f2a", {}, noon + static_cast<int64_t>(below(5))});
  }

  void step() {
    Replica& replica = replicas_[below(replicas_.size())];
    replica.now += static_cast<int64_t>(below(3));
    switch (below(8)) {
      case 0:
      case 1: write(replica); return;
      case 2: restate(replica); return;
      case 3: is_apart_ = !is_apart_; return;
      case 4:
      case 5: send(static_cast<size_t>(&replica - replicas_.data())); return;
      default: deliver(); return;
    }
  }

  /// Everything reaches everyone, in an order of its own.
  void settle() {
    for (size_t round = 0; round < replicas_.size(); ++round)
      for (size_t i = 0; i < replicas_.size(); ++i)
        for (Replica& other : replicas_) receive(other, replicas_[i].set);
    while (!messages_.empty()) deliver();
    for (size_t i = replicas_.size(); i-- > 0;)
      for (Replica& other : replicas_) receive(other, replicas_[i].set);
  }

  [[nodiscard]] const std::vector<Replica>& replicas() const { return replicas_; }
  [[nodiscard]] const std::vector<FeedEntry>& all_writes() const { return all_; }
  std::mt19937& random() { return random_; }

 private:
  size_t below(size_t end) { return random_() % end; }

  void write(Replica& replica) {
    FeedEntry entry = written(any_publication(below(6)), replica.set, replica.id, replica.now);
    for (const FeedEntry& before : replica.set)
      CHECK(compare(before.write.clock, entry.write.clock) == ClockOrder::Before);
    all_.push_back(entry);
    replica.set = merge_sets(replica.set, {entry});
    CHECK(replica.set.size() == 1);
  }

  void restate(Replica& replica) {
    if (replica.set.empty()) return;
    FeedEntry& entry = replica.set[below(replica.set.size())];
    REQUIRE(restate_write(entry, static_cast<double>(below(101)) / 100, 60, unix_time(replica.now), Seconds(10000)));
    all_.push_back(entry);
  }

  void send(size_t from) {
    for (size_t to = 0; to < replicas_.size(); ++to) {
      if (is_apart_ && to % 2 != from % 2) continue;
      for (size_t times = below(3); times > 0; --times) messages_.push_back({to, replicas_[from].set});
    }
  }

  void deliver() {
    if (messages_.empty()) return;
    const auto at = messages_.begin() + static_cast<std::ptrdiff_t>(below(messages_.size()));
    receive(replicas_[at->to], at->set);
    if (below(4) != 0) messages_.erase(at);
  }

  static void receive(Replica& replica, const WriteSet& set) { replica.set = merge_sets(replica.set, set); }

  std::mt19937 random_;
  std::vector<Replica> replicas_;
  std::vector<Message> messages_;
  std::vector<FeedEntry> all_;
  bool is_apart_ = false;
};

}  // namespace

TEST_CASE("merge: after random histories with loss, repetition and partitions all replicas hold the same") {
  size_t conflicts = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    History history(seed, 2 + seed % 4);
    for (int i = 0; i < 60; ++i) history.step();
    history.settle();
    const auto expected = octets_of(history.replicas().front().set);
    for (const Replica& replica : history.replicas()) REQUIRE(octets_of(replica.set) == expected);
    // What is held is what follows from all writes that were ever made, and nothing of it was lost on the way.
    CHECK(octets_of(set_of(history.all_writes())) == expected);
    const WriteSet& set = history.replicas().front().set;
    CHECK(set.size() <= history.replicas().size());
    for (const FeedEntry& one : set)
      for (const FeedEntry& other : set)
        if (&one != &other) CHECK(compare(one.write.clock, other.write.clock) == ClockOrder::Concurrent);
    for (const FeedEntry& loser : set) CHECK_FALSE(comes_before(loser, *winner(set)));
    if (set.size() > 1) ++conflicts;
  }
  CHECK(conflicts > 50);
}

TEST_CASE("merge: commutative, associative and idempotent on parts of random histories") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    History history(1000 + seed, 2 + seed % 4);
    for (int i = 0; i < 40; ++i) history.step();
    std::array<WriteSet, 3> sets;
    for (WriteSet& set : sets) {
      std::vector<FeedEntry> part;
      for (const FeedEntry& entry : history.all_writes())
        if (history.random()() % 2 == 0) part.push_back(entry);
      set = set_of(std::move(part));
    }
    const auto& [a, b, c] = sets;
    CHECK(octets_of(merge_sets(a, b)) == octets_of(merge_sets(b, a)));
    CHECK(octets_of(merge_sets(merge_sets(a, b), c)) == octets_of(merge_sets(a, merge_sets(b, c))));
    CHECK(octets_of(merge_sets(a, a)) == octets_of(a));
    CHECK(octets_of(merge_sets(a, {})) == octets_of(a));
    CHECK(octets_of(merge_sets(merge_sets(a, b), b)) == octets_of(merge_sets(a, b)));
  }
}

TEST_CASE("merge: a brain split in three has one winner and two losers until the next write ends it") {
  const FeedEntry base = sample_write();
  const FeedEntry eu = written(publication("1.5.0", noon + 60), {base}, "eu-4f2a", noon + 60);
  const FeedEntry us = written(publication("1.6.0", noon + 61), {base}, "us-91c0", noon + 61);
  const FeedEntry asia = written(publication("1.4.9", noon + 62), {base}, "asia-77aa", noon + 62);
  const WriteSet set = merge_sets(merge_sets({eu}, {us}), merge_sets({base}, {asia}));
  REQUIRE(set.size() == 3);
  CHECK(winner(set)->version() == "1.4.9");
  CHECK(set[1].version() == "1.6.0");
  CHECK(set[2].version() == "1.5.0");
  CHECK(clock_to_text(set[0].write.clock) == "asia-77aa:1,eu-4f2a:1");

  const FeedEntry next = written(publication("1.5.1", noon + 90), set, "eu-4f2a", noon + 90);
  CHECK(clock_to_text(next.write.clock) == "asia-77aa:1,eu-4f2a:3,us-91c0:1");
  const WriteSet after = merge_sets(set, {next});
  REQUIRE(after.size() == 1);
  CHECK(winner(after)->lost ==
        std::vector{agent::sha256_text(us.statement->txt_rdata()), agent::sha256_text(eu.statement->txt_rdata())});
}

TEST_CASE("merge: revoked wins over a later write, then the later stamp, then the replica, then the digest") {
  const FeedEntry base = sample_write();
  const FeedEntry revoked =
      written(publication("1.4.2", noon + 10, first_key(), AgentStatus::Revoked), {base}, "eu-4f2a", noon + 10);
  const FeedEntry later = written(publication("3.0.0", noon + 200), {base}, "us-91c0", noon + 200);
  const FeedEntry same_time = written(publication("2.0.0", noon + 100), {base}, "asia-77aa", noon + 200);
  const WriteSet set = set_of({later, same_time, revoked});
  REQUIRE(set.size() == 3);
  CHECK(set[0].is_revoked());
  CHECK(set[1].write.replica == "us-91c0");
  CHECK(set[2].write.replica == "asia-77aa");

  FeedEntry other = later;  // a replica that says two things at once
  other.statement = publication("4.0.0").statement;
  const WriteSet two = set_of({later, other});
  REQUIRE(two.size() == 2);
  CHECK(two[0].digest() > two[1].digest());
  CHECK(octets_of(two) == octets_of(set_of({other, later})));
}

TEST_CASE("merge: a withdrawal is a write like any other") {
  const FeedEntry base = sample_write();
  const FeedEntry gone =
      written(publication("1.4.2", noon + 10, first_key(), AgentStatus::Withdrawn), {base}, "us-91c0", noon + 10);
  const WriteSet set = merge_sets({base}, {gone});
  REQUIRE(set.size() == 1);
  CHECK(winner(set)->is_tombstone());
}

TEST_CASE("merge: trust that is stated anew is no conflict, and the later word is taken") {
  const FeedEntry base = sample_write();
  FeedEntry low = base;
  FeedEntry high = base;
  REQUIRE(restate_write(low, 0.2, 60, unix_time(noon + 5), most_ahead));
  REQUIRE(restate_write(high, 0.9, 300, unix_time(noon + 9), most_ahead));
  const WriteSet set = set_of({high, base, low});
  REQUIRE(set.size() == 1);
  CHECK(winner(set)->trust == 0.9);
  CHECK(same_writes(set, {base}));
  low.told = high.told;  // two replicas in the same second
  CHECK(winner(merge_sets({low}, {high}))->trust == 0.2);
  CHECK(winner(merge_sets({high}, {low}))->trust == 0.2);
}

TEST_CASE("merge: a name that comes back after its key was revoked keeps the revocation and its proof") {
  const FeedEntry revoked =
      written(publication("1.4.2", noon + 10, first_key(), AgentStatus::Revoked), {}, "eu-4f2a", noon + 10);
  const FeedEntry back = written(publication("1.5.0", noon + 20, second_key()), {revoked}, "eu-4f2a", noon + 20);
  REQUIRE(back.revocations.size() == 1);
  CHECK(back.keys.size() == 2);
  const FeedEntry third = written(publication("1.6.0", noon + 30, second_key()), {back}, "us-91c0", noon + 30);
  CHECK(third.revocations == back.revocations);
  CHECK(check_entry(third, {name_of(space_text), unix_time(noon + 30), most_ahead, print_of(first_key())}));
}

TEST_CASE("merge: a stamp held that is too far ahead lets no write be made above it") {
  FeedEntry ahead = sample_write();
  ahead.write.stamp = noon + 301;
  FeedEntry next = publication("1.5.0", noon + 60);
  CHECK_FALSE(make_next(next, {ahead}, "us-91c0", unix_time(noon), most_ahead));
}

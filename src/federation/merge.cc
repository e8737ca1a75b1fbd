#include "federation/merge.hh"

#include <fmt/format.h>

#include <algorithm>

#include "federation/clock.hh"

namespace steward::federation {
namespace {

/// A write with the digest that would otherwise be made for each comparison.
struct Candidate {
  FeedEntry entry;
  std::array<uint8_t, 32> digest{};
};

bool ranks_above(const FeedEntry& a, const FeedEntry& b, auto digest_of_a, auto digest_of_b) {
  if (a.is_revoked() != b.is_revoked()) return a.is_revoked();
  if (a.write.stamp != b.write.stamp) return a.write.stamp > b.write.stamp;
  if (a.write.replica != b.write.replica) return a.write.replica > b.write.replica;
  return digest_of_a() > digest_of_b();
}

bool ranks_above(const Candidate& a, const Candidate& b) {
  return ranks_above(
      a.entry, b.entry, [&] { return a.digest; }, [&] { return b.digest; });
}

// A total order of what is stated anew, so that taking the greatest is a join: the later word, then the more careful
// one.
bool is_newer_word(const FeedEntry& a, const FeedEntry& b) {
  if (a.told != b.told) return a.told > b.told;
  if (a.trust != b.trust) return a.trust < b.trust;
  return a.ttl < b.ttl;
}

bool is_dominated(const FeedEntry& entry, const std::vector<Candidate>& by) {
  return std::ranges::any_of(by, [&](const Candidate& other) {
    return compare(entry.write.clock, other.entry.write.clock) == ClockOrder::Before;
  });
}

void add_statement_digest(std::vector<std::string>& lost, const FeedEntry& loser) {
  if (!loser.statement) return;
  std::string digest = agent::sha256_text(loser.statement->txt_rdata());
  if (std::ranges::find(lost, digest) == lost.end()) lost.push_back(std::move(digest));
}

void remember_revocations(FeedEntry& entry, const FeedEntry& before) {
  const bool ends = before.is_revoked() && before.statement;
  if (!ends && before.revocations.empty()) return;
  entry.revocations.insert(entry.revocations.end(), before.revocations.begin(), before.revocations.end());
  if (ends) {
    const ByteView txt = before.statement->txt_rdata();
    entry.revocations.emplace_back(txt.begin(), txt.end());
  }
  entry.keys.insert(entry.keys.end(), before.keys.begin(), before.keys.end());
}

}  // namespace

bool comes_before(const FeedEntry& a, const FeedEntry& b) {
  return ranks_above(
      a, b, [&] { return a.digest(); }, [&] { return b.digest(); });
}

WriteSet set_of(std::vector<FeedEntry> writes) {
  if (writes.size() < 2) return writes;
  std::vector<Candidate> candidates;
  candidates.reserve(writes.size());
  for (FeedEntry& entry : writes) {
    const auto digest = entry.digest();
    candidates.push_back({std::move(entry), digest});
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    if (a.digest == b.digest) return is_newer_word(a.entry, b.entry);
    return ranks_above(a, b);
  });
  const auto same = [](const Candidate& a, const Candidate& b) { return a.digest == b.digest; };
  candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
  WriteSet set;
  for (const Candidate& candidate : candidates)
    if (!is_dominated(candidate.entry, candidates)) set.push_back(candidate.entry);
  return set;
}

WriteSet merge_sets(const WriteSet& a, const WriteSet& b) {
  std::vector<FeedEntry> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return set_of(std::move(all));
}

bool same_writes(const WriteSet& a, const WriteSet& b) {
  return std::ranges::equal(
      a, b, [](const FeedEntry& one, const FeedEntry& other) { return one.write_octets() == other.write_octets(); });
}

Result<void> make_next(FeedEntry& entry, const WriteSet& held, std::string_view replica, UnixTime now,
                       Seconds most_ahead) {
  agent::WriteStamp seen;
  std::vector<std::string> lost;
  for (const FeedEntry& before : held) {
    seen.clock = join(seen.clock, before.write.clock);
    seen.stamp = std::max(seen.stamp, before.write.stamp);
    if (&before != &held.front()) add_statement_digest(lost, before);
    remember_revocations(entry, before);
  }
  for (const FeedEntry& before : held)
    for (const std::string& digest : before.lost)
      if (std::ranges::find(lost, digest) == lost.end()) lost.push_back(digest);
  lost.resize(std::min(lost.size(), max_lost));
  auto write = agent::next_write(seen, replica, now, most_ahead);
  if (!write) return fail(entry.agent.to_text(), write.error());
  entry.lost = std::move(lost);
  entry.write = *std::move(write);
  entry.told = entry.write.stamp;
  entry.normalize();
  if (auto sound = check_form(entry); !sound) return fail(entry.agent.to_text(), sound.error());
  return {};
}

Result<void> restate_write(FeedEntry& entry, double trust, uint32_t ttl, UnixTime now, Seconds most_ahead) {
  const auto told = next_stamp(entry.told, now, most_ahead);
  if (!told) return fail(entry.agent.to_text(), told.error());
  entry.told = *told;
  entry.trust = trust;
  entry.ttl = ttl;
  entry.normalize();
  if (auto sound = check_form(entry); !sound) return fail(entry.agent.to_text(), sound.error());
  return {};
}

}  // namespace steward::federation

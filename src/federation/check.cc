#include "federation/check.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "agent/endpoint_rows.hh"
#include "agent/manifest.hh"
#include "agent/rotation.hh"
#include "federation/clock.hh"

namespace steward::federation {
namespace {

using agent::AgentStatus;
using agent::Rotation;
using agent::Statement;

constexpr size_t max_agent_name = 180;  // octets in wire form: what stands below it, and in a feed, has to fit

/// KEY RDATA by fingerprint: each key is parsed once, and each signature checked with one.
using KeyRing = std::map<std::string, ByteView, std::less<>>;

KeyRing ring_of(const FeedEntry& entry) {
  KeyRing ring;
  for (const Bytes& rdata : entry.keys)
    // One of an algorithm that is not known here signs nothing that could be checked.
    if (const auto key = agent::PublisherKey::from_rdata(rdata)) ring.emplace(key->fingerprint(), rdata);
  return ring;
}

std::vector<ByteView> keys_of(const KeyRing& ring, std::initializer_list<std::string_view> prints) {
  std::vector<ByteView> keys;
  for (const std::string_view print : prints)
    if (const auto found = ring.find(print); found != ring.end()) keys.push_back(found->second);
  return keys;
}

Result<void> check_name(NameView agent, NameView space) {
  if (!agent.is_below(space))
    return fail(Errc::Refused,
                fmt::format("does not lie below {}, which is all that the feed speaks for", space.to_text()));
  if (agent.size() > max_agent_name)
    return fail(Errc::Invalid, fmt::format("an agent's name has at most {} octets", max_agent_name));
  if (const auto label = agent::agent_label(as_text(agent.first_label())); !label) return tl::unexpected(label.error());
  for (NameView above = agent.parent(); above.is_below(space); above = above.parent())
    if (above.first_label().front() == '_') return fail(Errc::Invalid, "a label that begins with _ is no namespace's");
  return {};
}

Result<void> check_endpoint_rows(const FeedEntry& entry) {
  const auto rows = entry.endpoints();
  if (auto same = entry.statement->verify_endpoints(rows); !same) return same;
  if (!entry.is_tombstone()) return {};
  std::vector<agent::Endpoint> none;
  const auto tombstone = agent::tombstone_rows();
  none.reserve(tombstone.size());
  for (const auto& row : tombstone) none.push_back({row.type, row.rdata});
  if (entry.statement->endpoints() == agent::endpoint_digest(none)) return {};
  return fail(Errc::Invalid,
              fmt::format("status={} comes with SVCB 0 . and SRV 0 0 0 . alone", agent::to_text(entry.status)));
}

/// Fingerprints of keys that were revoked, by statements that they signed.
Result<std::set<std::string, std::less<>>> revoked_keys(const FeedEntry& entry, const KeyRing& ring) {
  std::set<std::string, std::less<>> revoked;
  for (const Bytes& txt : entry.revocations) {
    const auto statement = Statement::from_txt(txt);
    if (!statement) return fail("_revoked", statement.error());
    if (statement->status() != AgentStatus::Revoked)
      return fail(Errc::Invalid, "_revoked: a statement that is not status=revoked");
    if (auto good = statement->verify(entry.agent, keys_of(ring, {statement->fingerprint()})); !good)
      return fail("_revoked", good.error());
    revoked.emplace(statement->fingerprint());
  }
  return revoked;
}

Result<std::vector<Rotation>> rotations_of(const FeedEntry& entry, const KeyRing& ring) {
  std::vector<Rotation> rotations;
  for (const Bytes& txt : entry.rotations) {
    auto rotation = Rotation::from_txt(txt);
    if (!rotation) return tl::unexpected(rotation.error());
    rotations.push_back(*std::move(rotation));
  }
  std::ranges::sort(rotations, {}, &Rotation::number);
  for (size_t i = 1; i < rotations.size(); ++i)
    if (rotations[i].number() == rotations[i - 1].number())
      return fail(Errc::Invalid, fmt::format("_keys: two records with n={}", rotations[i].number()));
  for (const Rotation& rotation : rotations) {
    const auto keys = keys_of(ring, {rotation.old_fingerprint(), rotation.new_fingerprint()});
    if (auto good = rotation.verify(entry.agent, keys); !good) return tl::unexpected(good.error());
  }
  return rotations;
}

/// The chain: each rotation goes on where the one before ended, or, behind a key that was revoked, anywhere, since the
/// name then belongs to one on the allow-list of its home. It ends at the key that signed.
Result<void> check_chain(const FeedEntry& entry, const std::vector<Rotation>& rotations,
                         const std::set<std::string, std::less<>>& revoked, const std::optional<std::string>& known) {
  const std::string_view present = entry.fingerprint();
  // A revocation is the last word of a key; the same statement may stand as its own evidence.
  if (revoked.contains(present) && !entry.is_revoked())
    return fail(Errc::Refused, fmt::format("key {} is revoked, and never signs for this name again", present));
  bool is_known = !known || *known == present;
  std::string_view at = rotations.empty() ? present : rotations.front().old_fingerprint();
  for (const Rotation& rotation : rotations) {
    if (rotation.old_fingerprint() != at && !revoked.contains(at))
      return fail(Errc::Refused, fmt::format("_keys: n={} leads from {}, the one before ended at {}", rotation.number(),
                                             rotation.old_fingerprint(), at));
    is_known = is_known || at == *known || rotation.old_fingerprint() == *known;
    at = rotation.new_fingerprint();
  }
  if (at != present && !revoked.contains(at))
    return fail(Errc::Refused, fmt::format("_keys: the chain ends at {}, not at the statement's key {}", at, present));
  if (is_known || at == *known || revoked.contains(*known)) return {};
  return fail(Errc::Refused,
              fmt::format("_keys: no chain leads from the known key {} to the statement's, {}", *known, present));
}

Result<void> check_signatures(const FeedEntry& entry, const EntryRules& rules) {
  const KeyRing ring = ring_of(entry);
  if (entry.statement)
    if (auto good = entry.statement->verify(entry.agent, keys_of(ring, {entry.fingerprint()})); !good) return good;
  const auto revoked = revoked_keys(entry, ring);
  if (!revoked) return tl::unexpected(revoked.error());
  const auto rotations = rotations_of(entry, ring);
  if (!rotations) return tl::unexpected(rotations.error());
  return check_chain(entry, *rotations, *revoked, rules.known);
}

Result<void> check(const FeedEntry& entry, const EntryRules& rules) {
  if (auto sound = check_name(entry.agent, rules.space); !sound) return sound;
  if (auto sound = check_form(entry); !sound) return sound;
  for (const uint64_t stamp : {entry.write.stamp, entry.told})
    if (auto sound = check_stamp(stamp, rules.now, rules.most_ahead); !sound) return sound;
  if (entry.statement)
    if (auto sound = check_endpoint_rows(entry); !sound) return sound;
  return check_signatures(entry, rules);
}

}  // namespace

Result<void> check_entry(const FeedEntry& entry, const EntryRules& rules) {
  if (auto sound = check(entry, rules); !sound) return fail(entry.agent.to_text(), sound.error());
  return {};
}

}  // namespace steward::federation

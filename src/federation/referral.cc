// Octets of rows: a format number, then fields of a tag, a length in 4 octets and a value; integers big-endian.

#include "federation/referral.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "agent/text_fields.hh"
#include "agent/trust.hh"
#include "base/tagged_fields.hh"
#include "federation/clock.hh"

namespace steward::federation {
namespace {

constexpr uint8_t row_format = 1;
constexpr uint8_t child_mark = 0;  // no canonical key begins with it

// Stored: never renumbered.
enum class Tag : uint8_t {
  Version = 1,
  Modified = 2,
  Statement = 3,
  Clock = 4,
  Fingerprint = 5,
  Tombstone = 6,
  Suspended = 7,
  Trust = 8,
  Capability = 9,
  Rule = 10,
  Reason = 11,
  MayPass = 12,
  Seen = 13,
  Loser = 14,
  Conflict = 15,
  ConflictSeen = 16,
  Hosted = 17,
  Replica = 20,
  Terms = 21,
  Reached = 22,
  Walking = 23,
  At = 24,
  Reviewed = 25,
  ReachedAt = 26,
  Agents = 27,
  Tombstones = 28,
  Refused = 29,
  Conflicts = 30,
  Unseen = 31,
  Registered = 32,
};

class Fields : public TaggedWriter<Tag> {
 public:
  Fields() : TaggedWriter(row_format) {}
  /// Nothing where it is empty.
  void text(Tag tag, std::string_view value) {
    if (!value.empty()) octets(tag, as_bytes(value));
  }
  void flag(Tag tag, bool value) {
    if (value) number(tag, 1);
  }
};

uint64_t number_of(ByteView value, bool& is_sound) {
  ByteReader in(value);
  const uint64_t number = read_u64(in);
  is_sound &= in.ok() && in.left() == 0;
  return number;
}

/// take(tag, value) for each field; Corrupt where the octets are no row, or `take` says false.
template <class Take>
Result<void> read_fields(ByteView octets, const Take& take) {
  ByteReader in(octets);
  bool is_sound = in.u8() == row_format;
  while (is_sound && in.left() > 0) {
    const auto tag = static_cast<Tag>(in.u8());
    const ByteView value = in.bytes(in.u32());
    is_sound = in.ok() && take(tag, value);
  }
  if (is_sound && in.ok()) return {};
  return fail(Errc::Corrupt, "referrals: a row of no known form");
}

AcceptedWrite& accepted_of(Referral& row) {
  if (!row.accepted) row.accepted.emplace();
  return *row.accepted;
}

ReferralMark& mark_of(Referral& row) {
  if (!row.mark) row.mark.emplace();
  return *row.mark;
}

bool take_accepted(Tag tag, ByteView value, Referral& row) {
  bool is_sound = true;
  switch (tag) {
    case Tag::Version: accepted_of(row).version = as_text(value); break;
    case Tag::Modified:
      accepted_of(row).modified = unix_time(static_cast<int64_t>(number_of(value, is_sound)));
      break;
    case Tag::Statement: accepted_of(row).statement = as_text(value); break;
    case Tag::Clock:
      if (auto clock = clock_from_text(as_text(value)))
        accepted_of(row).clock = *std::move(clock);
      else
        is_sound = false;
      break;
    default: break;
  }
  return is_sound;
}

bool take_row(Tag tag, ByteView value, Referral& row) {
  bool is_sound = true;
  switch (tag) {
    case Tag::Fingerprint: row.fingerprint = as_text(value); break;
    case Tag::Tombstone: row.is_tombstone = number_of(value, is_sound) == 1; break;
    case Tag::Suspended: row.is_suspended = number_of(value, is_sound) == 1; break;
    case Tag::Trust: row.trust = static_cast<double>(number_of(value, is_sound)) / 100; break;
    case Tag::Capability: row.capabilities.emplace_back(as_text(value)); break;
    case Tag::Rule: mark_of(row).rule = as_text(value); break;
    case Tag::Reason: mark_of(row).reason = as_text(value); break;
    case Tag::MayPass: mark_of(row).may_pass = number_of(value, is_sound) == 1; break;
    case Tag::Loser: row.losers.emplace_back(as_text(value)); break;
    case Tag::Conflict: row.conflict.emplace_back(value.begin(), value.end()); break;
    case Tag::ConflictSeen: row.is_conflict_seen = number_of(value, is_sound) == 1; break;
    case Tag::Hosted: row.is_hosted = number_of(value, is_sound) == 1; break;
    case Tag::Seen: row.seen.assign(value.begin(), value.end()); break;
    default: return take_accepted(tag, value, row);
  }
  return is_sound;
}

bool take_child(Tag tag, ByteView value, FollowedChild& child) {
  bool is_sound = true;
  const auto small = [&] { return static_cast<uint32_t>(number_of(value, is_sound)); };
  const auto time = [&] { return unix_time(static_cast<int64_t>(number_of(value, is_sound))); };
  switch (tag) {
    case Tag::Replica: child.replica = as_text(value); break;
    case Tag::Terms: child.terms = as_text(value); break;
    case Tag::Reached: child.reached = small(); break;
    case Tag::Walking: child.walking = small(); break;
    case Tag::At: child.at.assign(value.begin(), value.end()); break;
    case Tag::Reviewed: child.reviewed = time(); break;
    case Tag::ReachedAt: child.reached_at = time(); break;
    case Tag::Agents: child.agents = small(); break;
    case Tag::Tombstones: child.tombstones = small(); break;
    case Tag::Refused: child.refused = small(); break;
    case Tag::Conflicts: child.conflicts = small(); break;
    case Tag::Unseen: child.unseen = small(); break;
    case Tag::Registered: child.registered = small() != 0; break;
    default: break;
  }
  return is_sound;
}

Bytes canonical(NameView name, NameView zone) {
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(name, zone, key.data()));
  return key;
}

bool starts_with(const Bytes& key, const Bytes& start) {
  return key.size() >= start.size() && std::equal(start.begin(), start.end(), key.begin());
}

}  // namespace

ReferralMark make_mark(std::string_view rule, std::string_view reason, bool may_pass) {
  std::string line(reason.substr(0, max_mark_reason));
  std::ranges::replace_if(
      line, [](char c) { return c < ' ' || c > '~'; }, '?');
  return {std::string(rule), std::move(line), may_pass};
}

Bytes Referral::to_octets() const {
  Fields fields;
  if (accepted) {
    fields.text(Tag::Version, accepted->version);
    fields.number(Tag::Modified, static_cast<uint64_t>(seconds_of(accepted->modified)));
    fields.text(Tag::Statement, accepted->statement);
    fields.text(Tag::Clock, clock_to_text(accepted->clock));
  }
  fields.text(Tag::Fingerprint, fingerprint);
  fields.flag(Tag::Tombstone, is_tombstone);
  fields.flag(Tag::Suspended, is_suspended);
  fields.number(Tag::Trust, static_cast<uint64_t>(std::lround(std::clamp(trust, 0.0, 1.0) * 100)));
  for (const std::string& capability : capabilities) fields.octets(Tag::Capability, as_bytes(capability));
  for (const std::string& loser : losers) fields.octets(Tag::Loser, as_bytes(loser));
  for (const Bytes& rdata : conflict) fields.octets(Tag::Conflict, rdata);
  fields.flag(Tag::ConflictSeen, is_conflict_seen);
  fields.flag(Tag::Hosted, is_hosted);
  if (mark) {
    fields.octets(Tag::Rule, as_bytes(mark->rule));
    fields.text(Tag::Reason, mark->reason);
    fields.flag(Tag::MayPass, mark->may_pass);
  }
  if (!seen.empty()) fields.octets(Tag::Seen, seen);
  return fields.out;
}

Result<Referral> Referral::from_octets(ByteView octets) {
  Referral row;
  if (auto read = read_fields(octets, [&](Tag tag, ByteView value) { return take_row(tag, value, row); }); !read)
    return tl::unexpected(read.error());
  return row;
}

void FollowedChild::count(const std::optional<Referral>& before, const std::optional<Referral>& after) {
  const auto move = [&](uint32_t& count, const auto& holds) {
    if (before && holds(*before) && count > 0) --count;
    if (after && holds(*after)) ++count;
  };
  move(agents, [](const Referral& row) { return row.is_agent(); });
  move(tombstones, [](const Referral& row) { return row.is_tombstone_kept(); });
  move(refused, [](const Referral& row) { return row.mark.has_value(); });
  move(conflicts, [](const Referral& row) { return row.has_conflict(); });
  move(unseen, [](const Referral& row) { return row.has_conflict() && !row.is_conflict_seen; });
}

Bytes FollowedChild::to_octets() const {
  Fields fields;
  fields.text(Tag::Replica, replica);
  fields.text(Tag::Terms, terms);
  if (reached) fields.number(Tag::Reached, *reached);
  if (walking) fields.number(Tag::Walking, *walking);
  if (!at.empty()) fields.octets(Tag::At, at);
  fields.number(Tag::Reviewed, static_cast<uint64_t>(seconds_of(reviewed)));
  fields.number(Tag::ReachedAt, static_cast<uint64_t>(seconds_of(reached_at)));
  fields.number(Tag::Agents, agents);
  fields.number(Tag::Tombstones, tombstones);
  fields.number(Tag::Refused, refused);
  fields.number(Tag::Conflicts, conflicts);
  fields.number(Tag::Unseen, unseen);
  if (registered) fields.number(Tag::Registered, 1);
  return fields.out;
}

Result<FollowedChild> FollowedChild::from_octets(ByteView octets) {
  FollowedChild child;
  if (auto read = read_fields(octets, [&](Tag tag, ByteView value) { return take_child(tag, value, child); }); !read)
    return tl::unexpected(read.error());
  return child;
}

std::string key_held(const Referral& referral) {
  return referral.accepted && !referral.accepted->statement.empty() ? referral.fingerprint : std::string();
}

std::optional<change::FoundAgent> found_referral(NameView agent, const std::optional<Referral>& referral) {
  if (!referral || !referral->is_agent() || referral->is_suspended) return std::nullopt;
  return change::FoundAgent{dns::Name(agent), referral->trust, change::terms_of(agent, referral->capabilities)};
}

namespace {

Bytes statement_by(std::string_view registry, const FeedEntry& entry, double trust) {
  agent::AgentEntry word;  // what a registry's statement is made of
  word.trust = trust;
  word.write = entry.write;
  word.status = entry.status;
  if (entry.suspended) word.suspended = "";
  return agent::registry_statement(registry, word);
}

}  // namespace

std::optional<change::ReferredAgent> referred_agent(const FeedEntry& entry, double trust, std::string_view registry) {
  if (!entry.statement) return std::nullopt;
  change::ReferredAgent referred;
  referred.agent = entry.agent;
  const ByteView txt = entry.statement->txt_rdata();
  referred.statement.assign(txt.begin(), txt.end());
  referred.registry_statement = statement_by(registry, entry, trust);
  // Those of the chain are for who follows the feed; a reader of `_ref` checks the statement alone.
  for (const Bytes& rdata : entry.keys)
    if (const auto key = agent::PublisherKey::from_rdata(rdata); key && key->fingerprint() == entry.fingerprint())
      referred.keys.push_back(rdata);
  referred.srv = entry.srv;
  referred.svcb = entry.svcb;
  referred.ttl = std::min(entry.ttl, max_feed_ttl);
  return referred;
}

namespace {

/// The manifest that the statement means; empty where it is another.
Bytes manifest_of(const FeedEntry& entry) {
  Bytes octets;
  ByteReader in(entry.manifest);
  while (in.ok() && in.left() > 0) {
    const size_t size = in.u8();
    append(octets, in.bytes(size));
  }
  const bool is_meant = in.ok() && !octets.empty() && entry.statement->find("digest") == agent::sha256_text(octets);
  return is_meant ? entry.manifest : Bytes{};
}

}  // namespace

// By its home's id, as at a home that answers itself, with the trust that this registry states.
std::optional<change::HostedAgent> hosted_agent(const FeedEntry& entry, double trust) {
  if (!entry.statement) return std::nullopt;
  const ByteView txt = entry.statement->txt_rdata();
  return change::HostedAgent{{txt.begin(), txt.end()}, statement_by(entry.registry, entry, trust), entry.keys, entry.srv, entry.svcb, entry.rotations,
                             manifest_of(entry), std::min(entry.ttl, max_feed_ttl)};
}

std::optional<change::HostedListing> hosted_listing(const std::optional<Referral>& referral) {
  if (!referral || !referral->is_hosted || !referral->is_agent() || referral->is_suspended) return std::nullopt;
  return change::HostedListing{referral->trust, referral->accepted->version, referral->capabilities};
}

Result<Bytes> Referrals::key_of(NameView agent) const {
  if (!agent.is_below(zone_))
    return fail(Errc::Invalid, fmt::format("{}: is not below {}", agent.to_text(), zone_.to_text()));
  Bytes key = canonical(agent, zone_);
  if (key.size() + 1 <= zone::max_table_key) return key;
  return fail(Errc::Invalid, fmt::format("{}: the name is too long", agent.to_text()));
}

Result<Bytes> Referrals::child_key(NameView zone) const {
  auto key = key_of(zone);
  if (key) key->insert(key->begin(), child_mark);
  return key;
}

Result<std::optional<Referral>> Referrals::find(NameView agent) const {
  const auto key = key_of(agent);
  if (!key) return tl::unexpected(key.error());
  const Bytes octets = table_.find(*key);
  if (octets.empty()) return std::optional<Referral>();
  auto row = Referral::from_octets(octets);
  if (!row) return fail(agent.to_text(), row.error());
  return std::optional(*std::move(row));
}

Result<void> Referrals::put(NameView agent, const std::optional<Referral>& referral) {
  const auto key = key_of(agent);
  if (!key) return tl::unexpected(key.error());
  return table_.put(*key, referral ? referral->to_octets() : Bytes{});
}

Result<std::optional<FollowedChild>> Referrals::child(NameView zone) const {
  const auto key = child_key(zone);
  if (!key) return tl::unexpected(key.error());
  const Bytes octets = table_.find(*key);
  if (octets.empty()) return std::optional<FollowedChild>();
  auto child = FollowedChild::from_octets(octets);
  if (!child) return fail(zone.to_text(), child.error());
  return std::optional(*std::move(child));
}

Result<void> Referrals::put_child(NameView zone, const std::optional<FollowedChild>& child) {
  const auto key = child_key(zone);
  if (!key) return tl::unexpected(key.error());
  return table_.put(*key, child ? child->to_octets() : Bytes{});
}

Result<std::vector<dns::Name>> Referrals::children() const {
  std::vector<dns::Name> zones;
  for (Bytes key{child_mark}; table_.at_or_after(key) && key.front() == child_mark; key.push_back(0)) {
    auto zone = dns::name_of_canonical_key(ByteView(key).subspan(1), zone_);
    if (!zone) return fail("referrals", zone.error());
    zones.push_back(*std::move(zone));
  }
  return zones;
}

Result<std::optional<Referrals::Row>> Referrals::next(NameView child, const Bytes& after) const {
  const auto start = key_of(child);
  if (!start) return tl::unexpected(start.error());
  // The child's own name is no agent below it; and behind a key the next one is it with an octet more.
  Bytes key = after > *start ? after : *start;
  key.push_back(0);
  if (!table_.at_or_after(key) || !starts_with(key, *start)) return std::optional<Row>();
  auto agent = dns::name_of_canonical_key(key, zone_);
  if (!agent) return fail("referrals", agent.error());
  auto row = Referral::from_octets(table_.find(key));
  if (!row) return fail(agent->to_text(), row.error());
  return std::optional(Row{*std::move(agent), std::move(key), *std::move(row)});
}

}  // namespace steward::federation

// The octets of what stands in the book. An AgentEntry is a format number and then fields: tag, length in 4 octets,
// value; a tag that is not known is stepped over. A HistoryEntry is TXT RDATA, so that it can be served as it is and
// its chain checked with dig.

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "agent/book.hh"
#include "agent/text_fields.hh"
#include "base/tagged_fields.hh"
#include "crypto/digest.hh"
#include "dns/encoding.hh"

namespace steward::agent {

namespace {

constexpr uint8_t entry_format = 1;
constexpr std::string_view history_version = "steward-log1";

// Stored: never renumbered.
enum class Tag : uint8_t {
  Version = 1,
  Modified = 2,
  Fingerprint = 3,
  Revoked = 4,
  Rotations = 5,
  FirstPublished = 6,
  Presence = 7,
  Status = 8,
  Custodial = 9,
  Suspended = 10,
  LeaseUntil = 11,
  KeyLeaseUntil = 12,
  Capability = 13,
  Protocol = 14,
  Fact = 15,
  Trust = 16,
  LooksAlike = 17,
  History = 18,
  HistoryHead = 19,
  Clock = 20,
  Stamp = 21,
  Replica = 22,
  KeptRotation = 23,
  KeptKey = 24,
  Revocation = 25,
  RevokedKey = 26,
  FromFile = 27,
};

class Writer : public TaggedWriter<Tag> {
 public:
  Writer() : TaggedWriter(entry_format) {}
  void time(Tag tag, UnixTime value) { number(tag, static_cast<uint64_t>(seconds_of(value))); }
  void real(Tag tag, double value) { number(tag, std::bit_cast<uint64_t>(value)); }
};

/// The value of one field. What does not fit makes it `!ok()`.
class Field {
 public:
  Field(ByteView value, bool& is_sound) : value_(value), is_sound_(is_sound) {}

  std::string text() const { return std::string(as_text(value_)); }
  Bytes octets() const { return Bytes(value_.begin(), value_.end()); }
  uint64_t number(uint64_t most = UINT64_MAX) {
    ByteReader in(value_);
    const uint64_t number = read_u64(in);
    is_sound_ &= in.ok() && in.left() == 0 && number <= most;
    return number;
  }
  uint32_t small() { return static_cast<uint32_t>(number(UINT32_MAX)); }
  UnixTime time() { return unix_time(static_cast<int64_t>(number())); }
  double real() { return std::bit_cast<double>(number()); }
  bool truth() { return number(1) == 1; }
  /// A number, and a text behind it.
  std::pair<std::string, uint64_t> counted() {
    ByteReader in(value_);
    const uint64_t number = read_u64(in);
    is_sound_ &= in.ok();
    return {std::string(as_text(in.rest())), number};
  }
  std::pair<std::string, TrustFact> fact() {
    ByteReader in(value_);
    TrustFact fact;
    fact.value = std::bit_cast<double>(read_u64(in));
    fact.at = unix_time(static_cast<int64_t>(read_u64(in)));
    const uint8_t claimed = in.u8();
    fact.claimed = claimed == 1;
    is_sound_ &= in.ok() && claimed <= 1;
    return {std::string(as_text(in.rest())), fact};
  }

 private:
  ByteView value_;
  bool& is_sound_;
};

void read_field(Tag tag, Field field, AgentEntry& entry) {
  switch (tag) {
    case Tag::Version: entry.version = field.text(); return;
    case Tag::Modified: entry.modified = field.time(); return;
    case Tag::Fingerprint: entry.fingerprint = field.text(); return;
    case Tag::Revoked: entry.revoked.push_back(field.text()); return;
    case Tag::Rotations: entry.rotations = field.small(); return;
    case Tag::FirstPublished: entry.first_published = field.time(); return;
    case Tag::Presence:
      entry.presence = static_cast<Presence>(field.number(static_cast<uint8_t>(Presence::Gone)));
      return;
    case Tag::Status:
      entry.status = static_cast<AgentStatus>(field.number(static_cast<uint8_t>(AgentStatus::Revoked)));
      return;
    case Tag::Custodial: entry.custodial = field.truth(); return;
    case Tag::Suspended: entry.suspended = field.text(); return;
    case Tag::LeaseUntil: entry.lease_until = field.time(); return;
    case Tag::KeyLeaseUntil: entry.key_lease_until = field.time(); return;
    case Tag::Capability: entry.capabilities.push_back(field.text()); return;
    case Tag::Protocol: entry.protocols.push_back(field.text()); return;
    case Tag::Fact: entry.facts.insert(field.fact()); return;
    case Tag::Trust: entry.trust = field.real(); return;
    case Tag::LooksAlike: entry.looks_alike = field.truth(); return;
    case Tag::History: entry.history = field.small(); return;
    case Tag::HistoryHead: entry.history_head = field.octets(); return;
    case Tag::Clock: entry.write.clock.insert(field.counted()); return;
    case Tag::Stamp: entry.write.stamp = field.number(); return;
    case Tag::Replica: entry.write.replica = field.text(); return;
    case Tag::KeptRotation: entry.kept_rotations.push_back(field.octets()); return;
    case Tag::KeptKey: entry.kept_keys.push_back(field.octets()); return;
    case Tag::Revocation: entry.revocations.push_back(field.octets()); return;
    case Tag::FromFile: entry.from_file = field.truth(); return;
    case Tag::RevokedKey: entry.revoked_keys.push_back(field.octets()); return;
  }
}

Result<uint32_t> number_from(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number != 0 && text[0] != '0') return number;
  return fail(Errc::Corrupt, "history: n: a number from 1 wanted");
}

std::string hash_text(ByteView hash) { return "sha256:" + dns::encode(dns::hex_lower, hash); }

}  // namespace

Bytes AgentEntry::to_octets() const {
  Writer out;
  out.text(Tag::Version, version);
  out.time(Tag::Modified, modified);
  out.text(Tag::Fingerprint, fingerprint);
  for (const std::string& print : revoked) out.text(Tag::Revoked, print);
  out.number(Tag::Rotations, rotations);
  out.time(Tag::FirstPublished, first_published);
  out.number(Tag::Presence, static_cast<uint8_t>(presence));
  out.number(Tag::Status, static_cast<uint8_t>(status));
  if (custodial) out.number(Tag::Custodial, 1);
  if (suspended) out.text(Tag::Suspended, *suspended);
  if (lease_until) out.time(Tag::LeaseUntil, *lease_until);
  if (key_lease_until) out.time(Tag::KeyLeaseUntil, *key_lease_until);
  for (const std::string& capability : capabilities) out.text(Tag::Capability, capability);
  for (const std::string& protocol : protocols) out.text(Tag::Protocol, protocol);
  for (const auto& [name, fact] : facts) {
    Bytes octets;
    append_u64(octets, std::bit_cast<uint64_t>(fact.value));
    append_u64(octets, static_cast<uint64_t>(seconds_of(fact.at)));
    append_u8(octets, fact.claimed ? 1 : 0);
    append(octets, as_bytes(name));
    out.octets(Tag::Fact, octets);
  }
  out.real(Tag::Trust, trust);
  if (looks_alike) out.number(Tag::LooksAlike, 1);
  out.number(Tag::History, history);
  out.octets(Tag::HistoryHead, history_head);
  for (const auto& [replica, count] : write.clock) {
    Bytes octets;
    append_u64(octets, count);
    append(octets, as_bytes(replica));
    out.octets(Tag::Clock, octets);
  }
  out.number(Tag::Stamp, write.stamp);
  out.text(Tag::Replica, write.replica);
  for (const Bytes& rotation : kept_rotations) out.octets(Tag::KeptRotation, rotation);
  for (const Bytes& key : kept_keys) out.octets(Tag::KeptKey, key);
  if (from_file) out.number(Tag::FromFile, 1);
  for (const Bytes& revocation : revocations) out.octets(Tag::Revocation, revocation);
  for (const Bytes& key : revoked_keys) out.octets(Tag::RevokedKey, key);
  return std::move(out.out);
}

Result<AgentEntry> AgentEntry::from_octets(ByteView octets) {
  ByteReader in(octets);
  if (in.u8() != entry_format) return fail(Errc::Corrupt, "agent's entry: of no known format");
  AgentEntry entry;
  bool is_sound = true;
  uint64_t seen = 0;
  while (in.left() != 0) {
    const uint8_t tag = in.u8();
    const uint32_t size = in.u32();
    const ByteView value = in.bytes(size);
    if (!in.ok()) return fail(Errc::Corrupt, "agent's entry: ends early");
    if (tag < 64) seen |= uint64_t{1} << tag;
    read_field(static_cast<Tag>(tag), Field(value, is_sound), entry);
    if (!is_sound) return fail(Errc::Corrupt, fmt::format("agent's entry: field {} does not hold together", tag));
  }
  for (const Tag tag : {Tag::Version, Tag::Modified, Tag::Fingerprint, Tag::Rotations, Tag::FirstPublished,
                        Tag::Presence, Tag::Status, Tag::History}) {
    if ((seen >> static_cast<uint8_t>(tag) & 1) == 0) {
      return fail(Errc::Corrupt, fmt::format("agent's entry: field {} is missing", static_cast<uint8_t>(tag)));
    }
  }
  return entry;
}

Bytes HistoryEntry::to_octets() const {
  Bytes out;
  append_field(out, "v", history_version);
  append_field(out, "n", std::to_string(number));
  append_field(out, "at", modified_to_text(at));
  append_field(out, "action", action);
  append_field(out, "by", by);
  if (!version.empty()) append_field(out, "version", version);
  if (!digest.empty()) append_field(out, "digest", digest);
  if (!reason.empty()) append_field(out, "reason", reason);
  if (!previous.empty()) append_field(out, "previous", hash_text(previous));
  return out;
}

Result<HistoryEntry> HistoryEntry::from_octets(ByteView octets) {
  const auto fields = fields_from_txt(octets);
  if (!fields) return fail(Errc::Corrupt, "history: " + fields.error().what);
  const auto text = [&](std::string_view key) { return std::string(find_field(*fields, key).value_or("")); };
  if ((*fields)[0].key != "v" || (*fields)[0].value != history_version) {
    return fail(Errc::Corrupt, "history: an entry of no known format");
  }
  const auto number = number_from(text("n"));
  if (!number) return tl::unexpected(number.error());
  const auto at = modified_from_text(text("at"));
  if (!at) return fail(Errc::Corrupt, "history: at: " + at.error().what);
  HistoryEntry entry;
  entry.number = *number;
  entry.at = *at;
  entry.action = text("action");
  entry.by = text("by");
  if (entry.action.empty() || entry.by.empty()) return fail(Errc::Corrupt, "history: action or by is missing");
  entry.version = text("version");
  entry.digest = text("digest");
  entry.reason = text("reason");
  if (const auto previous = find_field(*fields, "previous")) {
    auto hash = is_sha256_text(*previous) ? dns::decode(dns::hex, previous->substr(7)) : Result<Bytes>(Bytes{});
    if (!hash || hash->empty()) return fail(Errc::Corrupt, "history: previous: sha256: and 64 hex digits wanted");
    entry.previous = *std::move(hash);
  }
  return entry;
}

Bytes HistoryEntry::hash() const {
  const auto hash = crypto::sha256(to_octets());
  return Bytes(hash.begin(), hash.end());
}

}  // namespace steward::agent

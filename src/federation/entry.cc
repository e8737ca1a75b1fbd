#include "federation/entry.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "agent/semver.hh"
#include "crypto/digest.hh"
#include "dns/rdata.hh"
#include "federation/clock.hh"
#include "federation/feed_words.hh"

namespace steward::federation {
namespace {

using agent::AgentStatus;

void sort_once(std::vector<Bytes>& rows) {
  std::ranges::sort(rows, [](const Bytes& a, const Bytes& b) { return dns::compare_rdata(a, b) < 0; });
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
}

void append_part(Bytes& out, ByteView part) {
  append_u32(out, static_cast<uint32_t>(part.size()));
  append(out, part);
}

void append_rows(Bytes& out, const std::vector<Bytes>& rows) {
  append_u32(out, static_cast<uint32_t>(rows.size()));
  for (const Bytes& row : rows) append_part(out, row);
}

Result<void> check_rows(std::string_view what, const std::vector<Bytes>& rows, dns::RrType type, size_t most) {
  if (rows.size() > most) return fail(Errc::Full, fmt::format("{}: {} records, at most {}", what, rows.size(), most));
  size_t octets = 0;
  for (const Bytes& row : rows) {
    octets += row.size();
    if (auto sound = dns::check_rdata(type, row); !sound) return fail(what, sound.error());
  }
  if (octets <= max_rrset) return {};
  return fail(Errc::Full, fmt::format("{}: {} octets, at most {}", what, octets, max_rrset));
}

Result<void> check_write(const agent::WriteStamp& write) {
  if (!is_replica_id(write.replica)) return fail(Errc::Invalid, "replica: 1 to 32 of a-z, 0-9 and the hyphen wanted");
  if (write.clock.size() > max_replicas)
    return fail(Errc::Full, fmt::format("clock: more than {} replicas", max_replicas));
  if (!write.clock.contains(write.replica))
    return fail(Errc::Invalid, fmt::format("clock: the replica that wrote, {}, is not in it", write.replica));
  for (const auto& [replica, count] : write.clock) {
    if (!is_replica_id(replica) || count == 0 || count > max_count)
      return fail(Errc::Invalid, fmt::format("clock: a row that is no replica's count: {}", count));
    // Each write raises the stamp by one at least, so that a counter cannot be driven to its end.
    if (count > write.stamp)
      return fail(Errc::Invalid,
                  fmt::format("clock: {} writes of {} do not fit before the stamp {}", count, replica, write.stamp));
  }
  return {};
}

Result<void> check_gone(const GoneName& gone) {
  if (const auto version = agent::SemanticVersion::from_text(gone.version); !version)
    return tl::unexpected(version.error());
  if (!agent::is_sha256_text(gone.fingerprint))
    return fail(Errc::Invalid, "fp: sha256: and 64 hex digits in lower case wanted");
  return {};
}

Result<void> check_lists(const FeedEntry& entry) {
  if (auto sound = check_rows("KEY", entry.keys, dns::RrType::KEY, max_keys); !sound) return sound;
  if (auto sound = check_rows("_keys", entry.rotations, dns::RrType::TXT, max_keys); !sound) return sound;
  if (auto sound = check_rows("_revoked", entry.revocations, dns::RrType::TXT, max_revocations); !sound) return sound;
  for (const Bytes& revocation : entry.revocations)
    if (revocation.size() > max_statement)
      return fail(Errc::Full, fmt::format("_revoked: a statement of over {} octets", max_statement));
  if (auto sound = check_rows("SRV", entry.srv, dns::RrType::SRV, max_endpoints); !sound) return sound;
  if (auto sound = check_rows("SVCB", entry.svcb, dns::RrType::SVCB, max_endpoints); !sound) return sound;
  if (entry.srv.size() + entry.svcb.size() <= max_endpoints) return {};
  return fail(Errc::Full, fmt::format("SRV and SVCB: more than {} records", max_endpoints));
}

Result<void> check_word(const FeedEntry& entry) {
  if (entry.registry.empty() || entry.registry.size() > max_registry_id)
    return fail(Errc::Invalid, fmt::format("registry: an id of 1 to {} octets wanted", max_registry_id));
  for (const char c : entry.registry)
    if (c <= ' ' || c > '~') return fail(Errc::Invalid, "registry: an id in ASCII without spaces wanted");
  if (!(entry.trust >= 0 && entry.trust <= 1)) return fail(Errc::Invalid, "trust: a number from 0 to 1 wanted");
  if (entry.ttl > max_feed_ttl) return fail(Errc::Invalid, fmt::format("TTL {} is over {}", entry.ttl, max_feed_ttl));
  if (entry.lost.size() > max_lost) return fail(Errc::Full, fmt::format("lost: more than {} statements", max_lost));
  for (const std::string& digest : entry.lost)
    if (!agent::is_sha256_text(digest))
      return fail(Errc::Invalid, "lost: sha256: and 64 hex digits in lower case wanted, separated by commas");
  if (entry.told < entry.write.stamp) return fail(Errc::Invalid, "told: is not before the stamp of the write");
  return {};
}

}  // namespace

bool FeedEntry::is_tombstone() const {
  return !statement || status == AgentStatus::Withdrawn || status == AgentStatus::Revoked;
}

std::string_view FeedEntry::fingerprint() const {
  if (statement) return statement->fingerprint();
  return gone ? std::string_view(gone->fingerprint) : std::string_view();
}

std::string_view FeedEntry::version() const {
  if (statement) return statement->version();
  return gone ? std::string_view(gone->version) : std::string_view();
}

UnixTime FeedEntry::modified() const {
  if (statement) return statement->modified();
  return gone ? gone->modified : UnixTime{};
}

std::vector<agent::Endpoint> FeedEntry::endpoints() const {
  std::vector<agent::Endpoint> rows;
  for (const Bytes& rdata : srv) rows.push_back({dns::RrType::SRV, rdata});
  for (const Bytes& rdata : svcb) rows.push_back({dns::RrType::SVCB, rdata});
  return rows;
}

void FeedEntry::normalize() {
  agent = agent.folded();
  for (auto* rows : {&keys, &rotations, &revocations, &srv, &svcb}) sort_once(*rows);
  if (trust >= 0 && trust <= 1) trust = std::round(trust * 100) / 100;
}

Bytes FeedEntry::write_octets() const {
  Bytes out;
  append_part(out, agent.view().wire());
  append_part(out, statement ? statement->txt_rdata() : ByteView{});
  for (const auto* rows : {&keys, &rotations, &revocations, &srv, &svcb}) append_rows(out, *rows);
  append_part(out, as_bytes(word_of_write(*this)));
  return out;
}

std::array<uint8_t, 32> FeedEntry::digest() const { return crypto::sha256(write_octets()); }

Result<void> check_form(const FeedEntry& entry) {
  if (auto sound = check_write(entry.write); !sound) return sound;
  if (auto sound = check_word(entry); !sound) return sound;
  if (entry.statement.has_value() == entry.gone.has_value())
    return fail(Errc::Invalid, "a statement, or what a name that is gone left behind: one of them wanted");
  if (entry.gone) {
    if (auto sound = check_gone(*entry.gone); !sound) return sound;
    if (!entry.srv.empty() || !entry.svcb.empty())
      return fail(Errc::Invalid, "a name that is gone has no SRV and no SVCB record");
  } else {
    if (entry.statement->txt_rdata().size() > max_statement)
      return fail(Errc::Full, fmt::format("statement: over {} octets", max_statement));
    if (entry.statement->status() != entry.status)
      return fail(Errc::Invalid, fmt::format("status: the statement says {}, the registry {}",
                                             to_text(entry.statement->status()), to_text(entry.status)));
  }
  return check_lists(entry);
}

}  // namespace steward::federation

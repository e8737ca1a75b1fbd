#include "client/publish_plan.hh"

#include <fmt/format.h>

#include <algorithm>

#include "client/names.hh"

namespace steward::client {

namespace {

using agent::AgentStatus;
using crypto::StoredKey;

/// Whose signatures a publish bears.
struct Signers {
  const StoredKey* statement = nullptr;
  const StoredKey* message = nullptr;
  bool rotates = false;
  bool claims = false;
};

std::string fingerprint_of(const StoredKey& key) { return key.key->public_key().fingerprint().value_or(std::string()); }

bool in_custody(const Standing& standing) { return standing.statement && standing.statement->find("custody"); }

const StoredKey* find_key(std::span<const StoredKey> keys, std::string_view fingerprint) {
  const auto at =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return fingerprint_of(key) == fingerprint; });
  return at == keys.end() ? nullptr : &*at;
}

tl::unexpected<Error> no_key(const dns::Name& agent, const Standing& standing) {
  return fail(Errc::Refused,
              fmt::format("{} is published with the key {}, which is not among yours; only its owner changes it",
                          plain_text(agent), standing.statement->fingerprint()));
}

Result<Signers> choose_signers(const dns::Name& agent, const Standing& standing, std::span<const StoredKey> keys) {
  if (keys.empty())
    return fail(Errc::NotFound, fmt::format("there is no key for {}; `steward keygen --agent-id {}` makes one",
                                            plain_text(agent), plain_text(agent)));
  const StoredKey* wanted = &keys.front();
  if (!standing.statement) return Signers{wanted, wanted};
  // What is revoked leads to no other key: the name begins anew, with one that the namespace allows.
  if (standing.statement->status() == AgentStatus::Revoked) {
    if (fingerprint_of(*wanted) != standing.statement->fingerprint()) return Signers{wanted, wanted};
    return fail(Errc::Refused,
                fmt::format("{} is revoked, and its key never signs for that name again; `steward keygen --rotate` "
                            "makes another, which the namespace has to allow",
                            plain_text(agent)));
  }
  if (in_custody(standing)) return Signers{wanted, wanted, false, true};
  if (fingerprint_of(*wanted) == standing.statement->fingerprint()) return Signers{wanted, wanted};
  const StoredKey* present = find_key(keys, standing.statement->fingerprint());
  if (present == nullptr) return no_key(agent, standing);
  // The key that stands there vouches for the message, both keys for the rotation in it.
  return Signers{wanted, present, true};
}

/// steward-records(7), "Sizes and times": a leased record's TTL is at most a tenth of the lease.
uint32_t ttl_of(const PublishWish& wish) {
  return wish.lease ? std::clamp(wish.lease->records / 10, 1U, agent::agent_ttl) : agent::agent_ttl;
}

/// The least version above another (semver.org §11): 1.4.3-0 above 1.4.2, 1.5.0-rc.1.0 above 1.5.0-rc.1. A change of
/// the key alone takes it, since a statement supersedes by its version, and so that the manifest's next version is
/// free.
std::string version_above(std::string_view version) {
  std::string above(version.substr(0, version.find('+')));
  if (above.find('-') != std::string::npos) return above + ".0";
  size_t at = above.size();
  while (at > 0 && above[at - 1] == '9') above[--at] = '0';
  if (at > 0 && above[at - 1] != '.') {
    ++above[at - 1];
  } else {
    above.insert(at, 1, '1');
  }
  return above + "-0";
}

/// Above what stands there, also within one second; RFC 3339 without fractions knows no less.
Result<UnixTime> modified_of(const PublishWish& wish, const Standing& standing) {
  constexpr Seconds most_ahead{300};
  if (!standing.statement) return wish.now;
  const UnixTime modified = std::max(wish.now, standing.statement->modified() + Seconds{1});
  if (modified - wish.now <= most_ahead) return modified;
  return fail(Errc::Refused,
              fmt::format("{}: what stands there is dated {}, and it is {} here: is this machine's clock right?",
                          plain_text(wish.agent), agent::modified_to_text(standing.statement->modified()),
                          agent::modified_to_text(wish.now)));
}

Result<agent::Statement> statement_in(const std::vector<agent::PublishedRecord>& records, const dns::Name& agent) {
  for (const agent::PublishedRecord& record : records)
    if (record.type == dns::RrType::TXT && record.owner == agent) return agent::Statement::from_txt(record.rdata);
  return fail(Errc::Invalid, "the records hold no statement");
}

Result<PublishPlan> finish(std::string_view action, std::vector<agent::PublishedRecord> records,
                           const PublishWish& wish, const Standing& standing, const Signers& signers) {
  PublishUpdate update;
  update.zone = standing.zone;
  update.agent = wish.agent;
  update.statement_as_read = standing.texts;
  update.records = std::move(records);
  update.lease = wish.lease;
  auto statement = statement_in(update.records, wish.agent);
  if (!statement) return tl::unexpected(statement.error());
  if (signers.claims) {
    // The registry adds the custodial key's word.
    const auto claim =
        agent::Rotation::make_claim(wish.agent, standing.next_rotation(), standing.statement->fingerprint(),
                                    *signers.statement->key, statement->modified());
    if (!claim) return tl::unexpected(claim.error());
    update.rotation = Bytes(claim->txt_rdata().begin(), claim->txt_rdata().end());
  }
  if (signers.rotates) {
    const auto rotation = agent::Rotation::make(wish.agent, standing.next_rotation(), *signers.message->key,
                                                *signers.statement->key, statement->modified());
    if (!rotation) return tl::unexpected(rotation.error());
    update.rotation = Bytes(rotation->txt_rdata().begin(), rotation->txt_rdata().end());
  }
  PublishPlan plan{action, std::move(update), std::move(*statement), *signers.message, {}};
  if (signers.rotates || signers.claims) plan.previous_fingerprint = standing.statement->fingerprint();
  return plan;
}

/// The manifest's octets stay with a statement that is made anew of what stands.
void keep_manifest(std::vector<agent::PublishedRecord>& records, const PublishWish& wish, const Standing& standing) {
  for (const Bytes& rdata : standing.manifest)
    records.push_back({manifest_name(wish.agent), dns::RrType::TXT, ttl_of(wish), rdata});
}

/// What stands, once more: RFC 9664 §4 has a refresh repeat the whole update.
Result<PublishPlan> plan_renewal(const PublishWish& wish, const Standing& standing, const Signers& signers) {
  std::vector<agent::PublishedRecord> records;
  const auto add = [&](dns::RrType type, ByteView rdata) {
    records.push_back({wish.agent, type, ttl_of(wish), Bytes(rdata.begin(), rdata.end())});
  };
  add(dns::RrType::TXT, standing.statement->txt_rdata());
  for (const Bytes& key : standing.keys) add(dns::RrType::KEY, key);
  for (const StandingRow& row : standing.rows) add(row.type, row.rdata);
  keep_manifest(records, wish, standing);
  return finish("renew", std::move(records), wish, standing, signers);
}

/// A lease of what stands already is to go on.
bool is_renewal(const agent::Manifest& manifest, const PublishWish& wish, const Standing& standing,
                const Signers& signers) {
  if (!wish.lease || !standing.statement || signers.claims || signers.rotates) return false;
  const agent::Statement& present = *standing.statement;
  return (present.status() == AgentStatus::Active || present.status() == AgentStatus::Deprecated) &&
         present.version() == manifest.version &&
         present.find("digest") == agent::sha256_text(as_bytes(manifest.octets));
}

std::string_view action_of(AgentStatus status) {
  switch (status) {
    case AgentStatus::Active: return "update";
    case AgentStatus::Deprecated: return "deprecate";
    case AgentStatus::Withdrawn: return "withdraw";
    case AgentStatus::Revoked: return "revoke";
  }
  return "";
}

tl::unexpected<Error> not_there(const dns::Name& agent) {
  return fail(Errc::NotFound, fmt::format("{} is not published", plain_text(agent)));
}

}  // namespace

Result<PublishPlan> plan_publish(const agent::Manifest& manifest, const PublishWish& wish, const Standing& standing,
                                 std::span<const StoredKey> keys) {
  const auto signers = choose_signers(wish.agent, standing, keys);
  if (!signers) return tl::unexpected(signers.error());
  if (is_renewal(manifest, wish, standing, *signers)) return plan_renewal(wish, standing, *signers);
  const auto modified = modified_of(wish, standing);
  if (!modified) return tl::unexpected(modified.error());
  agent::PublishOptions options;
  options.agent = wish.agent;
  options.modified = *modified;
  options.ttl = ttl_of(wish);
  auto records = agent::make_publication(manifest, options, *signers->statement->key);
  if (!records) return tl::unexpected(records.error());
  std::string_view action = "publish";
  if (signers->claims)
    action = "claim";
  else if (standing.statement && standing.statement->status() != AgentStatus::Revoked)
    action = standing.statement->status() == AgentStatus::Withdrawn ? "return" : "update";
  auto plan = finish(action, std::move(*records), wish, standing, *signers);
  // A claim is another key's word on what stands, and may say the same.
  if (!plan || !standing.statement || signers->claims) return plan;
  if (const auto newer = agent::check_supersedes(plan->statement, *standing.statement); !newer)
    return fail(Errc::Refused,
                fmt::format("{}: {}; raise the version in the manifest", plain_text(wish.agent), newer.error().what));
  return plan;
}

Result<PublishPlan> plan_rotation(const PublishWish& wish, const Standing& standing, std::span<const StoredKey> keys) {
  if (!standing.statement) return not_there(wish.agent);
  if (standing.statement->status() == AgentStatus::Withdrawn)
    return fail(Errc::Refused, fmt::format("{} is withdrawn: publish its manifest, and its key changes with it",
                                           plain_text(wish.agent)));
  const auto signers = choose_signers(wish.agent, standing, keys);
  if (!signers) return tl::unexpected(signers.error());
  if (!signers->rotates) {
    return fail(
        Errc::Refused,
        signers->claims
            ? fmt::format("{} is in the registry's custody: publish its manifest to claim it", plain_text(wish.agent))
            : fmt::format("{} has the key {} already; `steward keygen --rotate` makes the one that follows it",
                          plain_text(wish.agent), standing.statement->fingerprint()));
  }
  const auto modified = modified_of(wish, standing);
  if (!modified) return tl::unexpected(modified.error());
  agent::PublishOptions options;
  options.agent = wish.agent;
  options.modified = *modified;
  options.ttl = ttl_of(wish);
  options.status = standing.statement->status();
  options.version = version_above(standing.statement->version());
  options.successor = standing.statement->find("succ").value_or("");
  auto records = agent::restate(*standing.statement, standing.endpoints(), options, *signers->statement->key);
  if (!records) return tl::unexpected(records.error());
  keep_manifest(*records, wish, standing);
  return finish("rotate", std::move(*records), wish, standing, *signers);
}

Result<PublishPlan> plan_status(const StatusWish& status, const PublishWish& wish, const Standing& standing,
                                std::span<const StoredKey> keys) {
  if (!standing.statement) return not_there(wish.agent);
  const agent::Statement& present = *standing.statement;
  if (present.status() == AgentStatus::Revoked)
    return fail(Errc::Refused, fmt::format("{} is revoked already, which is for good", plain_text(wish.agent)));
  if (present.status() == status.status)
    return fail(Errc::Refused, fmt::format("{} is {} already", plain_text(wish.agent), agent::to_text(status.status)));
  if (in_custody(standing))
    return fail(Errc::Refused, fmt::format("{} is in the registry's custody: publish its manifest to claim it first",
                                           plain_text(wish.agent)));
  const StoredKey* key = find_key(keys, present.fingerprint());
  if (key == nullptr) return no_key(wish.agent, standing);
  const auto modified = modified_of(wish, standing);
  if (!modified) return tl::unexpected(modified.error());
  agent::PublishOptions options;
  options.agent = wish.agent;
  options.modified = *modified;
  options.ttl = ttl_of(wish);
  options.status = status.status;
  options.successor = status.successor;
  options.reason = status.reason;
  const bool stays = status.status == AgentStatus::Deprecated;
  if (stays && present.status() == AgentStatus::Withdrawn)
    return fail(Errc::Refused, fmt::format("{} is withdrawn: publish its manifest first", plain_text(wish.agent)));
  auto records = stays ? agent::restate(present, standing.endpoints(), options, *key->key)
                       : agent::make_tombstone(present, options, *key->key);
  if (!records) return tl::unexpected(records.error());
  if (stays) keep_manifest(*records, wish, standing);
  return finish(action_of(status.status), std::move(*records), wish, standing, {key, key});
}

}  // namespace steward::client

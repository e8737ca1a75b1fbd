#include "daemon/publish_gate.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "change/publish_rules.hh"
#include "daemon/stored_book.hh"

namespace steward::daemon {
namespace {

using change::UpdateEde;
using dns::RrType;

constexpr std::string_view rotation_owner_label = "_keys";
constexpr size_t most_keys = auth::max_sig0_candidates;  // of one message that are looked at

struct MessageKey {
  Bytes rdata;
  std::string fingerprint;
};

bool is_added(const change::UpdateRecord& record, RrType type, const dns::Name& owner) {
  return record.klass == dns::RrClass::IN && record.type == type && record.owner == owner.view();
}

std::vector<MessageKey> keys_in(const change::UpdateRequest& request, const dns::Name& agent) {
  std::vector<MessageKey> keys;
  for (const change::UpdateRecord& record : request.updates) {
    if (!is_added(record, RrType::KEY, agent) || keys.size() == most_keys) continue;
    if (const auto key = agent::PublisherKey::from_rdata(record.rdata))
      keys.push_back({Bytes(record.rdata.begin(), record.rdata.end()), key->fingerprint()});
  }
  return keys;
}

// A rotation in the message from the key that holds the name to this one; its signatures are check_publish()'s to
// check.
bool has_rotation(const change::UpdateRequest& request, const dns::Name& agent, std::string_view from,
                  std::string_view to) {
  const auto owner = dns::concatenate(*dns::Name::from_text(std::string(rotation_owner_label) + "."), agent);
  if (!owner) return false;
  return std::any_of(request.updates.begin(), request.updates.end(), [&](const change::UpdateRecord& record) {
    if (!is_added(record, RrType::TXT, *owner)) return false;
    const auto rotation = agent::Rotation::from_txt(record.rdata);
    return rotation && rotation->old_fingerprint() == from && rotation->new_fingerprint() == to;
  });
}

change::UpdateOutcome refused(std::string text) {
  return change::refused_update(dns::Rcode::REFUSED, UpdateEde::Prohibited, std::move(text));
}

}  // namespace

/// What is stored that speaks for a signer.
struct PublishGate::Held {
  std::optional<agent::AgentEntry> entry;
  std::vector<Bytes> keys;
  std::set<std::string> allowed;  ///< of the fingerprints that were asked about
};

std::vector<Bytes> PublishGate::keys_at(const dns::Name& owner) const {
  std::vector<Bytes> keys;
  const zone::ZoneInfo* zone = reader_->find_zone(owner);
  if (zone == nullptr || zone->availability != zone::Availability::Serving) return keys;
  const zone::NodeView node = reader_->find(*zone, owner);
  if (!node || node.is(zone::node_occluded)) return keys;
  if (const auto rrset = node.find(RrType::KEY))
    for (zone::StoredRrReader reader(rrset->rrs); !reader.done();) {
      const ByteView rdata = reader.next().rdata;
      keys.emplace_back(rdata.begin(), rdata.end());
    }
  return keys;
}

std::vector<Bytes> PublishGate::key_records(const dns::Name& owner) {
  const std::lock_guard lock(mutex_);
  if (!reader_->acquire()) return {};
  auto keys = keys_at(owner);
  reader_->release();
  return keys;
}

PublishGate::Held PublishGate::look_up(const dns::Name& agent, const std::vector<std::string>& fingerprints,
                                       const change::PublishPolicy& policy) {
  Held held;
  const auto space = policy.namespace_of(agent);
  const std::lock_guard lock(mutex_);
  if (!space || !reader_->acquire()) return held;
  if (const store::ZoneRecord* record = reader_->zone_record(policy.zone)) {
    const StoredBook book(*reader_, record->info);
    if (auto found = book->find(agent)) held.entry = std::move(*found);
    held.keys = keys_at(agent);
    for (const std::string& fingerprint : fingerprints)
      if (policy.open || change::is_listed(*space, fingerprint, policy, *book)) held.allowed.insert(fingerprint);
  }
  reader_->release();
  return held;
}

bool PublishGate::is_publish(const change::UpdateRequest& request, const dns::Name& agent,
                             const change::PublishPolicy& policy) {
  const bool brings_statement =
      std::any_of(request.updates.begin(), request.updates.end(), [&](const change::UpdateRecord& record) {
        return is_added(record, RrType::TXT, agent) && agent::Statement::from_txt(record.rdata).has_value();
      });
  return brings_statement || look_up(agent, {}, policy).entry.has_value();
}

tl::expected<change::CheckedPublish, change::UpdateOutcome> PublishGate::check(const OfferedPublish& offered,
                                                                               const change::PublishPolicy& policy,
                                                                               UnixTime now,
                                                                               const auth::VerifyAllowance& allowance) {
  const std::vector<MessageKey> keys = keys_in(offered.request, offered.agent);
  std::vector<std::string> fingerprints;
  for (const MessageKey& key : keys) fingerprints.push_back(key.fingerprint);
  const Held held = look_up(offered.agent, fingerprints, policy);

  std::vector<ByteView> candidates(held.keys.begin(), held.keys.end());
  std::string why = keys.empty()
                        ? fmt::format("{} has no key, and the message brings no KEY for it", offered.agent.to_text())
                        : std::string();
  for (const MessageKey& key : keys) {
    if (std::find(held.keys.begin(), held.keys.end(), key.rdata) != held.keys.end()) continue;
    // A name that is new, in the registry's custody, or lost its key for good, takes a key of the allow-list.
    const bool takes_listed = !held.entry || held.entry->custodial || held.entry->status == agent::AgentStatus::Revoked;
    if (!takes_listed && key.fingerprint != held.entry->fingerprint &&
        !has_rotation(offered.request, offered.agent, held.entry->fingerprint, key.fingerprint)) {
      why = fmt::format("the name is held by key {}", held.entry->fingerprint);
      continue;
    }
    if (takes_listed && !held.allowed.contains(key.fingerprint)) {
      why = fmt::format("key {} may not publish in {}", key.fingerprint,
                        dns::Name(offered.agent.view().parent()).to_text());
      continue;
    }
    candidates.push_back(key.rdata);
  }
  if (candidates.empty()) return tl::unexpected(refused(std::move(why)));

  auto status = auth::Sig0Status::BadKey;
  for (const ByteView candidate : candidates) {
    const ByteView one[] = {candidate};
    const auto verified = auth::verify_sig0(offered.message, offered.sig0, one, now, allowance);
    if (verified == auth::Sig0Status::Good)
      return change::check_publish(offered.request, offered.agent, candidate, held.keys, offered.lease, policy, now);
    if (verified != auth::Sig0Status::BadKey) status = verified;
    if (verified == auth::Sig0Status::OverBudget) break;
  }
  // Signed by a key that is none of the name's, and may not become one: the rule says more than that no KEY fits.
  if (status == auth::Sig0Status::BadKey && !why.empty()) return tl::unexpected(refused(std::move(why)));
  return tl::unexpected(
      change::refused_update(auth::rcode_of(status), UpdateEde::Prohibited, std::string(auth::to_text(status))));
}

}  // namespace steward::daemon

#include "federation/registration_admit.hh"

#include <fmt/format.h>

#include <algorithm>

#include "federation/identity.hh"

namespace steward::federation {
namespace {

using dns::RrType;

RegistrationVerdict refused(RegistrationRule rule, std::string reason) {
  return {RegistrationOutcome::Refused, rule, std::move(reason), RegistrationWay::None, {}};
}

Result<IdentityKey> key_of(const Registration& registration, const dns::Name& owner) {
  const std::vector<PublishedRecord> records{{owner, RrType::KEY, 0, registration.key}};
  auto identity = read_identity(records, owner);
  if (!identity) return tl::unexpected(identity.error());
  return std::move(identity->keys.front());
}

/// Whether a namespace is hosted at or below the zone: `*` as a first label stands for any.
bool is_hosted(NameView zone, const std::vector<dns::Name>& namespaces) {
  return std::any_of(namespaces.begin(), namespaces.end(), [&](const dns::Name& space) {
    const bool is_pattern = as_text(space.view().first_label()) == "*";
    return space.view().is_at_or_below(zone) || (is_pattern && zone.parent() == space.view().parent());
  });
}

void clear_delegation(const dns::Name& zone, change::ZoneEdit& edit) {
  std::vector<dns::Name> servers;
  if (const change::EditedRrset* ns = edit.find(zone, RrType::NS))
    for (const Bytes& rdata : ns->rdatas)
      if (const auto server = NameView::from_wire(rdata); server && server->is_at_or_below(zone))
        servers.emplace_back(*server);
  for (const dns::Name& server : servers)
    for (const RrType type : {RrType::A, RrType::AAAA}) edit.remove_rrset(server, type);
  for (const RrType type : {RrType::NS, RrType::DS}) edit.remove_rrset(zone, type);
}

/// One registration in one transaction.
class Admission {
 public:
  Admission(const Registration& registration, const RegistrationRules& rules, const RegistrationIssuer& issuer,
            RegistrationState& state, UnixTime now)
      : registration_(registration), rules_(rules), issuer_(issuer), state_(state), now_(now), policy_(rules.policy) {}

  Result<RegistrationDecision> run(const RegistrationSender& sender, std::vector<Bytes> proofs,
                                   const std::string& nonce) {
    held_.proofs = std::move(proofs);
    if (auto gathered = gather(); !gathered) return tl::unexpected(gathered.error());
    RegistrationVerdict verdict = judge(sender);
    switch (verdict.outcome) {
      case RegistrationOutcome::Refused: break;
      case RegistrationOutcome::Pending: return wait(sender, std::move(verdict), nonce);
      case RegistrationOutcome::Reserved: return reserve(std::move(verdict));
      case RegistrationOutcome::Left: return leave(std::move(verdict));
    }
    return RegistrationDecision{std::move(verdict), {}};
  }

 private:
  Result<void> gather() {
    const auto name = identity_name(registration_.zone, policy_.zone);
    if (!name) return tl::unexpected(name.error());
    owner_ = *name;
    const auto key = key_of(registration_, owner_);
    if (!key) return tl::unexpected(key.error());
    fingerprint_ = key->fingerprint;
    auto registered = state_.children.registered();
    if (!registered) return tl::unexpected(registered.error());
    held_.children = static_cast<uint32_t>(registered->size());
    for (Child& child : *registered) {
      names_.add(as_text(child.registration.zone.view().first_label()), child.fingerprint);
      if (child.registration.zone == registration_.zone) registered_ = std::move(child);
    }
    held_.names = &names_;
    if (registered_) held_.registered = registered_->fingerprint;
    held_.hosted = is_hosted(registration_.zone, rules_.namespaces) ||
                   (!registered_ && !state_.edit.rrsets(registration_.zone).empty());
    const auto agent = state_.book.find(registration_.zone);
    if (!agent) return tl::unexpected(agent.error());
    held_.agent = agent->has_value();
    auto pending = state_.children.find_pending(registration_.zone, fingerprint_);
    if (!pending) return tl::unexpected(pending.error());
    pending_ = *std::move(pending);
    if (rules_.invitations) {
      auto invitations = state_.children.invitations();
      if (!invitations) return tl::unexpected(invitations.error());
      policy_.invitations = *std::move(invitations);
    }
    return {};
  }

  RegistrationVerdict judge(const RegistrationSender& sender) {
    held_.pending.reset();
    if (pending_)
      held_.pending = PendingRegistration{pending_->fingerprint, pending_->nonce, pending_->nonce_since, pending_->approved};
    return judge_registration(registration_, sender, policy_, held_, now_);
  }

  Result<RegistrationDecision> wait(const RegistrationSender& sender, RegistrationVerdict verdict,
                                    const std::string& nonce) {
    if (auto forgotten = forget_old(); !forgotten) return tl::unexpected(forgotten.error());
    if (!pending_) {
      const auto waiting = state_.children.pending();
      if (!waiting) return tl::unexpected(waiting.error());
      const auto of_name = std::count_if(waiting->begin(), waiting->end(), [&](const Child& child) {
        return child.registration.zone == registration_.zone;
      });
      if (waiting->size() >= max_pending || static_cast<size_t>(of_name) >= max_pending_of_name)
        return RegistrationDecision{refused(RegistrationRule::Quota, "too many registrations wait"), {}};
      pending_ = Child{};
      pending_->fingerprint = fingerprint_;
      pending_->since = now_;
    }
    if (pending_->nonce.empty() || now_ - pending_->nonce_since > challenge_lifetime) {
      pending_->nonce = nonce;
      pending_->nonce_since = now_;
    }
    pending_->registration = registration_;
    pending_->registration.invitation.clear();
    pending_->asked = now_;
    if (auto put = state_.children.put(*pending_); !put) return tl::unexpected(put.error());
    // Once more, for the challenge that it now has.
    verdict = judge(sender);
    return RegistrationDecision{std::move(verdict), *pending_};
  }

  Result<RegistrationDecision> leave(RegistrationVerdict verdict) {
    if (auto removed = remove_child(*registered_, policy_, state_); !removed) return tl::unexpected(removed.error());
    return RegistrationDecision{std::move(verdict), *registered_};
  }

  Result<void> forget_old() {
    const auto waiting = state_.children.pending();
    if (!waiting) return tl::unexpected(waiting.error());
    for (const Child& child : *waiting)
      if (now_ - child.asked > pending_lifetime && child.fingerprint != fingerprint_)
        if (auto removed = state_.children.remove(child); !removed) return removed;
    return {};
  }

  Result<RegistrationDecision> reserve(RegistrationVerdict verdict) {
    Child child = registered_.value_or(Child{});
    const bool again = verdict.way == RegistrationWay::Again;
    if (again && state_.edit.find(owner_, RrType::KEY) == nullptr)
      return RegistrationDecision{refused(RegistrationRule::Signer, "the identity's KEY was removed: it is revoked"), {}};
    const Registration& before = child.registration;
    const auto same_addresses = [](const NameServerAddress& a, const NameServerAddress& b) {
      return a.server == b.server && a.octets == b.octets;
    };
    const bool same = again && before.servers == registration_.servers && before.ds == registration_.ds && before.is_hosted() == registration_.is_hosted() &&
                      std::equal(before.addresses.begin(), before.addresses.end(), registration_.addresses.begin(),
                                 registration_.addresses.end(), same_addresses);
    if (!again) {
      child.fingerprint = fingerprint_;
      child.way = verdict.way;
      child.since = now_;
      child.nonce = verdict.way == RegistrationWay::Proof && pending_ ? pending_->nonce : std::string();
    }
    if (!same) {
      // One that was hosted and names servers now is hosted until they are delegated to.
      const bool is_hosted = registration_.is_hosted() || (again && child.state == ChildState::Hosted);
      child.state = is_hosted ? ChildState::Hosted : ChildState::Reserved;
      if (registration_.is_hosted()) clear_delegation(registration_.zone, state_.edit);
      child.next_look = now_;
      child.failures = 0;
      child.problem.clear();
    }
    child.registration = registration_;
    child.registration.invitation.clear();
    child.asked = now_;
    if (!again) put_key();
    const bool near_end = child.certified_until - now_ < crypto::certificate_lifetime / 3;
    if (!again || near_end)
      if (auto certified = certify(child, policy_, issuer_, state_.edit, now_); !certified)
        return tl::unexpected(certified.error());
    if (auto settled = settle(child, verdict.way); !settled) return tl::unexpected(settled.error());
    return RegistrationDecision{std::move(verdict), std::move(child)};
  }

  void put_key() {
    state_.edit.remove_rrset(owner_, RrType::KEY);
    state_.edit.add(owner_, RrType::KEY, identity_ttl, registration_.key);
  }

  // What let it in is used up.
  Result<void> settle(const Child& child, RegistrationWay way) {
    if (pending_)
      if (auto removed = state_.children.remove(*pending_); !removed) return removed;
    if (way == RegistrationWay::Invitation) {
      const std::string digest = agent::sha256_text(as_bytes(registration_.invitation));
      for (const Invitation& invitation : policy_.invitations)
        if (invitation.digest == digest)
          if (auto removed = state_.children.remove(invitation); !removed) return removed;
    }
    return state_.children.put(child);
  }

  const Registration& registration_;
  const RegistrationRules& rules_;
  const RegistrationIssuer& issuer_;
  RegistrationState& state_;
  UnixTime now_;
  RegistrationPolicy policy_;
  dns::Name owner_;
  std::string fingerprint_;
  RegistrationHoldings held_;
  agent::LookAlikes names_;
  std::optional<Child> registered_;
  std::optional<Child> pending_;
};

}  // namespace

Result<RegistrationDecision> admit_registration(const Registration& registration, const RegistrationSender& sender,
                                                const RegistrationRules& rules, const RegistrationIssuer& issuer,
                                                RegistrationState& state, std::vector<Bytes> proofs,
                                                const std::string& nonce, UnixTime now) {
  return Admission(registration, rules, issuer, state, now).run(sender, std::move(proofs), nonce);
}

Result<RegistrationDecision> approve_registration(const Child& pending, const RegistrationRules& rules,
                                                  const RegistrationIssuer& issuer, RegistrationState& state,
                                                  UnixTime now) {
  const auto owner = identity_name(pending.registration.zone, rules.policy.zone);
  if (!owner) return tl::unexpected(owner.error());
  const auto key = key_of(pending.registration, *owner);
  if (!key) return tl::unexpected(key.error());
  Child approved = pending;
  approved.approved = true;
  if (auto put = state.children.put(approved); !put) return tl::unexpected(put.error());
  RegistrationRules open = rules;
  open.policy.approvals = true;
  return admit_registration(pending.registration, {*owner, key->spki}, open, issuer, state, {}, pending.nonce, now);
}

Result<void> certify(Child& child, const RegistrationPolicy& policy, const RegistrationIssuer& issuer,
                     change::ZoneEdit& edit, UnixTime now) {
  const auto owner = identity_name(child.registration.zone, policy.zone);
  if (!owner) return tl::unexpected(owner.error());
  if (edit.find(*owner, RrType::KEY) == nullptr)
    return fail(Errc::NotFound, owner->to_text() + ": has no KEY: it is revoked");
  const auto identity = key_of(child.registration, *owner);
  if (!identity) return tl::unexpected(identity.error());
  const auto key = crypto::PublicKey::from_spki(identity->spki);
  if (!key) return tl::unexpected(key.error());
  const auto above = crypto::read_certificate(issuer.authority);
  if (!above) return tl::unexpected(above.error());
  // A certificate does not outlive its issuer's.
  const crypto::CertificateTerms terms{.zone = child.registration.zone,
                                       .now = now,
                                       .lifetime = std::min(crypto::certificate_lifetime, above->until - now)};
  const crypto::CertificateIssuer by{issuer.authority, issuer.key};
  const auto authority = crypto::issue_authority_certificate(terms, *key, by);
  if (!authority) return tl::unexpected(authority.error());
  const auto end_entity = crypto::issue_certificate(terms, *key, by);
  if (!end_entity) return tl::unexpected(end_entity.error());
  edit.remove_rrset(*owner, RrType::CERT);
  for (const Bytes* certificate : {&*authority, &*end_entity}) {
    const auto rdata = cert_rdata(*certificate);
    if (!rdata) return tl::unexpected(rdata.error());
    edit.add(*owner, RrType::CERT, identity_ttl, *rdata);
  }
  child.certified_until = now + terms.lifetime;
  return {};
}

bool is_still_proven(const Child& child, NameView parent, std::span<const Bytes> proofs) {
  if (child.way != RegistrationWay::Proof || child.nonce.empty()) return true;
  const std::string text = challenge_text(parent, child.registration.space, child.fingerprint, child.nonce);
  return std::any_of(proofs.begin(), proofs.end(), [&](const Bytes& rdata) { return says_challenge(rdata, text); });
}

void delegate_child(const Child& child, change::ZoneEdit& edit) {
  const Registration& asked = child.registration;
  clear_delegation(asked.zone, edit);
  for (const dns::Name& server : asked.servers) edit.add(asked.zone, RrType::NS, registration_ttl, server.view().wire());
  for (const Bytes& ds : asked.ds) edit.add(asked.zone, RrType::DS, registration_ttl, ds);
  for (const auto& [server, octets] : asked.addresses)
    edit.add(server, octets.size() == 4 ? RrType::A : RrType::AAAA, registration_ttl, octets);
}

Result<void> remove_child(const Child& child, const RegistrationPolicy& policy, RegistrationState& state) {
  const auto owner = identity_name(child.registration.zone, policy.zone);
  if (!owner) return tl::unexpected(owner.error());
  for (const RrType type : {RrType::KEY, RrType::CERT}) state.edit.remove_rrset(*owner, type);
  clear_delegation(child.registration.zone, state.edit);
  return state.children.remove(child);
}

}  // namespace steward::federation

#include "federation/registration_judge.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"
#include "federation/identity.hh"

namespace steward::federation {

namespace {

RegistrationVerdict refuse_for(RegistrationRule rule, std::string reason) {
  return {RegistrationOutcome::Refused, rule, std::move(reason), RegistrationWay::None, {}};
}
RegistrationVerdict reserved(RegistrationWay way) {
  return {RegistrationOutcome::Reserved, RegistrationRule::None, {}, way, {}};
}

/// GitHub's namespaces have no domain that could prove them.
bool is_of_github(std::string_view space) { return space == "github" || space.ends_with(".github"); }

/// One judgement. The rules that cost the sender's standing come first, so that nobody learns what is held by asking
/// with a key that is not his.
class Judge {
 public:
  Judge(const Registration& registration, const RegistrationPolicy& policy, const RegistrationHoldings& held,
        UnixTime now)
      : registration_(registration), policy_(policy), held_(held), now_(now) {}

  RegistrationVerdict run(const RegistrationSender& sender) {
    if (auto verdict = check_sender(sender)) return *verdict;
    if (registration_.leaves) return by_leaving();
    if (held_.registered == fingerprint_) return reserved(RegistrationWay::Again);
    if (auto verdict = check_name()) return *verdict;
    if (!registration_.invitation.empty()) return by_invitation();
    return by_pending();
  }

 private:
  std::optional<RegistrationVerdict> check_sender(const RegistrationSender& sender) {
    const auto name = identity_name(registration_.zone, policy_.zone);
    if (!name) return refuse_for(RegistrationRule::Foreign, name.error().what);
    const std::vector<PublishedRecord> records{{*name, dns::RrType::KEY, 0, registration_.key}};
    const auto identity = read_identity(records, *name);
    if (!identity) return refuse_for(RegistrationRule::Key, identity.error().what);
    if (!(sender.signer == *name))
      return refuse_for(RegistrationRule::Signer, fmt::format("the SIG(0) is not by {}", name->to_text()));
    if (identity->find(sender.tls_spki) == nullptr)
      return refuse_for(RegistrationRule::Signer, "KEY is not the key of the TLS certificate");
    fingerprint_ = identity->keys.front().fingerprint;
    return std::nullopt;
  }

  std::optional<RegistrationVerdict> check_name() {
    const std::string zone = registration_.zone.to_text();
    if (!held_.registered.empty() || held_.hosted)
      return refuse_for(RegistrationRule::Taken, fmt::format("{} is taken", zone));
    if (held_.agent)
      return refuse_for(RegistrationRule::Agent,
                     fmt::format("{} is an agent: it and a registry share one name space", zone));
    if (policy_.children != 0 && held_.children >= policy_.children)
      return refuse_for(RegistrationRule::Quota,
                     fmt::format("{} takes no more than {} registries", policy_.zone.to_text(), policy_.children));
    if (!policy_.look_alikes || held_.names == nullptr || (held_.pending && is_mine() && held_.pending->approved))
      return std::nullopt;
    const auto like = held_.names->find(as_text(registration_.zone.view().first_label()), fingerprint_);
    if (!like) return std::nullopt;
    // Registries are public: the neighbour may be named.
    return refuse_for(RegistrationRule::LookAlike,
                   fmt::format("{} could be taken for {} ({})", zone, like->name, like->rule));
  }

  RegistrationVerdict by_leaving() const {
    if (held_.registered == fingerprint_) return {RegistrationOutcome::Left, RegistrationRule::None, {}, RegistrationWay::None, {}};
    return refuse_for(RegistrationRule::Taken, fmt::format("{} is no child with this key", registration_.zone.to_text()));
  }

  [[nodiscard]] bool is_mine() const { return held_.pending && held_.pending->fingerprint == fingerprint_; }

  RegistrationVerdict by_invitation() {
    const std::string digest = agent::sha256_text(as_bytes(registration_.invitation));
    const bool invited =
        std::any_of(policy_.invitations.begin(), policy_.invitations.end(), [&](const Invitation& row) {
          return row.digest == digest && row.zone == registration_.zone && now_ <= row.until;
        });
    if (invited) return reserved(RegistrationWay::Invitation);
    return refuse_for(RegistrationRule::Invitation, "the invitation is unknown, over, or for another namespace");
  }

  RegistrationVerdict by_pending() {
    const bool provable = policy_.proofs && !is_of_github(registration_.space);
    if (is_mine() && held_.pending->approved && policy_.approvals) return reserved(RegistrationWay::Approval);
    if (!provable && !policy_.approvals)
      return refuse_for(RegistrationRule::Closed, fmt::format("{} is entered by invitation only", policy_.zone.to_text()));
    RegistrationVerdict waits{RegistrationOutcome::Pending, RegistrationRule::None, {}, RegistrationWay::None, {}};
    waits.reason = provable ? "the domain's proof is waited for" : "an operator's approval is waited for";
    if (provable && policy_.approvals) waits.reason = "the domain's proof or an operator's approval is waited for";
    const bool open = is_mine() && now_ - held_.pending->since <= challenge_lifetime;
    if (!provable || !open || held_.pending->nonce.empty()) return waits;
    waits.challenge = challenge_text(policy_.zone, registration_.space, fingerprint_, held_.pending->nonce);
    const bool proven = std::any_of(held_.proofs.begin(), held_.proofs.end(),
                                    [&](const Bytes& rdata) { return says_challenge(rdata, waits.challenge); });
    return proven ? reserved(RegistrationWay::Proof) : waits;
  }

  const Registration& registration_;
  const RegistrationPolicy& policy_;
  const RegistrationHoldings& held_;
  UnixTime now_;
  std::string fingerprint_;
};

}  // namespace

RegistrationVerdict judge_registration(const Registration& registration, const RegistrationSender& sender,
                                       const RegistrationPolicy& policy, const RegistrationHoldings& held,
                                       UnixTime now) {
  return Judge(registration, policy, held, now).run(sender);
}

std::string challenge_text(NameView parent, std::string_view space, std::string_view fingerprint,
                           std::string_view nonce) {
  return fmt::format("v=steward-challenge1 parent={} namespace={} fp={} nonce={}",
                     dns::Name(parent).folded().to_plain_text(), space, fingerprint, nonce);
}

bool says_challenge(ByteView txt_rdata, std::string_view text) {
  std::string joined;
  std::string spaced;
  ByteReader in(txt_rdata);
  while (in.ok() && in.left() > 0) {
    const size_t size = in.u8();
    const std::string_view part = as_text(in.bytes(size));
    joined += part;
    if (!spaced.empty()) spaced += ' ';
    spaced += part;
  }
  return in.ok() && (joined == text || spaced == text);
}

Result<dns::Name> challenge_name(std::string_view space) {
  auto domain = dns::Name::from_text(space);
  if (!domain) return domain;
  return domain->child(as_bytes(std::string_view("_steward-challenge")));
}

}  // namespace steward::federation

#include "change/update_policy.hh"

#include <algorithm>

namespace steward::change {
namespace {

using config::UpdateRule;
using dns::NameView;
using dns::RrType;

// A name with a wildcard stands for the keys below: `*.` for any.
bool is_key(const dns::Name& wanted, const std::optional<dns::Name>& key) {
  if (!key) return false;
  const NameView view = wanted;
  return view == key->view() || (view.is_wildcard() && key->view().is_below(view.parent()));
}

bool is_from(const UpdateRule& rule, const UpdateSender& sender) {
  if (!rule.block && !rule.key && !rule.sig0 && rule.tls.empty()) return false;
  if (rule.over_tls && !sender.over_tls) return false;
  if (!rule.tls.empty() && std::ranges::find(sender.peer_names, rule.tls) == sender.peer_names.end()) return false;
  return (!rule.block || rule.block->contains(sender.address)) && (!rule.key || is_key(*rule.key, sender.tsig_key)) &&
         (!rule.sig0 || is_key(*rule.sig0, sender.sig0_signer));
}

bool has_name(const UpdateRule& rule, NameView owner, const dns::Name* signer) {
  return rule.names.empty() || std::ranges::any_of(rule.names, [&](const config::NamePattern& pattern) {
           return config::matches(pattern, owner, signer);
         });
}

// A right to some names is none to what lies below them, to the zone, or to the keys that speak for it: so NS, DNAME,
// SOA, KEY (which SIG(0) is checked with) and the types of DNSSEC have to be named.
bool is_ordinary(RrType type) {
  switch (type) {
    case RrType::SOA:
    case RrType::NS:
    case RrType::DNAME:
    case RrType::KEY:
    case RrType::SIG:
    case RrType::NXT:
    case RrType::DS:
    case RrType::RRSIG:
    case RrType::NSEC:
    case RrType::DNSKEY:
    case RrType::NSEC3:
    case RrType::NSEC3PARAM:
    case RrType::CDS:
    case RrType::CDNSKEY: return false;
    default: return true;
  }
}

bool has_type(const UpdateRule& rule, RrType type) {
  // What is denied without a type is denied whole.
  if (rule.types.empty()) return rule.names.empty() || rule.deny || is_ordinary(type);
  return std::ranges::any_of(rule.types, [type](RrType one) { return one == type || one == RrType::ANY; });
}

}  // namespace

const dns::Name* UpdateSender::signer() const {
  if (tsig_key) return &*tsig_key;
  return sig0_signer ? &*sig0_signer : nullptr;
}

bool UpdatePolicy::admits(const UpdateSender& sender) const {
  return std::ranges::any_of(rules_, [&](const UpdateRule& rule) { return !rule.deny && is_from(rule, sender); });
}

bool UpdatePolicy::allows(const UpdateSender& sender, NameView owner, RrType type) const {
  const dns::Name* signer = sender.signer();
  for (const UpdateRule& rule : rules_)
    if (is_from(rule, sender) && has_name(rule, owner, signer) && has_type(rule, type)) return !rule.deny;
  return false;
}

bool UpdatePolicy::names_explicitly(const UpdateSender& sender, NameView owner) const {
  const dns::Name* signer = sender.signer();
  return std::ranges::any_of(
      rules_, [&](const UpdateRule& rule) { return !rule.deny && !rule.names.empty() && is_from(rule, sender) && has_name(rule, owner, signer); });
}

bool UpdatePolicy::is_signers(RrType type) const {
  switch (type) {
    case RrType::RRSIG:
    case RrType::NSEC:
    case RrType::NSEC3:
    case RrType::NSEC3PARAM: return true;
    case RrType::DNSKEY:
    case RrType::CDS:
    case RrType::CDNSKEY: return is_signed_here_;
    default: return false;
  }
}

}  // namespace steward::change

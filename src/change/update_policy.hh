#pragma once
// Who may change what of one zone by UPDATE (RFC 2136 §3.3, RFC 3007 §3): the rows of `allow-update`, after BIND's
// update-policy.
//
// Made by the composition root from the configuration; constant afterwards, any thread.

#include <optional>
#include <vector>

#include "base/address.hh"
#include "config/config.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::change {

/// Who sent an UPDATE, as far as it was proved. At most one of the names is given.
struct UpdateSender {
  SocketAddress address;
  std::optional<dns::Name> tsig_key;     ///< name of the TSIG key whose MAC was good (RFC 8945)
  std::optional<dns::Name> sig0_signer;  ///< owner of the KEY whose signature was good (RFC 2931)
  bool over_tls = false;
  std::vector<std::string> peer_names;   ///< of the TLS certificate that was verified

  /// The name of the key that signed, of either kind; null where nothing was signed.
  [[nodiscard]] const dns::Name* signer() const;
};

class UpdatePolicy {
 public:
  /// `is_signed_here`: the zone's signatures and keys are ours to make.
  UpdatePolicy(std::vector<config::UpdateRule> rules, bool is_signed_here)
      : rules_(std::move(rules)), is_signed_here_(is_signed_here) {}

  /// Whether any row may give the sender a right; where not, an UPDATE is refused before anything of the zone is looked
  /// at.
  [[nodiscard]] bool admits(const UpdateSender& sender) const;
  /// Whether the sender may change RRs of this type at this name: as the first row says that matches; no by default.
  [[nodiscard]] bool allows(const UpdateSender& sender, dns::NameView owner, dns::RrType type) const;

  /// Whether a row gives the sender a right at this name and lists it, or a pattern that fits it: what is published needs such a row.
  [[nodiscard]] bool names_explicitly(const UpdateSender& sender, dns::NameView owner) const;

  /// Types that no UPDATE changes, whoever sends it: RRSIG, NSEC, NSEC3 and NSEC3PARAM, which only a signer can keep
  /// right; where we are the signer DNSKEY, CDS and CDNSKEY as well, which follow the keys that we hold.
  [[nodiscard]] bool is_signers(dns::RrType type) const;
  [[nodiscard]] bool is_signed_here() const { return is_signed_here_; }

 private:
  std::vector<config::UpdateRule> rules_;
  bool is_signed_here_;
};

}  // namespace steward::change

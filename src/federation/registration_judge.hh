#pragma once
// What a parent says to a registration: the rules of names, and the three ways in, an invitation, a proof of the real
// domain, an operator's approval. Pure functions; any thread.

#include "agent/look_alikes.hh"
#include "federation/registration.hh"

namespace steward::federation {

/// How long a proof may be asked for with one nonce.
constexpr Seconds challenge_lifetime{Seconds{7 * 86400}};

/// A token that lets one namespace in.
struct Invitation {
  dns::Name zone;      ///< of the namespace, folded
  std::string digest;  ///< "sha256:…" of the token's octets
  UnixTime until{};
};

struct RegistrationPolicy {
  dns::Name zone;  ///< the parent's
  dns::Name apex;
  std::vector<Invitation> invitations;
  bool proofs = true;       ///< a TXT record in the real domain will do; never for GitHub's namespaces
  bool approvals = true;    ///< an operator may be asked
  bool look_alikes = true;  ///< refuse them
  uint32_t children = 0;    ///< most of them; 0: no limit
};

/// A registration that waits.
struct PendingRegistration {
  std::string fingerprint;  ///< of the identity key
  std::string nonce;        ///< the parent's, [!-~]
  UnixTime since{};         ///< when that was made
  bool approved = false;    ///< by an operator
};

/// What the parent holds, as far as it bears on this one.
struct RegistrationHoldings {
  std::string registered;  ///< fingerprint of the registry that has the name; empty: none
  bool hosted = false;     ///< a namespace of that name is hosted, or delegated to someone that never registered
  bool agent = false;      ///< an agent has it
  uint32_t children = 0;   ///< registered
  const agent::LookAlikes* names = nullptr;  ///< labels and fingerprints of registries under this parent
  std::optional<PendingRegistration> pending;
  /// TXT RDATA at `_steward-challenge.<domain>`, as a validating resolver has just answered; none where it was not
  /// asked.
  std::vector<Bytes> proofs;
};

/// Who sent it.
struct RegistrationSender {
  dns::Name signer;   ///< of the SIG(0), which was verified with the KEY of the message
  ByteView tls_spki;  ///< DER SubjectPublicKeyInfo of the client's TLS certificate
};

enum class RegistrationOutcome : uint8_t {
  Reserved,  ///< the name is the child's: certificates, KEY and CERT, checks, delegation follow
  Pending,   ///< a proof or an approval is waited for
  Left,      ///< the child is one no more: delegation, KEY and CERT go
  Refused,
};

enum class RegistrationWay : uint8_t { None, Again, Invitation, Proof, Approval };

struct RegistrationVerdict {
  RegistrationOutcome outcome = RegistrationOutcome::Refused;
  RegistrationRule rule = RegistrationRule::None;  ///< of Refused
  std::string reason;                              ///< of Refused and Pending: one sentence in ASCII
  RegistrationWay way = RegistrationWay::None;     ///< of Reserved
  /// Of Pending: what `_steward-challenge.<domain>` has to say; empty where no proof will do, or a nonce is yet to be
  /// made.
  std::string challenge;
};

RegistrationVerdict judge_registration(const Registration& registration, const RegistrationSender& sender,
                                       const RegistrationPolicy& policy, const RegistrationHoldings& held,
                                       UnixTime now);

/// `v=steward-challenge1 parent=<zone> namespace=<n> fp=<fingerprint> nonce=<nonce>`, names without a final dot.
std::string challenge_text(NameView parent, std::string_view space, std::string_view fingerprint,
                           std::string_view nonce);
/// Whether TXT RDATA says exactly that: its strings one after the other, or with a space between each two.
bool says_challenge(ByteView txt_rdata, std::string_view text);
/// `_steward-challenge.<domain>`, where the domain is the namespace in the public DNS.
Result<dns::Name> challenge_name(std::string_view space);

}  // namespace steward::federation

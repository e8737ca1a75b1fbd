#pragma once
// What a parent does with a registration, in the transaction that holds its zone and its tables: it judges by what is
// held, and reserves the name with KEY and CERT, has the registration wait, or refuses it.
//
// Pure, but for the edit and the tables; the writer's thread.

#include "agent/book.hh"
#include "change/edit.hh"
#include "federation/children.hh"

namespace steward::federation {

/// Constant while a configuration holds; any thread.
struct RegistrationRules {
  RegistrationPolicy policy;          ///< without invitations, which stand in the table
  bool invitations = true;            ///< they let in
  std::vector<dns::Name> namespaces;  ///< full names that the zone hosts beside its own; `*` stands for any label
};

/// With what certificates are issued.
struct RegistrationIssuer {
  const Bytes& authority;  ///< DER
  const crypto::KeyPair& key;
};

/// What is held, inside the transaction.
struct RegistrationState {
  change::ZoneEdit& edit;
  Children& children;
  const agent::Book& book;
};

struct RegistrationDecision {
  RegistrationVerdict verdict;
  Child child;  ///< of Reserved and Pending: as it is kept now
};

/// `proofs`: as in RegistrationHoldings. `nonce`: for a challenge, random, [!-~]. Errors of the tables and of
/// issuing: nothing of it may be committed then.
Result<RegistrationDecision> admit_registration(const Registration& registration, const RegistrationSender& sender,
                                                const RegistrationRules& rules, const RegistrationIssuer& issuer,
                                                RegistrationState& state, std::vector<Bytes> proofs,
                                                const std::string& nonce, UnixTime now);

/// An operator lets a registration in that waits: the same judgement, as if it came again.
Result<RegistrationDecision> approve_registration(const Child& pending, const RegistrationRules& rules,
                                                  const RegistrationIssuer& issuer, RegistrationState& state,
                                                  UnixTime now);

/// Issues certificates anew and publishes them; the KEY stays as it is. NotFound where that is gone: the child is
/// revoked.
Result<void> certify(Child& child, const RegistrationPolicy& policy, const RegistrationIssuer& issuer,
                     change::ZoneEdit& edit, UnixTime now);

/// Whether what let it in still holds, before its certificates are renewed: of who came by a proof, that proof. `proofs`: TXT
/// RDATA as for admit_registration, asked anew.
[[nodiscard]] bool is_still_proven(const Child& child, NameView parent, std::span<const Bytes> proofs);

/// The child leaves, or is made to: its delegation, its KEY and CERT, what is kept of it.
Result<void> remove_child(const Child& child, const RegistrationPolicy& policy, RegistrationState& state);

/// NS, DS and glue as the child asked for them.
void delegate_child(const Child& child, change::ZoneEdit& edit);

}  // namespace steward::federation

#pragma once
// How many signatures queries may make us make (serve/discover.hh): random names each need one, and cost their sender
// nothing. Shared by the workers, lock-free.

#include "auth/verify_budget.hh"

namespace steward::serve {

struct SignBudget {
  /// The limits hold once for clients whose address may be forged and once for those who have proved theirs, so that
  /// the former take nothing from the latter.
  SignBudget(const auth::VerifyBudgetSettings& settings, const crypto::SipHashKey& secret)
      : unproven(settings, secret), proven(settings, secret) {}

  /// Takes one signature; false where there is none left.
  bool take(const SocketAddress& client, bool is_proven, uint64_t monotonic_ns) {
    return (is_proven ? proven : unproven).take(client, monotonic_ns);
  }

  auth::VerifyBudget unproven;
  auth::VerifyBudget proven;
};

}  // namespace steward::serve

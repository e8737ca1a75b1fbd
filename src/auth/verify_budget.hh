#pragma once
// How many public-key verifications unauthenticated requests may make us do: a SIG(0) costs its sender nothing and us a
// hundred microseconds (CVE-2024-1975). A limit for all and one for each client network, shared by all threads,
// lock-free.

#include <atomic>
#include <memory>

#include "base/address.hh"
#include "crypto/siphash.hh"

namespace steward::auth {

struct VerifyBudgetSettings {
  uint32_t per_second = 2000;        ///< for all together, at least 1; a burst may use up a second's
  uint32_t per_client_second = 200;  ///< for one network, at least 1; likewise
  uint8_t ipv4_prefix = 24;          ///< bits that make a network, up to 32
  uint8_t ipv6_prefix = 56;          ///< up to 128
  uint32_t slots = 4096;             ///< a power of two; networks that fall into one slot share it; 8 octets each
};

class VerifyBudget {
 public:
  /// `secret` keys the choice of slots, so that nobody can aim at another network's.
  VerifyBudget(const VerifyBudgetSettings& settings, const crypto::SipHashKey& secret);

  /// Takes one verification for `client` at `monotonic_ns`; false: there is none left, and nothing was taken from what
  /// all share. Any thread; a clock that differs a little between threads does no harm.
  bool take(const SocketAddress& client, uint64_t monotonic_ns);

 private:
  [[nodiscard]] std::atomic<uint64_t>& slot_of(const SocketAddress& client) const;

  VerifyBudgetSettings settings_;
  crypto::SipHashKey secret_;
  // The time in ns until which a bucket is used up (the generic cell rate algorithm): full at or before now.
  std::atomic<uint64_t> all_{0};
  std::unique_ptr<std::atomic<uint64_t>[]> slots_;
};

/// What one request may draw on.
struct VerifyAllowance {
  VerifyBudget* budget;
  SocketAddress client;
  uint64_t monotonic_ns;

  [[nodiscard]] bool take() const { return budget->take(client, monotonic_ns); }
};

}  // namespace steward::auth

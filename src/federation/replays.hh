#pragma once
// Requests that have been taken, kept until they are stale by themselves, so that none is taken twice: also not after a
// restart, since they stand in a table of the registry's zone and are written in the transaction of what they did.
//
// A request is known by its signer, key tag, inception and nonce. Only requests that were verified come here, so that
// nobody fills the table but those who may. Values, no clock; the writer's thread.

#include "auth/registry_request.hh"
#include "zone/octet_table.hh"

namespace steward::federation {

struct ReplayLimits {
  uint32_t of_signer = 4096;  ///< requests of one signer within max_request_window
  uint32_t of_all = 65536;    ///< of all together; an entry takes about 60 octets
};

enum class ReplayVerdict : uint8_t {
  Fresh,     ///< not seen before, and now noted
  Repeated,  ///< seen before
  Stale,     ///< so old that it may have been forgotten, or not of this time at all
  Full,      ///< too many for now: refused, since what cannot be noted could be repeated
};
/// A sentence's part, in ASCII: the rule.
std::string_view to_text(ReplayVerdict verdict);
/// NOERROR for Fresh, NOTAUTH for Repeated and Stale, REFUSED for Full.
dns::Rcode rcode_of(ReplayVerdict verdict);

class Replays {
 public:
  /// `table` is for nothing else.
  explicit Replays(zone::OctetTable& table, ReplayLimits limits = {}) : table_(table), limits_(limits) {}

  /// Notes a request that was verified at `now`. A clock that goes back lets nothing in again: what was old enough to
  /// be forgotten stays refused. Corrupt, or the errors of the table; then nothing may be done for the request.
  Result<ReplayVerdict> admit(const auth::RegistryRequest& request, UnixTime now);

  /// Forgets what is stale at `now`, at most `most` entries; how many those were. admit() does this by itself, a few
  /// with each request.
  Result<uint32_t> purge(UnixTime now, uint32_t most);

  /// Entries held.
  [[nodiscard]] Result<uint32_t> size() const;

 private:
  struct Totals;
  [[nodiscard]] Result<Totals> totals() const;
  Result<void> put_totals(const Totals& totals);
  [[nodiscard]] Result<uint32_t> count_of(ByteView signer_key) const;
  Result<void> put_count(ByteView signer_key, uint32_t count);
  Result<bool> forget_oldest(Totals& totals);

  zone::OctetTable& table_;
  ReplayLimits limits_;
};

}  // namespace steward::federation

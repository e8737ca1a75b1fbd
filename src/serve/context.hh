#pragma once
// What a worker brings to the pipeline beside the snapshot: settings, the time, secrets, counters.
//
// Each worker thread owns one. The composition root replaces `settings`, `cookies` and the times between batches.

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.hh"
#include "serve/counters.hh"

namespace steward::auth {
class Keyring;
}

namespace steward::serve {

class AccessTable;
class Operations;
class RateLimiter;
class Recursion;
class TransferDesk;
struct DiscoverZone;
struct RecursionRights;
struct SignBudget;

enum class CookiePolicy : uint8_t {
  Off,       ///< the option is ignored
  On,        ///< answered, and asked of nobody
  Required,  ///< over UDP, a request with a cookie option but without a valid server cookie gets BADCOOKIE (RFC 7873
             ///< §5.2.3)
};

/// Immutable once a worker has it; a reload makes another.
struct Settings {
  uint16_t udp_size = 1232;  ///< the largest UDP response, and what our OPT says; 512 to 65,535
  std::string version;       ///< CH TXT version.server, version.bind; empty: REFUSED
  std::string identity;      ///< CH TXT id.server, hostname.bind (RFC 4892); empty: REFUSED
  Bytes nsid;                ///< RFC 5001; empty: not sent
  CookiePolicy cookies = CookiePolicy::On;
  uint16_t keepalive_timeout = 100;     ///< idle time of a stream that we announce, in units of 100 ms (RFC 7828 §3.1)
  uint16_t max_nsec3_iterations = 150;  ///< above: no denial is computed, SERVFAIL (RFC 9276 §3.2)
  std::shared_ptr<const auth::Keyring> keys;     ///< of TSIG; null: none, every signed request gets BADKEY
  std::shared_ptr<const AccessTable> access;     ///< null: no transfers, NOTIFY or UPDATE for anybody
  std::shared_ptr<const DiscoverZone> discover;  ///< null: its answers are SERVFAIL (serve/discover.hh)
  std::shared_ptr<const RecursionRights> recursion;  ///< null: nobody has anything resolved (serve/recursion.hh)
};

/// Keys of server cookies (RFC 9018 §5): made anew from time to time; what the one before made is accepted for an hour.
struct CookieSecrets {
  std::array<uint8_t, 16> current{};
  std::array<uint8_t, 16> previous{};
  bool has_previous = false;
};

struct Context {
  const Settings* settings = nullptr;   ///< never null when the pipeline runs
  RateLimiter* rate_limiter = nullptr;  ///< shared by the workers; null: no limit
  Operations* operations = nullptr;     ///< shared by the workers; null: NOTIFY and UPDATE are NOTIMP
  TransferDesk* transfers = nullptr;    ///< the worker's own; null: transfers are REFUSED
  Recursion* recursion = nullptr;       ///< shared by the workers; null: nothing is resolved
  SignBudget* signatures = nullptr;     ///< shared by the workers; null: no limit to signatures made for answers
  CookieSecrets cookies;
  uint32_t unix_seconds = 0;  ///< coarse wall-clock time, for cookies
  uint64_t monotonic_ms = 0;  ///< coarse, for rates
  uint32_t slip = 0;          ///< rate-limited responses so far
  Counters counters;
};

}  // namespace steward::serve

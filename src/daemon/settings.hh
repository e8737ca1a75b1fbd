#pragma once
// The configuration in the words of the rooms that serve: settings of answers, limits of connections and of rates, the
// secrets of cookies. Pure, except for read_cookie_secrets(); the main thread calls them.

#include <memory>

#include "auth/tsig_key.hh"
#include "auth/verify_budget.hh"
#include "change/publish.hh"
#include "config/config.hh"
#include "net/stream_limits.hh"
#include "serve/access.hh"
#include "serve/context.hh"
#include "serve/rate_limit.hh"
#include "serve/recursion.hh"

namespace steward::daemon {

[[nodiscard]] std::unique_ptr<serve::Settings> settings_of(const config::Config& config);
/// The TSIG keys of `keys`. Invalid where one cannot be used.
[[nodiscard]] Result<auth::Keyring> keyring_of(const config::Config& config);
/// `registry`: publishers may send UPDATEs for its zone.
[[nodiscard]] serve::AccessTable access_of(const std::vector<config::ZoneConfig>& zones, const std::optional<config::RegistryConfig>& registry);
[[nodiscard]] net::StreamLimits stream_limits_of(const config::TcpConfig& tcp);
/// The registry's id in vector clocks: the name of the replica, and which store it is.
[[nodiscard]] std::string replica_id(const config::RegistryConfig& registry, uint64_t incarnation);
/// What publishers may do. `incarnation`: of the store, which makes the replica's id.
[[nodiscard]] change::PublishPolicy publish_policy_of(const config::RegistryConfig& registry, uint64_t incarnation);
/// Whose questions are resolved; null where nobody's are.
[[nodiscard]] std::shared_ptr<const serve::RecursionRights> recursion_rights_of(const config::Config& config);
/// Of signatures that answers take (serve/discover.hh).
[[nodiscard]] auth::VerifyBudgetSettings sign_budget_of(const config::RegistryConfig& registry);
/// For `answers_per_second` above 0.
[[nodiscard]] serve::RateLimitSettings rate_limits_of(const config::RateLimit& limit);

/// A file of one line of 32 hexadecimal digits, the present secret, and perhaps a second, the one before (RFC 9018 §5);
/// drawn where `file` is empty. Io, Invalid with file and line.
[[nodiscard]] Result<serve::CookieSecrets> read_cookie_secrets(const config::Path& file);

}  // namespace steward::daemon

#include "daemon/settings.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "crypto/digest.hh"
#include "dns/encoding.hh"

namespace steward::daemon {
namespace {

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

std::unique_ptr<serve::Settings> settings_of(const config::Config& config) {
  auto settings = std::make_unique<serve::Settings>();
  settings->udp_size = config.udp_max_size;
  settings->version = config.server.version.value_or("STEWARD registry " STEWARD_VERSION);
  settings->identity = config.server.identity.value_or(host_name());
  settings->nsid = config.server.nsid;
  settings->cookies = config.cookies.enabled ? serve::CookiePolicy::On : serve::CookiePolicy::Off;
  // RFC 7828 §3.1: in units of 100 ms.
  settings->keepalive_timeout = static_cast<uint16_t>(std::min<int64_t>(config.tcp.idle_timeout.count() * 10, 65535));
  return settings;
}

Result<auth::Keyring> keyring_of(const config::Config& config) {
  std::vector<auth::TsigKey> keys;
  for (const config::TsigKey& key : config.keys) {
    auth::TsigKey made;
    made.name = key.name;
    switch (key.algorithm) {
      case config::TsigAlgorithm::HmacSha1: made.algorithm = auth::TsigAlgorithm::HmacSha1; break;
      case config::TsigAlgorithm::HmacSha224: made.algorithm = auth::TsigAlgorithm::HmacSha224; break;
      case config::TsigAlgorithm::HmacSha256: made.algorithm = auth::TsigAlgorithm::HmacSha256; break;
      case config::TsigAlgorithm::HmacSha384: made.algorithm = auth::TsigAlgorithm::HmacSha384; break;
      case config::TsigAlgorithm::HmacSha512: made.algorithm = auth::TsigAlgorithm::HmacSha512; break;
    }
    made.secret = key.secret;
    keys.push_back(std::move(made));
  }
  return auth::Keyring::create(std::move(keys));
}

serve::AccessTable access_of(const std::vector<config::ZoneConfig>& zones, const std::optional<config::RegistryConfig>& registry) {
  serve::AccessTable table;
  for (const config::ZoneConfig& zone : zones) {
    serve::ZoneAccess access;
    access.transfer = serve::AccessList::from_rules(zone.allow_transfer);
    access.secondary = !zone.primaries.empty();
    if (access.secondary) {
      serve::AccessList primaries = serve::AccessList::from_peers(zone.primaries);
      primaries.add(serve::AccessList::from_rules(zone.allow_notify));
      access.notify = std::move(primaries);
    }
    // Who may change what is decided by row, name and type (change/update_policy.hh), not by address alone.
    const bool is_registrys = registry && registry->zone == zone.name && !access.secondary;
    if (!zone.allow_update.empty() || is_registrys || zone.pushed_by) access.update = serve::AccessList::everybody();
    table.set(zone.name, std::move(access));
  }
  return table;
}

std::string replica_id(const config::RegistryConfig& registry, uint64_t incarnation) {
  return fmt::format("{}-{:04x}", registry.replica, incarnation >> 48);
}

change::PublishPolicy publish_policy_of(const config::RegistryConfig& registry, uint64_t incarnation) {
  constexpr int64_t day = 24 * 3600;
  change::PublishPolicy policy;
  policy.zone = registry.zone;
  policy.apex = registry.apex;
  policy.registry_id = registry.id;
  policy.replica = replica_id(registry, incarnation);
  policy.namespaces = registry.namespaces;
  for (const config::PublisherConfig& publisher : registry.publishers)
    policy.publishers.push_back({publisher.space, publisher.fingerprint, publisher.note, {}});
  policy.open = registry.open;
  policy.look_alikes = registry.refuse_look_alikes;
  policy.agents_per_key = registry.agents_per_key;
  policy.agents_per_namespace = registry.agents_per_namespace;
  policy.min_lease = registry.min_lease;
  policy.max_lease = registry.max_lease;
  policy.max_key_lease = registry.max_key_lease;
  policy.history_records = registry.history_records;
  const config::TrustConfig& trust = registry.trust;
  policy.trust.tests = trust.tests;
  policy.trust.success = trust.success;
  policy.trust.uptime = trust.uptime;
  policy.trust.endorsements = trust.endorsements;
  policy.trust.attestation = trust.attestation;
  policy.trust.claimed_cap = trust.claimed_cap;
  policy.trust.custody_cap = trust.custody_cap;
  policy.trust.new_factor = trust.new_factor;
  policy.trust.new_days = static_cast<uint32_t>(trust.new_time.count() / day);
  policy.trust.look_alike_factor = trust.look_alike_factor;
  policy.trust.unknown = trust.unknown;
  policy.trust.attestation_days = static_cast<uint32_t>(trust.attestation_time.count() / day);
  policy.trust_interval = trust.restate_interval;
  return policy;
}

net::StreamLimits stream_limits_of(const config::TcpConfig& tcp) {
  net::StreamLimits limits;
  limits.clients = tcp.max_clients;
  limits.clients_per_address = tcp.max_clients_per_address;
  limits.in_flight = tcp.max_pipelined;
  limits.idle = tcp.idle_timeout;
  limits.handshake = tcp.reply_timeout;
  limits.message = tcp.reply_timeout;
  limits.write = tcp.reply_timeout;
  return limits;
}

serve::RateLimitSettings rate_limits_of(const config::RateLimit& limit) {
  serve::RateLimitSettings settings;
  settings.per_second = limit.answers_per_second;
  settings.slip = limit.slip;
  settings.listed = limit.limited;
  settings.exempt = limit.exempt;
  settings.ipv4_prefix = limit.ipv4_prefix;
  settings.ipv6_prefix = limit.ipv6_prefix;
  return settings;
}

std::shared_ptr<const serve::RecursionRights> recursion_rights_of(const config::Config& config) {
  if (!config.resolver || !config.registry) return nullptr;
  return std::make_shared<const serve::RecursionRights>(serve::RecursionRights{config.registry->apex.folded(), config.resolver->allow});
}

auth::VerifyBudgetSettings sign_budget_of(const config::RegistryConfig& registry) {
  auth::VerifyBudgetSettings settings;
  settings.per_second = registry.discover_signatures;
  settings.per_client_second = registry.discover_client_signatures;
  return settings;
}

Result<serve::CookieSecrets> read_cookie_secrets(const config::Path& file) {
  serve::CookieSecrets secrets;
  if (file.empty()) {
    crypto::random_octets(secrets.current);
    return secrets;
  }
  std::ifstream in(file);
  if (!in) return fail(Errc::Io, file.string() + ": " + std::strerror(errno));
  std::array<uint8_t, 16>* const places[] = {&secrets.current, &secrets.previous};
  size_t count = 0;
  size_t line_number = 0;
  for (std::string line; std::getline(in, line);) {
    ++line_number;
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.pop_back();
    if (line.empty()) continue;
    const auto octets = dns::decode(dns::hex, line);
    if (count == std::size(places) || !octets || octets->size() != places[count]->size())
      return fail(Errc::Invalid,
                  file.string() + ":" + std::to_string(line_number) +
                      ": expected 32 hexadecimal digits, on one line or, with the secret before it, two");
    std::copy(octets->begin(), octets->end(), places[count++]->begin());
  }
  if (count == 0) return fail(Errc::Invalid, file.string() + ": is empty; expected 32 hexadecimal digits");
  secrets.has_previous = count == 2;
  return secrets;
}

}  // namespace steward::daemon

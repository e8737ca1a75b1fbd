#include "config/checks.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/registry_checks.hh"
#include "config/walker.hh"

namespace steward::config {
namespace {

constexpr size_t max_socket_path = 107;  // sockaddr_un.sun_path less its final zero

class Checks {
 public:
  Checks(Config& config, std::vector<Problem>& problems) : config_(config), problems_(problems) {}

  void run() {
    check_registry(config_, problems_);
    resolver();
    control();
    listen();
    outgoing();
    tls();
    keys();
    children();
    std::set<std::string> names;
    templates();
    for (ZoneConfig& zone : config_.zones) {
      if (!names.insert(zone.name.to_text()).second)
        problem(zone.at, fmt::format("zone {} is given twice; expected once", zone.name.to_text()));
      const std::string actual = zone_text(zone, "zones");
      this->zone(zone, actual);
      catalog(zone, actual);
    }
    feed();
    user();
  }

 private:
  void problem(Mark at, std::string what) { problems_.push_back({at, std::move(what)}); }
  void warning(Mark at, std::string_view what) {
    config_.warnings.push_back(fmt::format("{}: {}", at_text(config_.file, at), what));
  }
  [[nodiscard]] const Setting* setting(const std::string& key) const {
    const auto at = config_.settings.find(key);
    return at == config_.settings.end() ? nullptr : &at->second;
  }

  // What each of them is alone: config/registry_checks.hh.
  void children() {
    if (!config_.registry) return;
    for (ChildConfig& child : config_.registry->children) {
      ZoneConfig feed;
      feed.name = child.feed;
      peers(child.primaries, feed, "primaries");
      if (config_.find_zone(child.feed) != nullptr)
        problem(child.at, fmt::format("registry.children: the feed {} is a zone of 'zones' too; expected it in one of them",
                                      child.feed.to_text()));
    }
  }

  void control() {
    if (config_.control.empty()) config_.control = config_.data / "control.sock";
    const Setting* given = setting("control");
    if (config_.control.string().size() > max_socket_path)
      problem(given != nullptr ? given->at : Mark{},
              fmt::format("control: the path '{}' has over {} octets, which a socket cannot have",
                          config_.control.string(), max_socket_path));
  }

  void listen() {
    const Setting* given = setting("listen");
    const Mark at = given != nullptr ? given->at : Mark{};
    if (config_.listen.empty()) problem(at, "listen: expected at least one address, found none");
    for (size_t i = 0; i < config_.listen.size(); ++i) {
      if (config_.listen[i].port() == 0) problem(at, "listen: port 0; expected 1 to 65535");
      for (size_t j = 0; j < i; ++j)
        if (config_.listen[i] == config_.listen[j])
          problem(at, fmt::format("listen: {} is given twice; expected once", config_.listen[i].to_text()));
    }
  }

  // Where questions go and what proves the answers has to be said: nothing is asked of the public DNS.
  void resolver() {
    const Setting* given = setting("resolver");
    const RegistryConfig* registry = config_.registry ? &*config_.registry : nullptr;
    if (!config_.resolver || given == nullptr) {
      const bool has_identity = registry != nullptr && !registry->identity.empty();
      for (const char* key : {"registry.root", "registry.trust-anchor"})
        if (const Setting* unused = setting(key); unused != nullptr && !has_identity)
          warning(unused->at, fmt::format("{}: not used without `resolver` or registry.identity", key));
      return;
    }
    if (registry == nullptr || registry->root.empty() || registry->trust_anchor.empty())
      problem(given->at, "resolver: needs registry.root, the addresses of the root registry, and registry.trust-anchor, a file with its DS");
    for (const AddressBlock& block : config_.resolver->allow)
      if (block.to_text().ends_with("/0"))
        problem(given->at, fmt::format("resolver.allow: {} is everybody; expected the networks of clients (RFC 5358)", block.to_text()));
  }

  void outgoing() {
    const Setting* given = setting("outgoing");
    if (given == nullptr) return;
    for (size_t i = 0; i < config_.outgoing.size(); ++i) {
      const SocketAddress& address = config_.outgoing[i];
      if (address.port() != 0) problem(given->at, fmt::format("outgoing: {}: expected an address without a port", address.to_text()));
      if (address.is_wildcard()) problem(given->at, "outgoing: a wildcard; expected an address of this machine");
      for (size_t j = 0; j < i; ++j)
        if (config_.outgoing[j].family() == address.family())
          problem(given->at, fmt::format("outgoing: {} is the second of its family; expected one", address.to_text()));
    }
  }

  void tls() {
    const Setting* given = setting("tls");
    if (given == nullptr) return;
    TlsConfig& tls = config_.tls;
    const bool has_identity = config_.registry && !config_.registry->identity.empty();
    if (has_identity ? tls.certificate.empty() != tls.key.empty() : tls.certificate.empty() || tls.key.empty())
      problem(given->at,
              "tls: needs 'certificate' and 'key', two files in PEM; one for trials is made with: openssl req -x509 "
              "-newkey ec "
              "-pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=NAME -addext subjectAltName=DNS:NAME "
              "-keyout key.pem "
              "-out cert.pem");
    if (has_identity && tls.certificate.empty()) {
      tls.certificate = Path(config_.registry->identity.string() + ".crt");
      tls.key = config_.registry->identity;
    }
    if (has_identity) {
      tls.registries = config_.registry->apex.to_text();
      tls.registries.pop_back();
    }
    if (tls.require_client_certificate && tls.client_ca.empty())
      problem(given->at,
              "tls: require-client-certificate needs 'client-ca', a file of the authorities that are trusted");
    if (tls.listen.empty()) problem(given->at, "tls.listen: expected at least one address, found none");
    for (const SocketAddress& address : tls.listen) {
      if (address.port() == 0) problem(given->at, "tls.listen: port 0; expected 1 to 65535");
      if (std::count(tls.listen.begin(), tls.listen.end(), address) > 1 ||
          std::find(config_.listen.begin(), config_.listen.end(), address) != config_.listen.end())
        problem(given->at, fmt::format("tls.listen: {} is given twice; expected once", address.to_text()));
    }
  }

  void peers(std::vector<Peer>& peers, const ZoneConfig& zone, std::string_view where) {
    for (Peer& peer : peers) {
      key_reference(peer.key, peer.at, zone, where);
      if (!peer.tls) continue;
      // RFC 7858 §3.1
      if (!peer.port_given) peer.address.set_port(853);
      const PeerTls& tls = *peer.tls;
      const std::string at = fmt::format("zone {}: {}: tls to {}", zone.name.to_text(), where, peer.address.to_text());
      const int ways = (tls.name.empty() ? 0 : 1) + (tls.pins.empty() ? 0 : 1) + (tls.opportunistic ? 1 : 0);
      if (ways == 0)
        problem(peer.at,
                at + ": expected one of name, pin, or opportunistic: true; else nobody knows who answers there");
      // A name beside a pin is only sent (SNI).
      if (tls.opportunistic && ways > 1)
        problem(peer.at, at + ": opportunistic beside name or pin; expected one of them");
      if (!tls.ca.empty() && (tls.name.empty() || !tls.pins.empty()))
        problem(peer.at, at + ": ca; expected it beside name only");
      if (tls.certificate.empty() != tls.key.empty()) problem(peer.at, at + ": expected certificate and key together");
    }
  }

  void rules(const std::vector<AccessRule>& rules, const ZoneConfig& zone, std::string_view where) {
    for (const AccessRule& rule : rules) {
      key_reference(rule.key, rule.at, zone, where);
      rule_tls(rule, zone, where);
    }
  }

  void rule_tls(const AccessRule& rule, const ZoneConfig& zone, std::string_view where) {
    if (!rule.tls.empty() && config_.tls.client_ca.empty())
      problem(rule.at,
              fmt::format("zone {}: {}: tls: {}: no 'tls.client-ca'; expected the authorities that certificates of "
                          "clients are verified with",
                          zone.name.to_text(), where, rule.tls));
    else if (rule.over_tls && config_.tls.listen.empty())
      warning(rule.at,
              fmt::format("zone {}: {}: transport: tls, but there is no 'tls.listen'", zone.name.to_text(), where));
  }

  void times(const TransferTimes& times, Mark at, std::string_view zone) {
    if (times.min_refresh > times.max_refresh)
      problem(at, fmt::format("{}: min-refresh is over max-refresh; expected at most that", zone));
    if (times.min_retry > times.max_retry)
      problem(at, fmt::format("{}: min-retry is over max-retry; expected at most that", zone));
  }

  void keys() {
    std::set<std::string> names;
    for (const TsigKey& key : config_.keys) {
      const std::string name = key.name.to_text();
      if (!names.insert(name).second) problem(key.at, fmt::format("key {} is given twice; expected once", name));
      if (!key.secret.empty() && key.secret.size() < 16)
        warning(key.at, fmt::format("key {}: a secret of {} octets can be guessed; use 32 (RFC 8945 section 10)", name,
                                    key.secret.size()));
      if (key.algorithm == TsigAlgorithm::HmacSha1)
        warning(key.at,
                fmt::format("key {}: hmac-sha1 is not recommended (RFC 8945 section 6); use hmac-sha256", name));
    }
  }

  void key_reference(const std::optional<dns::Name>& key, Mark at, const ZoneConfig& zone, std::string_view where) {
    if (key && config_.find_key(*key) == nullptr)
      problem(at, fmt::format("zone {}: {}: no key {} in 'keys'; expected the name of a TSIG key", zone.name.to_text(),
                              where, key->to_text()));
  }

  void update_rule(const UpdateRule& rule, const ZoneConfig& zone) {
    const auto wrong = [&](std::string_view what) {
      problem(rule.at, fmt::format("zone {}: allow-update: {}", zone.name.to_text(), what));
    };
    if (rule.key && !rule.key->view().is_wildcard()) key_reference(rule.key, rule.at, zone, "allow-update");
    rule_tls(rule, zone, "allow-update");
    if (!rule.block && !rule.key && !rule.sig0 && rule.tls.empty()) wrong("nobody is named; expected address, key, sig0 or tls");
    if (rule.key && rule.sig0) wrong("key and sig0; expected one of them, a message has one signature");
    for (const NamePattern& pattern : rule.names) {
      const bool self = pattern.kind == NamePattern::Kind::Self || pattern.kind == NamePattern::Kind::SelfSub;
      if (self && !rule.key && !rule.sig0) wrong(fmt::format("{} without key or sig0", to_text(pattern)));
      if (!self && !pattern.name.view().is_at_or_below(zone.name))
        wrong(fmt::format("{} is not in the zone", to_text(pattern)));
    }
  }

  void templates() {
    std::set<std::string> names;
    for (ZoneConfig& pattern : config_.templates) {
      const std::string actual = zone_text(pattern, "templates");
      if (!names.insert(pattern.name.to_text()).second)
        problem(pattern.at, fmt::format("{}: the template is given twice; expected once", actual));
      for (const char* key : {"file", "zonemd", "catalog", "catalog-template", "catalog-groups", "catalog-member", "catalog-group", "catalog-coo"})
        if (const Setting* at = setting(fmt::format("{}.{}", actual, key)))
          problem(at->at, fmt::format("{}.{}: is no matter of a template; zones of a catalog are transferred", actual, key));
      if (pattern.primaries.empty())
        problem(pattern.at, fmt::format("{}: the key 'primaries' is missing; expected the servers of the catalog's zones", actual));
      zone(pattern, actual);
    }
  }

  void zonemd(ZoneConfig& zone, const std::string& actual) {
    if (setting(actual + ".zonemd-verify") == nullptr)
      zone.zonemd_verify = zone.primaries.empty() ? ZonemdCheck::Off : ZonemdCheck::Present;
    if (const Setting* at = setting(actual + ".zonemd"); at != nullptr && zone.zonemd != ZonemdDigest::None && !zone.primaries.empty())
      problem(at->at, fmt::format("{}: zonemd and primaries; expected one of them, a transferred zone is served as its primary made it", actual));
  }

  void catalog(const ZoneConfig& zone, const std::string& actual) {
    const auto refuse = [&](std::string_view key, std::string_view what) {
      if (const Setting* at = setting(fmt::format("{}.{}", actual, key))) problem(at->at, fmt::format("{}.{}: {}", actual, key, what));
    };
    if (zone.catalog != CatalogRole::Consume)
      for (const char* key : {"catalog-template", "catalog-groups"}) refuse(key, "expected only with catalog: consume");
    if (zone.catalog == CatalogRole::Produce)
      for (const char* key : {"file", "primaries", "allow-update"}) refuse(key, "a catalog with catalog: produce is made here; expected no such key");
    if (zone.catalog == CatalogRole::Consume) consumer(zone, actual);
    if (zone.catalog_entry.catalog) return member(zone, actual);
    for (const char* key : {"catalog-group", "catalog-coo"}) refuse(key, "expected only with catalog-member");
  }

  void consumer(const ZoneConfig& zone, const std::string& actual) {
    std::set<std::string> groups;
    const auto known = [&](const dns::Name& name, Mark at, std::string_view key) {
      if (config_.find_template(name) == nullptr)
        problem(at, fmt::format("{}.{}: no template {} in 'templates'; expected the name of one", actual, key, name.to_text()));
    };
    for (const CatalogGroup& group : zone.catalog_groups) {
      if (!groups.insert(group.group).second)
        problem(group.at, fmt::format("{}.catalog-groups: the group '{}' is given twice; expected once", actual, shown(group.group)));
      known(group.pattern, group.at, "catalog-groups");
    }
    const Setting* pattern = setting(actual + ".catalog-template");
    if (zone.catalog_template) known(*zone.catalog_template, pattern != nullptr ? pattern->at : zone.at, "catalog-template");
    if (!zone.catalog_template && zone.primaries.empty())
      problem(zone.at, fmt::format("{}: the key 'catalog-template' is missing; expected the name of a template, since the catalog has no primaries that "
                                   "its members could come from", actual));
  }

  void member(const ZoneConfig& zone, const std::string& actual) {
    const CatalogEntry& entry = zone.catalog_entry;
    const Setting* at = setting(actual + ".catalog-member");
    const Mark mark = at != nullptr ? at->at : zone.at;
    const ZoneConfig* catalog = config_.find_zone(*entry.catalog);
    if (catalog == nullptr || catalog->catalog != CatalogRole::Produce)
      problem(mark, fmt::format("{}.catalog-member: expected a zone with catalog: produce, found {}", actual, entry.catalog->to_text()));
    if (zone.name == *entry.catalog) problem(mark, fmt::format("{}.catalog-member: a catalog is no member of itself", actual));
    if (entry.coo && *entry.coo == *entry.catalog)
      problem(mark, fmt::format("{}.catalog-coo: expected another catalog than that of catalog-member", actual));
  }

  void zone(ZoneConfig& zone, const std::string& actual) {
    if (zone.file.empty() && zone.primaries.empty() && zone.catalog != CatalogRole::Produce && !actual.starts_with("templates["))
      problem(zone.at, fmt::format("{}: the key 'file' is missing; expected a path", actual));
    rules(zone.allow_transfer, zone, "allow-transfer");
    for (const UpdateRule& rule : zone.allow_update) update_rule(rule, zone);
    rules(zone.allow_notify, zone, "allow-notify");
    peers(zone.notify, zone, "notify");
    peers(zone.primaries, zone, "primaries");
    times(zone.times, zone.at, actual);
    if (zone.dnssec.enabled && !zone.primaries.empty())
      problem(
          zone.at,
          fmt::format(
              "{}: dnssec and primaries; expected one of them, a transferred zone is served as its primary signed it",
              actual));
    zonemd(zone, actual);
    policy(zone, actual);
  }

  void feed() {
    if (!config_.registry) return;
    ZoneConfig zone;
    zone.name = config_.registry->zone;
    rules(config_.registry->feed.allow_transfer, zone, "registry.feed.allow-transfer");
    peers(config_.registry->feed.notify, zone, "registry.feed.notify");
  }

  void policy(ZoneConfig& zone, const std::string& actual) {
    DnssecPolicy& policy = zone.dnssec;
    const auto given = [&](std::string_view key) { return setting(fmt::format("{}.dnssec.{}", actual, key)); };
    complete_policy(policy, given("refresh") != nullptr, given("jitter") != nullptr);
    if (policy.refresh + policy.jitter >= policy.signature_lifetime) {
      const Setting* at = given("refresh") != nullptr ? given("refresh") : given("jitter");
      problem(at != nullptr ? at->at : zone.at,
              fmt::format("{}.dnssec: refresh and jitter together are {}s; expected less than signature-lifetime, {}s",
                          actual, (policy.refresh + policy.jitter).count(), policy.signature_lifetime.count()));
    }
    for (const char* size : {"ksk-size", "zsk-size"})
      if (const Setting* at = given(size); at != nullptr && policy.algorithm != Algorithm::RSASHA256)
        problem(at->at, fmt::format("{}.dnssec.{}: only keys of rsasha256 have a size to choose", actual, size));
    for (const char* key : {"zsk-size", "zsk-lifetime"})
      if (const Setting* at = given(key); at != nullptr && policy.csk)
        problem(at->at, fmt::format("{}.dnssec.{}: with csk there is no ZSK", actual, key));
  }

  void user() {
    const Setting* given = setting("user");
    if (given != nullptr &&
        (config_.user.empty() || given->text.ends_with(':') || config_.group.find(':') != std::string::npos))
      problem(given->at, fmt::format("user: expected USER or USER:GROUP, found '{}'", given->text));
  }

  static std::string zone_text(const ZoneConfig& zone, std::string_view list) {
    return fmt::format("{}[{}]", list, zone.name.to_plain_text());
  }

  Config& config_;
  std::vector<Problem>& problems_;
};

}  // namespace

void complete_policy(DnssecPolicy& policy, bool refresh_given, bool jitter_given) {
  if (!refresh_given) policy.refresh = policy.signature_lifetime / 2;
  if (!jitter_given) policy.jitter = policy.signature_lifetime / 14;
}

void complete_and_check(Config& config, std::vector<Problem>& problems) { Checks(config, problems).run(); }

}  // namespace steward::config

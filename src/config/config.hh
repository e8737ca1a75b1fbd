#pragma once
// The configuration as the server uses it: plain values, every default filled in, every path absolute or relative to
// the working folder only where the file's own path was.
//
// Made by config/loader.hh from registry.yaml, or by default_config() without a file; read-only afterwards and shared
// by all threads. What each key means, its unit, range and default: the table in config/schema.cc, and
// registry.yaml(5).

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hh"
#include "base/bytes.hh"
#include "base/clock.hh"
#include "base/log.hh"
#include "config/name_pattern.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::config {

using Path = std::filesystem::path;

/// Where something stands in the file: both count from 1; 0 where it was not given.
struct Mark {
  uint32_t line = 0;
  uint32_t column = 0;
};

/// DNSSEC algorithms that zones are signed with, by IANA's numbers.
enum class Algorithm : uint8_t { RSASHA256 = 8, ECDSAP256SHA256 = 13, ED25519 = 15 };

enum class TsigAlgorithm : uint8_t { HmacSha1, HmacSha224, HmacSha256, HmacSha384, HmacSha512 };

struct Nsec3Policy {
  bool enabled = false;  ///< false: NSEC
  bool opt_out = false;
};

struct DnssecPolicy {
  bool enabled = false;
  Algorithm algorithm = Algorithm::ECDSAP256SHA256;
  bool csk = false;       ///< one key signs all, instead of a KSK and a ZSK
  uint16_t ksk_size = 0;  ///< bits, RSASHA256 only; of a CSK too
  uint16_t zsk_size = 0;
  Nsec3Policy nsec3;
  Seconds ksk_lifetime{};  ///< 0: rolled on command only; of a CSK too
  Seconds zsk_lifetime{};
  Seconds signature_lifetime{};
  Seconds refresh{};  ///< a signature is made again when this much is left of it
  Seconds jitter{};   ///< expiry is earlier by up to this much, so that not all falls due at once
  Seconds propagation_delay{};
  Seconds dnskey_ttl{};
  Seconds ds_ttl{};  ///< of the DS RRset in the parent
  Seconds purge_keys{};  ///< from a key's removal to that of its files; 0 is never
  bool cds = true;   ///< publish CDS and CDNSKEY (RFC 7344, RFC 8078)
  Path key_directory;
};

/// One row of an access list: what is given must hold, all at once. At least one is given.
struct AccessRule {
  std::optional<AddressBlock> block;
  std::optional<dns::Name> key;
  std::string tls;         ///< a dNSName of the client's verified certificate, as PeerIdentity::names has it; empty: any
  bool over_tls = false;   ///< only over TLS; also where `tls` is given
  std::optional<dns::Name> registry = {};  ///< derived: the registry of this zone, by its identity; then nothing else
  Mark at;
};

/// One row of `allow-update`: who, and what of the zone. Rows are tried in order; the first that matches decides.
struct UpdateRule : AccessRule {
  std::optional<dns::Name> sig0;   ///< owner of the KEY record that signed (RFC 2931); `*.` stands for any
  bool deny = false;
  std::vector<NamePattern> names;  ///< empty: all names of the zone
  std::vector<dns::RrType> types;  ///< empty: see registry.yaml(5); ANY: all
};

/// What a zone may become by UPDATE; 0 is no limit.
struct UpdateLimits {
  uint32_t rrset_records = 0;    ///< records in one RRset
  uint32_t name_rrsets = 0;      ///< RRsets at one name
  uint32_t name_records = 0;     ///< records at one name
  uint32_t message_records = 0;  ///< prerequisites and updates in one message
};

/// How a server is reached over TLS, and how it proves who it is (RFC 8310 §5): by `name` under an authority, by a pin
/// (a name is then only sent), or, `opportunistic`, not at all.
struct PeerTls {
  std::string name;               ///< lower case, without a final dot
  Path ca;                        ///< empty: the system's authorities
  std::vector<std::string> pins;  ///< SHA-256 of the SubjectPublicKeyInfo in base64
  bool opportunistic = false;
  Path certificate;  ///< our own, for a server that asks for it; empty: none
  Path key;
  std::optional<dns::Name> registry = {};  ///< derived: the registry of this zone, by its identity; then nothing else
};

/// A server that is told or asked about a zone.
struct Peer {
  SocketAddress address;
  bool port_given = false;  ///< else 53, or 853 with `tls`
  std::optional<dns::Name> key;
  std::optional<PeerTls> tls;  ///< nothing: TCP and UDP
  Mark at;
};

/// A ZONEMD record that we make (RFC 8976).
enum class ZonemdDigest : uint8_t { None, Sha384, Sha512 };

/// What is asked of the ZONEMD of a zone that comes from elsewhere.
enum class ZonemdCheck : uint8_t { Off, Present, Required };

/// Catalog zones (RFC 9432).
enum class CatalogRole : uint8_t { None, Consume, Produce };

/// Members of a consumed catalog whose property `group` has this value take this template.
struct CatalogGroup {
  std::string group;   ///< as it is, whatever its octets
  dns::Name pattern;   ///< the template's name, folded
  Mark at;
};

/// What a zone that we list in a catalog of ours is listed as.
struct CatalogEntry {
  std::optional<dns::Name> catalog;  ///< folded; nothing: in none
  std::vector<std::string> groups;
  std::optional<dns::Name> coo;      ///< folded: the catalog that is to take it over
};

struct JournalConfig {
  uint64_t max_size = 0;  ///< octets
  Seconds max_age{};
};

/// What a primary's SOA may ask of us as a secondary: its values are brought within these.
struct TransferTimes {
  Seconds min_refresh{};
  Seconds max_refresh{};
  Seconds min_retry{};
  Seconds max_retry{};
  Seconds max_expire{};
};

struct ZoneConfig {
  dns::Name name;  ///< folded
  Path file;       ///< empty only where `primaries` are given, or for a catalog that we produce
  DnssecPolicy dnssec;
  std::vector<AccessRule> allow_transfer;
  std::vector<UpdateRule> allow_update;
  UpdateLimits update_limits;
  std::vector<AccessRule> allow_notify;  ///< beside the primaries
  std::vector<Peer> notify;
  std::vector<Peer> primaries;
  JournalConfig journal;
  TransferTimes times;
  ZonemdDigest zonemd = ZonemdDigest::None;
  ZonemdCheck zonemd_verify = ZonemdCheck::Off;
  CatalogRole catalog = CatalogRole::None;
  std::optional<dns::Name> catalog_template;  ///< of members without a group that is known; nothing: as the catalog itself is transferred
  std::vector<CatalogGroup> catalog_groups;   ///< in the order of the file
  CatalogEntry catalog_entry;
  bool online = false;  ///< what it has but for its apex is made and signed as it is asked for: discover_zone()
  bool transfer_only = false;  ///< a feed: answered to who may transfer it alone
  std::optional<dns::Name> pushed_by;  ///< derived: the zone of the registry that sends this feed
  Mark at;
};

struct TsigKey {
  dns::Name name;  ///< folded
  TsigAlgorithm algorithm = TsigAlgorithm::HmacSha256;
  Bytes secret;
  Mark at;
};

/// A key that may publish.
struct PublisherConfig {
  std::string space_text;   ///< as it was given; empty: the registry's own
  dns::Name space;          ///< the namespace's full name, folded
  std::string fingerprint;  ///< "sha256:…", in lower case
  std::string note;
  Mark at;
};

/// A registry below, whose feed is followed.
struct ChildConfig {
  std::string space_text;       ///< its namespace, as it was given
  dns::Name zone;               ///< folded
  std::string replica;          ///< id of the replica whose feed it is
  dns::Name feed;               ///< `<replica>._feed.<zone>`, folded
  std::vector<Peer> primaries;  ///< of the feed
  double trust_ceiling = 1;     ///< most that is stated of trust in its agents
  uint32_t agents = 0;          ///< most that are admitted; 0: no limit
  bool registered = false;      ///< derived: it came by registration, not by the file
  bool pushed = false;          ///< derived: it sends its feed, which then has no primaries
  bool hosted = false;          ///< derived: its agents are answered from the registry's own zone
  Mark at;
};

/// Weights, caps and factors of trust (agent/trust.hh), from 0 to 1.
struct TrustConfig {
  double tests = 0;
  double success = 0;
  double uptime = 0;
  double endorsements = 0;
  double attestation = 0;
  double claimed_cap = 0;
  double custody_cap = 0;
  double new_factor = 0;
  Seconds new_time{};
  Seconds attestation_time{};
  double look_alike_factor = 0;
  double unknown = 0;
  Seconds restate_interval{};  ///< in which each agent's is stated anew; 0: never
};

/// What a registry asks of those that want to be its children.
struct RegistrationConfig {
  bool invitations = true;
  bool proofs = true;
  bool approvals = true;
  bool refuse_look_alikes = true;
  uint32_t max_children = 0;  ///< 0: no limit
  double trust_ceiling = 1;   ///< of each child that has registered, as ChildConfig has it
  uint32_t agents = 0;        ///< likewise
  std::vector<SocketAddress> resolvers;  ///< asked for proofs and name servers' addresses; empty: the system's
};

/// Whether the feed is sent to a parent that cannot fetch it, and who answers for the namespace then.
enum class FeedPush : uint8_t {
  None,       ///< the parent fetches it
  Hosted,     ///< sent; no servers are named, and the parent answers
  Delegated,  ///< sent; the zone's servers are named, which the parent can reach
};

/// The registry's feed: who takes it, and who is told of a change.
struct FeedConfig {
  std::vector<AccessRule> allow_transfer;
  std::vector<Peer> notify;
};

struct RegistryConfig {
  dns::Name space;                  ///< the namespace below the apex, "acme-corp.com."; the root for the root registry
  dns::Name apex;                   ///< "steward-registry.org."
  dns::Name zone;                   ///< space and apex together
  std::optional<dns::Name> parent;  ///< nothing for the root registry
  std::string id;                   ///< "com.acme-corp"
  std::vector<SocketAddress> root;
  Path trust_anchor;  ///< empty: the public DNS's
  std::vector<dns::Name> namespaces;  ///< full names beside the zone's own, folded; `*` as the first label stands for any
  std::vector<PublisherConfig> publishers;
  bool open = false;
  bool refuse_look_alikes = true;
  uint32_t agents_per_key = 0;        ///< 0: no limit
  uint32_t agents_per_namespace = 0;  ///< likewise
  Seconds min_lease{};
  Seconds max_lease{};
  Seconds max_key_lease{};
  uint32_t history_records = 0;  ///< published, of each agent
  Path custody_key;
  Path identity;  ///< private key that other registries know this one by; empty: none
  Path root_ca;   ///< certificate of the root's authority; empty: the trust anchor has to say who the parent is
  RegistrationConfig registration;
  FeedPush push = FeedPush::None;
  std::string replica;  ///< without its incarnation
  FeedConfig feed;
  bool discover = true;                     ///< answer `_discover._agents` below the zone
  std::vector<dns::Name> discover_servers;  ///< its name servers, folded; empty: as the zone's SOA and NS have it
  uint32_t discover_signatures = 0;         ///< a second that answers may take, of all clients
  uint32_t discover_client_signatures = 0;  ///< of one client network
  TrustConfig trust;
  std::vector<ChildConfig> children;
  Seconds pull_interval{};  ///< most time between two looks at a child's feed
};

struct TlsConfig {
  std::vector<SocketAddress> listen;
  Path certificate;
  Path key;
  Path client_ca;  ///< empty: clients are not asked for a certificate
  bool require_client_certificate = false;
  std::string registries;  ///< derived: the apex, where we are a registry with an identity and clients may be others
};

struct RateLimit {
  uint32_t answers_per_second = 0;  ///< of one client network; 0: off
  uint32_t slip = 0;                ///< every n-th answer over the limit is sent truncated; 0: none, 1: all
  uint8_t ipv4_prefix = 0;
  uint8_t ipv6_prefix = 0;
  std::vector<AddressBlock> exempt;   ///< beside loopback
  std::vector<AddressBlock> limited;  ///< limited although exempt; how loopback is limited
};

/// Names below the apex are resolved for these clients (RD); there only where that is wanted.
struct ResolverConfig {
  std::vector<AddressBlock> allow;
  Seconds timeout{};                ///< of one question
  uint32_t max_queries = 0;         ///< under way at once
  uint32_t max_client_queries = 0;  ///< of one client address
};

struct TcpConfig {
  uint32_t max_clients = 0;  ///< connections of the whole server
  uint32_t max_clients_per_address = 0;
  uint32_t max_pipelined = 0;  ///< queries of one connection under way
  Seconds idle_timeout{};
  Seconds reply_timeout{};
};

struct ServerIdentity {
  std::optional<std::string> identity;  ///< id.server CH TXT; nothing: the host name; empty: not told
  std::optional<std::string> version;   ///< version.server CH TXT; nothing: name and version; empty: not told
  Bytes nsid;                           ///< RFC 5001; empty: not sent
};

struct LogConfig {
  log::Level level = log::Level::Info;
  log::Format format = log::Format::Text;
};

struct Cookies {
  bool enabled = true;
  Path secret_file;  ///< empty: drawn at start
};

struct ZoneFileConfig {
  bool watch = true;
  uint32_t max_include_depth = 0;
  uint32_t max_generate = 0;  ///< records of one $GENERATE
};

/// A value as the file gave it, in one canonical spelling, so that two configurations can be compared.
struct Setting {
  std::string text;
  Mark at;
};

struct Config {
  Path file;  ///< empty: made without a file
  Path data;
  Path control;
  std::vector<SocketAddress> listen;
  std::vector<SocketAddress> outgoing;  ///< at most one of a family, port 0
  TlsConfig tls;
  std::vector<AddressBlock> proxies;  ///< who puts a PROXY header before all
  std::vector<SocketAddress> https;
  std::vector<SocketAddress> metrics;
  std::optional<RegistryConfig> registry;
  std::vector<ZoneConfig> zones;
  std::vector<ZoneConfig> templates;  ///< of members of catalogs; `name` is the template's own
  std::vector<TsigKey> keys;
  RateLimit rate_limit;
  std::optional<ResolverConfig> resolver;
  uint32_t workers = 0;  ///< 0: one a core
  std::string user;      ///< empty: stay who we are
  std::string group;     ///< empty: the user's own
  LogConfig log;
  ServerIdentity server;
  TcpConfig tcp;
  uint16_t udp_max_size = 0;  ///< octets, in both directions (RFC 6891 §6.2.5)
  Cookies cookies;
  uint64_t map_size = 0;  ///< octets: what the database may grow to
  ZoneFileConfig zone_files;

  std::vector<std::string> warnings;        ///< one line each, with file, line and column
  std::map<std::string, Setting> settings;  ///< what was given, by key: "zones[example.com].file"; without defaults

  /// "registry.yaml:12:5" of a key that was given ("zones[example.com].file"), else the file alone.
  [[nodiscard]] std::string where(const std::string& key) const;
  [[nodiscard]] const TsigKey* find_key(dns::NameView name) const;
  [[nodiscard]] const ZoneConfig* find_zone(dns::NameView name) const;
  [[nodiscard]] const ZoneConfig* find_template(dns::NameView name) const;
};

/// The zone of a member of `catalog`, which is one of config.zones with CatalogRole::Consume: by the first of its groups, in the order of the
/// configuration, that has a template; else by the catalog's own template; else from where the catalog itself comes.
[[nodiscard]] ZoneConfig member_zone(const Config& config, const ZoneConfig& catalog, const dns::Name& member,
                                     std::span<const std::string> groups);

/// The zone `_discover._agents` of the registry here: follows from the registry's zone, which must be one of `zones` and not transferred.
/// Nothing where there is none, or where it is switched off.
[[nodiscard]] std::optional<ZoneConfig> discover_zone(const Config& config);
/// Its name, folded.
[[nodiscard]] dns::Name discover_name(const RegistryConfig& registry);

/// The feed of the registry here, by its name, which only the store can tell. Nothing where the registry's zone is not one of `zones`, or is
/// transferred.
[[nodiscard]] std::optional<ZoneConfig> feed_zone(const Config& config, const dns::Name& name);
/// Feeds of the registry's children, which are transferred: for a registry whose zone is one of `zones` and not transferred itself.
[[nodiscard]] std::vector<ZoneConfig> feed_zones(const Config& config);

/// All defaults, no zones: paths count from `folder`.
[[nodiscard]] Config default_config(const Path& folder);
/// A zone with the default policy, unsigned; not yet part of a Config.
[[nodiscard]] ZoneConfig default_zone(const dns::Name& name, const Path& file, const Path& folder);

}  // namespace steward::config

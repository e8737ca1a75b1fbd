#include "config/schema.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "config/schema_rows.hh"
#include "config/value.hh"

namespace steward::config {
namespace {

constexpr std::array algorithms{Algorithm::RSASHA256, Algorithm::ECDSAP256SHA256, Algorithm::ED25519};

AccessRule& add_rule(std::vector<AccessRule>& rules, V v) {
  rules.emplace_back().at = v.at;
  return rules.back();
}

Peer& add_peer(std::vector<Peer>& peers, V v) {
  peers.emplace_back().at = v.at;
  return peers.back();
}

/// As names of certificates are compared: in lower case, without a final dot.
std::string host_name(V v) {
  std::string name = v.text;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name.ends_with('.')) name.pop_back();
  return name;
}

void set_rule_block(T t, V v) { t.rule->block = v.block; }
void set_rule_key(T t, V v) { t.rule->key = v.name; }
void set_rule_tls(T t, V v) {
  t.rule->tls = host_name(v);
  t.rule->over_tls = true;
}
void set_rule_transport(T t, V) { t.rule->over_tls = true; }
void set_peer_address(T t, V v) {
  t.peer->address = v.address;
  t.peer->port_given = v.port_given;
}
void set_peer_key(T t, V v) { t.peer->key = v.name; }
PeerTls& peer_tls(T t) {
  if (!t.peer->tls) t.peer->tls.emplace();
  return *t.peer->tls;
}
void set_peer_tls(T t, V v) {
  if (v.flag) peer_tls(t);
}
void set_peer_tls_name(T t, V v) { peer_tls(t).name = host_name(v); }
void set_peer_tls_ca(T t, V v) { peer_tls(t).ca = v.path; }
void set_peer_tls_pin(T t, V v) { peer_tls(t).pins.push_back(v.text); }
void set_peer_tls_certificate(T t, V v) { peer_tls(t).certificate = v.path; }
void set_peer_tls_key(T t, V v) { peer_tls(t).key = v.path; }
void set_peer_tls_opportunistic(T t, V v) { peer_tls(t).opportunistic = v.flag; }

// clang-format off
const Row rows[] = {
  {.path = "data", .type = Type::File, .fallback = "data", .doc = "Folder of the database. Relative paths count from this file.",
   .set = [](T t, V v) { t.config.data = v.path; }, .effect = Effect::Restart},
  {.path = "listen", .shape = Shape::List, .type = Type::Address, .fallback = "127.0.0.1@53, ::1@53",
   .doc = "Addresses that answer over UDP and TCP. 0.0.0.0 and :: answer from the address that was asked.",
   .set = [](T t, V v) { t.config.listen.push_back(v.address); }, .effect = Effect::Restart},
  {.path = "outgoing", .shape = Shape::List, .type = Type::Address, .fallback = "(the system chooses)",
   .doc = "Addresses that requests to other servers come from (NOTIFY, SOA, transfers, forwarded updates), one of each family; without a port. For servers that know each other by address, where this one has several.",
   .set = [](T t, V v) { t.config.outgoing.push_back(v.address); }, .port = 0},
  {.path = "control", .type = Type::File, .fallback = "(control.sock in the data folder)", .most = 107,
   .doc = "Socket through which steward-registry talks to the running server.",
   .set = [](T t, V v) { t.config.control = v.path; }, .effect = Effect::Restart},
  {.path = "user", .type = Type::Text, .fallback = "(none: stay)", .least = 1, .most = 65,
   .doc = "USER or USER:GROUP to become once the sockets are bound.",
   .set = [](T t, V v) {
     const size_t colon = v.text.find(':');
     t.config.user = v.text.substr(0, colon);
     t.config.group = colon == std::string::npos ? "" : v.text.substr(colon + 1);
   }, .effect = Effect::Restart},
  {.path = "workers", .type = Type::Integer, .fallback = "(one a core)", .least = 1, .most = 256,
   .doc = "Threads that answer.", .set = [](T t, V v) { t.config.workers = as<uint32_t>(v); }, .effect = Effect::Restart},
  {.path = "map-size", .type = Type::Size, .fallback = "64G", .least = 16 * mib, .most = 1024 * 1024 * kib * mib,
   .doc = "What the database may grow to. Address space, not memory; a write beyond it is refused.",
   .set = [](T t, V v) { t.config.map_size = as<uint64_t>(v); }, .effect = Effect::Restart},
  {.path = "udp-max-size", .type = Type::Integer, .fallback = "1232", .least = 512, .most = 4096,
   .doc = "Largest UDP answer in octets, also advertised in EDNS. Above 1232 answers may be fragmented.",
   .set = [](T t, V v) { t.config.udp_max_size = as<uint16_t>(v); }},

  {.path = "tls", .shape = Shape::Map, .doc = "DNS over TLS 1.3 (RFC 7858, RFC 9103)."},
  {.path = "tls.listen", .shape = Shape::List, .type = Type::Address, .doc = "Addresses that answer over TLS.",
   .set = [](T t, V v) { t.config.tls.listen.push_back(v.address); }, .effect = Effect::Restart, .required = true, .port = 853},
  {.path = "tls.certificate", .type = Type::File, .fallback = "(that of registry.identity, else none)", .least = 1, .doc = "Certificate chain in PEM. Read again on a reload and when the file changes.",
   .set = [](T t, V v) { t.config.tls.certificate = v.path; }},
  {.path = "tls.key", .type = Type::File, .fallback = "(that of registry.identity, else none)", .least = 1, .doc = "Private key of the certificate in PEM, without a passphrase.",
   .set = [](T t, V v) { t.config.tls.key = v.path; }},
  {.path = "tls.client-ca", .type = Type::File, .fallback = "(none: clients are not asked)", .least = 1,
   .doc = "Authorities of client certificates in PEM. A client that shows a certificate of another is refused; with registry.identity not one that a registry below the apex could show, which then vouches for no name.",
   .set = [](T t, V v) { t.config.tls.client_ca = v.path; }},
  {.path = "tls.require-client-certificate", .type = Type::Flag, .fallback = "false", .doc = "Refuse clients without a certificate.",
   .set = [](T t, V v) { t.config.tls.require_client_certificate = v.flag; }},
  {.path = "proxy-protocol", .shape = Shape::Map, .doc = "Proxies that say who their clients are (PROXY protocol, version 2)."},
  {.path = "proxy-protocol.allow", .shape = Shape::List, .type = Type::Block,
   .doc = "Addresses of proxies. From them every datagram and connection must begin with the header; from others none is read.",
   .set = [](T t, V v) { t.config.proxies.push_back(v.block); }, .effect = Effect::Restart},
  {.path = "https", .shape = Shape::Map, .doc = "DNS over HTTPS (RFC 8484).", .available = Available::Refused},
  {.path = "https.listen", .shape = Shape::List, .type = Type::Address, .doc = "Addresses that answer over HTTPS.",
   .set = [](T t, V v) { t.config.https.push_back(v.address); }, .effect = Effect::Restart, .required = true, .port = 443},
  {.path = "metrics", .shape = Shape::Map, .doc = "Metrics for Prometheus.", .available = Available::Refused},
  {.path = "metrics.listen", .shape = Shape::List, .type = Type::Address, .doc = "Addresses that serve /metrics over HTTP.",
   .set = [](T t, V v) { t.config.metrics.push_back(v.address); }, .effect = Effect::Restart, .required = true, .port = 9153},

  {.path = "zones", .shape = Shape::Maps, .doc = "The zones that are served.",
   .set = [](T t, V v) { t.zone = &t.config.zones.emplace_back(); t.zone->at = v.at; }},
  {.path = "zones[].name", .type = Type::Name, .doc = "Name of the zone.",
   .set = [](T t, V v) { t.zone->name = v.name; }, .required = true},
  {.path = "zones[].file", .type = Type::File, .fallback = "(required without primaries)", .doc = "Zone file in master format (RFC 1035 section 5).",
   .set = [](T t, V v) { t.zone->file = v.path; }},
  {.path = "zones[].dnssec", .shape = Shape::Map, .type = Type::Flag, .fallback = "false",
   .doc = "Sign the zone: true, or a map of the keys below. With false a file that holds signatures is served as it is.",
   .set = [](T t, V v) { t.zone->dnssec.enabled = v.flag; }},
  {.path = "zones[].dnssec.algorithm", .type = Type::Choice, .fallback = "ecdsap256sha256",
   .choices = "rsasha256|ecdsap256sha256|ed25519", .doc = "Algorithm of new keys. A change rolls the keys.",
   .set = [](T t, V v) { t.zone->dnssec.algorithm = algorithms.at(as<size_t>(v)); }},
  {.path = "zones[].dnssec.csk", .type = Type::Flag, .fallback = "false", .doc = "One key (CSK) instead of a KSK and a ZSK.",
   .set = [](T t, V v) { t.zone->dnssec.csk = v.flag; }},
  {.path = "zones[].dnssec.ksk-size", .type = Type::Integer, .fallback = "2048", .least = 2048, .most = 4096,
   .doc = "Bits of a new KSK or CSK. Of rsasha256 only.",
   .set = [](T t, V v) { t.zone->dnssec.ksk_size = as<uint16_t>(v); }},
  {.path = "zones[].dnssec.zsk-size", .type = Type::Integer, .fallback = "2048", .least = 1024, .most = 4096,
   .doc = "Bits of a new ZSK. Of rsasha256 only.",
   .set = [](T t, V v) { t.zone->dnssec.zsk_size = as<uint16_t>(v); }},
  {.path = "zones[].dnssec.nsec3", .shape = Shape::Map, .type = Type::Flag, .fallback = "false",
   .doc = "Deny with NSEC3 instead of NSEC: true, or a map of the keys below.",
   .set = [](T t, V v) { t.zone->dnssec.nsec3.enabled = v.flag; }},
  {.path = "zones[].dnssec.nsec3.opt-out", .type = Type::Flag, .fallback = "false", .doc = "Leave unsigned delegations out (RFC 5155 section 6).",
   .set = [](T t, V v) { t.zone->dnssec.nsec3.opt_out = v.flag; }},
  {.path = "zones[].dnssec.nsec3.iterations", .type = Type::Integer, .fallback = "0", .least = 0, .most = 0,
   .doc = "Additional hash iterations: 0, as RFC 9276 section 3.1 demands.", .set = [](T, V) {}},
  {.path = "zones[].dnssec.nsec3.salt", .type = Type::Text, .fallback = "(empty)", .least = 0, .most = 0,
   .doc = "Salt: empty, as RFC 9276 section 3.1 recommends.", .set = [](T, V) {}},
  {.path = "zones[].dnssec.ksk-lifetime", .type = Type::Duration, .fallback = "0", .least = 0, .most = 20 * year,
   .doc = "Age at which a KSK or CSK is rolled; 0 only on command.",
   .set = [](T t, V v) { t.zone->dnssec.ksk_lifetime = seconds(v); }},
  {.path = "zones[].dnssec.zsk-lifetime", .type = Type::Duration, .fallback = "30d", .least = 0, .most = 20 * year,
   .doc = "Age at which a ZSK is rolled; 0 only on command.",
   .set = [](T t, V v) { t.zone->dnssec.zsk_lifetime = seconds(v); }},
  {.path = "zones[].dnssec.signature-lifetime", .type = Type::Duration, .fallback = "14d", .least = 1, .most = 5 * year,
   .doc = "Validity of a signature.", .set = [](T t, V v) { t.zone->dnssec.signature_lifetime = seconds(v); }},
  {.path = "zones[].dnssec.refresh", .type = Type::Duration, .fallback = "(half of signature-lifetime)", .least = 1, .most = 5 * year,
   .doc = "A signature is made again when this much of its validity is left.",
   .set = [](T t, V v) { t.zone->dnssec.refresh = seconds(v); }},
  {.path = "zones[].dnssec.jitter", .type = Type::Duration, .fallback = "(a fourteenth of signature-lifetime)", .least = 0, .most = 1 * year,
   .doc = "Validity is shortened by up to this much, so that signatures do not all expire at once.",
   .set = [](T t, V v) { t.zone->dnssec.jitter = seconds(v); }},
  {.path = "zones[].dnssec.propagation-delay", .type = Type::Duration, .fallback = "1h", .least = 0, .most = 30 * day,
   .doc = "Time until all secondaries serve a change; a rollover waits for it.",
   .set = [](T t, V v) { t.zone->dnssec.propagation_delay = seconds(v); }},
  {.path = "zones[].dnssec.dnskey-ttl", .type = Type::Duration, .fallback = "1h", .least = 1, .most = 30 * day,
   .doc = "TTL of DNSKEY, CDS and CDNSKEY.", .set = [](T t, V v) { t.zone->dnssec.dnskey_ttl = seconds(v); }},
  {.path = "zones[].dnssec.ds-ttl", .type = Type::Duration, .fallback = "1d", .least = 1, .most = 30 * day,
   .doc = "TTL of the DS records in the parent zone; a KSK rollover waits for it.",
   .set = [](T t, V v) { t.zone->dnssec.ds_ttl = seconds(v); }},
  {.path = "zones[].dnssec.purge-keys", .type = Type::Duration, .fallback = "90d", .least = 0, .most = 3650 * day,
   .doc = "Time after which the files of a key that was removed from the zone are deleted; 0s is never.",
   .set = [](T t, V v) { t.zone->dnssec.purge_keys = seconds(v); }},
  {.path = "zones[].dnssec.cds", .type = Type::Flag, .fallback = "true", .doc = "Publish CDS and CDNSKEY (RFC 7344, RFC 8078).",
   .set = [](T t, V v) { t.zone->dnssec.cds = v.flag; }},
  {.path = "zones[].dnssec.key-directory", .type = Type::File, .fallback = "keys", .doc = "Folder of the zone's keys in BIND's file format; made at the first signing.",
   .set = [](T t, V v) { t.zone->dnssec.key_directory = v.path; }},
  {.path = "zones[].allow-transfer", .shape = Shape::Maps, .doc = "Who may transfer the zone: address blocks, or maps of the keys below, of which all must hold.",
   .set = [](T t, V v) { t.rule = &add_rule(t.zone->allow_transfer, v); }, .short_for = "address"},
  {.path = "zones[].allow-transfer[].address", .type = Type::Block, .doc = "Address or block, such as 192.0.2.0/24.", .set = set_rule_block},
  {.path = "zones[].allow-transfer[].key", .type = Type::Name, .doc = "Name of a TSIG key.", .set = set_rule_key},
  {.path = "zones[].allow-transfer[].tls", .type = Type::Text, .least = 1, .most = 253, .doc = "DNS name in the client's certificate, which tls.client-ca has verified.", .set = set_rule_tls},
  {.path = "zones[].allow-transfer[].transport", .type = Type::Choice, .choices = "tls", .doc = "Only over this transport.", .set = set_rule_transport},
  {.path = "zones[].allow-update", .shape = Shape::Maps, .doc = "Who may change what of the zone by DNS UPDATE (RFC 2136). The first row that matches sender, name and type decides; without one it is refused. A zone that comes signed is never changed: it would have signatures of what it was before.",
   .set = [](T t, V v) {
     t.update_rule = &t.zone->allow_update.emplace_back();
     t.update_rule->at = v.at;
     t.rule = t.update_rule;
   }, .short_for = "address"},
  {.path = "zones[].allow-update[].address", .type = Type::Block, .doc = "Address or block, such as 192.0.2.0/24.", .set = set_rule_block},
  {.path = "zones[].allow-update[].key", .type = Type::Name, .doc = "Name of a TSIG key; \"*\" is any of them.", .set = set_rule_key},
  {.path = "zones[].allow-update[].tls", .type = Type::Text, .least = 1, .most = 253, .doc = "DNS name in the client's certificate, which tls.client-ca has verified.", .set = set_rule_tls},
  {.path = "zones[].allow-update[].transport", .type = Type::Choice, .choices = "tls", .doc = "Only over this transport.", .set = set_rule_transport},
  {.path = "zones[].allow-update[].sig0", .type = Type::Name, .doc = "Owner of the KEY record that signed with SIG(0) (RFC 2931); \"*\" is any of them.",
   .set = [](T t, V v) { t.update_rule->sig0 = v.name; }},
  {.path = "zones[].allow-update[].names", .shape = Shape::List, .type = Type::Pattern, .fallback = "(all names)", .doc = "Names that the row is about.",
   .set = [](T t, V v) { t.update_rule->names.push_back(v.pattern); }},
  {.path = "zones[].allow-update[].types", .shape = Shape::List, .type = Type::RecordType,
   .fallback = "(all, or with names all but SOA, NS, DNAME, KEY and those of DNSSEC)", .doc = "Types that the row is about; ANY is all.",
   .set = [](T t, V v) { t.update_rule->types.push_back(static_cast<dns::RrType>(v.number)); }},
  {.path = "zones[].allow-update[].action", .type = Type::Choice, .fallback = "(allow)", .choices = "allow|deny", .doc = "What a match means.",
   .set = [](T t, V v) { t.update_rule->deny = v.number == 1; }},
  {.path = "zones[].update-limits", .shape = Shape::Map, .doc = "What UPDATE may make of the zone; beyond, a message is refused whole."},
  {.path = "zones[].update-limits.rrset-records", .type = Type::Integer, .fallback = "100", .least = 0, .most = 65'535,
   .doc = "Records in one RRset; 0 is no limit.", .set = [](T t, V v) { t.zone->update_limits.rrset_records = as<uint32_t>(v); }},
  {.path = "zones[].update-limits.name-rrsets", .type = Type::Integer, .fallback = "100", .least = 0, .most = 65'535,
   .doc = "RRsets at one name; 0 is no limit.", .set = [](T t, V v) { t.zone->update_limits.name_rrsets = as<uint32_t>(v); }},
  {.path = "zones[].update-limits.name-records", .type = Type::Integer, .fallback = "1000", .least = 0, .most = 1'000'000,
   .doc = "Records at one name; 0 is no limit.", .set = [](T t, V v) { t.zone->update_limits.name_records = as<uint32_t>(v); }},
  {.path = "zones[].update-limits.message-records", .type = Type::Integer, .fallback = "4000", .least = 0, .most = 65'535,
   .doc = "Prerequisites and updates in one message; 0 is no limit.", .set = [](T t, V v) { t.zone->update_limits.message_records = as<uint32_t>(v); }},
  {.path = "zones[].allow-notify", .shape = Shape::Maps, .doc = "Who beside the primaries may tell of a change (RFC 1996).",
   .set = [](T t, V v) { t.rule = &add_rule(t.zone->allow_notify, v); }, .short_for = "address"},
  {.path = "zones[].allow-notify[].address", .type = Type::Block, .doc = "Address or block, such as 192.0.2.0/24.", .set = set_rule_block},
  {.path = "zones[].allow-notify[].key", .type = Type::Name, .doc = "Name of a TSIG key.", .set = set_rule_key},
  {.path = "zones[].allow-notify[].tls", .type = Type::Text, .least = 1, .most = 253, .doc = "DNS name in the client's certificate, which tls.client-ca has verified.", .set = set_rule_tls},
  {.path = "zones[].allow-notify[].transport", .type = Type::Choice, .choices = "tls", .doc = "Only over this transport.", .set = set_rule_transport},
  {.path = "zones[].notify", .shape = Shape::Maps, .doc = "Servers that are told of a change (RFC 1996).",
   .set = [](T t, V v) { t.peer = &add_peer(t.zone->notify, v); }, .short_for = "address"},
  {.path = "zones[].notify[].address", .type = Type::Address, .doc = "Address of the server.", .set = set_peer_address, .required = true},
  {.path = "zones[].notify[].key", .type = Type::Name, .doc = "Name of a TSIG key to sign with.", .set = set_peer_key},
  {.path = "zones[].notify[].tls", .shape = Shape::Map, .type = Type::Flag, .fallback = "false", .doc = "Reach the server over TLS (RFC 9103): a map of the keys below.", .set = set_peer_tls},
  {.path = "zones[].notify[].tls.name", .type = Type::Text, .least = 1, .most = 253, .doc = "Name or address that the server's certificate must be for.", .set = set_peer_tls_name},
  {.path = "zones[].notify[].tls.ca", .type = Type::File, .fallback = "(the system's)", .least = 1, .doc = "Authorities of that certificate in PEM.", .set = set_peer_tls_ca},
  {.path = "zones[].notify[].tls.pin", .shape = Shape::List, .type = Type::Base64, .least = 32, .most = 32, .doc = "SHA-256 of the server's public key (SubjectPublicKeyInfo), instead of name and authority.", .set = set_peer_tls_pin},
  {.path = "zones[].notify[].tls.certificate", .type = Type::File, .fallback = "(none)", .least = 1, .doc = "Our own certificate chain in PEM, for mutual TLS.", .set = set_peer_tls_certificate},
  {.path = "zones[].notify[].tls.key", .type = Type::File, .fallback = "(none)", .least = 1, .doc = "Private key of our own certificate in PEM.", .set = set_peer_tls_key},
  {.path = "zones[].notify[].tls.opportunistic", .type = Type::Flag, .fallback = "false", .doc = "Encrypt without knowing who the server is.", .set = set_peer_tls_opportunistic},
  {.path = "zones[].primaries", .shape = Shape::Maps, .doc = "Servers that the zone is transferred from.",
   .set = [](T t, V v) { t.peer = &add_peer(t.zone->primaries, v); }, .short_for = "address"},
  {.path = "zones[].primaries[].address", .type = Type::Address, .doc = "Address of the server.", .set = set_peer_address, .required = true},
  {.path = "zones[].primaries[].key", .type = Type::Name, .doc = "Name of a TSIG key to sign with.", .set = set_peer_key},
  {.path = "zones[].primaries[].tls", .shape = Shape::Map, .type = Type::Flag, .fallback = "false", .doc = "Reach the server over TLS (RFC 9103): a map of the keys below.", .set = set_peer_tls},
  {.path = "zones[].primaries[].tls.name", .type = Type::Text, .least = 1, .most = 253, .doc = "Name or address that the server's certificate must be for.", .set = set_peer_tls_name},
  {.path = "zones[].primaries[].tls.ca", .type = Type::File, .fallback = "(the system's)", .least = 1, .doc = "Authorities of that certificate in PEM.", .set = set_peer_tls_ca},
  {.path = "zones[].primaries[].tls.pin", .shape = Shape::List, .type = Type::Base64, .least = 32, .most = 32, .doc = "SHA-256 of the server's public key (SubjectPublicKeyInfo), instead of name and authority.", .set = set_peer_tls_pin},
  {.path = "zones[].primaries[].tls.certificate", .type = Type::File, .fallback = "(none)", .least = 1, .doc = "Our own certificate chain in PEM, for mutual TLS.", .set = set_peer_tls_certificate},
  {.path = "zones[].primaries[].tls.key", .type = Type::File, .fallback = "(none)", .least = 1, .doc = "Private key of our own certificate in PEM.", .set = set_peer_tls_key},
  {.path = "zones[].primaries[].tls.opportunistic", .type = Type::Flag, .fallback = "false", .doc = "Encrypt without knowing who the server is.", .set = set_peer_tls_opportunistic},
  {.path = "zones[].min-refresh", .type = Type::Duration, .fallback = "2s", .least = 1, .most = 1 * year, .doc = "Least time between two questions to the primaries, whatever their SOA says.",
   .set = [](T t, V v) { t.zone->times.min_refresh = seconds(v); }},
  {.path = "zones[].max-refresh", .type = Type::Duration, .fallback = "28d", .least = 1, .most = 10 * year, .doc = "Most time between two questions to the primaries.",
   .set = [](T t, V v) { t.zone->times.max_refresh = seconds(v); }},
  {.path = "zones[].min-retry", .type = Type::Duration, .fallback = "1s", .least = 1, .most = 1 * year, .doc = "Least time until a failed question is asked again.",
   .set = [](T t, V v) { t.zone->times.min_retry = seconds(v); }},
  {.path = "zones[].max-retry", .type = Type::Duration, .fallback = "14d", .least = 1, .most = 10 * year, .doc = "Most time until a failed question is asked again.",
   .set = [](T t, V v) { t.zone->times.max_retry = seconds(v); }},
  {.path = "zones[].max-expire", .type = Type::Duration, .fallback = "1y", .least = 1, .most = 20 * year, .doc = "Most time that a zone is answered for while no primary is reached.",
   .set = [](T t, V v) { t.zone->times.max_expire = seconds(v); }},
  {.path = "zones[].journal", .shape = Shape::Map, .doc = "Changes that are kept for incremental transfers (RFC 1995)."},
  {.path = "zones[].journal.max-size", .type = Type::Size, .fallback = "64M", .least = 0, .most = 1024 * 1024 * mib, .doc = "Octets of changes kept; the oldest go first. 0 keeps none.",
   .set = [](T t, V v) { t.zone->journal.max_size = as<uint64_t>(v); }},
  {.path = "zones[].journal.max-age", .type = Type::Duration, .fallback = "30d", .least = 1, .most = 20 * year, .doc = "Age at which a change is dropped.",
   .set = [](T t, V v) { t.zone->journal.max_age = seconds(v); }},

  {.path = "zones[].zonemd", .type = Type::Choice, .fallback = "off", .choices = "off|sha384|sha512",
   .doc = "Digest of the whole zone at its apex (RFC 8976), made anew at every change, which takes a walk over the zone.",
   .set = [](T t, V v) { t.zone->zonemd = as<ZonemdDigest>(v); }},
  {.path = "zones[].zonemd-verify", .type = Type::Choice, .fallback = "(present with primaries, else off)", .choices = "off|present|required",
   .doc = "Check the digest of a zone that comes from elsewhere: if it is present, or as a condition.",
   .set = [](T t, V v) { t.zone->zonemd_verify = as<ZonemdCheck>(v); }},
  {.path = "zones[].catalog", .type = Type::Choice, .fallback = "none", .choices = "none|consume|produce",
   .doc = "A catalog of zones (RFC 9432): serve what it lists, or list zones of this server.",
   .set = [](T t, V v) { t.zone->catalog = as<CatalogRole>(v); }},
  {.path = "zones[].catalog-template", .type = Type::Name, .fallback = "(from where the catalog comes)",
   .doc = "Template of the members of a consumed catalog.",
   .set = [](T t, V v) { t.zone->catalog_template = v.name; }},
  {.path = "zones[].catalog-groups", .shape = Shape::Maps, .doc = "Templates of members by their property group; the first that fits counts.",
   .set = [](T t, V v) { t.group = &t.zone->catalog_groups.emplace_back(); t.group->at = v.at; }},
  {.path = "zones[].catalog-groups[].group", .type = Type::Text, .least = 1, .most = 255, .doc = "Value of the property.",
   .set = [](T t, V v) { t.group->group = v.text; }, .required = true},
  {.path = "zones[].catalog-groups[].template", .type = Type::Name, .doc = "Name of a template.",
   .set = [](T t, V v) { t.group->pattern = v.name; }, .required = true},
  {.path = "zones[].catalog-member", .type = Type::Name, .fallback = "(in none)", .doc = "List the zone in this catalog, which is produced here.",
   .set = [](T t, V v) { t.zone->catalog_entry.catalog = v.name; }},
  {.path = "zones[].catalog-group", .shape = Shape::List, .type = Type::Text, .least = 1, .most = 255, .doc = "Groups with which it is listed.",
   .set = [](T t, V v) { t.zone->catalog_entry.groups.push_back(v.text); }},
  {.path = "zones[].catalog-coo", .type = Type::Name, .fallback = "(none)", .doc = "Catalog that is to take the zone over (RFC 9432 section 4.3.1).",
   .set = [](T t, V v) { t.zone->catalog_entry.coo = v.name; }},

  {.path = "templates", .shape = Shape::Maps, .doc = "Templates of zones that a catalog brings: a name, and the keys of zones[].",
   .set = [](T t, V v) { t.zone = &t.config.templates.emplace_back(); t.zone->at = v.at; }, .keys_of = "zones"},

  {.path = "keys", .shape = Shape::Maps, .doc = "TSIG keys (RFC 8945).",
   .set = [](T t, V v) { t.key = &t.config.keys.emplace_back(); t.key->at = v.at; }},
  {.path = "keys[].name", .type = Type::Name, .doc = "Name of the key, the same at both ends.",
   .set = [](T t, V v) { t.key->name = v.name; }, .required = true},
  {.path = "keys[].algorithm", .type = Type::Choice, .fallback = "hmac-sha256",
   .choices = "hmac-sha1|hmac-sha224|hmac-sha256|hmac-sha384|hmac-sha512", .doc = "MAC algorithm.",
   .set = [](T t, V v) { t.key->algorithm = as<TsigAlgorithm>(v); }},
  {.path = "keys[].secret", .type = Type::Base64, .least = 1, .most = 512, .doc = "The shared secret in base64.",
   .set = [](T t, V v) { t.key->secret = v.octets; }, .required = true, .secret = true},

  {.path = "rate-limit", .shape = Shape::Map, .doc = "Response rate limiting over UDP: a number, or a map of the keys below.", .short_for = "answers-per-second"},
  {.path = "rate-limit.answers-per-second", .type = Type::Integer, .fallback = "200", .least = 0, .most = 200'000,
   .doc = "Answers a second and client network; 0 is off. Loopback is exempt unless it is listed in limited.",
   .set = [](T t, V v) { t.config.rate_limit.answers_per_second = as<uint32_t>(v); }, .effect = Effect::Restart},
  {.path = "rate-limit.slip", .type = Type::Integer, .fallback = "2", .least = 0, .most = 100,
   .doc = "Every n-th answer over the limit is sent truncated, the others not at all; 0 sends none.",
   .set = [](T t, V v) { t.config.rate_limit.slip = as<uint32_t>(v); }, .effect = Effect::Restart},
  {.path = "rate-limit.ipv4-prefix", .type = Type::Integer, .fallback = "24", .least = 8, .most = 32, .doc = "Bits of an IPv4 client network.",
   .set = [](T t, V v) { t.config.rate_limit.ipv4_prefix = as<uint8_t>(v); }, .effect = Effect::Restart},
  {.path = "rate-limit.ipv6-prefix", .type = Type::Integer, .fallback = "56", .least = 16, .most = 128, .doc = "Bits of an IPv6 client network.",
   .set = [](T t, V v) { t.config.rate_limit.ipv6_prefix = as<uint8_t>(v); }, .effect = Effect::Restart},
  {.path = "rate-limit.exempt", .shape = Shape::List, .type = Type::Block, .doc = "Networks that are not limited.",
   .set = [](T t, V v) { t.config.rate_limit.exempt.push_back(v.block); }, .effect = Effect::Restart},
  {.path = "rate-limit.limited", .shape = Shape::List, .type = Type::Block, .doc = "Networks that are limited although exempt, such as 127.0.0.0/8.",
   .set = [](T t, V v) { t.config.rate_limit.limited.push_back(v.block); }, .effect = Effect::Restart},

  {.path = "tcp", .shape = Shape::Map, .doc = "Limits of TCP."},
  {.path = "tcp.max-clients", .type = Type::Integer, .fallback = "1024", .least = 1, .most = 1'000'000,
   .doc = "Connections of the whole server; beyond, the longest idle one is closed.",
   .set = [](T t, V v) { t.config.tcp.max_clients = as<uint32_t>(v); }, .effect = Effect::Restart},
  {.path = "tcp.max-clients-per-address", .type = Type::Integer, .fallback = "128", .least = 1, .most = 1'000'000,
   .doc = "Connections of one client address.", .set = [](T t, V v) { t.config.tcp.max_clients_per_address = as<uint32_t>(v); }, .effect = Effect::Restart},
  {.path = "tcp.max-pipelined", .type = Type::Integer, .fallback = "64", .least = 1, .most = 1024,
   .doc = "Queries of one connection that may be under way at once (RFC 7766 section 6.2.1.1).",
   .set = [](T t, V v) { t.config.tcp.max_pipelined = as<uint32_t>(v); }, .effect = Effect::Restart},
  {.path = "tcp.idle-timeout", .type = Type::Duration, .fallback = "10s", .least = 1, .most = 1 * hour,
   .doc = "An idle connection is closed after this time (RFC 7766 section 6.2.3).",
   .set = [](T t, V v) { t.config.tcp.idle_timeout = seconds(v); }, .effect = Effect::Restart},
  {.path = "tcp.reply-timeout", .type = Type::Duration, .fallback = "5s", .least = 1, .most = 1 * hour,
   .doc = "A client that does not take its answers for this time is dropped.",
   .set = [](T t, V v) { t.config.tcp.reply_timeout = seconds(v); }, .effect = Effect::Restart},

  {.path = "server", .shape = Shape::Map, .doc = "What the server says of itself."},
  {.path = "server.identity", .type = Type::Text, .fallback = "(the host name)", .least = 0, .most = 255,
   .doc = "Answer to id.server CH TXT; \"\" to not tell.", .set = [](T t, V v) { t.config.server.identity = v.text; }},
  {.path = "server.version", .type = Type::Text, .fallback = "(name and version)", .least = 0, .most = 255,
   .doc = "Answer to version.server CH TXT; \"\" to not tell.", .set = [](T t, V v) { t.config.server.version = v.text; }},
  {.path = "server.nsid", .type = Type::Octets, .fallback = "(none)", .least = 0, .most = 255,
   .doc = "Name server identifier (RFC 5001): text, or 0x and hex.", .set = [](T t, V v) { t.config.server.nsid = v.octets; }},

  {.path = "cookies", .shape = Shape::Map, .type = Type::Flag, .fallback = "true", .doc = "DNS cookies (RFC 7873, RFC 9018).",
   .set = [](T t, V v) { t.config.cookies.enabled = v.flag; }},
  {.path = "cookies.secret-file", .type = Type::File, .fallback = "(drawn at start)",
   .doc = "File with 32 hex digits, the same on all servers of an anycast address; a second line holds the secret before it.",
   .set = [](T t, V v) { t.config.cookies.secret_file = v.path; }, .effect = Effect::Restart},

  {.path = "zone-files", .shape = Shape::Map, .doc = "How zone files are read."},
  {.path = "zone-files.watch", .type = Type::Flag, .fallback = "true", .doc = "Apply a changed file or $INCLUDE at once, without a reload.",
   .set = [](T t, V v) { t.config.zone_files.watch = v.flag; }, .effect = Effect::Restart},
  {.path = "zone-files.max-include-depth", .type = Type::Integer, .fallback = "16", .least = 0, .most = 64, .doc = "Nesting of $INCLUDE.",
   .set = [](T t, V v) { t.config.zone_files.max_include_depth = as<uint32_t>(v); }},
  {.path = "zone-files.max-generate", .type = Type::Integer, .fallback = "1048576", .least = 0, .most = 100'000'000, .doc = "Records that one $GENERATE may make.",
   .set = [](T t, V v) { t.config.zone_files.max_generate = as<uint32_t>(v); }},

  {.path = "log", .shape = Shape::Map, .doc = "The log on standard error."},
  {.path = "log.level", .type = Type::Choice, .fallback = "info", .choices = "debug|info|notice|warning|error", .doc = "Least level that is written.",
   .set = [](T t, V v) { t.config.log.level = as<log::Level>(v); }},
  {.path = "log.format", .type = Type::Choice, .fallback = "text", .choices = "text|json", .doc = "Lines for people or for machines.",
   .set = [](T t, V v) { t.config.log.format = as<log::Format>(v); }},
};
// clang-format on

std::string_view parent_path(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string range_text(const Row& row, std::string (*text)(int64_t)) {
  if (row.least == row.most) return fmt::format(" of exactly {}", text(row.least));
  return fmt::format(" from {} to {}", text(row.least), text(row.most));
}

std::string length_text(const Row& row) {
  if (row.most == 0) return " that is empty";
  if (row.most == std::numeric_limits<int64_t>::max()) return "";
  return fmt::format(" of {} to {} octets", row.least, row.most);
}

std::string scalar_text(const Row& row) {
  switch (row.type) {
    case Type::None: return "";
    case Type::Flag: return "true or false";
    case Type::Integer: return "a whole number" + range_text(row, [](int64_t n) { return std::to_string(n); });
    case Type::Duration: return "a duration" + range_text(row, duration_text) + ", such as 30d, 12h, 90s";
    case Type::Fraction: return fmt::format("a number from {} to {}, such as 0.25", fraction_text(row.least), fraction_text(row.most));
    case Type::Size: return "a size" + range_text(row, size_text) + ", such as 64M, 1G";
    case Type::Text: return "text" + length_text(row);
    case Type::File: return "a path" + length_text(row);
    case Type::Name: return "a domain name";
    case Type::Address: return "an address, such as 127.0.0.1@5300 or \"::1@5300\"";
    case Type::Block: return "an address or block, such as 192.0.2.0/24";
    case Type::Choice: {
      std::string choices(row.choices);
      std::replace(choices.begin(), choices.end(), '|', ' ');
      return "one of: " + choices;
    }
    case Type::Base64: return "base64" + length_text(row);
    case Type::Octets: return "text, or 0x and hex digits," + length_text(row);
    case Type::RecordType: return "a record type, such as TXT or TYPE65280";
    case Type::Pattern: return "a name, \"*.NAME\" (below it), \"subdomain NAME\" (with it), self or selfsub (of the key)";
  }
  return "";
}

}  // namespace

std::span<const Row> schema() {
  static const std::vector<Row> all = [] {
    std::vector<Row> table;
    for (const Row& row : rows) {
      if (row.path == "zones")
        for (const auto more : {registry_rows(), resolver_rows()}) table.insert(table.end(), more.begin(), more.end());
      table.push_back(row);
    }
    return table;
  }();
  return all;
}

const Row* find_row(std::string_view path) {
  static const auto index = [] {
    std::map<std::string_view, const Row*> by_path;
    for (const Row& row : schema()) by_path.emplace(row.path, &row);
    return by_path;
  }();
  const auto at = index.find(path);
  return at == index.end() ? nullptr : at->second;
}

std::vector<const Row*> rows_below(std::string_view path) {
  std::vector<const Row*> found;
  for (const Row& row : schema())
    if (parent_path(row.path) == path) found.push_back(&row);
  return found;
}

std::string_view leaf(const Row& row) {
  const size_t dot = row.path.rfind('.');
  return dot == std::string_view::npos ? row.path : row.path.substr(dot + 1);
}

std::string expected(const Row& row) {
  const Row* meant =
      row.short_for.empty()
          ? &row
          : find_row(fmt::format("{}{}.{}", row.keys_of.empty() ? row.path : row.keys_of, row.shape == Shape::Maps ? "[]" : "", row.short_for));
  const std::string one = meant == nullptr ? "" : scalar_text(*meant);
  switch (row.shape) {
    case Shape::One: return one;
    case Shape::List: return "a list of: " + one;
    case Shape::Map: return one.empty() ? "a map" : one + ", or a map";
    case Shape::Maps: return one.empty() ? "a list of maps" : fmt::format("a list of: {}, or a map", one);
  }
  return one;
}

std::string key_listing() {
  std::string out;
  for (const Row& row : schema()) {
    out += fmt::format("{}\n    {}\n    {}", row.path, row.doc, expected(row));
    if (!row.fallback.empty()) out += fmt::format("; default {}", row.fallback);
    if (row.required) out += "; required";
    out += row.effect == Effect::Restart ? "; needs a restart" : "";
    if (row.available == Available::Warned) out += "; not in effect in this version";
    if (row.available == Available::Refused) out += "; refused by this version";
    out += fmt::format("; since {}\n", row.since);
  }
  return out;
}

}  // namespace steward::config

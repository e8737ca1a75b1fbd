// The rows of `registry`.

#include "config/schema_rows.hh"

namespace steward::config {
namespace {

RegistryConfig& registry(T t) {
  if (!t.config.registry) t.config.registry.emplace();
  return *t.config.registry;
}
double fraction(V v) { return static_cast<double>(v.number) / fraction_one; }

// clang-format off
const Row rows[] = {
  {.path = "registry", .shape = Shape::Map, .doc = "Makes the server a registry; without it, it is a plain authoritative server."},
  {.path = "registry.namespace", .type = Type::Text, .least = 1, .most = 253,
   .doc = "Namespace below the apex, such as acme-corp.com; '.' for the root registry.",
   .set = [](T t, V) { registry(t); }, .effect = Effect::Restart, .required = true},  // parsed in checks.cc
  {.path = "registry.apex", .type = Type::Name, .fallback = "steward-registry.org.", .doc = "Name that all registries stand below.",
   .set = [](T t, V v) { registry(t).apex = v.name; }, .effect = Effect::Restart},
  {.path = "registry.parent", .type = Type::Name, .fallback = "(the zone's name without its first label)",
   .doc = "Zone of the parent registry.",
   .set = [](T t, V v) { registry(t).parent = v.name; }, .effect = Effect::Restart},
  {.path = "registry.id", .type = Type::Text, .fallback = "(the namespace, reversed)", .least = 1, .most = 253,
   .doc = "Id of the registry in statements: the namespace's labels in reverse order, such as com.acme-corp.",
   .set = [](T, V) {}, .effect = Effect::Restart},
  {.path = "registry.root", .shape = Shape::List, .type = Type::Address,
   .doc = "Root servers of a federation that the public DNS does not know.",
   .set = [](T t, V v) { registry(t).root.push_back(v.address); }, .available = Available::Warned},
  {.path = "registry.trust-anchor", .type = Type::File, .fallback = "(the public DNS's)",
   .doc = "File with the DS or DNSKEY records of that root.",
   .set = [](T t, V v) { registry(t).trust_anchor = v.path; }, .available = Available::Warned},
  {.path = "registry.namespaces", .shape = Shape::List, .type = Type::Text, .least = 1, .most = 253,
   .doc = "Namespaces that the zone hosts beside the registry's own, such as team.acme-corp.com or user/octocat.github; *.github stands for all below, and is the default of the registry github.",
   .set = [](T, V) {}},  // parsed in registry_checks.cc, as the two below are
  {.path = "registry.publishers", .shape = Shape::Maps, .doc = "Keys that may publish agents, beside those of steward-registry publisher allow.",
   .set = [](T t, V v) { t.publisher = &registry(t).publishers.emplace_back(); t.publisher->at = v.at; }},
  {.path = "registry.publishers[].fingerprint", .type = Type::Text, .least = 71, .most = 71,
   .doc = "Fingerprint of the key: sha256: and 64 hexadecimal digits.",
   .set = [](T t, V v) { t.publisher->fingerprint = v.text; }, .required = true},
  {.path = "registry.publishers[].namespace", .type = Type::Text, .fallback = "(the registry's own)", .least = 1, .most = 253,
   .doc = "Namespace below the apex in which it may.", .set = [](T t, V v) { t.publisher->space_text = v.text; }},
  {.path = "registry.publishers[].note", .type = Type::Text, .fallback = "(none)", .least = 0, .most = 200, .doc = "Whose it is, for people.",
   .set = [](T t, V v) { t.publisher->note = v.text; }},
  {.path = "registry.open", .type = Type::Flag, .fallback = "false", .doc = "Any key may publish a name that nobody has.",
   .set = [](T t, V v) { registry(t).open = v.flag; }},
  {.path = "registry.look-alikes", .type = Type::Choice, .fallback = "refuse", .choices = "refuse|allow",
   .doc = "What becomes of a new name that can be taken for another publisher's in the same namespace; allowed, it is marked and trusted less.",
   .set = [](T t, V v) { registry(t).refuse_look_alikes = v.number == 0; }},
  {.path = "registry.agents-per-key", .type = Type::Integer, .fallback = "10000", .least = 0, .most = 1'000'000'000,
   .doc = "Agents that one key may have; 0 is no limit.", .set = [](T t, V v) { registry(t).agents_per_key = as<uint32_t>(v); }},
  {.path = "registry.agents-per-namespace", .type = Type::Integer, .fallback = "0", .least = 0, .most = 1'000'000'000,
   .doc = "Agents that one namespace may have; 0 is no limit.", .set = [](T t, V v) { registry(t).agents_per_namespace = as<uint32_t>(v); }},
  {.path = "registry.lease", .shape = Shape::Map, .doc = "What is granted to publishers that ask for a lease (RFC 9664)."},
  {.path = "registry.lease.min", .type = Type::Duration, .fallback = "30s", .least = 30, .most = year, .doc = "Shortest lease; who asks for less gets this.",
   .set = [](T t, V v) { registry(t).min_lease = seconds(v); }},
  {.path = "registry.lease.max", .type = Type::Duration, .fallback = "7d", .least = 30, .most = year, .doc = "Longest lease.",
   .set = [](T t, V v) { registry(t).max_lease = seconds(v); }},
  {.path = "registry.lease.key-max", .type = Type::Duration, .fallback = "1y", .least = 30, .most = 10 * year,
   .doc = "Longest time that a name is kept for its key after the lease (KEY-LEASE).", .set = [](T t, V v) { registry(t).max_key_lease = seconds(v); }},
  {.path = "registry.history-records", .type = Type::Integer, .fallback = "0", .least = 0, .most = 64,
   .doc = "Latest changes of an agent that are published as TXT at _rN._log below it; all are kept for steward-registry zone log.",
   .set = [](T t, V v) { registry(t).history_records = as<uint32_t>(v); }},
  {.path = "registry.custody-key", .type = Type::File, .fallback = "keys/custody.pem", .least = 1,
   .doc = "Private key in PEM that signs for agents whose owner has not claimed them; made, Ed25519, where there is none.",
   .set = [](T t, V v) { registry(t).custody_key = v.path; }, .effect = Effect::Restart},
  {.path = "registry.replica", .type = Type::Text, .fallback = "main", .least = 1, .most = 27,
   .doc = "Name of this replica of the registry; its id in clocks is the name and an incarnation that is drawn when the database is made or restored.",
   .set = [](T t, V v) { registry(t).replica = v.text; }, .effect = Effect::Restart},
  {.path = "registry.feed", .shape = Shape::Map, .doc = "The zone by which parents and other replicas learn of the registry's agents, steward-records(7)."},
  {.path = "registry.feed.allow-transfer", .shape = Shape::Maps,
   .doc = "Who may transfer the feed, and ask it for more than its SOA: rows as in zones[].allow-transfer.",
   .set = [](T t, V v) { t.rule = &registry(t).feed.allow_transfer.emplace_back(); t.rule->at = v.at; },
   .keys_of = "zones[].allow-transfer", .short_for = "address"},
  {.path = "registry.feed.notify", .shape = Shape::Maps, .doc = "Servers that are told of a change of the feed: rows as in zones[].notify.",
   .set = [](T t, V v) { t.peer = &registry(t).feed.notify.emplace_back(); t.peer->at = v.at; },
   .keys_of = "zones[].notify", .short_for = "address"},
  {.path = "registry.discover", .type = Type::Flag, .fallback = "true",
   .doc = "Answer terms at _discover._agents below the zone, signed as they are asked for; the zone delegates it to itself.",
   .set = [](T t, V v) { registry(t).discover = v.flag; }},
  {.path = "registry.discover-servers", .shape = Shape::List, .type = Type::Name, .fallback = "(the zone's primary, or all of its NS)",
   .doc = "Name servers that _discover._agents is delegated to: registries of this zone, no other secondaries.",
   .set = [](T t, V v) { registry(t).discover_servers.push_back(v.name); }},
  {.path = "registry.discover-signatures", .type = Type::Integer, .fallback = "20000", .least = 1, .most = 10'000'000,
   .doc = "Signatures a second that answers may take, once for clients whose address may be forged and once for the others.",
   .set = [](T t, V v) { registry(t).discover_signatures = as<uint32_t>(v); }, .effect = Effect::Restart},
  {.path = "registry.discover-client-signatures", .type = Type::Integer, .fallback = "2000", .least = 1, .most = 10'000'000,
   .doc = "The same for one client network, /24 or /56.", .set = [](T t, V v) { registry(t).discover_client_signatures = as<uint32_t>(v); },
   .effect = Effect::Restart},
  {.path = "registry.trust", .shape = Shape::Map, .doc = "How the trust that the registry states of an agent is made of facts. The five weights are brought to a sum of 1."},
  {.path = "registry.trust.tests", .type = Type::Fraction, .fallback = "0.3", .least = 0, .most = 1'000'000, .doc = "Weight of passed tests.",
   .set = [](T t, V v) { registry(t).trust.tests = fraction(v); }},
  {.path = "registry.trust.success", .type = Type::Fraction, .fallback = "0.25", .least = 0, .most = 1'000'000, .doc = "Weight of successful calls.",
   .set = [](T t, V v) { registry(t).trust.success = fraction(v); }},
  {.path = "registry.trust.uptime", .type = Type::Fraction, .fallback = "0.2", .least = 0, .most = 1'000'000, .doc = "Weight of uptime.",
   .set = [](T t, V v) { registry(t).trust.uptime = fraction(v); }},
  {.path = "registry.trust.endorsements", .type = Type::Fraction, .fallback = "0.15", .least = 0, .most = 1'000'000, .doc = "Weight of endorsements.",
   .set = [](T t, V v) { registry(t).trust.endorsements = fraction(v); }},
  {.path = "registry.trust.attestation", .type = Type::Fraction, .fallback = "0.1", .least = 0, .most = 1'000'000,
   .doc = "Weight of how fresh the attestations are.", .set = [](T t, V v) { registry(t).trust.attestation = fraction(v); }},
  {.path = "registry.trust.claimed-cap", .type = Type::Fraction, .fallback = "0.5", .least = 0, .most = 1'000'000,
   .doc = "Most that a fact counts which only the manifest claims.", .set = [](T t, V v) { registry(t).trust.claimed_cap = fraction(v); }},
  {.path = "registry.trust.custody-cap", .type = Type::Fraction, .fallback = "0.3", .least = 0, .most = 1'000'000,
   .doc = "Most for an agent in the registry's custody.", .set = [](T t, V v) { registry(t).trust.custody_cap = fraction(v); }},
  {.path = "registry.trust.new-factor", .type = Type::Fraction, .fallback = "0.8", .least = 0, .most = 1'000'000,
   .doc = "Factor of an agent that is new; it grows to 1 over new-time.", .set = [](T t, V v) { registry(t).trust.new_factor = fraction(v); }},
  {.path = "registry.trust.new-time", .type = Type::Duration, .fallback = "30d", .least = 0, .most = 10 * year, .doc = "How long an agent is new; whole days.",
   .set = [](T t, V v) { registry(t).trust.new_time = seconds(v); }},
  {.path = "registry.trust.attestation-time", .type = Type::Duration, .fallback = "90d", .least = 0, .most = 10 * year,
   .doc = "Over which the freshness of an attestation falls to 0; whole days, 0: it stays.",
   .set = [](T t, V v) { registry(t).trust.attestation_time = seconds(v); }},
  {.path = "registry.trust.look-alike-factor", .type = Type::Fraction, .fallback = "0.5", .least = 0, .most = 1'000'000,
   .doc = "Factor of an agent that can be taken for another.", .set = [](T t, V v) { registry(t).trust.look_alike_factor = fraction(v); }},
  {.path = "registry.trust.unknown", .type = Type::Fraction, .fallback = "0", .least = 0, .most = 1'000'000, .doc = "Value of a fact that nobody states.",
   .set = [](T t, V v) { registry(t).trust.unknown = fraction(v); }},
  {.path = "registry.trust.restate-interval", .type = Type::Duration, .fallback = "1d", .least = 0, .most = year,
   .doc = "In which the trust of each agent is looked at again, since it changes with time alone; spread evenly, 0: never.",
   .set = [](T t, V v) { registry(t).trust.restate_interval = seconds(v); }},
};
// clang-format on

}  // namespace

std::span<const Row> registry_rows() { return rows; }

}  // namespace steward::config

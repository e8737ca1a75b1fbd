#include "daemon/discovery.hh"

#include <fmt/format.h>

#include <algorithm>

#include "sign/delegation.hh"

namespace steward::daemon {
namespace {

using dns::RrType;

constexpr uint32_t ns_ttl = 3600;  // seconds

std::vector<Bytes> rdatas_of(zone::NodeView node, RrType type) {
  std::vector<Bytes> rdatas;
  const auto rrset = node ? node.find(type) : std::nullopt;
  if (!rrset) return rdatas;
  for (zone::StoredRrReader reader(rrset->rrs); !reader.done();)
    zone::expand_rdata(type, reader.next().rdata, node.owner(), rdatas.emplace_back());
  return rdatas;
}

dns::Name name_at(ByteView rdata, size_t& at) {
  const auto name = dns::NameView::from_wire(rdata.subspan(at));
  if (!name) return {};
  at += name->size();
  return dns::Name(*name).folded();
}

}  // namespace

Result<DiscoverHome> discover_home(zone::NodeView apex, const config::RegistryConfig& registry) {
  const std::vector<Bytes> soa = rdatas_of(apex, RrType::SOA);
  const std::vector<Bytes> ns = rdatas_of(apex, RrType::NS);
  if (soa.empty() || ns.empty()) return fail(Errc::Invalid, registry.zone.to_text() + ": has no SOA and NS");
  DiscoverHome home;
  size_t at = 0;
  const dns::Name primary = name_at(soa[0], at);
  home.contact = name_at(soa[0], at);
  if (!registry.discover_servers.empty()) {
    for (const dns::Name& server : registry.discover_servers) home.servers.push_back(server.folded());
    return home;
  }
  for (const Bytes& rdata : ns) {
    at = 0;
    home.servers.push_back(name_at(rdata, at));
  }
  if (std::find(home.servers.begin(), home.servers.end(), primary) != home.servers.end()) home.servers = {primary};
  return home;
}

// steward-records(7): at most 60 seconds, SOA and negative answers with it.
std::string discover_text(const DiscoverHome& home, uint32_t serial) {
  std::string text = fmt::format("@ 60 SOA {} {} {} 3600 600 1209600 60\n", home.servers.front().to_text(),
                                 home.contact.to_text(), serial);
  for (const dns::Name& server : home.servers) text += fmt::format("@ {} NS {}\n", ns_ttl, server.to_text());
  return text;
}

Delegation wanted_delegation(const DiscoverHome& home, const dns::Name& zone, const ZoneKeys* keys) {
  Delegation wanted;
  for (const dns::Name& server : home.servers) {
    const ByteView wire = server.view().wire();
    wanted.ns.emplace_back(wire.begin(), wire.end());
  }
  if (keys != nullptr) {
    // The first key's DS stands from the first day: no cache has ever had the zone without it.
    const sign::KeyPlan& plan = keys->plan();
    const std::vector<crypto::KeyTag>& tags = plan.cds.empty() ? plan.key_signers : plan.cds;
    for (const crypto::StoredKey& key : keys->keys())
      if (std::find(tags.begin(), tags.end(), key.tag()) != tags.end())
        sign::append_ds_rdata(zone, key.dnskey(), sign::DsDigest::SHA256, wanted.ds.emplace_back());
  }
  for (std::vector<Bytes>* rdatas : {&wanted.ns, &wanted.ds}) std::sort(rdatas->begin(), rdatas->end());
  return wanted;
}

Delegation stored_delegation(zone::NodeView node) {
  Delegation stored{rdatas_of(node, RrType::NS), rdatas_of(node, RrType::DS)};
  for (std::vector<Bytes>* rdatas : {&stored.ns, &stored.ds}) std::sort(rdatas->begin(), rdatas->end());
  return stored;
}

void delegate(change::ZoneEdit& edit, const dns::Name& zone, const Delegation& delegation, Seconds ds_ttl) {
  edit.remove_rrset(zone, RrType::NS);
  edit.remove_rrset(zone, RrType::DS);
  for (const Bytes& rdata : delegation.ns) edit.add(zone, RrType::NS, ns_ttl, rdata);
  for (const Bytes& rdata : delegation.ds) edit.add(zone, RrType::DS, static_cast<uint32_t>(ds_ttl.count()), rdata);
}

bool waits_for_ds(const ZoneKeys& keys, UnixTime now) {
  const std::vector<crypto::KeyTag>& submitted = keys.plan().cds;
  return std::any_of(keys.keys().begin(), keys.keys().end(), [&](const crypto::StoredKey& key) {
    return std::find(submitted.begin(), submitted.end(), key.tag()) != submitted.end() &&
           sign::state_of(sign::KeyRole::Csk, key.times, now) == sign::KeyState::Submitted;
  });
}

std::shared_ptr<const serve::DiscoverZone> discover_answers(const config::RegistryConfig& registry,
                                                            const dns::Name& zone, const ZoneKeys* keys) {
  auto answers = std::make_shared<serve::DiscoverZone>();
  answers->apex = zone;
  if (registry.parent) answers->parent = registry.parent->folded();
  if (keys == nullptr || keys->plan().zone_signers.empty()) return answers;
  answers->tag = keys->plan().zone_signers.back();
  for (const crypto::StoredKey& key : keys->keys())
    if (key.tag() == answers->tag) answers->key = key.key;
  return answers;
}

bool is_same(const serve::DiscoverZone& a, const serve::DiscoverZone& b) {
  if (a.apex != b.apex || a.parent != b.parent || !a.key != !b.key) return false;
  if (!a.key) return true;
  const auto octets = [](const serve::DiscoverZone& zone) { return zone.key->public_key().octets(); };
  return std::equal(octets(a).begin(), octets(a).end(), octets(b).begin(), octets(b).end());
}

}  // namespace steward::daemon

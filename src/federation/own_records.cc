#include "federation/own_records.hh"

#include <algorithm>

#include "agent/text_fields.hh"

namespace steward::federation {
namespace {

using dns::RrType;

constexpr uint32_t text_ttl = 300;

/// Unless the zone has one that begins so.
void put_text(change::ZoneEdit& edit, const dns::Name& owner, const Bytes& text) {
  const size_t first = size_t{1} + text.front();
  if (const change::EditedRrset* there = edit.find(owner, RrType::TXT))
    for (const Bytes& rdata : there->rdatas)
      if (rdata.size() >= first && std::equal(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(first), rdata.begin())) return;
  edit.add(owner, RrType::TXT, text_ttl, text);
}

void put_exactly(change::ZoneEdit& edit, const dns::Name& owner, RrType type, std::vector<Bytes> wanted) {
  std::sort(wanted.begin(), wanted.end());
  std::vector<Bytes> there;
  if (const change::EditedRrset* rrset = edit.find(owner, type)) there = rrset->rdatas;
  std::sort(there.begin(), there.end());
  if (there == wanted) return;
  edit.remove_rrset(owner, type);
  for (const Bytes& rdata : wanted) edit.add(owner, type, identity_ttl, rdata);
}

/// The primary (MNAME), where it is among the zone's name servers; else the first of these.
std::optional<dns::Name> server_of(change::ZoneEdit& edit, const dns::Name& zone) {
  const change::EditedRrset* ns = edit.find(zone, RrType::NS);
  if (ns == nullptr) return std::nullopt;
  std::vector<dns::Name> servers;
  for (const Bytes& rdata : ns->rdatas)
    if (const auto name = NameView::from_wire(rdata)) servers.emplace_back(*name);
  if (servers.empty()) return std::nullopt;
  if (const change::EditedRrset* soa = edit.find(zone, RrType::SOA))
    if (const auto primary = NameView::from_wire(soa->rdatas.front());
        primary && std::find(servers.begin(), servers.end(), *primary) != servers.end())
      return dns::Name(*primary);
  return servers.front();
}

void put_endpoint(change::ZoneEdit& edit, const dns::Name& owner, const OwnRecords& own) {
  if (!own.tls_port || edit.find(owner, RrType::SRV) != nullptr) return;
  const auto server = server_of(edit, own.zone);
  if (!server) return;
  Bytes rdata(4, 0);  // priority and weight
  append_u16(rdata, *own.tls_port);
  append(rdata, server->view().wire());
  edit.add(owner, RrType::SRV, text_ttl, rdata);
}

// RFC 9859 §3: where NOTIFY(CDS) of any child goes. Unless the zone has it.
void put_dsync(change::ZoneEdit& edit, const OwnRecords& own) {
  constexpr uint8_t notify_scheme = 1;
  const auto owner = dns::Name::from_text("*._dsync", own.zone);
  const auto server = server_of(edit, own.zone);
  if (!own.dns_port || !owner || !server || edit.find(*owner, RrType::DSYNC) != nullptr) return;
  Bytes rdata;
  append_u16(rdata, static_cast<uint16_t>(RrType::CDS));
  append_u8(rdata, notify_scheme);
  append_u16(rdata, *own.dns_port);
  append(rdata, server->view().wire());
  edit.add(*owner, RrType::DSYNC, text_ttl, rdata);
}

}  // namespace

Result<void> put_own_records(const OwnRecords& own, change::ZoneEdit& edit) {
  const auto schema = dns::Name::from_text("_schema._agents", own.zone);
  const auto registry = dns::Name::from_text("_registry._agents", own.zone);
  if (!schema || !registry) return fail(Errc::Invalid, own.zone.to_text() + ": too long for _registry._agents");
  std::vector<Bytes> keys;
  std::vector<Bytes> certificates;
  for (const Bytes& authority : own.authorities) {
    auto rdata = cert_rdata(authority);
    if (!rdata) return tl::unexpected(rdata.error());
    certificates.push_back(*std::move(rdata));
  }
  if (own.key != nullptr) {
    const auto records = identity_records(*registry, *own.key, own.authorities);
    if (!records) return tl::unexpected(records.error());
    keys.push_back(records->front().rdata);
  }
  Bytes text;
  agent::append_field(text, "v", "steward1");
  put_text(edit, *schema, text);
  text.clear();
  agent::append_field(text, "v", "steward-registry1");
  agent::append_field(text, "id", own.id);
  if (own.parent) agent::append_field(text, "parent", own.parent->to_plain_text());
  put_text(edit, *registry, text);
  put_endpoint(edit, *registry, own);
  put_dsync(edit, own);
  put_exactly(edit, *registry, RrType::KEY, std::move(keys));
  put_exactly(edit, *registry, RrType::CERT, std::move(certificates));
  return {};
}

std::vector<Bytes> authorities_above(NameView zone, std::span<const Bytes> cert_rdatas) {
  std::vector<std::pair<dns::Name, Bytes>> found;
  for (const Bytes& rdata : cert_rdatas) {
    auto certificate = certificate_from_rdata(rdata);
    if (!certificate) continue;
    const auto facts = crypto::read_certificate(*certificate);
    if (!facts || !facts->authority || !facts->permitted || facts->permitted->size() != 1) continue;
    const auto held_to = dns::Name::from_text(facts->permitted->front());
    if (held_to && zone.is_below(*held_to)) found.emplace_back(*held_to, *std::move(certificate));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first.view().label_count() > b.first.view().label_count(); });
  std::vector<Bytes> authorities;
  authorities.reserve(found.size());
  for (auto& [held_to, certificate] : found) authorities.push_back(std::move(certificate));
  return authorities;
}

}  // namespace steward::federation

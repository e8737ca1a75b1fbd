#include "change/publish_rows.hh"

#include <algorithm>
#include <array>

#include "change/update.hh"
#include "dns/svc_params.hh"

namespace steward::change {
namespace {

constexpr size_t srv_port = 4;                  // PRIORITY and WEIGHT before it (RFC 2782)
constexpr uint16_t default_port = 443;
constexpr uint16_t agent_protocol_key = 65402;  // `bap` of DNS-AID
constexpr std::array<std::string_view, 2> known_protocols{"a2a", "mcp"};

dns::Name below(const dns::Name& name, std::string_view label) { return name.child(as_bytes(label)).value_or(name); }

std::vector<Bytes> rdatas_at(ZoneEdit& edit, const dns::Name& owner, RrType type) {
  const EditedRrset* rrset = edit.find(owner, type);
  return rrset == nullptr ? std::vector<Bytes>{} : rrset->rdatas;
}

// RFC 9460 §2.2: SvcPriority, TargetName, SvcParams.
ByteView svc_params_of(ByteView svcb) {
  const auto target = dns::NameView::from_wire(svcb.subspan(2));
  return target ? svcb.subspan(2 + target->size()) : ByteView{};
}

std::string_view protocol_of(ByteView svcb) {
  std::string_view first_alpn;
  std::string_view named;
  for (ByteView params = svc_params_of(svcb); const auto param = dns::next_svc_param(params);) {
    ByteReader in(param->value);
    if (param->key == static_cast<uint16_t>(dns::SvcKey::Alpn)) first_alpn = as_text(in.bytes(in.u8()));
    if (param->key == agent_protocol_key) named = as_text(param->value);
  }
  return named.empty() ? first_alpn : named;
}

// RFC 2782: the lowest priority first, of equal ones the greatest weight.
Bytes first_srv(const AgentRows& rows) {
  const auto rank = [](const Bytes& srv) { return std::pair(load_u16(srv.data()), 65535 - load_u16(&srv[2])); };
  const auto first = std::min_element(rows.srv.begin(), rows.srv.end(),
                                      [&](const Bytes& a, const Bytes& b) { return rank(a) < rank(b); });
  return first == rows.srv.end() || first->at(srv_target) == 0 ? Bytes{} : *first;
}

// The SRV row of the place that the protocol's best SVCB row leads to; empty where there is none.
Bytes srv_of_protocol(const AgentRows& rows, std::string_view protocol) {
  const Bytes* best = nullptr;
  for (const Bytes& svcb : rows.svcb)
    if (load_u16(svcb.data()) != 0 && protocol_of(svcb) == protocol && (best == nullptr || load_u16(svcb.data()) < load_u16(best->data()))) best = &svcb;
  const auto target = best != nullptr ? dns::NameView::from_wire(ByteView(*best).subspan(2)) : fail(Errc::NotFound, "");
  if (!target) return {};
  uint16_t port = default_port;
  for (ByteView params = svc_params_of(*best); const auto param = dns::next_svc_param(params);)
    if (param->key == static_cast<uint16_t>(dns::SvcKey::Port)) port = ByteReader(param->value).u16();
  for (const Bytes& srv : rows.srv) {
    const auto host = dns::NameView::from_wire(ByteView(srv).subspan(srv_target));
    if (host && *host == *target && load_u16(&srv[srv_port]) == port) return srv;
  }
  return {};
}

}  // namespace

AgentNames::AgentNames(NameView name)
    : agent(dns::Name(name).folded()),
      manifest(below(agent, "_manifest")),
      keys(below(agent, "_keys")),
      registry(below(agent, "_registry")),
      trust(below(agent, "_trust")) {}

dns::Name AgentNames::log(uint32_t number) const { return below(below(agent, "_log"), fmt::format("_r{}", number)); }

bool AgentRows::same_records(const AgentRows& other) const {
  return txt == other.txt && key == other.key && srv == other.srv && svcb == other.svcb && manifest == other.manifest &&
         rotations == other.rotations;
}

std::vector<agent::Endpoint> AgentRows::endpoints() const {
  std::vector<agent::Endpoint> all;
  for (const Bytes& rdata : srv) all.push_back({RrType::SRV, rdata});
  for (const Bytes& rdata : svcb) all.push_back({RrType::SVCB, rdata});
  return all;
}

bool AgentRows::is_empty() const {
  return txt.empty() && key.empty() && srv.empty() && svcb.empty() && manifest.empty() && rotations.empty();
}

AgentRows read_rows(ZoneEdit& edit, const AgentNames& names) {
  AgentRows rows;
  rows.txt = rdatas_at(edit, names.agent, RrType::TXT);
  rows.key = rdatas_at(edit, names.agent, RrType::KEY);
  rows.srv = rdatas_at(edit, names.agent, RrType::SRV);
  rows.svcb = rdatas_at(edit, names.agent, RrType::SVCB);
  rows.manifest = rdatas_at(edit, names.manifest, RrType::TXT);
  rows.rotations = rdatas_at(edit, names.keys, RrType::TXT);
  if (const EditedRrset* statement = find_rrset(edit, names.agent, RrType::TXT)) rows.ttl = statement->ttl;
  return rows;
}

std::vector<std::string> protocols_of(const AgentRows& rows) {
  std::vector<Bytes> sorted = rows.svcb;  // by SvcPriority, in the order of preference; 0 is AliasMode
  std::erase_if(sorted, [](const Bytes& svcb) { return load_u16(svcb.data()) == 0; });
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Bytes& a, const Bytes& b) { return load_u16(a.data()) < load_u16(b.data()); });
  std::vector<std::string> protocols;
  for (const Bytes& svcb : sorted) {
    const std::string protocol(protocol_of(svcb));
    if (std::ranges::find(known_protocols, protocol) == known_protocols.end()) continue;
    if (std::ranges::find(protocols, protocol) == protocols.end()) protocols.push_back(protocol);
  }
  return protocols;
}

std::optional<ListedAgent> listed_agent(const AgentNames& names, const agent::AgentEntry& entry,
                                        const AgentRows& rows) {
  if (entry.presence != agent::Presence::Live || entry.suspended) return std::nullopt;
  ListedAgent listed{names.agent,     entry.protocols, entry.capabilities, entry.trust, entry.version,
                     first_srv(rows), {},              rows.ttl};
  for (const std::string& protocol : entry.protocols)
    if (Bytes own = srv_of_protocol(rows, protocol); !own.empty() && own != listed.srv) listed.srv_of.emplace(protocol, std::move(own));
  return listed;
}

bool cap_ttls(ZoneEdit& edit, const AgentNames& names, uint32_t most) {
  bool changed = false;
  const auto cap = [&](const dns::Name& owner, RrType type) {
    const EditedRrset* rrset = find_rrset(edit, owner, type);
    if (rrset == nullptr || rrset->ttl <= most) return;
    const Bytes rdata = rrset->rdatas.front();
    changed |= edit.add(owner, type, most, rdata);  // RFC 2181 §5.2: the TTL is that of the RRset
  };
  for (const RrType type : {RrType::TXT, RrType::KEY, RrType::SRV, RrType::SVCB}) cap(names.agent, type);
  cap(names.manifest, RrType::TXT);
  cap(names.keys, RrType::TXT);
  return changed;
}

std::string one_line(std::string_view text) {
  std::string line(text);
  // The section sign of our own texts.
  for (size_t at = 0; (at = line.find("\xc2\xa7", at)) != std::string::npos;) line.replace(at, 2, "section ");
  for (char& c : line)
    if (c < ' ' || c > '~') c = '?';
  return line;
}

UpdateOutcome in_one_line(UpdateOutcome outcome) {
  if (!outcome.why) return outcome;
  return refused_update(outcome.rcode, outcome.why->code, one_line(outcome.why->text));
}

UpdateOutcome refuse(std::string_view rule) {
  return refused_update(Rcode::REFUSED, UpdateEde::Prohibited, one_line(rule));
}

UpdateOutcome refuse(const Error& error) {
  const bool ours = error.code == Errc::Io || error.code == Errc::Full || error.code == Errc::Corrupt;
  return ours ? refused_update(Rcode::SERVFAIL, UpdateEde::Other, one_line(error.what)) : refuse(error.what);
}

}  // namespace steward::change

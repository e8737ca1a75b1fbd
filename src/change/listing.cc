#include "change/listing.hh"

#include <fmt/format.h>

#include <algorithm>

#include "change/listing_sets.hh"

namespace steward::change {
namespace {

constexpr size_t max_string = 255;       // of a TXT record (RFC 1035 §3.3)
constexpr size_t max_service_name = 15;  // RFC 6335 §5.1
constexpr std::string_view no_protocol = "agent";

struct InstanceRecord {
  dns::Name owner;
  RrType type{};
  Bytes rdata;
};

// All that one agent asks for.
struct Wanted {
  ListMember member;
  std::vector<InstanceRecord> instances;
  std::map<Bytes, dns::Name> browse;  // folded wire form of the set's name: the service whose instances it holds
};

void append_string(Bytes& out, std::string_view string) {
  append_u8(out, static_cast<uint8_t>(string.size()));
  append(out, as_bytes(string));
}

bool is_service_name(std::string_view text) {
  return !text.empty() && text.size() <= max_service_name && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

void add_once(std::vector<std::string>& to, std::string text) {
  if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(std::move(text));
}

Result<std::vector<std::string>> protocols_of(const ListedAgent& agent) {
  std::vector<std::string> protocols;
  for (const std::string& protocol : agent.protocols) {
    const std::string_view name = protocol.empty() ? no_protocol : std::string_view(protocol);
    if (!is_service_name(name))
      return fail(Errc::Invalid,
                  fmt::format("protocol \"{}\": 1 to 15 of a-z, 0-9 and - wanted (RFC 6335 §5.1)", name));
    add_once(protocols, std::string(name));
  }
  if (protocols.empty()) protocols.emplace_back(no_protocol);
  return protocols;
}

// RFC 6763 §6.1, §6.4: one key=value a string, txtvers first. As many capabilities as one string holds; the subtypes
// have them all.
Bytes instance_txt(const ListedAgent& agent) {
  Bytes out;
  append_string(out, "txtvers=1");
  std::string name = "agent=" + agent.agent.folded().to_text();
  name.pop_back();  // the final dot
  if (name.size() <= max_string) append_string(out, name);
  if (const std::string version = "version=" + agent.version; version.size() <= max_string) append_string(out, version);
  std::string capabilities = "capabilities=";
  const size_t none = capabilities.size();
  for (const std::string& capability : agent.capabilities) {
    if (capabilities.size() + 1 + capability.size() > max_string) break;
    if (capabilities.size() > none) capabilities += ',';
    capabilities += capability;
  }
  if (capabilities.size() > none) append_string(out, capabilities);
  return out;
}

Result<dns::Name> service_name(std::string_view protocol, NameView space) {
  auto name = dns::Name(space).child(as_bytes("_tcp"));
  return name ? name->child(as_bytes(fmt::format("_{}", protocol))) : name;
}

// RFC 6763 §7.1. A subtype that makes no name is left out: the agent is found by the others, and by `_find`.
void want_subtypes(const ListedAgent& agent, const dns::Name& service, Wanted& wanted) {
  const auto parent = service.child(as_bytes("_sub"));
  if (!parent) return;
  size_t count = 0;
  for (const std::string& capability : agent.capabilities) {
    if (capability.empty() || count == max_subtypes) continue;
    const auto set = parent->child(as_bytes("_" + capability));
    if (!set) continue;
    const dns::Name folded = set->folded();
    const ByteView wire = folded.view().wire();
    count += wanted.browse.try_emplace(Bytes(wire.begin(), wire.end()), service).second ? 1U : 0U;
  }
}

Result<Wanted> wanted_of(const ListedAgent& listed) {
  const dns::Name agent = listed.agent.folded();
  const auto protocols = protocols_of(listed);
  if (!protocols) return tl::unexpected<Error>(protocols.error());
  Wanted wanted;
  wanted.member = {list_place(listed.trust, agent.view().first_label()), listed.ttl, protocols->front()};
  if (listed.srv.empty()) return wanted;
  const Bytes txt = instance_txt(listed);
  for (const std::string& protocol : *protocols) {
    const auto service = service_name(protocol, agent.view().parent());
    if (!service) return fail(listed.agent.to_text(), service.error());
    const auto instance = service->child(agent.view().first_label());
    if (!instance) return fail(listed.agent.to_text(), instance.error());
    const auto own = listed.srv_of.find(protocol);
    wanted.instances.push_back({*instance, RrType::SRV, own != listed.srv_of.end() ? own->second : listed.srv});
    wanted.instances.push_back({*instance, RrType::TXT, txt});
    const ByteView wire = service->view().wire();
    wanted.browse.try_emplace(Bytes(wire.begin(), wire.end()), *service);
    want_subtypes(listed, *service, wanted);
  }
  return wanted;
}

bool has(const Wanted* wanted, const InstanceRecord& record) {
  return wanted != nullptr &&
         std::any_of(wanted->instances.begin(), wanted->instances.end(), [&](const InstanceRecord& have) {
           return have.owner == record.owner && have.type == record.type && have.rdata == record.rdata;
         });
}

void change_instances(Lists& lists, const Wanted* before, const Wanted* after) {
  if (before != nullptr)
    for (const InstanceRecord& record : before->instances)
      if (!has(after, record)) lists.remove(record.owner, record.type, record.rdata);
  if (after == nullptr) return;
  const bool new_ttl = before == nullptr || before->member.ttl != after->member.ttl;
  for (const InstanceRecord& record : after->instances)
    if (new_ttl || !has(before, record)) lists.add(record.owner, record.type, after->member.ttl, record.rdata);
}

}  // namespace

Result<void> list_agent(ZoneEdit& edit, zone::OctetTable& ranks, const std::optional<ListedAgent>& before,
                        const std::optional<ListedAgent>& after) {
  if (!before && !after) return {};
  const dns::Name agent = (after ? after : before)->agent.folded();
  if (before && after && !(before->agent == after->agent))
    return fail(Errc::Invalid, fmt::format("{} was listed, not {}", before->agent.to_text(), agent.to_text()));
  std::optional<Wanted> old_wanted;
  std::optional<Wanted> new_wanted;
  for (const auto& [listed, wanted] : {std::pair(&before, &old_wanted), std::pair(&after, &new_wanted)}) {
    if (!*listed) continue;
    auto made = wanted_of(**listed);
    if (!made) return tl::unexpected<Error>(made.error());
    *wanted = std::move(*made);
  }
  Lists lists(edit, ranks, agent.view().parent());
  change_instances(lists, old_wanted ? &*old_wanted : nullptr, new_wanted ? &*new_wanted : nullptr);

  std::map<Bytes, dns::Name> sets;
  for (const auto* wanted : {&old_wanted, &new_wanted})
    if (*wanted) sets.insert((*wanted)->browse.begin(), (*wanted)->browse.end());
  for (const auto& [set, service] : sets) {
    const auto member_of = [&key = set](const std::optional<Wanted>& wanted) {
      return wanted && wanted->browse.contains(key) ? &wanted->member : nullptr;
    };
    if (auto done = lists.browse(set, service, member_of(old_wanted), member_of(new_wanted)); !done) return done;
  }
  return lists.index(old_wanted ? &old_wanted->member : nullptr, new_wanted ? &new_wanted->member : nullptr);
}

}  // namespace steward::change

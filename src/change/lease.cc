#include "change/lease.hh"

#include <algorithm>

#include "change/publish_rows.hh"
#include "change/update.hh"

namespace steward::change {
namespace {

constexpr int64_t slack = 2;        // seconds: looks come once a second, and a commit takes its time
constexpr std::string_view services[] = {"_a2a", "_mcp", "_agent"};

/// All that is this agent's alone.
std::vector<dns::Name> owners_of(const AgentNames& names) {
  std::vector<dns::Name> owners{names.agent, names.manifest, names.keys, names.registry, names.trust};
  // DNS-SD, RFC 6763 §4.1: <instance>.<service>._tcp.<domain>.
  const auto tcp = dns::Name(names.agent.view().parent()).child(as_bytes(std::string_view("_tcp")));
  for (const std::string_view service : services) {
    const auto type = tcp ? tcp->child(as_bytes(service)) : tcp;
    if (const auto instance = type ? type->child(names.agent.view().first_label()) : type) owners.push_back(*instance);
  }
  return owners;
}

void set_ttls(const std::vector<dns::Name>& owners, uint32_t ttl, bool is_longer, ZoneEdit& edit) {
  for (const dns::Name& owner : owners) {
    const auto rrsets = edit.rrsets(owner);  // a copy: each change is one of the original
    for (const EditedRrset& rrset : rrsets)
      if (is_longer ? rrset.ttl < ttl : rrset.ttl > ttl) edit.add(owner, rrset.type, ttl, rrset.rdatas.front());
  }
}

}  // namespace

UnixTime shorten_ttls(const dns::Name& agent, const agent::AgentEntry& entry, ZoneEdit& edit, UnixTime now) {
  const UnixTime end = *entry.lease_until;
  const int64_t left = std::max<int64_t>((end - now).count() - slack, 0);
  const auto owners = owners_of(AgentNames(agent));
  int64_t longest = 0;
  for (const dns::Name& owner : owners)
    for (const EditedRrset& rrset : edit.rrsets(owner)) longest = std::max<int64_t>(longest, rrset.ttl);
  // Also where it is just as long: the next look would be this one.
  if (longest > 0 && longest >= left) {
    longest = left / 2;
    set_ttls(owners, static_cast<uint32_t>(longest), false, edit);
  }
  return longest == 0 ? end : std::min(end, end - Seconds(longest + slack));
}

void lengthen_ttls(const dns::Name& agent, const UpdateRequest& request, const UpdateLease& granted, ZoneEdit& edit) {
  uint32_t wanted = 0;
  for (const UpdateRecord& record : request.updates)
    if (record.klass == RrClass::IN && record.owner == agent) wanted = std::max(wanted, record.ttl);
  set_ttls(owners_of(AgentNames(agent)), std::min(wanted, std::max(granted.lease / lease_ttl_share, 1U)), true, edit);
}

}  // namespace steward::change

#include "change/hosted.hh"

#include "change/bring_rows.hh"
#include "change/listing.hh"
#include "change/publish_rows.hh"

namespace steward::change {
namespace {

std::optional<ListedAgent> listing_of(ZoneEdit& edit, const AgentNames& names, const std::optional<HostedListing>& listing) {
  if (!listing) return std::nullopt;
  const AgentRows rows = read_rows(edit, names);
  agent::AgentEntry entry;  // what of a book's entry is listed
  entry.trust = listing->trust;
  entry.version = listing->version;
  entry.capabilities = listing->capabilities;
  entry.protocols = protocols_of(rows);
  return listed_agent(names, entry, rows);
}

}  // namespace

Result<void> update_hosted(ZoneEdit& edit, zone::OctetTable& ranks, const dns::Name& agent, const std::optional<HostedListing>& listed,
                           const std::optional<HostedAgent>& after, const std::optional<HostedListing>& lists) {
  const AgentNames names(agent);
  // RFC 1034 §3.6.2
  if (after && edit.find(names.agent, RrType::CNAME) != nullptr) return fail(Errc::Invalid, agent.to_text() + ": an alias has the name");
  const auto before = listing_of(edit, names, listed);
  const HostedAgent rows = after.value_or(HostedAgent{});
  bring_to(edit, names.agent, RrType::TXT, {rows.statement}, rows.ttl);
  bring_to(edit, names.agent, RrType::KEY, rows.keys, rows.ttl);
  bring_to(edit, names.agent, RrType::SRV, rows.srv, rows.ttl);
  bring_to(edit, names.agent, RrType::SVCB, rows.svcb, rows.ttl);
  bring_to(edit, names.registry, RrType::TXT, {rows.registry_statement}, rows.ttl);
  bring_to(edit, names.manifest, RrType::TXT, {rows.manifest}, rows.ttl);
  bring_to(edit, names.keys, RrType::TXT, rows.rotations, rows.ttl);
  return list_agent(edit, ranks, before, listing_of(edit, names, lists));
}

}  // namespace steward::change

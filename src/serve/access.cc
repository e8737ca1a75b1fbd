#include "serve/access.hh"

#include <algorithm>

namespace steward::serve {
namespace {

bool is_encrypted(Transport transport) { return transport == Transport::Tls || transport == Transport::Https; }

bool holds(const AccessRow& row, const Asker& asker) {
  const bool by_peer = !row.peer_name.empty() || !row.peer_pin.empty();
  if (row.registry) return asker.registry && *row.registry == *asker.registry;
  if (!row.block && !row.key && !row.tls && !by_peer) return false;
  if (row.block && !row.block->contains(asker.client)) return false;
  if (row.key && (!asker.key || *row.key != *asker.key)) return false;
  if (row.tls && !is_encrypted(asker.transport)) return false;
  if (!by_peer) return true;
  if (!asker.peer) return false;
  const std::vector<std::string>& names = asker.peer->names;
  if (!row.peer_name.empty() && std::find(names.begin(), names.end(), row.peer_name) == names.end()) return false;
  return row.peer_pin.empty() || row.peer_pin == asker.peer->spki_sha256;
}

// One address as a block: "192.0.2.1", without port and scope.
AddressBlock block_of(const SocketAddress& address) {
  std::string text = address.to_text();
  text.resize(std::min(text.find('@'), text.find('%')));
  return AddressBlock::from_text(text).value_or(AddressBlock());
}

}  // namespace

AccessList AccessList::from_rules(std::span<const config::AccessRule> rules) {
  std::vector<AccessRow> rows;
  for (const config::AccessRule& rule : rules) rows.push_back({rule.block, rule.key, rule.over_tls, rule.tls, {}, rule.registry});
  return AccessList(std::move(rows));
}

AccessList AccessList::everybody() {
  std::vector<AccessRow> rows;
  for (const char* all : {"0.0.0.0/0", "::/0"}) rows.push_back({*AddressBlock::from_text(all), {}, false, {}, {}});
  return AccessList(std::move(rows));
}

AccessList AccessList::from_peers(std::span<const config::Peer> peers) {
  std::vector<AccessRow> rows;
  for (const config::Peer& peer : peers) {
    if (peer.tls && peer.tls->registry)
      rows.push_back({.registry = peer.tls->registry});
    else
      rows.push_back({block_of(peer.address), peer.key, false, {}, {}});
  }
  return AccessList(std::move(rows));
}

std::vector<dns::Name> AccessList::registries() const {
  std::vector<dns::Name> registries;
  for (const AccessRow& row : rows_)
    if (row.registry && std::find(registries.begin(), registries.end(), *row.registry) == registries.end()) registries.push_back(*row.registry);
  return registries;
}

bool AccessList::allows(const Asker& asker) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const AccessRow& row) { return holds(row, asker); });
}

void AccessTable::set(dns::NameView apex, ZoneAccess access) {
  const dns::Name folded = dns::Name(apex).folded();
  zones_.insert_or_assign(std::string(as_text(folded.view().wire())), std::move(access));
}

const ZoneAccess* AccessTable::find(dns::NameView folded_apex) const {
  const auto at = zones_.find(as_text(folded_apex.wire()));
  return at == zones_.end() ? nullptr : &at->second;
}

}  // namespace steward::serve

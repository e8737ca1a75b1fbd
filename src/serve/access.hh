#pragma once
// Who may do what with a zone: take it whole (transfer), tell of changes (notify), change it (update).
//
// Compiled from the configuration by the composition root, immutable afterwards and shared by all threads; a reload
// makes another. What nothing permits is refused.

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hh"
#include "base/exchange.hh"
#include "config/config.hh"
#include "dns/name.hh"

namespace steward::serve {

/// Who sent a request, as far as it is proved. Owns what it says, so that it may outlive the exchange.
struct Asker {
  SocketAddress client;
  Transport transport = Transport::Udp;
  std::optional<dns::Name> key;      ///< of the TSIG that was verified, in lower case
  std::optional<PeerIdentity> peer;  ///< of the TLS certificate that was verified
  std::optional<dns::Name> registry = {};  ///< the zone of a registry that its certificates and its SIG(0) prove
};

/// One row of an access list: all conditions that it states have to hold.
struct AccessRow {
  std::optional<AddressBlock> block;
  std::optional<dns::Name> key;  ///< signed with this TSIG key
  bool tls = false;              ///< over TLS (RFC 9103 §7.1)
  std::string peer_name;  ///< a verified certificate for this name, in lower case without a final dot (RFC 9103 §9.3.3)
  std::string peer_pin;   ///< a verified certificate with this SPKI pin, SHA-256 in base64
  std::optional<dns::Name> registry = {};  ///< the registry of this zone, folded, by its identity
};

class AccessList {
 public:
  /// Permits nobody.
  AccessList() = default;
  explicit AccessList(std::vector<AccessRow> rows) : rows_(std::move(rows)) {}
  static AccessList from_rules(std::span<const config::AccessRule> rules);
  /// Anybody: where somebody else decides.
  static AccessList everybody();
  /// The primaries of a zone, by address without port and by key: who may send NOTIFY (RFC 1996 §3.10).
  static AccessList from_peers(std::span<const config::Peer> peers);

  /// Whether all conditions of some row hold. A row without a key permits signed requests too; one without any
  /// condition permits nobody.
  [[nodiscard]] bool allows(const Asker& asker) const;
  /// The registries that rows permit, each once.
  [[nodiscard]] std::vector<dns::Name> registries() const;
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// The rows of another list too.
  void add(const AccessList& more) { rows_.insert(rows_.end(), more.rows_.begin(), more.rows_.end()); }

 private:
  std::vector<AccessRow> rows_;
};

struct ZoneAccess {
  AccessList transfer;
  AccessList notify;
  AccessList update;
  bool secondary = false;  ///< has primaries: NOTIFY means something for it
};

/// The access lists of all zones.
class AccessTable {
 public:
  /// Replaces what was there. Before the table is shared.
  void set(dns::NameView apex, ZoneAccess access);
  /// Of the zone with exactly this apex, in lower case; null where there is none. No allocation.
  [[nodiscard]] const ZoneAccess* find(dns::NameView folded_apex) const;

 private:
  std::map<std::string, ZoneAccess, std::less<>> zones_;  // by the apex in wire form, lower case
};

}  // namespace steward::serve

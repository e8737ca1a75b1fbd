#pragma once
// What a registry's zone says of the registry itself (steward-records(7), "Records of a registry"): `_schema._agents`
// and `_registry._agents`. Pure, but for the edit; the writer's thread.

#include <optional>
#include <string>
#include <vector>

#include "change/edit.hh"
#include "crypto/key_pair.hh"
#include "federation/identity.hh"

namespace steward::federation {

struct OwnRecords {
  dns::Name zone;
  std::string id;
  std::optional<dns::Name> parent;
  std::optional<uint16_t> tls_port;     ///< at the zone's primary; nothing: no DNS over TLS
  std::optional<uint16_t> dns_port;     ///< where children send NOTIFY(CDS) to (RFC 9859); nothing: there can be none
  const crypto::PublicKey* key = nullptr;  ///< of the root registry alone: that of others stands at their parents
  std::vector<Bytes> authorities;       ///< certificates, the registry's own first, then those above it
};

/// Puts them into the zone. TXT and SRV that the zone says itself stay as they are; KEY and CERT become what is given.
/// Invalid for a key or certificates that identity_records() refuses.
Result<void> put_own_records(const OwnRecords& own, change::ZoneEdit& edit);

/// The authorities that CERT records at `_registry._agents` of a parent hold for zones above `zone`, of whatever key; the
/// nearest first, as a chain has them. Others are stepped over.
[[nodiscard]] std::vector<Bytes> authorities_above(NameView zone, std::span<const Bytes> cert_rdatas);

}  // namespace steward::federation

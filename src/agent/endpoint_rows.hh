#pragma once
// The SRV and SVCB rows of an agent's endpoints (draft-mozleywilliams-dnsop-dnsaid-02), and those of a withdrawn agent.
//
// Inside of the room, but for those who check the rows of a tombstone. Pure functions, any thread.

#include <vector>

#include "agent/manifest.hh"
#include "dns/rr_type.hh"

namespace steward::agent {

// DNS-AID's parameters, under private-use numbers until IANA gives them others (RFC 9460 §14.3.2).
enum class AidKey : uint16_t {
  Cap = 65400,        ///< URL of the manifest
  CapSha256 = 65401,  ///< base64url of the SHA-256 of the manifest's octets
  Bap = 65402,        ///< the agent protocol
  WellKnown = 65409,  ///< the manifest's path below https://TARGET/.well-known/
};

struct EndpointRow {
  dns::RrType type{};
  Bytes rdata;
};

/// One SRV row a host and port, one SVCB row a protocol, priorities in the manifest's order of preference.
/// `manifest_url`: empty where the manifest is at `_manifest`.
Result<std::vector<EndpointRow>> endpoint_rows(const Manifest& manifest, std::string_view manifest_url);

/// `SVCB 0 .` (RFC 9460 §2.5.1) and `SRV 0 0 0 .` (RFC 2782): decidedly not available.
std::vector<EndpointRow> tombstone_rows();

}  // namespace steward::agent

#pragma once
// Where a registry takes publishes, where no address of it is configured: found by the DNS, validated here.

#include <string>
#include <vector>

#include "base/address.hh"
#include "base/result.hh"
#include "client/resolver.hh"

namespace steward::client {

struct FoundRegistry {
  SocketAddress address;
  std::string host;  ///< whose address that is: the name in its certificate, where TLS is wanted
};

/// The server of the zone that `name` lies in, to which RFC 2136 §4.1 has an UPDATE sent: the SOA's MNAME at port 53,
/// or with Settings::tls the SRV of DNS over TLS at `_registry._agents.<zone>` (steward-records(7)). Refused where an
/// answer is bogus, NotFound where there is no such record.
Result<FoundRegistry> find_registry(const Settings& settings, const dns::Name& name);

/// The zone that a name lies in and its MNAME, of the answer to a question for its SOA (RFC 2308 §3); nothing where it
/// has none.
struct ZoneServer {
  dns::Name zone;
  dns::Name server;
};
std::optional<ZoneServer> zone_server_of(const dns::Message& answer, const dns::Name& name);

}  // namespace steward::client

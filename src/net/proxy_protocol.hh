#pragma once
// The PROXY protocol, version 2 (haproxy's proxy-protocol.txt, §2.2): a proxy before us says in front of a datagram or
// of a stream, before TLS, who its client is. Only the binary version: the text of version 1 knows no datagrams.
//
// Believed only from addresses that the configuration lists. From them the header is required: a receiver must not
// guess whether there is one (§2), since then a client behind the proxy could write its own. Others' octets are never
// looked at. Pure functions on octets; any thread.

#include <vector>

#include "base/address.hh"
#include "base/bytes.hh"

namespace steward::net {

/// The 12 octets of the signature, version and command, family, and the length of what follows.
inline constexpr size_t proxy_fixed_size = 16;
/// Longest header taken: addresses and TLVs. The specification asks for 536 at least.
inline constexpr size_t proxy_most_size = proxy_fixed_size + 4096;

struct ProxyHeader {
  enum class Outcome : uint8_t {
    Proxied,     ///< `source` and `destination` are the client's connection
    Local,       ///< the proxy speaks for itself (a health check): its own address counts
    Incomplete,  ///< so far right, but more is needed: at least `size` octets
    Broken,      ///< no header, another version, one that does not hold together, or a client without an address
  };
  Outcome outcome = Outcome::Broken;
  size_t size = 0;  ///< Proxied, Local: octets of the header, TLVs included
  SocketAddress source;
  SocketAddress destination;
};

/// What `octets` begin with.
[[nodiscard]] ProxyHeader parse_proxy_header(ByteView octets);

/// Who is believed.
[[nodiscard]] inline bool is_listed(const std::vector<AddressBlock>& blocks, const SocketAddress& address) {
  for (const AddressBlock& block : blocks)
    if (block.contains(address)) return true;
  return false;
}

}  // namespace steward::net

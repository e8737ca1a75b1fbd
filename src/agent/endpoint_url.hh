#pragma once
// URLs of endpoints (RFC 3986), as far as a record can name them: a target host, a port.
//
// Inside of the room. Pure functions, any thread.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace steward::agent {

struct EndpointUrl {
  std::string scheme;  ///< lower case: http, https, ws, wss
  std::string host;    ///< lower case, no final dot; empty for an address
  uint16_t port = 0;   ///< the scheme's where none is written
  std::string path;    ///< without query; "/" where there is none
  /// Why no record can name it though it is well-formed: "127.0.0.1 is an address, …".
  std::optional<std::string> unusable;
};

/// Invalid where it is not well-formed, and for a host that is not written in ASCII.
Result<EndpointUrl> endpoint_url(std::string_view text);

/// Whether this looks like a URL at all: `scheme://`.
bool has_scheme(std::string_view text);

/// A host name (RFC 1123 §2.1) in lower case, without final dot, its A-labels sound. Invalid names the rule.
Result<std::string> host_name(std::string_view text);

}  // namespace steward::agent

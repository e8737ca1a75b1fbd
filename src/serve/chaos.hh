#pragma once
// Class CH: what the server says of itself (RFC 4892).

#include "serve/response.hh"

namespace steward::serve {

/// version.server, version.bind, id.server and hostname.bind TXT, each as configured; anything else is REFUSED.
void answer_chaos(const Request& request, const Settings& settings, Response& response);

}  // namespace steward::serve

#pragma once
// The command about the registries below: how their feeds are followed, and what of them is refused.

#include "daemon/control_reply.hh"
#include "daemon/server.hh"

namespace steward::daemon {

/// One line with all children; with `refused`, lines of refused names, of the child `namespace` or of all.
void peers(Server& server, const Json& request, const Reply& reply);

}  // namespace steward::daemon

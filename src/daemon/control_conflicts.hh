#pragma once
// Commands about conflicts: names of which more than one write stands (federation/conflict.hh).

#include "daemon/control_reply.hh"
#include "daemon/server.hh"

namespace steward::daemon {

void conflicts_list(Server& server, const Json& request, const Reply& reply);
void conflicts_show(Server& server, const Json& request, const Reply& reply);
/// Of an agent below another registry all that may be done is to note that it was seen: its home ends the conflict.
void conflicts_resolve(Server& server, const Json& request, const Reply& reply);

}  // namespace steward::daemon

#pragma once
// The command agent.import: manifests from the operator's connection to the desk of imports, and what became of them.

#include "daemon/control_reply.hh"
#include "daemon/server.hh"

namespace steward::daemon {

void agent_import(Server& server, const Json& request, const Reply& reply);

}  // namespace steward::daemon

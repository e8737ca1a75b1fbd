#pragma once
// The commands about publishers and agents: lists, an agent, its history (which read), allow, suspend, attest (which
// change).

#include "daemon/control_reply.hh"
#include "daemon/server.hh"

namespace steward::daemon {

/// The namespace that an argument says; the registry's own where there is none.
Result<dns::Name> space_argument(const Json& request, const change::PublishPolicy& policy);

void publisher_list(Server& server, const Reply& reply);
void publisher_allow(Server& server, const Json& request, const Reply& reply);
void publisher_remove(Server& server, const Json& request, const Reply& reply);
void agent_list(Server& server, const Json& request, const Reply& reply);
void agent_show(Server& server, const Json& request, const Reply& reply);
void agent_suspend(Server& server, const Json& request, const Reply& reply);
void agent_restore(Server& server, const Json& request, const Reply& reply);
void agent_attest(Server& server, const Json& request, const Reply& reply);
void zone_log(Server& server, const Json& request, const Reply& reply);

}  // namespace steward::daemon

#pragma once
// Commands about registries below: invitations, registrations that wait.

#include "daemon/control_reply.hh"
#include "daemon/server.hh"

namespace steward::daemon {

void child_invite(Server& server, const Json& request, const Reply& reply);
/// The registry's own: it joins its parent.
void register_at_parent(Server& server, const Json& request, const Reply& reply);
void pending_list(Server& server, const Reply& reply);
void pending_approve(Server& server, const Json& request, const Reply& reply);
/// A child's name is taken from it: delegation, KEY, CERT.
void child_remove(Server& server, const Json& request, const Reply& reply);
void pending_reject(Server& server, const Json& request, const Reply& reply);

}  // namespace steward::daemon

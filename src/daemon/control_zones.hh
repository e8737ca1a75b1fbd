#pragma once
// The commands about zones: list, show, export (which read), reload, sign, keys (which change).

#include "daemon/control_reply.hh"
#include "daemon/server.hh"

namespace steward::daemon {

void zone_list(Server& server, const Reply& reply);
void zone_show(Server& server, const Json& request, const Reply& reply);
void zone_export(Server& server, const Json& request, const Reply& reply);
void zone_reload(Server& server, const Json& request, const Reply& reply);
void zone_sign(Server& server, const Json& request, const Reply& reply);
void zone_keys(Server& server, const Json& request, const Reply& reply);
void zone_keys_rollover(Server& server, const Json& request, const Reply& reply);
void zone_keys_ds_seen(Server& server, const Json& request, const Reply& reply);

/// Reloads the zones named (all for an empty list) on the writer thread and sends {"zones": […]} after `head`'s members.
void reload_zones(Server& server, std::vector<std::string> names, const Json& head, const Reply& reply);

}  // namespace steward::daemon

#pragma once
// The commands about the whole database: backup, verify, stat. They read one snapshot on the export thread; the writer
// and the answers go on.

#include "daemon/control_reply.hh"
#include "daemon/server.hh"

namespace steward::daemon {

void backup(Server& server, const Reply& reply);
void store_verify(Server& server, const Reply& reply);
void store_stat(Server& server, const Reply& reply);

}  // namespace steward::daemon

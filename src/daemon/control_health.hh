#pragma once
// `health`: whether the server is well, check by check, from figures that are at hand: who asks does not wait for the writer. Main thread.

#include "daemon/control_reply.hh"

namespace steward::daemon {

class Server;

/// A line of `{"healthy": …, "checks": [{"check", "ok", "note", "detail"}, …]}`. A note is nothing wrong, and worth knowing.
void health(Server& server, const Reply& reply);

}  // namespace steward::daemon

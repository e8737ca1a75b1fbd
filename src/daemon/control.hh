#pragma once
// The commands of the control socket (control_protocol.hh): what `steward-registry` asks of the running server.

#include <memory>
#include <string_view>

#include "net/control_server.hh"

namespace steward::daemon {

class Server;

/// Main thread. Replies at once, or later from the thread that does the work.
void handle_control(Server& server, std::string_view request, std::shared_ptr<net::ControlReply> reply);

}  // namespace steward::daemon

#pragma once
// Socket activation: descriptors that the service manager opened and hands over (sd_listen_fds(3)).

#include <string>
#include <vector>

#include "net/file_descriptor.hh"

namespace steward::net {

struct ActivatedSocket {
  FileDescriptor fd;
  std::string name;  ///< of LISTEN_FDNAMES; "unknown" without
};

/// Takes what LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES announce for this process, and clears the variables so that no
/// child believes them. Empty when nothing is for us. Before any thread is started: it changes the environment.
std::vector<ActivatedSocket> take_activated_sockets();

}  // namespace steward::net

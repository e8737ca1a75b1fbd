#pragma once
// ControlServer: a UNIX stream socket on which operators' tools send requests, one line each, and get lines back.
//
// Who may connect: root, the user the server runs as, and members of the group, by the kernel's word (SO_PEERCRED)
// besides the mode of the socket. What the lines say is not known here. ControlServer belongs to the loop's thread; a
// ControlReply to any.

#include <sys/types.h>

#include <any>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "net/file_descriptor.hh"
#include "net/loop.hh"

namespace steward::net {

class ControlClient;

/// The way back of one request. Held until the last line is written; destroying it ends the request. Any thread, one
/// at a time.
class ControlReply {
 public:
  explicit ControlReply(std::shared_ptr<ControlClient> client);
  ~ControlReply();
  ControlReply(const ControlReply&) = delete;
  ControlReply& operator=(const ControlReply&) = delete;

  /// Sends one line; the newline is added, and one inside would make two. False when the client is gone. On another
  /// thread than the loop's it waits while the client has more unread than the limit, so that an export of any size
  /// runs at its reader's pace; on the loop's thread it never waits, and large replies use when_writable().
  bool write(std::string_view line);
  /// Calls `resume` once on the loop's thread when little is unread, or the client is gone. Loop's thread only.
  void when_writable(std::function<void()> resume);
  /// What the handler keeps for this connection, for as long as it lasts. Loop's thread only.
  [[nodiscard]] std::any& kept();

 private:
  std::shared_ptr<ControlClient> client_;
};

struct ControlConfig {
  std::string path;
  std::optional<gid_t> group;  ///< given the socket, and let in
  size_t clients = 32;
  size_t line = 1 << 20;                    ///< octets of the longest request
  size_t in_flight = 16;                    ///< requests of one client that are not ended; then reading pauses
  size_t output = 1 << 20;                  ///< unread octets of one client at which writers wait
  std::chrono::milliseconds write{60'000};  ///< a client that reads nothing for so long is closed
};

class ControlServer final : private FdHandler {
 public:
  using Handler = std::function<void(std::string request, std::shared_ptr<ControlReply> reply)>;

  /// A socket file that nobody listens on any more is replaced; one that is in use, or another kind of file, is an
  /// error.
  static Result<std::unique_ptr<ControlServer>> open(Loop& loop, const ControlConfig& config, Handler handler);
  /// Closes all clients and removes the socket file, if it is still ours.
  ~ControlServer() override;

 private:
  friend class ControlClient;
  ControlServer(Loop& loop, const ControlConfig& config, Handler handler);

  void on_ready(Ready ready) override;
  [[nodiscard]] bool allowed(int fd) const;
  void sweep();

  Loop& loop_;
  const ControlConfig config_;
  Handler handler_;
  FileDescriptor fd_;
  dev_t device_ = 0;  ///< of the socket file, to know it again
  ino_t inode_ = 0;
  std::unique_ptr<FdWatch> watch_;
  std::list<std::shared_ptr<ControlClient>> clients_;
  Timer sweep_timer_;
  Timer pause_timer_;
};

}  // namespace steward::net

#pragma once
// StreamServer: the listening TCP sockets of one worker and their connections. It accepts within the limits, frames
// and batches queries for the responder, and keeps the times. Worker's thread only.

#include <array>
#include <list>
#include <memory>
#include <vector>

#include "base/exchange.hh"
#include "base/reply.hh"
#include "net/connection.hh"
#include "net/counters.hh"
#include "net/listeners.hh"
#include "net/loop.hh"
#include "net/stream_limits.hh"
#include "net/worker_options.hh"

namespace steward::net {

class StreamServer final : public ReplySource {
 public:
  StreamServer(Loop& loop, Responder& responder, const StreamLimits& limits, std::shared_ptr<ClientCounts> counts,
               WorkerCounters& counters, WorkerOptions options = {});
  ~StreamServer() override;

  Result<void> listen(Listener listener);
  std::unique_ptr<Reply> defer(const Exchange& exchange) override;
  [[nodiscard]] size_t connections() const { return connections_.size(); }

 private:
  friend class Connection;
  friend class AcceptPort;

  /// The room in which all connections read: an incomplete message of before, then what is read now.
  static constexpr size_t frame_size = 2 + 65535;
  static constexpr size_t read_size = 65536;
  static constexpr size_t slot_size = 65600;  ///< of a response, with its length octets; no multiple of 4096
  static constexpr size_t most_batch = 32;

  [[nodiscard]] MutableByteView scratch() { return {scratch_.get(), frame_size + read_size}; }
  /// Answers the complete messages at the front of `input`, as far as the connection may have answers. Octets used.
  size_t answer(Connection& connection, ByteView input);
  size_t collect(Connection& connection, ByteView input, size_t& at);
  void send(Connection& connection, size_t exchanges);
  /// The proxy has named its client: from now on it is that one's connection. False: closed, it has too many.
  bool admit_proxied(Connection& connection, const SocketAddress& client);
  void forget(Connection& connection, Connection::End why);
  void touch(Connection& connection);  ///< moves it to the young end of the order of activity

  void accepted(FileDescriptor fd, const SocketAddress& client, const Listener& listener);
  std::unique_ptr<ByteStream> make_stream(FileDescriptor fd, Transport transport);
  bool make_room();  ///< closes the connection that was idle for longest
  void accept_failed();
  void sweep();
  [[nodiscard]] uint64_t idle_ms() const;

  Loop& loop_;
  Responder& responder_;
  const StreamLimits limits_;
  std::shared_ptr<ClientCounts> counts_;
  WorkerCounters& counters_;
  const WorkerOptions options_;
  std::unique_ptr<uint8_t[]> scratch_;
  std::unique_ptr<uint8_t[]> responses_;
  std::array<Exchange, most_batch> exchanges_;
  Connection* answering_ = nullptr;
  std::list<std::shared_ptr<Connection>> connections_;  ///< longest without activity first
  std::vector<std::unique_ptr<class AcceptPort>> ports_;
  Timer sweep_timer_;
  Timer pause_timer_;
};

}  // namespace steward::net

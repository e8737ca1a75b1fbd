#pragma once
// Worker: all sockets of one core on one loop: datagrams and streams, answered by one Responder.
//
//   auto listeners = open_listeners(config);              // with privileges, all workers at once
//   auto counts = std::make_shared<ClientCounts>(limits.clients, limits.clients_per_address);
//   auto loop = Loop::open();                             // then, for each worker, on its own thread:
//   auto worker = Worker::open(**loop, std::move((*listeners)[i]), responder, limits, counts);
//   (*loop)->run();                                       // until loop->stop() from any thread
//
// The responder outlives the worker, the worker goes before its loop. Loop's thread only, but for counters().

#include <memory>
#include <vector>

#include "base/exchange.hh"
#include "net/counters.hh"
#include "net/listeners.hh"
#include "net/loop.hh"
#include "net/stream_limits.hh"
#include "net/worker_options.hh"

namespace steward::net {

class UdpBatch;
class UdpPort;
class StreamServer;

class Worker {
 public:
  static Result<std::unique_ptr<Worker>> open(Loop& loop, std::vector<Listener> listeners, Responder& responder,
                                              const StreamLimits& limits, std::shared_ptr<ClientCounts> counts,
                                              WorkerOptions options = {});
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// Closes all sockets and connections. Replies that are still held find them closed.
  ~Worker();

  [[nodiscard]] const WorkerCounters& counters() const { return counters_; }
  /// Streams of this worker that are open now.
  [[nodiscard]] size_t connections() const;

 private:
  Worker(Loop& loop, Responder& responder, const StreamLimits& limits, std::shared_ptr<ClientCounts> counts,
         const WorkerOptions& options);

  WorkerCounters counters_;
  std::unique_ptr<UdpBatch> batch_;
  std::vector<std::unique_ptr<UdpPort>> udp_ports_;
  std::unique_ptr<StreamServer> streams_;
};

}  // namespace steward::net

#include "net/worker.hh"

#include "net/stream_server.hh"
#include "net/udp_port.hh"

namespace steward::net {

Worker::Worker(Loop& loop, Responder& responder, const StreamLimits& limits, std::shared_ptr<ClientCounts> counts,
               const WorkerOptions& options)
    : batch_(std::make_unique<UdpBatch>()),
      streams_(std::make_unique<StreamServer>(loop, responder, limits, std::move(counts), counters_, options)) {}

Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::open(Loop& loop, std::vector<Listener> listeners, Responder& responder,
                                             const StreamLimits& limits, std::shared_ptr<ClientCounts> counts,
                                             WorkerOptions options) {
  std::unique_ptr<Worker> worker(new Worker(loop, responder, limits, std::move(counts), options));
  for (Listener& listener : listeners) {
    if (listener.transport == Transport::Udp) {
      auto port =
          UdpPort::open(loop, std::move(listener), *worker->batch_, responder, worker->counters_, options.proxies);
      if (!port) return tl::unexpected(port.error());
      worker->udp_ports_.push_back(std::move(*port));
    } else if (auto listening = worker->streams_->listen(std::move(listener)); !listening) {
      return tl::unexpected(listening.error());
    }
  }
  return worker;
}

size_t Worker::connections() const { return streams_->connections(); }

}  // namespace steward::net

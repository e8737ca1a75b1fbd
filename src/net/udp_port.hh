#pragma once
// Datagrams: one batch of up to 32 is received with one call, answered as a whole, and sent with one call. No
// allocation and no lock between the calls. Worker's thread only.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <vector>

#include "base/exchange.hh"
#include "base/reply.hh"
#include "net/counters.hh"
#include "net/listeners.hh"
#include "net/loop.hh"

namespace steward::net {

inline constexpr size_t batch_size = 32;
inline constexpr size_t udp_message_size = 4096;  ///< longest request taken and longest response sent, octets

/// The memory of a batch, one for all ports of a worker.
class UdpBatch {
 public:
  UdpBatch();

 private:
  friend class UdpPort;
  // Distances that are no multiple of 4096: else all messages would begin in the same set of the processor's cache.
  static constexpr size_t request_stride = udp_message_size + 128;
  static constexpr size_t response_stride = udp_message_size + 704;
  static constexpr size_t control_size = 64;

  struct alignas(8) Control {
    std::array<uint8_t, control_size> octets;
  };
  uint8_t* request(size_t slot) { return requests_.get() + slot * request_stride; }
  uint8_t* response(size_t slot) { return responses_.get() + slot * response_stride; }

  std::unique_ptr<uint8_t[]> requests_;
  std::unique_ptr<uint8_t[]> responses_;
  std::array<SocketAddress, batch_size> clients_;
  std::array<SocketAddress, batch_size> locals_;
  std::array<SocketAddress, batch_size> proxied_;  ///< the client that the proxy in clients_ speaks for
  std::array<Control, batch_size> controls_;
  std::array<iovec, batch_size> in_vectors_;
  std::array<iovec, batch_size> out_vectors_;
  std::array<mmsghdr, batch_size> in_;
  std::array<mmsghdr, batch_size> out_;
  std::array<Exchange, batch_size> exchanges_;
  std::array<uint8_t, batch_size> slots_;  ///< of each exchange
};

/// One UDP socket of a worker.
class UdpPort final : public FdHandler, public ReplySource {
 public:
  static Result<std::unique_ptr<UdpPort>> open(Loop& loop, Listener listener, UdpBatch& batch, Responder& responder,
                                               WorkerCounters& counters, std::vector<AddressBlock> proxies = {});

  void on_ready(Ready ready) override;
  std::unique_ptr<Reply> defer(const Exchange& exchange) override;

 private:
  UdpPort(Loop& loop, Listener listener, UdpBatch& batch, Responder& responder, WorkerCounters& counters,
          std::vector<AddressBlock> proxies);

  size_t receive();                             ///< datagrams received; 0: none waits
  size_t collect(size_t received);              ///< exchanges made of them
  bool unwrap(size_t slot, ByteView& request);  ///< takes a proxy's header off; false: there is no right one
  void send(size_t exchanges);
  void rearm(size_t received);  ///< what the kernel wrote over is set again
  void transmit(size_t messages);

  UdpBatch& batch_;
  Responder& responder_;
  WorkerCounters& counters_;
  std::shared_ptr<Mailbox> mailbox_;
  SocketAddress address_;
  bool wildcard_;
  const std::vector<AddressBlock> proxies_;
  std::shared_ptr<FileDescriptor> fd_;  ///< shared with replies that are yet to come
  std::unique_ptr<FdWatch> watch_;      ///< last: gone before the descriptor
};

}  // namespace steward::net

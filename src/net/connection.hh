#pragma once
// Connection: one client on a stream, from accept to close (RFC 7766). Frames in, frames out, and the bounds on both.
//
//            octets           complete messages
//   client ─────────> input ─────────────────────> StreamServer::answer ──> responder
//     ^                 (reading pauses while output is full or too many answers are deferred)
//     └───────────── output <──────────────────────── send(), Reply::write()
//
// Owned by its StreamServer; worker's thread only.

#include <functional>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "base/address.hh"
#include "base/exchange.hh"
#include "net/byte_stream.hh"
#include "net/loop.hh"

namespace steward::net {

class StreamServer;

class Connection final : public FdHandler, public std::enable_shared_from_this<Connection> {
 public:
  enum class End : uint8_t {
    Finished,     ///< the client is done and has all answers
    Idle,         ///< it had nothing to ask for long enough
    Evicted,      ///< idle, and the place was needed
    SlowWriter,   ///< began a message and did not complete it in time
    SlowReader,   ///< does not read its answers
    Broken,       ///< reset, failed, or broke the framing
    NoHandshake,  ///< TLS or the proxy's header did not come to an end in time
    BadProxy,     ///< a listed proxy without a right header
    Stopped,      ///< the server ends
  };

  static Result<std::shared_ptr<Connection>> open(StreamServer& server, Loop& loop, std::unique_ptr<ByteStream> stream,
                                                  const SocketAddress& client, const SocketAddress& local,
                                                  Transport transport, bool behind_proxy);

  void on_ready(Ready ready) override;
  /// Sends whole frames, length octets included; what the kernel does not take is kept.
  void send(std::span<const iovec> frames, size_t octets);
  /// As send(), from outside of answer().
  void send_late(std::span<const iovec> frames, size_t octets);
  /// A deferred exchange began or finished.
  void defer() { ++in_flight_; }
  void finish_deferred();
  /// While it is not closed.
  void when_writable(std::function<void()> resume);
  /// Ends it at once. Everything after is ignored.
  void close(End why);
  /// Takes no more messages, and closes when all answers are out.
  void close_after_answers();
  /// Closes what is over its time; `idle_ms` is the idle time that now holds.
  void check_times(uint64_t now_ms, uint64_t idle_ms);

  [[nodiscard]] bool closed() const { return !stream_; }
  [[nodiscard]] bool output_full() const;
  /// Whether no further message is to be answered now.
  [[nodiscard]] bool stalled() const;
  /// Nothing deferred: what an eviction may close.
  [[nodiscard]] bool evictable() const { return in_flight_ == 0; }
  [[nodiscard]] size_t in_flight() const { return in_flight_; }
  [[nodiscard]] const SocketAddress& client() const { return client_; }
  [[nodiscard]] const SocketAddress& local() const { return local_; }
  [[nodiscard]] Transport transport() const { return transport_; }
  /// While it is not closed.
  [[nodiscard]] const PeerIdentity* peer() const { return stream_->peer(); }
  [[nodiscard]] std::shared_ptr<const CertificateChain> shown() const { return stream_->shown(); }

 private:
  friend class StreamServer;
  Connection(StreamServer& server, std::unique_ptr<ByteStream> stream, const SocketAddress& client,
             const SocketAddress& local, Transport transport);

  void read();
  bool read_proxy_header();  ///< true: it is behind us
  void note_handshake();
  void failed();  ///< after an error of the stream
  void answer_input();
  void take_input(MutableByteView scratch, size_t fresh);
  void flush();
  void keep(std::span<const iovec> frames, size_t sent);
  void call_resumes();
  /// The state after any event: closes what is finished, else sets what to wait for.
  void settle();
  [[nodiscard]] size_t pending() const { return output_.size() - output_at_; }
  /// With what the stream holds itself.
  [[nodiscard]] size_t waiting() const { return pending() + stream_->unsent(); }

  StreamServer& server_;
  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<FdWatch> watch_;
  SocketAddress client_;
  SocketAddress local_;
  Transport transport_;
  bool awaits_proxy_ = false;    ///< the proxy's header comes first, and client_ is the proxy
  bool counted_address_ = true;  ///< in the server's counts; not while the proxy has named nobody
  bool established_ = false;     ///< seen to be
  bool input_ended_ = false;     ///< the peer sends no more, or we want no more
  Bytes proxy_header_;           ///< while it is awaited
  Bytes input_;                  ///< an incomplete message; while stalled, also complete ones
  Bytes output_;                 ///< what the kernel did not take yet
  size_t output_at_ = 0;
  size_t in_flight_ = 0;
  std::vector<std::function<void()>> resumes_;
  uint64_t opened_ms_ = 0;
  uint64_t active_ms_ = 0;                                  ///< last message or answer
  uint64_t message_ms_ = 0;                                 ///< first octet of the incomplete message
  uint64_t progress_ms_ = 0;                                ///< last octet that the peer took while some waited
  std::list<std::shared_ptr<Connection>>::iterator place_;  ///< in the server's order of activity
};

}  // namespace steward::net

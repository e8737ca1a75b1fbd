#pragma once
// Outgoing calls: DNS messages to another server, over TCP or TLS (StreamCall) or by datagram (DatagramCall).
//
//   StreamCall::Options options{.peer = primary, .tls = context};          // tls null: plain TCP
//   call_ = StreamCall::start(loop, options, {
//       .on_message = [this](ByteView message) { return take(message); },  // true: more is expected
//       .on_end = [this](CallEnd end, const std::string& why) { ... },
//   });
//   call_->send(query);                                                    // at once: it waits for the connection
//
// Loop's thread only, all callbacks too. No callback is called from within start(), send(), resume() or finish(), and
// none after the call object is gone. A callback may destroy the call, or start others. A call goes before its Loop.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/address.hh"
#include "base/bytes.hh"
#include "crypto/tls.hh"
#include "net/loop.hh"

namespace steward::net {

enum class CallEnd : uint8_t {
  Done,         ///< on_message or finish() said that all has come
  PeerClosed,   ///< the peer ended in order (FIN, with TLS a close_notify too), between two messages
  Truncated,    ///< the peer's end came within a message, or over TLS without close_notify
  Unreachable,  ///< no socket, no route, refused, or no connection in time
  TlsFailed,    ///< the handshake: no common version, a certificate that is not the expected one, ALPN
  TimedOut,     ///< idle, or over the whole time
  Broken,       ///< reset, or an error of the connection after it stood
};

/// "refused", "timed out": the log's word for it.
[[nodiscard]] std::string_view call_end_text(CallEnd end);

/// An unpredictable message ID, as RFC 5452 §4.5 asks for (RFC 1996 and transfers over TCP gain by it too).
[[nodiscard]] uint16_t random_message_id();

/// One connection to a server. Messages are framed with their length (RFC 1035 §4.2.2) here; ID, question and TSIG of
/// what comes are the caller's to check.
class StreamCall {
 public:
  struct Options {
    SocketAddress peer;
    std::optional<SocketAddress> source = {};                  ///< port 0: any
    std::shared_ptr<const crypto::TlsClientContext> tls = {};  ///< null: TCP
    std::chrono::milliseconds connect{5'000};  ///< until the connection stands, the TLS handshake included
    /// Without one octet moved in either direction while the call is not paused; also the time for the first answer.
    std::chrono::milliseconds idle{30'000};
    std::chrono::milliseconds whole{0};  ///< from start() to the end; 0: no bound. Runs while paused too
  };

  struct Callbacks {
    /// Once, when the connection stands (before any message). May be empty. tls_info() and local() are known.
    std::function<void()> on_connect = {};
    /// One message of 1 to 65,535 octets; the view is gone when it returns. Many are delivered after one read.
    /// True: go on. False: all has come; the connection is closed in order and on_end(Done) follows.
    std::function<bool(ByteView message)> on_message = {};
    /// Once, last, with what to log: "connect 192.0.2.1@853: Connection refused". Not called for a destroyed call.
    std::function<void(CallEnd end, const std::string& why)> on_end = {};
  };

  /// Whatever fails is told by on_end, from the loop.
  static std::unique_ptr<StreamCall> start(Loop& loop, Options options, Callbacks callbacks);
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;
  /// Ends without callbacks; a standing TLS connection says goodbye if that takes no waiting.
  ~StreamCall();

  /// Queues one message of 1 to 65,535 octets, without length octets; copied. Several may be under way (RFC 7766
  /// §6.2.1.1).
  void send(ByteView message);
  /// Octets of send() that the kernel did not take yet: what a sender of much throttles itself by.
  [[nodiscard]] size_t unsent() const;
  /// Delivers nothing and reads nothing until resume(): TCP then makes the peer wait. From on_message: nothing after
  /// this message. At most one read (256 KiB) is kept. The idle time stands still.
  void pause();
  void resume();
  /// All has come: closed in order, then on_end(Done) from the loop.
  void finish();

  [[nodiscard]] const SocketAddress& peer() const;
  /// Our own end once connected.
  [[nodiscard]] SocketAddress local() const;
  /// "TLSv1.3 TLS_AES_128_GCM_SHA256 dot" for the log; empty over TCP and before on_connect.
  [[nodiscard]] std::string tls_info() const;

 private:
  class State;
  explicit StreamCall(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

enum class DatagramEnd : uint8_t {
  Answered,     ///< on_reply took a reply
  TimedOut,     ///< all attempts unanswered
  Unreachable,  ///< no socket or route, or the peer's machine says that nobody listens there (RFC 1996 §3.6)
};

/// One query by UDP, sent again until it is answered or given up. Many may run at once: each has a socket, and with it
/// a random source port, of its own (RFC 5452 §4.5).
class DatagramCall {
 public:
  /// The defaults are a NOTIFY's as RFC 1996 §3.6 suggests, but for a shorter first interval (it asks for 60 s and 5
  /// retransmissions): 3, 6, 12, 24, 48 s.
  struct Options {
    SocketAddress peer;
    std::optional<SocketAddress> source = {};   ///< port 0: any
    std::chrono::milliseconds interval{3'000};  ///< before the first retransmission
    double backoff = 2.0;                       ///< each interval is that many times the one before
    std::chrono::milliseconds most_interval{60'000};
    unsigned attempts = 5;  ///< datagrams sent in all, at least 1
  };

  struct Callbacks {
    /// A datagram from the peer whose ID, opcode and question are those of the query. True: it is the answer, and
    /// on_end(Answered) follows. False: not credible (a bad TSIG); the wait goes on.
    std::function<bool(ByteView reply)> on_reply = {};
    /// Once, last.
    std::function<void(DatagramEnd end, const std::string& why)> on_end = {};
  };

  /// `query` is a whole message with the caller's ID (random_message_id()) and TSIG, if any: it is sent as it is.
  static std::unique_ptr<DatagramCall> start(Loop& loop, Options options, Bytes query, Callbacks callbacks);
  DatagramCall(const DatagramCall&) = delete;
  DatagramCall& operator=(const DatagramCall&) = delete;
  /// Ends without callbacks.
  ~DatagramCall();

  [[nodiscard]] const SocketAddress& peer() const;
  /// How many datagrams were sent.
  [[nodiscard]] unsigned attempts() const;

 private:
  class State;
  explicit DatagramCall(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// Whether `reply` may answer `query`: a response with its ID and opcode, and its question octet for octet but for
/// letters' case; a refusal may come without a question. For datagrams here, and for who reads a StreamCall.
[[nodiscard]] bool is_reply_to(ByteView query, ByteView reply);

}  // namespace steward::net

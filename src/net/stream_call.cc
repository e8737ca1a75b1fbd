#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "crypto/digest.hh"
#include "net/message_call.hh"
#include "net/tls_stream.hh"

namespace steward::net {
namespace {

constexpr size_t frame_size = 2 + 65535;
constexpr size_t read_size = 256 * 1024;
constexpr int reads_a_turn = 4;  ///< then the loop's other work has its turn

/// Where all calls of a thread read: an incomplete message of before, then what is read now.
MutableByteView scratch() {
  thread_local const std::unique_ptr<uint8_t[]> memory(new uint8_t[frame_size + read_size]);
  return {memory.get(), frame_size + read_size};
}

/// Octets of the frame that `input` begins with; 0 while that is not known.
size_t frame_octets(ByteView input) { return input.size() < 2 ? 0 : size_t{2} + load_u16(input.data()); }

}  // namespace

std::string_view call_end_text(CallEnd end) {
  switch (end) {
    case CallEnd::Done: return "done";
    case CallEnd::PeerClosed: return "closed by the peer";
    case CallEnd::Truncated: return "truncated";
    case CallEnd::Unreachable: return "unreachable";
    case CallEnd::TlsFailed: return "TLS failed";
    case CallEnd::TimedOut: return "timed out";
    case CallEnd::Broken: return "broken";
  }
  return "";
}

uint16_t random_message_id() {
  uint8_t octets[2];
  crypto::random_octets(octets);
  return load_u16(octets);
}

class StreamCall::State final : public FdHandler, public std::enable_shared_from_this<StreamCall::State> {
 public:
  State(Loop& loop, Options options, Callbacks callbacks)
      : loop_(loop), options_(std::move(options)), callbacks_(std::move(callbacks)), timer_(loop), whole_timer_(loop) {}

  void start() {
    if (options_.whole.count() > 0)
      whole_timer_.after(options_.whole, [this] { end(CallEnd::TimedOut, "not done in the whole time allowed"); });
    timer_.after(options_.connect, [this] { end(CallEnd::Unreachable, "no connection in time"); });
    if (const std::string problem = open_socket(); !problem.empty()) end_later(CallEnd::Unreachable, problem);
  }

  void on_ready(Ready ready) override {
    const auto self = shared_from_this();  // a callback may destroy the call
    if (phase_ == Phase::Connecting && !connected()) return;
    if (phase_ == Phase::Handshake && !shaken()) return;
    if (over()) return;
    if (has(ready, Ready::Write)) flush();
    if (!over() && !paused_ && !input_.empty()) take({});
    for (int i = 0; i < reads_a_turn && !over() && !paused_ && (has(ready, Ready::Read) || stream_->has_input()); ++i)
      if (!read()) break;
    settle();
  }

  void send(ByteView message) {
    if (over() || message.empty() || message.size() > 65535) return;
    append_u16(output_, static_cast<uint16_t>(message.size()));
    append(output_, message);
    // From the loop: several messages that are sent at once go out together.
    if (phase_ != Phase::Open || flush_posted_) return;
    flush_posted_ = true;
    loop_.post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->flush_posted_ = false;
      if (self->phase_ != Phase::Open) return;
      self->flush();
      self->settle();
    });
  }

  void pause() {
    if (paused_ || over()) return;
    paused_ = true;
    if (phase_ != Phase::Open) return;
    timer_.cancel();
    settle();
  }

  void resume() {
    if (!paused_ || over()) return;
    paused_ = false;
    if (phase_ != Phase::Open) return;
    watch_idle();
    loop_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock(); self && self->phase_ == Phase::Open) self->on_ready(Ready::Read);
    });
  }

  void finish() {
    if (!over()) end_later(CallEnd::Done, "");
  }

  /// The call object is gone: nothing is told any more.
  void abandon() {
    callbacks_ = {};
    if (stream_ && phase_ == Phase::Open) stream_->goodbye();
    shut();
  }

  [[nodiscard]] size_t unsent() const { return output_.size() - output_at_ + (stream_ ? stream_->unsent() : 0); }
  [[nodiscard]] const SocketAddress& peer() const { return options_.peer; }
  [[nodiscard]] const SocketAddress& local() const { return local_; }
  [[nodiscard]] const std::string& tls_info() const { return tls_info_; }

 private:
  enum class Phase : uint8_t { Connecting, Handshake, Open, Over };

  [[nodiscard]] bool over() const { return phase_ == Phase::Over; }
  static bool has_frame(ByteView input) { return input.size() >= 2 && input.size() >= frame_octets(input); }

  /// A reason, or nothing when the connection is under way.
  std::string open_socket() {
    FileDescriptor fd(socket(options_.peer.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return std::string("socket: ") + std::strerror(errno);
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options_.source) {
      // Many calls from one address to many peers do not each need a port of their own.
      if (options_.source->port() == 0) setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
      if (bind(fd.get(), options_.source->data(), options_.source->size()) != 0)
        return "bind " + options_.source->to_text() + ": " + std::strerror(errno);
    }
    if (connect(fd.get(), options_.peer.data(), options_.peer.size()) != 0 && errno != EINPROGRESS)
      return std::strerror(errno);
    auto watch = FdWatch::open(loop_, fd.get(), *this);
    if (!watch) return watch.error().what;
    watch_ = std::move(*watch);
    fd_ = std::move(fd);
    watch_->want(Ready::Write);
    return {};
  }

  bool connected() {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) {
      end(CallEnd::Unreachable, std::strerror(error));
      return false;
    }
    sockaddr_storage own{};
    socklen_t own_size = sizeof own;
    if (getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own), &own_size) == 0)
      local_ = SocketAddress(reinterpret_cast<sockaddr*>(&own), own_size);
    if (!options_.tls) {
      stream_ = std::make_unique<TcpStream>(std::move(fd_));
      opened();
      return true;
    }
    auto session = options_.tls->connect(fd_.get());
    if (!session) {
      end(CallEnd::TlsFailed, session.error().what);
      return false;
    }
    auto tls = std::make_unique<TlsStream>(std::move(fd_), std::move(*session));
    tls_ = tls.get();
    stream_ = std::move(tls);
    phase_ = Phase::Handshake;
    return true;
  }

  bool shaken() {
    if (tls_->unsent() > 0 && tls_->flush() == StreamOutcome::Wait) return false;
    switch (tls_->handshake()) {
      case StreamOutcome::Done:
        tls_info_ = tls_->session().description();
        opened();
        return true;
      case StreamOutcome::Wait: watch_->want(Ready::Read | tls_->needs()); return false;
      case StreamOutcome::End:
      case StreamOutcome::Truncated:
      case StreamOutcome::Error: end(CallEnd::TlsFailed, tls_->error()); return false;
    }
    return false;
  }

  void opened() {
    phase_ = Phase::Open;
    watch_idle();
    if (paused_) timer_.cancel();
    if (const auto tell = callbacks_.on_connect) tell();
    if (!over()) flush();
  }

  /// True: octets came, and there may be more.
  bool read() {
    const MutableByteView room = scratch();
    const StreamProgress progress = stream_->read(room.subspan(frame_size));
    switch (progress.outcome) {
      case StreamOutcome::Wait: return false;
      case StreamOutcome::Done: moved(); break;
      case StreamOutcome::End:
        end(input_.empty() ? CallEnd::PeerClosed : CallEnd::Truncated,
            input_.empty() ? "closed by the peer" : "closed by the peer within a message");
        return false;
      case StreamOutcome::Truncated: end(CallEnd::Truncated, stream_->error()); return false;
      case StreamOutcome::Error: {
        const int error = errno;
        // A refused client certificate is told after our own handshake is done (RFC 8446 §4.4.2.4).
        const bool refused = tls_ != nullptr && !received_ && !stream_->error().empty();
        end(refused ? CallEnd::TlsFailed : CallEnd::Broken,
            stream_->error().empty() ? std::strerror(error) : stream_->error());
        return false;
      }
    }
    received_ = true;
    take(room.subspan(frame_size, progress.octets));
    return true;
  }

  /// Delivers the whole messages of what was kept and of `fresh`, which stands in scratch() at frame_size.
  void take(ByteView fresh) {
    if (input_.size() + fresh.size() < 2) return append(input_, fresh);
    uint8_t head[2] = {input_.empty() ? fresh[0] : input_[0], 0};
    head[1] = input_.size() > 1 ? input_[1] : fresh[input_.empty() ? 1 : 0];
    if (input_.size() + fresh.size() - 2 < load_u16(head)) return append(input_, fresh);
    if (input_.size() >= frame_size || fresh.empty()) {
      // What a pause left over: several messages.
      append(input_, fresh);
      const Bytes all = std::move(input_);
      input_.clear();
      return keep(all, deliver(all));
    }
    // The octets before what was read are room for the beginning of its first message.
    const MutableByteView room = scratch();
    const size_t before = input_.size();
    std::copy(input_.begin(), input_.end(), room.begin() + static_cast<long>(frame_size - before));
    input_.clear();
    const ByteView all = room.subspan(frame_size - before, before + fresh.size());
    keep(all, deliver(all));
  }

  size_t deliver(ByteView all) {
    size_t at = 0;
    const auto take_message = callbacks_.on_message;  // a copy: it may destroy the call
    while (!over() && !paused_ && has_frame(all.subspan(at))) {
      const size_t size = frame_octets(all.subspan(at));
      const ByteView message = all.subspan(at + 2, size - 2);
      at += size;
      if (message.empty()) {
        end(CallEnd::Broken, "a message of no octets");
      } else if (!take_message || !take_message(message)) {
        if (!over()) end(CallEnd::Done, "");
      }
    }
    return at;
  }

  void keep(ByteView all, size_t used) {
    if (over()) return;
    const ByteView rest = all.subspan(used);
    input_.assign(rest.begin(), rest.end());
  }

  void flush() {
    if (stream_->unsent() > 0) {
      const size_t before = stream_->unsent();
      if (stream_->flush() == StreamOutcome::Error) return wait_for_reason();
      if (stream_->unsent() < before) moved();
    }
    while (output_at_ < output_.size() && stream_->unsent() == 0) {
      const iovec rest{output_.data() + output_at_, output_.size() - output_at_};
      const StreamProgress progress = stream_->write({&rest, 1});
      if (progress.outcome == StreamOutcome::Error) return wait_for_reason();
      if (progress.octets == 0) return;
      output_at_ += progress.octets;
      moved();
    }
    if (output_at_ < output_.size()) return;
    Bytes().swap(output_);
    output_at_ = 0;
  }

  /// A peer that refuses us sends why and resets: reading finds the one or the other.
  void wait_for_reason() {
    Bytes().swap(output_);
    output_at_ = 0;
    sending_failed_ = true;
  }

  void settle() {
    if (phase_ != Phase::Open) return;
    Ready ready = paused_ ? Ready::None : Ready::Read;
    if (!sending_failed_ && unsent() > 0) ready = ready | Ready::Write;
    // What the stream or we hold already comes at the next turn, which a writable socket gives.
    if (!paused_ && (stream_->has_input() || has_frame(input_))) ready = ready | Ready::Write;
    watch_->want(ready);
  }

  void moved() { moved_ms_ = loop_.now_ms(); }

  void watch_idle() {
    moved();
    wait_idle(options_.idle);
  }
  void wait_idle(std::chrono::milliseconds time) {
    timer_.after(time, [this] {
      const auto still = std::chrono::milliseconds(loop_.now_ms() - moved_ms_);
      if (still < options_.idle) return wait_idle(options_.idle - still);
      end(CallEnd::TimedOut, "nothing moved for too long");
    });
  }

  void end(CallEnd how, std::string_view why) {
    if (over()) return;
    const auto self = shared_from_this();
    if (stream_ && how == CallEnd::Done) stream_->goodbye();
    shut();
    const std::string text = how == CallEnd::Done ? std::string()
                                                  : (tls_info_.empty() && !options_.tls ? "" : "TLS ") +
                                                        options_.peer.to_text() + ": " + std::string(why);
    const auto tell = std::move(callbacks_.on_end);
    callbacks_ = {};
    if (tell) tell(how, text);
  }

  void end_later(CallEnd how, std::string why) {
    loop_.post([weak = weak_from_this(), how, why = std::move(why)] {
      if (const auto self = weak.lock()) self->end(how, why);
    });
  }

  void shut() {
    phase_ = Phase::Over;
    timer_.cancel();
    whole_timer_.cancel();
    watch_.reset();
    stream_.reset();
    tls_ = nullptr;
    fd_.reset();
  }

  Loop& loop_;
  const Options options_;
  Callbacks callbacks_;
  Phase phase_ = Phase::Connecting;
  FileDescriptor fd_;  ///< until the connection stands
  std::unique_ptr<ByteStream> stream_;
  TlsStream* tls_ = nullptr;  ///< the same, if it is one
  std::unique_ptr<FdWatch> watch_;
  Timer timer_;
  Timer whole_timer_;
  SocketAddress local_;
  std::string tls_info_;
  Bytes input_;
  Bytes output_;
  size_t output_at_ = 0;
  uint64_t moved_ms_ = 0;
  bool paused_ = false;
  bool received_ = false;
  bool flush_posted_ = false;
  bool sending_failed_ = false;
};

std::unique_ptr<StreamCall> StreamCall::start(Loop& loop, Options options, Callbacks callbacks) {
  auto state = std::make_shared<State>(loop, std::move(options), std::move(callbacks));
  state->start();
  return std::unique_ptr<StreamCall>(new StreamCall(std::move(state)));
}

StreamCall::~StreamCall() { state_->abandon(); }
void StreamCall::send(ByteView message) { state_->send(message); }
size_t StreamCall::unsent() const { return state_->unsent(); }
void StreamCall::pause() { state_->pause(); }
void StreamCall::resume() { state_->resume(); }
void StreamCall::finish() { state_->finish(); }
const SocketAddress& StreamCall::peer() const { return state_->peer(); }
SocketAddress StreamCall::local() const { return state_->local(); }
std::string StreamCall::tls_info() const { return state_->tls_info(); }

}  // namespace steward::net

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "net/file_descriptor.hh"
#include "net/message_call.hh"

namespace steward::net {
namespace {

constexpr size_t header_size = 12;
constexpr size_t datagram_size = 65535;
constexpr int datagrams_a_turn = 8;  ///< a flood of forged replies does not keep the loop

uint8_t lower(uint8_t octet) { return octet >= 'A' && octet <= 'Z' ? static_cast<uint8_t>(octet + 32) : octet; }

/// Octets of the first question, name, type and class; 0 where there is no whole one without compression.
size_t question_octets(ByteView message) {
  size_t at = header_size;
  while (at < message.size() && message[at] != 0) {
    if (message[at] > 63) return 0;
    at += size_t{1} + message[at];
  }
  return at + 5 <= message.size() ? at + 5 - header_size : 0;
}

}  // namespace

bool is_reply_to(ByteView query, ByteView reply) {
  if (query.size() < header_size || reply.size() < header_size) return false;
  const bool same_id = query[0] == reply[0] && query[1] == reply[1];
  const bool response = (reply[2] & 0x80) != 0 && (reply[2] & 0x78) == (query[2] & 0x78);
  if (!same_id || !response) return false;
  const uint16_t asked = load_u16(&query[4]);
  const uint16_t repeated = load_u16(&reply[4]);
  // RFC 1035 §4.1.1: who could not read the question cannot repeat it.
  if (repeated == 0) return asked == 0 || (reply[3] & 0x0F) != 0;
  if (repeated != asked || asked != 1) return repeated == asked && asked != 1;
  const size_t size = question_octets(query);
  if (size == 0 || reply.size() - header_size < size) return false;
  const ByteView ours = query.subspan(header_size, size);
  const ByteView theirs = reply.subspan(header_size, size);
  // Type and class are compared as they are; in the name the length octets, below 64, have no case.
  return std::equal(ours.begin(), ours.end() - 4, theirs.begin(),
                    [](uint8_t a, uint8_t b) { return lower(a) == lower(b); }) &&
         std::equal(ours.end() - 4, ours.end(), theirs.end() - 4);
}

class DatagramCall::State final : public FdHandler, public std::enable_shared_from_this<DatagramCall::State> {
 public:
  State(Loop& loop, Options options, Bytes query, Callbacks callbacks)
      : loop_(loop),
        options_(std::move(options)),
        query_(std::move(query)),
        callbacks_(std::move(callbacks)),
        timer_(loop),
        interval_(options_.interval) {}

  void start() {
    if (const std::string problem = open_socket(); !problem.empty()) return end_later(problem);
    transmit();
  }

  void on_ready(Ready) override {
    const auto self = shared_from_this();
    thread_local const std::unique_ptr<uint8_t[]> room(new uint8_t[datagram_size]);
    for (int i = 0; i < datagrams_a_turn && !over_; ++i) {
      const ssize_t size = recv(fd_.get(), room.get(), datagram_size, MSG_DONTWAIT);
      if (size < 0) {
        // RFC 1996 §3.6: "port unreachable" ends the attempts.
        if (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH)
          end(DatagramEnd::Unreachable, std::strerror(errno));
        return;
      }
      const ByteView reply(room.get(), static_cast<size_t>(size));
      if (!is_reply_to(query_, reply)) continue;
      const auto take = callbacks_.on_reply;  // a copy: it may destroy the call
      if (take && take(reply)) end(DatagramEnd::Answered, {});
    }
  }

  void abandon() {
    callbacks_ = {};
    shut();
  }
  [[nodiscard]] const SocketAddress& peer() const { return options_.peer; }
  [[nodiscard]] unsigned attempts() const { return attempts_; }

 private:
  std::string open_socket() {
    FileDescriptor fd(socket(options_.peer.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return std::string("socket: ") + std::strerror(errno);
    if (options_.source && bind(fd.get(), options_.source->data(), options_.source->size()) != 0)
      return "bind " + options_.source->to_text() + ": " + std::strerror(errno);
    // Connected: the kernel draws the port and lets nothing through but the peer's datagrams (RFC 5452 §9.1).
    if (connect(fd.get(), options_.peer.data(), options_.peer.size()) != 0) return std::strerror(errno);
    auto watch = FdWatch::open(loop_, fd.get(), *this);
    if (!watch) return watch.error().what;
    watch_ = std::move(*watch);
    fd_ = std::move(fd);
    watch_->want(Ready::Read);
    return {};
  }

  void transmit() {
    // A datagram that the kernel does not take now is one that the network lost: the next attempt is the remedy.
    ::send(fd_.get(), query_.data(), query_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ++attempts_;
    timer_.after(interval_, [this] {
      if (attempts_ >= options_.attempts) return end(DatagramEnd::TimedOut, "no answer");
      transmit();
    });
    const auto longer = static_cast<double>(interval_.count()) * std::max(options_.backoff, 1.0);
    interval_ =
        std::min(options_.most_interval, std::chrono::milliseconds(static_cast<int64_t>(std::min(longer, 1e9))));
  }

  void end(DatagramEnd how, std::string_view why) {
    if (over_) return;
    const auto self = shared_from_this();
    shut();
    const std::string text =
        how == DatagramEnd::Answered ? std::string() : options_.peer.to_text() + ": " + std::string(why);
    const auto tell = std::move(callbacks_.on_end);
    callbacks_ = {};
    if (tell) tell(how, text);
  }

  void end_later(std::string why) {
    loop_.post([weak = weak_from_this(), why = std::move(why)] {
      if (const auto self = weak.lock()) self->end(DatagramEnd::Unreachable, why);
    });
  }

  void shut() {
    over_ = true;
    timer_.cancel();
    watch_.reset();
    fd_.reset();
  }

  Loop& loop_;
  const Options options_;
  const Bytes query_;
  Callbacks callbacks_;
  FileDescriptor fd_;
  std::unique_ptr<FdWatch> watch_;
  Timer timer_;
  std::chrono::milliseconds interval_;
  unsigned attempts_ = 0;
  bool over_ = false;
};

std::unique_ptr<DatagramCall> DatagramCall::start(Loop& loop, Options options, Bytes query, Callbacks callbacks) {
  auto state = std::make_shared<State>(loop, std::move(options), std::move(query), std::move(callbacks));
  state->start();
  return std::unique_ptr<DatagramCall>(new DatagramCall(std::move(state)));
}

DatagramCall::~DatagramCall() { state_->abandon(); }
const SocketAddress& DatagramCall::peer() const { return state_->peer(); }
unsigned DatagramCall::attempts() const { return state_->attempts(); }

}  // namespace steward::net

#include "client/tls_relay.hh"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/reply.hh"
#include "client/own_socket.hh"
#include "client/relay_message.hh"
#include "net/message_call.hh"
#include "net/worker.hh"

namespace steward::client {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds retry_after{1'000};    // a registry that could not be reached is not tried again sooner
constexpr milliseconds sweep_period{250};     // questions without an answer are given up
constexpr milliseconds kept_open{60'000};     // an idle connection to the registry
constexpr milliseconds kept_inside{120'000};  // libunbound's own connections to us: longer than it keeps them
constexpr size_t most_connections = 200;
constexpr size_t most_under_way = 4096;
constexpr size_t most_referrals = 256;
constexpr int backlog = 128;

/// Any address of 127/8 but those that servers are likely to have, so that no NS record of a registry can name it.
SocketAddress random_loopback() {
  const uint16_t high = net::random_message_id();
  const auto low = static_cast<uint16_t>(1 + net::random_message_id() % 254);
  return *SocketAddress::from_text(fmt::format("127.{}.{}.{}@0", 64 + high / 256 % 128, high % 256, low));
}

/// Without SO_REUSEPORT, unlike a server's: nobody shares this one.
Result<net::Listener> open_listener() {
  const SocketAddress address = random_loopback();
  net::FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  if (!fd || ::bind(fd.get(), address.data(), address.size()) != 0 || ::listen(fd.get(), backlog) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return fail(Errc::Io, fmt::format("relay on {}: {}", address.to_text(), std::strerror(errno)));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // the accepted sockets inherit it
  return net::Listener{std::move(fd), SocketAddress(reinterpret_cast<const sockaddr*>(&bound), size), Transport::Tcp};
}

net::StreamLimits limits_inside() {
  net::StreamLimits limits;
  limits.clients = limits.clients_per_address = most_connections;
  limits.in_flight = most_under_way;
  limits.idle = kept_inside;
  return limits;
}

/// A thread of a library takes none of its program's signals.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

/// Loop's thread, but for what is said otherwise.
class TlsRelay::State final : public Responder {
 public:
  State(Options options, std::unique_ptr<net::Loop> loop) : options_(std::move(options)), loop_(std::move(loop)) {}

  /// Before the thread runs.
  Result<void> listen() {
    auto listener = open_listener();
    if (!listener) return tl::unexpected(listener.error());
    address_ = listener->address;
    std::vector<net::Listener> listeners;
    listeners.push_back(std::move(*listener));
    auto worker = net::Worker::open(*loop_, std::move(listeners), *this, limits_inside(),
                                    std::make_shared<net::ClientCounts>(most_connections, most_connections));
    if (!worker) return tl::unexpected(worker.error());
    worker_ = std::move(*worker);
    sweep_.every(sweep_period, [this] { sweep(); });
    const SignalsHeld held;
    thread_ = std::thread([this] { loop_->run(); });
    return {};
  }

  ~State() override {
    if (!thread_.joinable()) return;
    loop_->stop();
    thread_.join();
  }

  void answer(std::span<Exchange> batch) override {
    for (Exchange& exchange : batch) {
      // Nobody else on this machine gets a word out of us.
      if (!is_plain_query(exchange.request) || !own_sockets_.holds(*exchange.client, address_)) continue;
      if (!call_ && is_given_up()) {
        const Bytes none = servfail_to(exchange.request);
        exchange.response_size = std::min(none.size(), exchange.room.size());
        std::copy_n(none.begin(), exchange.response_size, exchange.room.begin());
      } else if (under_way_.size() < most_under_way) {
        pass_on(exchange);
      }
    }
  }

  // Any thread.
  [[nodiscard]] const SocketAddress& address() const { return address_; }
  [[nodiscard]] std::string trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }
  [[nodiscard]] dns::Name handed_on(dns::NameView name) const {
    const std::lock_guard lock(mutex_);
    for (const dns::Name& zone : referrals_)
      if (name.is_at_or_below(zone)) return zone;
    return {};
  }

 private:
  struct UnderWay {
    std::unique_ptr<Reply> reply;
    Bytes asked;  // as libunbound sent it
    Bytes sent;
    uint64_t since_ms = 0;
    bool again = false;  // sent over a second connection
  };

  [[nodiscard]] bool is_given_up() const { return failed_for_good_ || loop_->now_ms() < retry_ms_; }

  void pass_on(const Exchange& exchange) {
    uint16_t id = net::random_message_id();
    while (under_way_.count(id) != 0) id = net::random_message_id();
    Bytes asked(exchange.request.begin(), exchange.request.end());
    Bytes sent = relayed_query(asked, id);
    if (!call_) connect();
    call_->send(sent);
    under_way_[id] = {exchange.source->defer(exchange), std::move(asked), std::move(sent), loop_->now_ms(), false};
  }

  void connect() {
    stands_ = false;
    net::StreamCall::Options options{.peer = options_.registry, .tls = options_.tls};
    options.connect = options_.timeout;
    options.idle = std::max(kept_open, options_.timeout);
    call_ = net::StreamCall::start(*loop_, std::move(options),
                                   {.on_connect =
                                        [this] {
                                          stands_ = true;
                                          say("");
                                        },
                                    .on_message = [this](ByteView message) { return take(message); },
                                    .on_end = [this](net::CallEnd end, const std::string& why) { lose(end, why); }});
  }

  bool take(ByteView message) {
    if (message.size() < 2) return true;
    const auto at = under_way_.find(load_u16(message.data()));
    // RFC 7766 §7: the question tells as well whose answer that is.
    if (at == under_way_.end() || !net::is_reply_to(at->second.sent, message)) return true;
    if (const auto zone = referral_of(message)) remember(*zone);
    Bytes answer(message.begin(), message.end());
    store_u16(answer.data(), load_u16(at->second.asked.data()));
    at->second.reply->write(answer);
    under_way_.erase(at);
    return true;
  }

  void lose(net::CallEnd end, const std::string& why) {
    const bool stood = stands_ && end != net::CallEnd::TlsFailed;
    call_.reset();
    stands_ = false;
    if (!stood) {
      const bool proved = end != net::CallEnd::TlsFailed;
      say(proved ? why
                 : fmt::format("{}: it does not prove to be {}, and is not asked", why, meant()));
      // A certificate that does not hold now does not hold in a second either.
      failed_for_good_ = !proved;
      retry_ms_ = loop_->now_ms() + static_cast<uint64_t>(retry_after.count());
    }
    for (auto at = under_way_.begin(); at != under_way_.end();) {
      UnderWay& one = at->second;
      if (stood && !one.again) {
        if (!call_) connect();
        one.again = true;
        call_->send(one.sent);
        ++at;
      } else {
        if (stood) say(why);
        one.reply->write(servfail_to(one.asked));
        at = under_way_.erase(at);
      }
    }
  }

  [[nodiscard]] std::string meant() const {
    const crypto::TlsClientOptions& rules = options_.tls->options();
    return rules.verify == crypto::TlsClientOptions::Verify::Pin ? "the one whose key is pinned" : rules.name;
  }

  /// libunbound asks again by its own clock, and who asks has a time limit.
  void sweep() {
    const auto limit = static_cast<uint64_t>(options_.timeout.count());
    for (auto at = under_way_.begin(); at != under_way_.end();)
      at = loop_->now_ms() - at->second.since_ms > limit ? under_way_.erase(at) : std::next(at);
  }

  void say(std::string why) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(why);
  }

  void remember(const dns::Name& zone) {
    const std::lock_guard lock(mutex_);
    if (referrals_.size() < most_referrals && std::find(referrals_.begin(), referrals_.end(), zone) == referrals_.end())
      referrals_.push_back(zone);
  }

  const Options options_;
  std::unique_ptr<net::Loop> loop_;  // all that follows goes before it
  net::Timer sweep_{*loop_};
  SocketAddress address_;
  OwnSockets own_sockets_;
  std::unique_ptr<net::Worker> worker_;
  std::unique_ptr<net::StreamCall> call_;
  std::map<uint16_t, UnderWay> under_way_;  // by the ID that the registry sees
  bool stands_ = false;
  bool failed_for_good_ = false;
  uint64_t retry_ms_ = 0;
  mutable std::mutex mutex_;
  std::string trouble_;
  std::vector<dns::Name> referrals_;
  std::thread thread_;
};

Result<std::unique_ptr<TlsRelay>> TlsRelay::start(Options options) {
  auto loop = net::Loop::open();
  if (!loop) return tl::unexpected(loop.error());
  auto state = std::make_unique<State>(std::move(options), std::move(*loop));
  if (auto listening = state->listen(); !listening) return tl::unexpected(listening.error());
  return std::unique_ptr<TlsRelay>(new TlsRelay(std::move(state)));
}

TlsRelay::TlsRelay(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsRelay::~TlsRelay() = default;
const SocketAddress& TlsRelay::address() const { return state_->address(); }
std::string TlsRelay::trouble() const { return state_->trouble(); }
dns::Name TlsRelay::handed_on(dns::NameView name) const { return state_->handed_on(name); }

}  // namespace steward::client

#include "net/stream_server.hh"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/proxy_protocol.hh"
#include "net/tls_stream.hh"

namespace steward::net {
namespace {

constexpr int accepts_a_turn = 16;
// To a peer on this machine the kernel carries what is under way within send() itself, all that it may hold: with the megabytes that it takes by
// itself, half a millisecond at times, for which the answers to others would wait. Elsewhere the line decides how much must be under way.
constexpr int local_send_buffer = 128 * 1024;
constexpr uint64_t most_recent_ms = 100;  ///< a client is not closed for another's sake before it could ask

/// An answer on a stream that comes after its batch. Its connection may go first.
class LateFrames final : public Reply {
 public:
  LateFrames(std::shared_ptr<Mailbox> mailbox, const std::shared_ptr<Connection>& connection)
      : mailbox_(std::move(mailbox)),
        connection_(connection),
        client_(connection->client()),
        shown_(connection->shown()) {
    if (const PeerIdentity* peer = connection->peer()) peer_ = *peer;
    connection->defer();
  }
  ~LateFrames() override {
    run([connection = connection_] {
      if (const auto alive = connection.lock()) alive->finish_deferred();
    });
  }
  LateFrames(const LateFrames&) = delete;
  LateFrames& operator=(const LateFrames&) = delete;

  Written write(ByteView message) override {
    if (mailbox_->in_loop_thread()) return write_now(connection_, message);
    const bool taken = mailbox_->post(
        [connection = connection_, copy = Bytes(message.begin(), message.end())] { write_now(connection, copy); });
    return taken ? Written::Queued : Written::Closed;
  }
  void when_writable(std::function<void()> resume) override {
    if (const auto alive = connection_.lock(); alive && !alive->closed())
      alive->when_writable(std::move(resume));
    else
      post(std::move(resume));
  }
  void post(std::function<void()> task) override { mailbox_->post(std::move(task)); }
  [[nodiscard]] const SocketAddress& client() const override { return client_; }
  [[nodiscard]] const PeerIdentity* peer() const override { return peer_ ? &*peer_ : nullptr; }
  [[nodiscard]] std::shared_ptr<const CertificateChain> shown() const override { return shown_; }

 private:
  static Written write_now(const std::weak_ptr<Connection>& connection, ByteView message) {
    const auto alive = connection.lock();
    if (!alive || alive->closed()) return Written::Closed;
    uint8_t length[2];
    store_u16(length, static_cast<uint16_t>(message.size()));
    const std::array<iovec, 2> frame{iovec{length, 2}, iovec{const_cast<uint8_t*>(message.data()), message.size()}};
    alive->send_late(frame, 2 + message.size());
    if (alive->closed()) return Written::Closed;
    return alive->output_full() ? Written::Full : Written::Queued;
  }
  void run(std::function<void()> task) {
    if (mailbox_->in_loop_thread())
      task();
    else
      mailbox_->post(std::move(task));
  }

  std::shared_ptr<Mailbox> mailbox_;
  std::weak_ptr<Connection> connection_;
  SocketAddress client_;
  std::optional<PeerIdentity> peer_;
  std::shared_ptr<const CertificateChain> shown_;
};

void refuse(FileDescriptor fd) {
  // A reset: a refused client costs no TIME_WAIT and learns of it at once.
  const linger at_once{1, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

/// One listening socket.
class AcceptPort final : public FdHandler {
 public:
  AcceptPort(StreamServer& server, Listener listener) : server_(server), listener_(std::move(listener)) {}

  Result<void> start(Loop& loop) {
    auto watch = FdWatch::open(loop, listener_.fd.get(), *this);
    if (!watch) return fail("listen " + listener_.address.to_text(), watch.error());
    watch_ = std::move(*watch);
    want(true);
    return {};
  }
  void want(bool accept) { watch_->want(accept ? Ready::Read : Ready::None); }

  void on_ready(Ready) override {
    for (int i = 0; i < accepts_a_turn; ++i) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      FileDescriptor fd(
          accept4(listener_.fd.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd) {
        server_.accepted(std::move(fd), SocketAddress(reinterpret_cast<sockaddr*>(&from), size), listener_);
        continue;
      }
      // accept(2): out of descriptors or memory; the client stays in the queue, and asking again at once would spin.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) server_.accept_failed();
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return;
    }
  }

 private:
  StreamServer& server_;
  Listener listener_;
  std::unique_ptr<FdWatch> watch_;
};

StreamServer::StreamServer(Loop& loop, Responder& responder, const StreamLimits& limits,
                           std::shared_ptr<ClientCounts> counts, WorkerCounters& counters, WorkerOptions options)
    : loop_(loop),
      responder_(responder),
      limits_(limits),
      counts_(std::move(counts)),
      counters_(counters),
      options_(std::move(options)),
      scratch_(new uint8_t[frame_size + read_size]),
      responses_(new uint8_t[most_batch * slot_size]),
      sweep_timer_(loop),
      pause_timer_(loop) {}

StreamServer::~StreamServer() {
  ports_.clear();
  while (!connections_.empty()) connections_.front()->close(Connection::End::Stopped);
}

Result<void> StreamServer::listen(Listener listener) {
  if (listener.transport == Transport::Tls && !options_.tls)
    return fail(Errc::Invalid, "listen " + listener.address.to_text() + " (TLS): no certificate");
  auto port = std::make_unique<AcceptPort>(*this, std::move(listener));
  if (auto started = port->start(loop_); !started) return started;
  ports_.push_back(std::move(port));
  return {};
}

void StreamServer::accepted(FileDescriptor fd, const SocketAddress& client, const Listener& listener) {
  const bool behind_proxy = is_listed(options_.proxies, client);
  const auto admit = [&] { return behind_proxy ? counts_->admit_proxy() : counts_->admit(client); };
  auto admission = admit();
  if (admission == ClientCounts::Admission::TooMany && make_room()) admission = admit();
  switch (admission) {
    case ClientCounts::Admission::Admitted: break;
    case ClientCounts::Admission::TooMany: counters_.tcp_refused_total.add(); return refuse(std::move(fd));
    case ClientCounts::Admission::TooManyOfAddress: counters_.tcp_refused_address.add(); return refuse(std::move(fd));
  }
  SocketAddress local = listener.address;
  if (local.is_wildcard()) {
    sockaddr_storage asked{};
    socklen_t size = sizeof asked;
    if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&asked), &size) == 0)
      local = SocketAddress(reinterpret_cast<sockaddr*>(&asked), size);
  }
  if (client.is_loopback() || std::ranges::equal(client.octets(), local.octets()))
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &local_send_buffer, sizeof local_send_buffer);
  auto stream = make_stream(std::move(fd), listener.transport);
  Result<std::shared_ptr<Connection>> opened = fail(Errc::Full, "no TLS session");
  if (stream)
    opened = Connection::open(*this, loop_, std::move(stream), client, local, listener.transport, behind_proxy);
  if (!opened) {
    behind_proxy ? counts_->release_proxy() : counts_->release(client);
    counters_.tcp_accept_failed.add();
    return;
  }
  counters_.tcp_accepted.add();
  (*opened)->place_ = connections_.insert(connections_.end(), *opened);
  if (sweep_timer_.is_set()) return;
  const auto shortest = std::min({limits_.idle, limits_.message, limits_.write, limits_.handshake});
  const auto period = std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(1000));
  sweep_timer_.every(period, [this] { sweep(); });
}

std::unique_ptr<ByteStream> StreamServer::make_stream(FileDescriptor fd, Transport transport) {
  if (transport != Transport::Tls) return std::make_unique<TcpStream>(std::move(fd));
  auto session = options_.tls->accept(fd.get());
  if (!session) return nullptr;
  return std::make_unique<TlsStream>(std::move(fd), std::move(*session));
}

bool StreamServer::admit_proxied(Connection& connection, const SocketAddress& client) {
  if (counts_->admit_proxied(client) != ClientCounts::Admission::Admitted) {
    counters_.tcp_refused_address.add();
    connection.close(Connection::End::Finished);
    return false;
  }
  connection.client_ = client;
  connection.counted_address_ = true;
  return true;
}

// RFC 7766 §6.2.3: a server under pressure closes idle connections of its choice. Few are looked at, so that a flood
// of clients does not make each refusal a walk over all.
bool StreamServer::make_room() {
  int looked_at = 0;
  for (const auto& connection : connections_) {
    if (++looked_at > 8) return false;
    if (!connection->evictable() || loop_.now_ms() < connection->active_ms_ + most_recent_ms) continue;
    connection->close(Connection::End::Evicted);
    return true;
  }
  return false;
}

void StreamServer::accept_failed() {
  counters_.tcp_accept_failed.add();
  make_room();
  for (const auto& port : ports_) port->want(false);
  pause_timer_.after(limits_.accept_pause, [this] {
    for (const auto& port : ports_) port->want(true);
  });
}

size_t StreamServer::answer(Connection& connection, ByteView input) {
  size_t at = 0;
  while (!connection.stalled()) {
    const size_t made = collect(connection, input, at);
    if (made == 0) break;
    answering_ = &connection;
    responder_.answer({exchanges_.data(), made});
    send(connection, made);
    answering_ = nullptr;
  }
  return at;
}

size_t StreamServer::collect(Connection& connection, ByteView input, size_t& at) {
  size_t made = 0;
  const size_t most = std::min(most_batch, limits_.in_flight - connection.in_flight());
  while (made < most && input.size() - at >= 2) {
    const size_t size = load_u16(&input[at]);
    if (size == 0) {
      // No message is that short. What follows cannot be trusted to be framed either.
      counters_.tcp_broken.add();
      connection.close_after_answers();
      at = input.size();
      break;
    }
    if (input.size() - at - 2 < size) break;
    exchanges_[made] = {.request = input.subspan(at + 2, size),
                        .room = {responses_.get() + made * slot_size + 2, 65535},
                        .transport = connection.transport(),
                        .client = &connection.client(),
                        .local = &connection.local(),
                        .peer = connection.peer(),
                        .shown = connection.shown().get(),
                        .source = this};
    ++made;
    at += 2 + size;
    counters_.tcp_query_bytes.add(size);
  }
  counters_.tcp_queries.add(made);
  if (made > 0) touch(connection);
  return made;
}

// RFC 7766 §8: the length octets and the message go in one write, as do all answers of the batch.
void StreamServer::send(Connection& connection, size_t exchanges) {
  std::array<iovec, most_batch> frames;
  size_t count = 0;
  size_t octets = 0;
  for (size_t i = 0; i < exchanges; ++i) {
    const Exchange& exchange = exchanges_[i];
    if (exchange.response_size == 0 || exchange.room.empty()) continue;  // no response, or a deferred one
    uint8_t* frame = exchange.room.data() - 2;
    store_u16(frame, static_cast<uint16_t>(exchange.response_size));
    frames[count++] = {frame, 2 + exchange.response_size};
    octets += 2 + exchange.response_size;
  }
  counters_.tcp_answers.add(count);
  counters_.tcp_answer_bytes.add(octets);
  if (count > 0) connection.send({frames.data(), count}, octets);
}

std::unique_ptr<Reply> StreamServer::defer(const Exchange& exchange) {
  exchanges_[static_cast<size_t>(&exchange - exchanges_.data())].room = {};  // marks it: see send()
  return std::make_unique<LateFrames>(loop_.mailbox(), answering_->shared_from_this());
}

void StreamServer::touch(Connection& connection) {
  connection.active_ms_ = loop_.now_ms();
  connections_.splice(connections_.end(), connections_, connection.place_);
}

void StreamServer::forget(Connection& connection, Connection::End why) {
  switch (why) {
    case Connection::End::Finished:
    case Connection::End::Stopped: break;
    case Connection::End::Idle: counters_.tcp_idle_closed.add(); break;
    case Connection::End::Evicted: counters_.tcp_evicted.add(); break;
    case Connection::End::SlowWriter: counters_.tcp_slow_writers.add(); break;
    case Connection::End::SlowReader: counters_.tcp_slow_readers.add(); break;
    case Connection::End::NoHandshake: counters_.tcp_slow_writers.add(); break;
    case Connection::End::BadProxy: counters_.tcp_bad_proxy.add(); break;
    case Connection::End::Broken: counters_.tcp_broken.add(); break;
  }
  connection.counted_address_ ? counts_->release(connection.client()) : counts_->release_proxy();
  connections_.erase(connection.place_);
  if (connections_.empty()) sweep_timer_.cancel();  // an idle server is not woken
}

void StreamServer::sweep() {
  const uint64_t idle = idle_ms();
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all)
    if (!connection->closed()) connection->check_times(loop_.now_ms(), idle);
}

// RFC 7766 §6.2.3: the idle time shrinks as the places fill: whole up to half of them, a sixteenth at the last.
uint64_t StreamServer::idle_ms() const {
  const auto whole = static_cast<uint64_t>(limits_.idle.count());
  const size_t total = counts_->total();
  const size_t half = counts_->most() / 2;
  if (total <= half || half == 0) return whole;
  const uint64_t left = counts_->most() - std::min(total, counts_->most());
  return std::max(whole * left / half, whole / 16);
}

}  // namespace steward::net

#include "net/connection.hh"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/log.hh"
#include "net/proxy_protocol.hh"
#include "net/stream_server.hh"

namespace steward::net {
namespace {

/// Whether `octets` begin with a whole frame: a length of two octets and as many as it says (RFC 1035 §4.2.2).
bool has_frame(ByteView octets) { return octets.size() >= 2 && octets.size() - 2 >= load_u16(octets.data()); }

}  // namespace

Connection::Connection(StreamServer& server, std::unique_ptr<ByteStream> stream, const SocketAddress& client,
                       const SocketAddress& local, Transport transport)
    : server_(server), stream_(std::move(stream)), client_(client), local_(local), transport_(transport) {}

Result<std::shared_ptr<Connection>> Connection::open(StreamServer& server, Loop& loop,
                                                     std::unique_ptr<ByteStream> stream, const SocketAddress& client,
                                                     const SocketAddress& local, Transport transport,
                                                     bool behind_proxy) {
  std::shared_ptr<Connection> connection(new Connection(server, std::move(stream), client, local, transport));
  connection->awaits_proxy_ = behind_proxy;
  connection->counted_address_ = !behind_proxy;
  connection->established_ = connection->stream_->is_established();
  connection->opened_ms_ = loop.now_ms();
  auto watch = FdWatch::open(loop, connection->stream_->fd(), *connection);
  if (!watch) return fail("client " + client.to_text(), watch.error());
  connection->watch_ = std::move(*watch);
  connection->watch_->want(Ready::Read | connection->stream_->needs());
  connection->active_ms_ = loop.now_ms();
  return connection;
}

bool Connection::output_full() const { return waiting() >= server_.limits_.output; }

bool Connection::stalled() const { return closed() || output_full() || in_flight_ >= server_.limits_.in_flight; }

void Connection::on_ready(Ready ready) {
  const auto self = shared_from_this();  // it may be closed, and forgotten, underway
  if (has(ready, Ready::Write)) flush();
  if (!closed() && !stalled() && !input_.empty()) answer_input();
  if (!closed() && !stalled() && !input_ended_ && (has(ready, Ready::Read) || stream_->has_input())) read();
  settle();
}

// Exactly as much as it is long: what follows is the stream's, the client's TLS among it.
bool Connection::read_proxy_header() {
  for (;;) {
    const ProxyHeader header = parse_proxy_header(proxy_header_);
    switch (header.outcome) {
      case ProxyHeader::Outcome::Broken: close(End::BadProxy); return false;
      case ProxyHeader::Outcome::Incomplete: break;
      case ProxyHeader::Outcome::Proxied:
        if (!server_.admit_proxied(*this, header.source)) return false;
        [[fallthrough]];
      case ProxyHeader::Outcome::Local:
        awaits_proxy_ = false;
        Bytes().swap(proxy_header_);
        return true;
    }
    const size_t before = proxy_header_.size();
    proxy_header_.resize(header.size);
    const ssize_t got = recv(stream_->fd(), &proxy_header_[before], header.size - before, MSG_DONTWAIT);
    proxy_header_.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got > 0) continue;
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) close(End::Broken);
    return false;
  }
}

void Connection::note_handshake() {
  if (established_ || !stream_->is_established()) return;
  established_ = true;
  server_.counters_.tls_handshakes.add();
}

void Connection::failed() {
  if (!established_) {
    server_.counters_.tls_failed.add();
    log::debug("tls.failed", {{"client", client_.to_text()}, {"error", stream_->error()}});
  }
  close(End::Broken);
}

// One read a turn: a client that sends without end does not keep the others waiting.
void Connection::read() {
  if (awaits_proxy_ && !read_proxy_header()) return;
  const MutableByteView scratch = server_.scratch();
  const StreamProgress progress = stream_->read(scratch.subspan(StreamServer::frame_size));
  note_handshake();
  switch (progress.outcome) {
    case StreamOutcome::Wait: return;
    case StreamOutcome::Error: failed(); return;
    // RFC 7766 §6.2.4: a client may close its sending half; it gets the answers that it waits for.
    // A client that spares itself the close_notify lost nothing by it: each message has its length.
    case StreamOutcome::End:
    case StreamOutcome::Truncated: input_ended_ = true; return;
    case StreamOutcome::Done: take_input(scratch, progress.octets); return;
  }
}

void Connection::take_input(MutableByteView scratch, size_t fresh) {
  const ByteView read = scratch.subspan(StreamServer::frame_size, fresh);
  const bool was_empty = input_.empty();
  // A message that comes octet by octet is appended to, and copied no more often than that.
  if (!was_empty) {
    const size_t before = input_.size();
    if (before >= 2 ? before + fresh - 2 < load_u16(input_.data())
                    : before + fresh < 2 || before + fresh - 2 < load_u16(std::array{input_[0], read[0]}.data())) {
      append(input_, read);
      return;
    }
    std::copy(input_.begin(), input_.end(), scratch.begin() + static_cast<long>(StreamServer::frame_size - before));
  }
  const size_t before = input_.size();
  const ByteView all = scratch.subspan(StreamServer::frame_size - before, before + fresh);
  const size_t used = server_.answer(*this, all);
  if (closed()) return;
  const ByteView rest = all.subspan(used);
  input_.assign(rest.begin(), rest.end());
  if (!input_.empty() && (used > 0 || was_empty)) message_ms_ = server_.loop_.now_ms();
  if (input_.empty()) input_.shrink_to_fit();  // a connection that waits holds no memory
}

// Messages that were read before the connection stalled.
void Connection::answer_input() {
  if (!has_frame(input_)) return;
  const Bytes input = std::move(input_);
  input_.clear();
  const size_t used = server_.answer(*this, input);
  if (closed()) return;
  input_.assign(input.begin() + static_cast<long>(used), input.end());
  message_ms_ = server_.loop_.now_ms();
}

void Connection::send(std::span<const iovec> frames, size_t octets) {
  if (closed()) return;
  size_t sent = 0;
  if (pending() == 0) {
    const StreamProgress progress = stream_->write(frames);
    if (progress.outcome != StreamOutcome::Done && progress.outcome != StreamOutcome::Wait) return failed();
    sent = progress.octets;
    if (sent > 0) progress_ms_ = server_.loop_.now_ms();
  }
  if (sent < octets) keep(frames, sent);
}

void Connection::send_late(std::span<const iovec> frames, size_t octets) {
  send(frames, octets);
  server_.counters_.tcp_answers.add();
  server_.counters_.tcp_answer_bytes.add(octets);
  settle();
}

void Connection::keep(std::span<const iovec> frames, size_t sent) {
  for (const iovec& frame : frames) {
    const size_t skip = std::min(sent, frame.iov_len);
    sent -= skip;
    append(output_, ByteView(static_cast<const uint8_t*>(frame.iov_base), frame.iov_len).subspan(skip));
  }
}

void Connection::flush() {
  if (waiting() == 0) return;
  const size_t held = stream_->unsent();
  if (held > 0 && stream_->flush() == StreamOutcome::Error) return failed();
  bool moved = stream_->unsent() < held;
  if (pending() > 0 && stream_->unsent() == 0) {
    const iovec rest{output_.data() + output_at_, pending()};
    const StreamProgress progress = stream_->write({&rest, 1});
    if (progress.outcome != StreamOutcome::Done && progress.outcome != StreamOutcome::Wait) return failed();
    output_at_ += progress.octets;
    moved |= progress.octets > 0;
  }
  if (!moved) return;
  progress_ms_ = server_.loop_.now_ms();
  if (waiting() == 0) active_ms_ = server_.loop_.now_ms();
  if (pending() == 0) {
    Bytes().swap(output_);
    output_at_ = 0;
  } else if (output_at_ >= output_.size() / 2) {
    // The sent half goes, so that a long transfer to a slow reader does not grow the buffer without end.
    output_.erase(output_.begin(), output_.begin() + static_cast<long>(output_at_));
    output_at_ = 0;
  }
  if (waiting() <= server_.limits_.output / 4) call_resumes();
}

void Connection::when_writable(std::function<void()> resume) {
  resumes_.push_back(std::move(resume));
  // With nothing to wait for, it is called from the loop and not from within its caller.
  if (waiting() <= server_.limits_.output / 4)
    server_.loop_.post([self = weak_from_this()] {
      if (const auto alive = self.lock()) alive->call_resumes();
    });
}

void Connection::call_resumes() {
  std::vector<std::function<void()>> resumes;
  resumes.swap(resumes_);
  for (auto& resume : resumes) resume();
}

void Connection::finish_deferred() {
  --in_flight_;
  if (closed()) return;
  active_ms_ = server_.loop_.now_ms();
  // From the loop: the caller may be a responder within answer(), which is not to be called again from there.
  server_.loop_.post([self = weak_from_this()] {
    const auto alive = self.lock();
    if (!alive || alive->closed()) return;
    if (!alive->stalled() && !alive->input_.empty()) alive->answer_input();
    alive->settle();
  });
}

void Connection::close(End why) {
  if (closed()) return;
  const auto self = shared_from_this();
  watch_.reset();
  const bool in_order = why == End::Finished || why == End::Idle || why == End::Evicted || why == End::Stopped;
  if (why == End::SlowWriter || why == End::SlowReader || why == End::NoHandshake || why == End::BadProxy)
    stream_->reset();
  else if (in_order)
    stream_->goodbye();
  stream_.reset();
  server_.forget(*this, why);
  if (!resumes_.empty()) server_.loop_.post([self] { self->call_resumes(); });  // likewise
}

void Connection::close_after_answers() { input_ended_ = true; }

void Connection::settle() {
  if (closed() || server_.answering_ == this) return;
  const bool messages_left = has_frame(input_);
  if (input_ended_ && !messages_left && in_flight_ == 0 && waiting() == 0) {
    close(End::Finished);
    return;
  }
  Ready ready = stream_->needs();
  if (!input_ended_ && !stalled()) ready = ready | Ready::Read;
  // Messages left over by a stall that ended are taken up at the next turn: a writable socket gives it.
  const bool more = messages_left || (!input_ended_ && stream_->has_input());
  if (waiting() > 0 || (more && !stalled())) ready = ready | Ready::Write;
  watch_->want(ready);
}

void Connection::check_times(uint64_t now_ms, uint64_t idle_ms) {
  const auto since = [now_ms](uint64_t then) { return now_ms > then ? now_ms - then : 0; };
  const auto ms = [](std::chrono::milliseconds time) { return static_cast<uint64_t>(time.count()); };
  if (!established_ || awaits_proxy_) {
    if (since(opened_ms_) < ms(server_.limits_.handshake)) return;
    if (!established_ && !awaits_proxy_) server_.counters_.tls_failed.add();
    close(End::NoHandshake);
  } else if (waiting() > 0) {
    if (since(progress_ms_) >= ms(server_.limits_.write)) close(End::SlowReader);
  } else if (in_flight_ > 0) {
    return;  // the answer is our own business
  } else if (!input_.empty()) {
    if (since(message_ms_) >= ms(server_.limits_.message)) close(End::SlowWriter);
  } else if (since(active_ms_) >= idle_ms) {
    close(End::Idle);
  }
}

}  // namespace steward::net

#include "net/control_client.hh"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace steward::net {

ControlReply::ControlReply(std::shared_ptr<ControlClient> client) : client_(std::move(client)) {}
ControlReply::~ControlReply() { client_->finish(); }
bool ControlReply::write(std::string_view line) { return client_->write(line); }
void ControlReply::when_writable(std::function<void()> resume) { client_->when_writable(std::move(resume)); }
std::any& ControlReply::kept() { return client_->kept(); }

ControlClient::ControlClient(ControlServer& server, FileDescriptor fd)
    : server_(&server), config_(server.config_), mailbox_(server.loop_.mailbox()), fd_(std::move(fd)) {}

Result<std::shared_ptr<ControlClient>> ControlClient::open(ControlServer& server, FileDescriptor fd) {
  std::shared_ptr<ControlClient> client(new ControlClient(server, std::move(fd)));
  auto watch = FdWatch::open(server.loop_, client->fd_.get(), *client);
  if (!watch) return fail("control client", watch.error());
  client->watch_ = std::move(*watch);
  client->watch_->want(Ready::Read);
  return client;
}

bool ControlClient::write(std::string_view line) {
  const bool in_loop = mailbox_->in_loop_thread();
  std::unique_lock lock(mutex_);
  if (!in_loop) room_.wait(lock, [this] { return closed_ || output_.size() - output_at_ < config_.output; });
  if (closed_) return false;
  output_.append(line);
  output_ += '\n';
  if (flush_posted_) return true;
  // Also on the loop's thread: many lines written at once go out together, and nothing closes under the writer.
  flush_posted_ = mailbox_->post([self = shared_from_this()] {
    self->flush();
    self->settle();
  });
  return flush_posted_;
}

void ControlClient::finish() {
  if (mailbox_->in_loop_thread()) return finished();
  mailbox_->post([self = shared_from_this()] { self->finished(); });
}

void ControlClient::finished() {
  const auto self = shared_from_this();
  --in_flight_;
  // From the loop and not from within the handler, which may still stand on this client's stack.
  mailbox_->post([self] {
    self->take_lines();
    self->settle();
  });
}

void ControlClient::on_ready(Ready ready) {
  const auto self = shared_from_this();
  if (has(ready, Ready::Write)) flush();
  if (has(ready, Ready::Read)) read();
  settle();
}

void ControlClient::read() {
  if (server_ == nullptr || input_ended_) return;
  std::array<char, 65536> buffer;
  const ssize_t size = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0) {
    if (errno != EAGAIN && errno != EINTR) close();
    return;
  }
  if (size == 0) input_ended_ = true;
  input_.append(buffer.data(), static_cast<size_t>(size));
  // The last line may come without its newline when the sending half is shut down.
  if (size == 0 && !input_.empty() && input_.back() != '\n') input_ += '\n';
  take_lines();
}

void ControlClient::take_lines() {
  size_t at = 0;
  while (server_ != nullptr && in_flight_ < config_.in_flight) {
    const size_t end = input_.find('\n', at);
    if (end == std::string::npos) break;
    std::string line = input_.substr(at, end - at);
    at = end + 1;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    ++in_flight_;
    server_->handler_(std::move(line), std::make_shared<ControlReply>(shared_from_this()));
  }
  input_.erase(0, at);
  if (server_ == nullptr || in_flight_ >= config_.in_flight || input_.size() <= config_.line) return;
  // Without an end in sight it is no request of ours; its meaning must not be guessed from a part.
  input_.clear();
  input_ended_ = true;
}

void ControlClient::flush() {
  if (server_ == nullptr) return;
  bool writable = false;
  bool broken = false;
  {
    const std::lock_guard lock(mutex_);
    flush_posted_ = false;
    if (output_.empty()) return;
    const ssize_t sent =
        send(fd_.get(), output_.data() + output_at_, output_.size() - output_at_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) output_at_ += static_cast<size_t>(sent);
    if (sent > 0 || output_at_ == 0) progress_ms_ = server_->loop_.now_ms();
    broken = sent < 0 && errno != EAGAIN && errno != EINTR;
    if (output_at_ >= output_.size() / 2) {
      output_.erase(0, output_at_);
      output_at_ = 0;
    }
    writable = output_.size() - output_at_ <= config_.output / 4;
  }
  if (broken) return close();
  if (!writable) return;
  room_.notify_all();
  std::vector<std::function<void()>> resumes;
  resumes.swap(resumes_);
  for (auto& resume : resumes) resume();
}

void ControlClient::when_writable(std::function<void()> resume) {
  resumes_.push_back(std::move(resume));
  mailbox_->post([self = shared_from_this()] {
    size_t unread = 0;
    {
      const std::lock_guard lock(self->mutex_);
      unread = self->closed_ ? 0 : self->output_.size() - self->output_at_;
    }
    if (unread > self->config_.output / 4) return;  // flush() will call
    std::vector<std::function<void()>> resumes;
    resumes.swap(self->resumes_);
    for (auto& each : resumes) each();
  });
}

void ControlClient::close() {
  if (server_ == nullptr) return;
  const auto self = shared_from_this();
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    output_.clear();
    output_at_ = 0;
  }
  room_.notify_all();
  watch_.reset();
  fd_.reset();
  ControlServer* server = std::exchange(server_, nullptr);
  server->clients_.erase(place_);
  if (server->clients_.empty()) server->sweep_timer_.cancel();
  std::vector<std::function<void()>> resumes;
  resumes.swap(resumes_);
  for (auto& resume : resumes) resume();
}

void ControlClient::settle() {
  if (server_ == nullptr) return;
  bool unread = false;
  {
    const std::lock_guard lock(mutex_);
    unread = !output_.empty();
  }
  const bool full = in_flight_ >= config_.in_flight;
  if (input_ended_ && in_flight_ == 0 && !unread && input_.empty()) return close();
  watch_->want((input_ended_ || full ? Ready::None : Ready::Read) | (unread ? Ready::Write : Ready::None));
}

void ControlClient::check_time(uint64_t now_ms) {
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    waits = !output_.empty() && !flush_posted_;
  }
  if (waits && now_ms >= progress_ms_ + static_cast<uint64_t>(config_.write.count())) close();
}

}  // namespace steward::net

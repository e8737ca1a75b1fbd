#include "cli/control_client.hh"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

template <class T>
T value_or(const Json& object, const char* key, T otherwise) {
  const auto at = object.find(key);
  if (at == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, bool>) return at->is_boolean() ? at->template get<bool>() : otherwise;
  if constexpr (std::is_same_v<T, uint64_t>) return at->is_number_unsigned() ? at->template get<uint64_t>() : otherwise;
  if constexpr (std::is_same_v<T, std::string>) return at->is_string() ? at->template get<std::string>() : otherwise;
}

}  // namespace

ControlConnection::ControlConnection(std::string name, std::chrono::seconds silence)
    : name_(std::move(name)),
      silence_(silence),
      fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}

ControlConnection::~ControlConnection() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> ControlConnection::open() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name_.size() >= sizeof address.sun_path)
    return fail(Errc::Invalid, fmt::format("{}: too long for a socket's path", name_));
  std::memcpy(address.sun_path, name_.data(), name_.size());
  if (fd_ < 0) return io("socket");
  for (;;) {
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
    if (errno == EINTR) continue;
    // A Unix socket with a full backlog says EAGAIN, and poll() does not wait for it.
    if (errno == EAGAIN) return fail(Errc::Io, fmt::format("{}: the server is busy with other commands", name_));
    break;
  }
  if (errno == ENOENT || errno == ECONNREFUSED)
    return fail(Errc::NotFound, fmt::format("{}: {}; is the server running, and with this configuration?", name_,
                                            std::strerror(errno)));
  return io("connect");
}

Result<void> ControlConnection::send(std::string_view text) {
  while (!text.empty()) {
    if (auto ready = wait(POLLOUT); !ready) return ready;
    const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return io("write");
    text.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

Result<std::string_view> ControlConnection::line() {
  buffer_.erase(0, taken_);
  taken_ = 0;
  for (size_t from = 0;;) {
    const size_t end = buffer_.find('\n', from);
    if (end != std::string::npos) {
      taken_ = end + 1;
      return std::string_view(buffer_).substr(0, end);
    }
    from = buffer_.size();
    if (from > daemon::control::max_line)
      return fail(Errc::Invalid, fmt::format("{}: a reply without an end", name_));
    if (auto more = read(); !more) return tl::unexpected(more.error());
  }
}

Result<void> ControlConnection::read() {
  if (auto ready = wait(POLLIN); !ready) return ready;
  char chunk[65536];
  const ssize_t got = ::recv(fd_, chunk, sizeof chunk, 0);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
  if (got < 0) return io("read");
  if (got == 0)
    return fail(Errc::Io, fmt::format("{}: the server closed the connection before it had answered", name_));
  buffer_.append(chunk, static_cast<size_t>(got));
  return {};
}

Result<void> ControlConnection::wait(short events) {
  pollfd poll_fd{fd_, events, 0};
  for (;;) {
    const int count = ::poll(&poll_fd, 1, static_cast<int>(std::chrono::milliseconds(silence_).count()));
    if (count > 0) return {};
    if (count == 0) return fail(Errc::Io, fmt::format("{}: no answer within {} s", name_, silence_.count()));
    if (errno != EINTR) return io("poll");
  }
}

tl::unexpected<Error> ControlConnection::io(std::string_view what) const {
  return fail(Errc::Io, fmt::format("{}: {}: {}", name_, what, std::strerror(errno)));
}

Result<Json> ControlConnection::reply() {
  const auto text = line();
  if (!text) return tl::unexpected(text.error());
  Json reply = Json::parse(*text, nullptr, false);
  if (!reply.is_object()) return fail(Errc::Invalid, fmt::format("{}: the reply is not an object of JSON", name_));
  if (value_or(reply, "done", false) && !value_or(reply, "ok", false))
    return fail(Errc::Refused, value_or<std::string>(reply, "error", "the server refused and gave no reason"));
  return reply;
}

Result<void> ControlClient::call(const Json& request, const OnLine& on_line, const OnProgress& on_progress) const {
  ControlConnection connection(socket_.string(), silence_);
  if (auto opened = connection.open(); !opened) return opened;
  // What a person typed need not be UTF-8: it is replaced, and the server then does not know the name.
  const std::string text = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (auto sent = connection.send(text); !sent) return sent;
  for (;;) {
    const auto reply = connection.reply();
    if (!reply) return tl::unexpected(reply.error());
    if (value_or(*reply, "done", false)) return {};
    const auto progress = reply->find("progress");
    if (progress == reply->end())
      on_line({connection.last_line(), *reply});
    else if (on_progress && progress->is_object())
      on_progress(value_or(*progress, "done", uint64_t{0}), value_or(*progress, "total", uint64_t{0}),
                  value_or<std::string>(*progress, "what", ""));
  }
}

}  // namespace steward::cli

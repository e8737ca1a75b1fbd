#include "daemon/notify_socket.hh"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

namespace steward::daemon {
namespace {

std::optional<std::string> take(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return std::nullopt;
  std::string text(value);
  unsetenv(variable);
  return text;
}

std::optional<uint64_t> number(const std::optional<std::string>& text) {
  uint64_t value = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

}  // namespace

Result<NotifySocket> NotifySocket::from_environment() {
  NotifySocket socket;
  const auto path = take("NOTIFY_SOCKET");
  const auto period = number(take("WATCHDOG_USEC"));
  const auto watched = take("WATCHDOG_PID");
  // sd_watchdog_enabled(3): a process id of another process means that we are not the one that is watched.
  if (period && *period > 0 && (!watched || number(watched) == static_cast<uint64_t>(getpid())))
    socket.watchdog_period_ = std::chrono::microseconds(*period);
  if (!path || path->empty()) return socket;

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if ((path->front() != '/' && path->front() != '@') || path->size() < 2 || path->size() >= sizeof address.sun_path)
    return fail(Errc::Unsupported, "NOTIFY_SOCKET=" + *path + ": neither a path nor an abstract address");
  path->copy(address.sun_path, path->size());
  if (path->front() == '@') address.sun_path[0] = '\0';
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path->size() + (path->front() == '/' ? 1 : 0));
  // Connected once, before privileges and file system views change.
  socket.fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket.fd_ < 0 || connect(socket.fd_, reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return fail(Errc::Io, "NOTIFY_SOCKET=" + *path + ": " + std::strerror(errno));
  return socket;
}

NotifySocket::NotifySocket(NotifySocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), watchdog_period_(other.watchdog_period_) {}

NotifySocket& NotifySocket::operator=(NotifySocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(watchdog_period_, other.watchdog_period_);
  return *this;
}

NotifySocket::~NotifySocket() {
  if (fd_ >= 0) close(fd_);
}

void NotifySocket::send(std::string_view message) const {
  // A manager that does not listen is no reason to stop serving.
  if (fd_ < 0) return;
  [[maybe_unused]] const auto sent = ::send(fd_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void NotifySocket::ready() const { send("READY=1"); }

void NotifySocket::reloading() const {
  // sd_notify(3), Type=notify-reload: the time tells the manager which of its reload requests this is the answer to.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto usec = static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec));
}

void NotifySocket::stopping() const { send("STOPPING=1"); }
void NotifySocket::watchdog() const { send("WATCHDOG=1"); }

void NotifySocket::status(std::string_view line) const {
  send("STATUS=" + std::string(line.substr(0, line.find('\n'))));
}

}  // namespace steward::daemon

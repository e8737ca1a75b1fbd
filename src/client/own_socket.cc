#include "client/own_socket.hh"

#include <sys/socket.h>

#include <charconv>
#include <filesystem>

namespace steward::client {
namespace {

bool is_bound(int fd, const SocketAddress& expected, int (*get)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (get(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return false;
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) return false;
  return SocketAddress(reinterpret_cast<sockaddr*>(&storage), size) == expected;
}

/// Any descriptor may be closed by its owner meanwhile: then it is not the one.
bool is_socket(int fd, const SocketAddress& local, const SocketAddress& remote) {
  return fd >= 0 &&
         is_bound(fd, local, [](int of, sockaddr* to, socklen_t* size) { return ::getsockname(of, to, size); }) &&
         is_bound(fd, remote, [](int of, sockaddr* to, socklen_t* size) { return ::getpeername(of, to, size); });
}

}  // namespace

bool OwnSockets::holds(const SocketAddress& local, const SocketAddress& remote) {
  if (is_socket(last_, local, remote)) return true;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error)) {
    const std::string text = at->path().filename().string();
    int fd = -1;
    std::from_chars(text.data(), text.data() + text.size(), fd);
    if (!is_socket(fd, local, remote)) continue;
    last_ = fd;
    return true;
  }
  return false;
}

}  // namespace steward::client

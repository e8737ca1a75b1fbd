#include "net/activation.hh"

#include <fcntl.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace steward::net {
namespace {

constexpr int first_fd = 3;     // SD_LISTEN_FDS_START
constexpr int most_fds = 1024;  // a guard against nonsense in the variable

std::optional<int> number_of(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const std::string_view view(text);
  int value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc{} || end != view.data() + view.size()) return std::nullopt;
  return value;
}

std::string next_name(std::string_view& names) {
  const auto colon = names.find(':');
  std::string name(names.substr(0, colon));
  names = colon == std::string_view::npos ? std::string_view{} : names.substr(colon + 1);
  return name.empty() ? "unknown" : name;
}

}  // namespace

std::vector<ActivatedSocket> take_activated_sockets() {
  std::vector<ActivatedSocket> sockets;
  const auto pid = number_of("LISTEN_PID");
  const auto count = number_of("LISTEN_FDS");
  // Variables that speak to another process are left for it.
  if (!pid || *pid != getpid()) return sockets;
  const char* names_text = std::getenv("LISTEN_FDNAMES");
  std::string_view names = names_text == nullptr ? "" : names_text;
  for (int i = 0; count && i < *count && i < most_fds; ++i) {
    const int fd = first_fd + i;
    std::string name = next_name(names);
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0) continue;  // announced, but not open
    fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    sockets.push_back({FileDescriptor(fd), std::move(name)});
  }
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(variable);
  return sockets;
}

}  // namespace steward::net

#pragma once
// What the load tools share: sockets to a server on this machine, names in wire form, times and their percentiles.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steward::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// A descriptor, closed with its owner.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

/// Connected to 127.0.0.1@port: loopback only, so that no tool can be a load on a stranger's server.
inline Socket connect_loopback(int type, uint64_t port) {
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<uint16_t>(port));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Socket made(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const int room = 8 << 20;
  ::setsockopt(made.fd(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (made.fd() < 0 || ::connect(made.fd(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
    throw std::runtime_error("cannot connect to 127.0.0.1@" + std::to_string(port));
  return made;
}

inline void put_u16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8 & 255);
  out += static_cast<char>(value & 255);
}

inline unsigned get_u16(std::string_view in, size_t at) {
  return static_cast<unsigned>(static_cast<uint8_t>(in[at]) << 8 | static_cast<uint8_t>(in[at + 1]));
}

/// A name of plain labels, as the generated zones have them (RFC 1035 §3.1).
inline std::string wire_name(std::string_view text) {
  std::string wire;
  while (!text.empty() && text != ".") {
    const size_t size = std::min(text.find('.'), text.size());
    if (size == 0 || size > 63) throw std::runtime_error("not a name: " + std::string(text));
    wire += static_cast<char>(size);
    wire += text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return wire + '\0';
}

/// A message with one question (or, for UPDATE, one zone) and no more (RFC 1035 §4.1).
inline std::string question_message(unsigned id, unsigned flags, const std::string& name, unsigned type) {
  std::string message;
  for (const unsigned field : {id, flags, 1U, 0U, 0U, 0U}) put_u16(message, field);
  message += name;
  put_u16(message, type);
  put_u16(message, 1);
  return message;
}

/// The value that `share` of them do not exceed; sorts them. Zero of none.
inline double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)];
}

inline bool parse_number(std::string_view text, uint64_t& into) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), into);
  return code == std::errc() && end == text.data() + text.size();
}

/// One option of a command line; a flag where neither a number nor a text is to be filled.
struct Option {
  std::string_view name;
  uint64_t* number = nullptr;
  std::string* text = nullptr;
  bool* flag = nullptr;
};

inline bool parse_options(int argc, char** argv, std::span<const Option> options) {
  for (int i = 1; i < argc; ++i) {
    const auto option =
        std::find_if(options.begin(), options.end(), [&](const Option& known) { return known.name == argv[i]; });
    if (option == options.end()) return false;
    if (option->flag != nullptr) {
      *option->flag = true;
    } else if (++i == argc) {
      return false;
    } else if (option->text != nullptr) {
      *option->text = argv[i];
    } else if (!parse_number(argv[i], *option->number)) {
      return false;
    }
  }
  return true;
}

}  // namespace steward::bench

#pragma once
// The command line's end of the control socket (daemon/control_protocol.hh). Blocking, with a time limit; one thread.

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace steward::cli {

using Json = nlohmann::json;

/// A result line: as it came, and parsed.
struct ControlLine {
  std::string_view text;
  const Json& json;
};

/// One connection, for requests that go on one after the other.
class ControlConnection {
 public:
  /// `name`: the socket's path. `silence`: how long the server may say nothing.
  ControlConnection(std::string name, std::chrono::seconds silence);
  ~ControlConnection();
  ControlConnection(const ControlConnection&) = delete;
  ControlConnection& operator=(const ControlConnection&) = delete;

  /// NotFound where no server listens.
  Result<void> open();
  /// Lines with their ends.
  Result<void> send(std::string_view text);
  /// The next line as an object; Refused with the server's own words where it is the end of a request that failed.
  Result<Json> reply();
  /// The text of what reply() returned last, without its end; valid until the next one.
  [[nodiscard]] std::string_view last_line() const { return std::string_view(buffer_).substr(0, taken_ - 1); }

 private:
  Result<std::string_view> line();
  Result<void> read();
  Result<void> wait(short events);
  [[nodiscard]] tl::unexpected<Error> io(std::string_view what) const;

  std::string name_;
  std::chrono::seconds silence_;
  int fd_;
  std::string buffer_;
  size_t taken_ = 0;  // octets of the buffer that are the last line, with its end
};

class ControlClient {
 public:
  using OnLine = std::function<void(const ControlLine&)>;
  using OnProgress = std::function<void(uint64_t done, uint64_t total, std::string_view what)>;

  /// `silence`: how long the server may say nothing before the call gives up.
  ControlClient(std::filesystem::path socket, std::chrono::seconds silence)
      : socket_(std::move(socket)), silence_(silence) {}

  /// Sends one request and hands over each result line. NotFound where no server listens; Refused with the server's own
  /// words where it says no; Io where the connection breaks; Invalid where the reply is not the protocol's.
  [[nodiscard]] Result<void> call(const Json& request, const OnLine& on_line, const OnProgress& on_progress = {}) const;

 private:
  std::filesystem::path socket_;
  std::chrono::seconds silence_;
};

}  // namespace steward::cli

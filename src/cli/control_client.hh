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

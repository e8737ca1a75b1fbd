#pragma once
// NotifySocket: tells the service manager how we are (sd_notify(3)). Without one everything here does nothing.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace steward::daemon {

class NotifySocket {
 public:
  /// Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no child speaks for us. Before
  /// any thread is started. Fails on an address that is neither a path nor abstract, or that cannot be reached.
  static Result<NotifySocket> from_environment();

  NotifySocket(NotifySocket&& other) noexcept;
  NotifySocket& operator=(NotifySocket&& other) noexcept;
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  ~NotifySocket();

  void ready() const;
  /// Begins a reload, which ready() ends.
  void reloading() const;
  void stopping() const;
  void watchdog() const;
  /// One line for `systemctl status`; what follows a newline is cut.
  void status(std::string_view line) const;

  /// How often watchdog() is expected: the caller keeps to half of it.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_period() const { return watchdog_period_; }
  [[nodiscard]] bool connected() const { return fd_ >= 0; }

 private:
  NotifySocket() = default;
  void send(std::string_view message) const;

  int fd_ = -1;
  std::optional<std::chrono::microseconds> watchdog_period_;
};

}  // namespace steward::daemon

#pragma once
// Loop: one event loop on one thread, and what it watches: timers, signals, file descriptors.
//
// Everything but stop() and post() belongs to the loop's thread, or to any one thread while the loop does not run.
// Timer, SignalWatch and FdWatch end their watch when they are destroyed, and go before their Loop does. A callback
// may destroy the object that called it. An exception that leaves a callback ends the process.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.hh"

struct uv_loop_s;
struct uv_async_s;
struct uv_timer_s;
struct uv_signal_s;
struct uv_poll_s;

namespace steward::net {

/// Closes a handle of the event library: at once for us, its memory freed by the loop a turn later.
struct CloseHandle {
  void operator()(uv_async_s* handle) const;
  void operator()(uv_timer_s* handle) const;
  void operator()(uv_signal_s* handle) const;
  void operator()(uv_poll_s* handle) const;
};
struct CloseLoop {
  void operator()(uv_loop_s* loop) const;
};

/// Tasks from other threads. Outlives its loop, so that a late task meets a closed door and not freed memory.
class Mailbox {
 public:
  /// Runs `task` on the loop's thread, in the order of posting. Any thread. False (and the task gone) after the loop's
  /// end.
  bool post(std::function<void()> task);
  /// Whether the caller is the thread that now runs the loop. Any thread.
  [[nodiscard]] bool in_loop_thread() const {
    return runner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

 private:
  friend class Loop;
  void deliver();

  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  std::unique_ptr<uv_async_s, CloseHandle> wake_;
  std::atomic<std::thread::id> runner_{};
};

class Loop {
 public:
  static Result<std::unique_ptr<Loop>> open();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// Runs on the calling thread until stop(). May be run again.
  void run();
  /// Any thread, and signal-free contexts only. Tasks posted before it still run.
  void stop();
  bool post(std::function<void()> task) { return mailbox_->post(std::move(task)); }
  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  /// Milliseconds from an arbitrary start, as of the beginning of this turn of the loop.
  [[nodiscard]] uint64_t now_ms() const;
  [[nodiscard]] uv_loop_s* native() const { return loop_.get(); }

 private:
  Loop() = default;
  std::unique_ptr<uv_loop_s, CloseLoop> loop_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
};

/// Calls an action after a time, or every so often. Starting it again replaces what was set.
class Timer {
 public:
  explicit Timer(Loop& loop);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void after(std::chrono::milliseconds delay, std::function<void()> action);
  void every(std::chrono::milliseconds period, std::function<void()> action);
  void cancel();
  [[nodiscard]] bool is_set() const;

 private:
  void start(std::chrono::milliseconds first, std::chrono::milliseconds repeat, std::function<void()> action);
  std::unique_ptr<uv_timer_s, CloseHandle> handle_;
  std::function<void()> action_;
};

/// Calls an action on the loop's thread when the process gets a signal (SIGHUP, SIGTERM, SIGINT, …).
class SignalWatch {
 public:
  static Result<std::unique_ptr<SignalWatch>> open(Loop& loop, int signal, std::function<void()> action);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  SignalWatch() = default;
  std::unique_ptr<uv_signal_s, CloseHandle> handle_;
  std::function<void()> action_;
};

/// What a descriptor is ready for, as bits.
enum class Ready : uint8_t { None = 0, Read = 1, Write = 2, ReadWrite = 3 };
constexpr Ready operator|(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(Ready all, Ready one) { return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0; }

class FdHandler {
 public:
  virtual ~FdHandler() = default;
  /// An error of the descriptor is told as all that was asked for: the read or write that follows finds it.
  virtual void on_ready(Ready ready) = 0;
};

/// Level-triggered readiness of a non-blocking descriptor, which it borrows: it is closed after the watch, never
/// before.
class FdWatch {
 public:
  static Result<std::unique_ptr<FdWatch>> open(Loop& loop, int fd, FdHandler& handler);
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  /// What to wait for from now on; None pauses.
  void want(Ready ready);

 private:
  FdWatch() = default;
  std::unique_ptr<uv_poll_s, CloseHandle> handle_;
  Ready wanted_ = Ready::None;
};

}  // namespace steward::net

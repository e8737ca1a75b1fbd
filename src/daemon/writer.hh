#pragma once
// The writer: the one thread that changes data. Work is posted to it and done in order; what waits together may be committed together
// (daemon/group_commit.hh).

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace steward::daemon {

class Writer {
 public:
  /// `name`: of its thread, for top(1) and the benchmarks; at most 15 octets (pthread_setname_np(3)).
  explicit Writer(std::string name = "writer") : name_(std::move(name)) {}
  ~Writer() { stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// `between` is called after every piece of work, with whether more waits. It is on the thread, and must be set before start().
  void set_between(std::function<void(bool more)> between) { between_ = std::move(between); }
  void start();
  /// Any thread. False after stop().
  bool post(std::function<void()> task);
  /// Done when nothing else waits, or when it has waited for a second: long work cuts itself into steps with this, and does not hold up changes, nor
  /// do changes without end keep signatures from being renewed. Any thread.
  bool post_idle(std::function<void()> task);
  /// Ends after the task under way; what still waits is dropped. Idempotent.
  void stop();

 private:
  void run();

  std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::deque<std::function<void()>> idle_tasks_;
  std::chrono::steady_clock::time_point idle_since_;  // when the first of them began to wait
  std::function<void(bool)> between_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace steward::daemon

#include "daemon/writer.hh"

#include <pthread.h>

#include <utility>

namespace steward::daemon {
namespace {

constexpr std::chrono::seconds longest_idle_wait{1};

}  // namespace

void Writer::start() {
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), name_.c_str());
}

bool Writer::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return false;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

bool Writer::post_idle(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return false;
    if (idle_tasks_.empty()) idle_since_ = std::chrono::steady_clock::now();
    idle_tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Writer::run() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !tasks_.empty() || !idle_tasks_.empty(); });
      if (stop_) return;
      const bool idle = tasks_.empty() || (!idle_tasks_.empty() && std::chrono::steady_clock::now() - idle_since_ >= longest_idle_wait);
      auto& queue = idle ? idle_tasks_ : tasks_;
      task = std::move(queue.front());
      queue.pop_front();
      if (idle) idle_since_ = std::chrono::steady_clock::now();
    }
    task();
    task = nullptr;
    if (!between_) continue;
    bool more = false;
    {
      const std::lock_guard lock(mutex_);
      more = !tasks_.empty();
    }
    between_(more);
  }
}

}  // namespace steward::daemon

#include "daemon/writer.hh"

#include <utility>

namespace steward::daemon {

void Writer::start() {
  thread_ = std::thread([this] { run(); });
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
      auto& queue = tasks_.empty() ? idle_tasks_ : tasks_;
      task = std::move(queue.front());
      queue.pop_front();
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

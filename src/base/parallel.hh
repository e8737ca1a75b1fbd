#pragma once
// A few threads that share out the work of a batch: signing and laying out nodes.
//
// run() is called by one thread, which takes part; it returns when all is done. Between calls the threads sleep.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace steward {

class Parallel {
 public:
  /// `threads` in all, with the caller's: at least 1.
  explicit Parallel(size_t threads);
  ~Parallel();
  Parallel(const Parallel&) = delete;
  Parallel& operator=(const Parallel&) = delete;

  [[nodiscard]] size_t threads() const { return threads_.size() + 1; }

  /// Calls work(thread, item) for each item below `count`, in runs of `stride` items; `thread` is below threads() and
  /// names who calls. `work` must not throw.
  void run(size_t count, size_t stride, const std::function<void(size_t thread, size_t item)>& work);

 private:
  void serve(size_t thread);
  void take(size_t thread);

  std::vector<std::jthread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  uint64_t round_ = 0;
  size_t busy_ = 0;
  bool stop_ = false;
  const std::function<void(size_t, size_t)>* work_ = nullptr;
  size_t count_ = 0;
  size_t stride_ = 1;
  std::atomic<size_t> next_{0};
};

}  // namespace steward

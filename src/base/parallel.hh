#pragma once
// A few threads that share out the work of a batch, signing and laying out nodes above all, and take pieces of work on
// the side while the caller does something else.
//
// run(), run_in_order(), post() and settle() are one thread's. In between the helpers sleep.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
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
  /// names who calls, 0 the caller. The caller takes part, and waits for no helper that has not begun. `work` must not
  /// throw.
  void run(size_t count, size_t stride, const std::function<void(size_t thread, size_t item)>& work);

  /// The same, and takes each item on the calling thread once it is done, in the order of their numbers, while helpers
  /// go on with those behind. What `take` says no to is the last that is taken; the rest may or may not be done.
  void run_in_order(size_t count, size_t stride, const std::function<void(size_t thread, size_t item)>& work,
                    const std::function<bool(size_t item)>& take);

  /// A helper does this when it has nothing else to do, in the order of the calls; nobody does where there are none.
  void post(std::function<void(size_t thread)> work);
  /// Drops what was posted and has not begun, and waits for what has.
  void settle();

 private:
  struct Round;
  void share_out(Round& round);
  void serve(size_t thread);

  std::vector<std::jthread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  bool stop_ = false;
  Round* round_ = nullptr;  // while there is something left of it to begin
  uint64_t rounds_ = 0;
  std::deque<std::function<void(size_t)>> posted_;
  size_t busy_ = 0;         // helpers in the round
  size_t busy_posted_ = 0;  // helpers with a piece that was posted
};

}  // namespace steward

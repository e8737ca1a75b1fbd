#include "base/parallel.hh"

#include <algorithm>

namespace steward {

Parallel::Parallel(size_t threads) {
  for (size_t i = 1; i < threads; ++i) threads_.emplace_back([this, i] { serve(i); });
}

Parallel::~Parallel() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
}

void Parallel::run(size_t count, size_t stride, const std::function<void(size_t, size_t)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    count_ = count;
    stride_ = std::max<size_t>(1, stride);
    next_.store(0, std::memory_order_relaxed);
    busy_ = threads_.size();
    ++round_;
  }
  wake_.notify_all();
  take(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
}

void Parallel::take(size_t thread) {
  while (true) {
    const size_t first = next_.fetch_add(stride_, std::memory_order_relaxed);
    if (first >= count_) return;
    for (size_t item = first; item < std::min(first + stride_, count_); ++item) (*work_)(thread, item);
  }
}

void Parallel::serve(size_t thread) {
  uint64_t seen = 0;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || round_ != seen; });
      if (stop_) return;
      seen = round_;
    }
    take(thread);
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0) done_.notify_one();
  }
}

}  // namespace steward

#include "base/parallel.hh"

#include <algorithm>

namespace steward {

struct Parallel::Round {
  Round(size_t items, size_t run_length, const std::function<void(size_t, size_t)>& what)
      : work(what), count(items), stride(std::max<size_t>(1, run_length)) {}

  /// The next run of items, done by this thread; false where none is left.
  bool step(size_t thread) {
    const size_t first = next.fetch_add(stride, std::memory_order_relaxed);
    if (first >= count) return false;
    for (size_t item = first; item < std::min(first + stride, count); ++item) work(thread, item);
    if (done) {
      std::atomic<bool>& mine = done[first / stride];
      mine.store(true, std::memory_order_release);
      mine.notify_one();
    }
    return true;
  }

  const std::function<void(size_t, size_t)>& work;
  size_t count;
  size_t stride;
  std::atomic<size_t> next{0};
  std::unique_ptr<std::atomic<bool>[]> done;  // by run; null where nobody asks
};

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

void Parallel::share_out(Round& round) {
  {
    const std::lock_guard lock(mutex_);
    round_ = &round;
    ++rounds_;
  }
  wake_.notify_all();
}

void Parallel::run(size_t count, size_t stride, const std::function<void(size_t, size_t)>& work) {
  Round round(count, stride, work);
  share_out(round);
  while (round.step(0)) {
  }
  std::unique_lock lock(mutex_);
  round_ = nullptr;
  done_.wait(lock, [this] { return busy_ == 0; });
}

void Parallel::run_in_order(size_t count, size_t stride, const std::function<void(size_t, size_t)>& work,
                            const std::function<bool(size_t)>& take) {
  Round round(count, stride, work);
  const size_t runs = (count + round.stride - 1) / round.stride;
  round.done = std::make_unique<std::atomic<bool>[]>(runs);
  share_out(round);
  bool goes_on = true;
  for (size_t taken = 0; taken < runs && goes_on;) {
    // What is done goes first: nobody else can take it. Then one hand more; then wait.
    if (!round.done[taken].load(std::memory_order_acquire)) {
      if (!round.step(0)) round.done[taken].wait(false, std::memory_order_acquire);
      continue;
    }
    const size_t first = taken++ * round.stride;
    for (size_t item = first; goes_on && item < std::min(first + round.stride, count); ++item) goes_on = take(item);
  }
  round.next.store(count, std::memory_order_relaxed);
  std::unique_lock lock(mutex_);
  round_ = nullptr;
  done_.wait(lock, [this] { return busy_ == 0; });
}

void Parallel::post(std::function<void(size_t)> work) {
  if (threads_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void Parallel::settle() {
  std::unique_lock lock(mutex_);
  posted_.clear();
  done_.wait(lock, [this] { return busy_posted_ == 0; });
}

void Parallel::serve(size_t thread) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stop_ || (round_ != nullptr && rounds_ != seen) || !posted_.empty(); });
    if (stop_) return;
    if (round_ != nullptr && rounds_ != seen) {
      seen = rounds_;
      Round& round = *round_;
      ++busy_;
      lock.unlock();
      while (round.step(thread)) {
      }
      lock.lock();
      --busy_;
    } else {
      const auto work = std::move(posted_.front());
      posted_.pop_front();
      ++busy_posted_;
      lock.unlock();
      work(thread);
      lock.lock();
      --busy_posted_;
    }
    done_.notify_one();
  }
}

}  // namespace steward

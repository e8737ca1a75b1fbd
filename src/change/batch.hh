#pragma once
// A batch of tasks on its way through all cores into a table.

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "base/parallel.hh"
#include "change/finisher.hh"
#include "zone/node_table.hh"

namespace steward::change {

class Batch {
 public:
  static Result<std::unique_ptr<Batch>> create(uint32_t zone, const Signing& signing, Parallel& parallel);

  /// A task to fill; it stays where it is until write().
  Task& add(NameView owner);
  [[nodiscard]] size_t size() const { return count_; }
  Task& operator[](size_t index) { return *tasks_[index]; }
  [[nodiscard]] bool is_full() const { return count_ >= capacity; }

  /// Finishes the first `count` tasks on all cores and puts those that changed into `table` in their order, each as soon as it and all before it are
  /// finished; `written(task)` sees each of them with its outcome. The tasks behind stay and move to the front.
  template <class Seen>
  Result<void> write(size_t count, zone::NodeTable& table, Seen seen) {
    Result<void> written;
    finish(count, [&](Task& task) {
      if (task.error) written = tl::unexpected<Error>(*task.error);
      else if (task.changed) written = table.put(task.key, task.node);
      if (written) seen(task);
      return written.has_value();
    });
    if (!written) return written;
    std::rotate(tasks_.begin(), tasks_.begin() + static_cast<long>(count), tasks_.begin() + static_cast<long>(count_));
    count_ -= count;
    return {};
  }
  /// One task by itself, on the calling thread.
  void finish_one(Task& task) { finishers_.front().finish(task); }
  /// The calling thread's.
  Finisher& finisher() { return finishers_.front(); }
  [[nodiscard]] uint64_t signatures() const;

 private:
  static constexpr size_t capacity = 2048;
  Batch(std::vector<Finisher> finishers, Parallel& parallel) : finishers_(std::move(finishers)), parallel_(parallel) {}
  /// `take` says whether to go on.
  void finish(size_t count, const std::function<bool(Task&)>& take);

  std::vector<Finisher> finishers_;
  Parallel& parallel_;
  std::vector<std::unique_ptr<Task>> tasks_;  // kept for their memory
  size_t count_ = 0;
};

}  // namespace steward::change

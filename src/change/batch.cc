#include "change/batch.hh"

namespace steward::change {

Result<std::unique_ptr<Batch>> Batch::create(uint32_t zone, const Signing& signing, Parallel& parallel) {
  std::vector<Finisher> finishers;
  for (size_t i = 0; i < parallel.threads(); ++i) {
    auto finisher = Finisher::create(zone, signing);
    if (!finisher) return tl::unexpected<Error>(finisher.error());
    finishers.push_back(std::move(*finisher));
  }
  return std::unique_ptr<Batch>(new Batch(std::move(finishers), parallel));
}

Task& Batch::add(NameView owner) {
  if (count_ == tasks_.size()) tasks_.push_back(std::make_unique<Task>());
  Task& task = *tasks_[count_++];
  task.reset(owner);
  return task;
}

void Batch::finish(size_t count, const std::function<bool(Task&)>& take) {
  constexpr size_t few = 16;
  const auto run = [&](size_t index) {
    const size_t first = index * Finisher::run_length;
    return std::span<const std::unique_ptr<Task>>(tasks_).subspan(first, std::min(Finisher::run_length, count - first));
  };
  const auto take_run = [&](size_t index) {
    const auto tasks = run(index);
    return std::all_of(tasks.begin(), tasks.end(), [&](const auto& task) { return take(*task); });
  };
  const size_t runs = (count + Finisher::run_length - 1) / Finisher::run_length;
  if (count > few) {
    parallel_.run_in_order(runs, 1, [&](size_t thread, size_t index) { finishers_[thread].finish(run(index)); }, take_run);
    return;
  }
  // Waking others for so little takes longer than doing it.
  for (size_t i = 0; i < runs; ++i) {
    finishers_.front().finish(run(i));
    if (!take_run(i)) return;
  }
}

uint64_t Batch::signatures() const {
  uint64_t sum = 0;
  for (const Finisher& finisher : finishers_) sum += finisher.signatures();
  return sum;
}

}  // namespace steward::change

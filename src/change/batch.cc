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
  constexpr size_t stride = 4;
  if (count > few) {
    parallel_.run_in_order(
        count, stride, [this](size_t thread, size_t item) { finishers_[thread].finish(*tasks_[item]); },
        [&](size_t item) { return take(*tasks_[item]); });
    return;
  }
  // Waking others for so little takes longer than doing it.
  for (size_t i = 0; i < count; ++i) {
    finishers_.front().finish(*tasks_[i]);
    if (!take(*tasks_[i])) return;
  }
}

uint64_t Batch::signatures() const {
  uint64_t sum = 0;
  for (const Finisher& finisher : finishers_) sum += finisher.signatures();
  return sum;
}

}  // namespace steward::change

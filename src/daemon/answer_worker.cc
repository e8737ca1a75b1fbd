#include "daemon/answer_worker.hh"

namespace steward::daemon {

void AnswerWorker::answer(std::span<Exchange> batch) {
  context_.settings = settings_.load(std::memory_order_acquire);
  context_.unix_seconds = static_cast<uint32_t>(seconds_of(clock_.now()));
  context_.monotonic_ms = clock_.monotonic_ns() / 1'000'000;
  if (!reader_->acquire()) {
    // No snapshot, no answer: the client asks elsewhere. Counted, since nothing is logged a query.
    for (Exchange& exchange : batch) exchange.response_size = 0;
    context_.counters.failures.add(batch.size());
    return;
  }
  pipeline_.answer(batch, *reader_, context_);
  reader_->release();
}

}  // namespace steward::daemon

#pragma once
// One worker's end of the pipeline: a snapshot for each batch, the pipeline, what it counts. Owned by the server, used by its own
// worker thread alone but for counters() and settings.

#include <atomic>
#include <memory>

#include "base/clock.hh"
#include "base/exchange.hh"
#include "serve/context.hh"
#include "serve/pipeline.hh"
#include "store/store.hh"

namespace steward::daemon {

class AnswerWorker final : public Responder {
 public:
  /// `settings` is where the present settings are found; what it points at lives as long as the worker.
  AnswerWorker(std::unique_ptr<store::Reader> reader, const std::atomic<const serve::Settings*>& settings, const Clock& clock)
      : reader_(std::move(reader)), settings_(settings), clock_(clock) {}

  void answer(std::span<Exchange> batch) override;

  /// On the worker's thread, or before it runs.
  void set_cookies(const serve::CookieSecrets& secrets) { context_.cookies = secrets; }
  void set_rate_limiter(serve::RateLimiter* limiter) { context_.rate_limiter = limiter; }
  void set_sign_budget(serve::SignBudget* budget) { context_.signatures = budget; }
  void set_recursion(serve::Recursion* recursion) { context_.recursion = recursion; }
  void set_operations(serve::Operations* operations, serve::TransferDesk* transfers) {
    context_.operations = operations;
    context_.transfers = transfers;
  }
  [[nodiscard]] const serve::Counters& counters() const { return context_.counters; }

 private:
  std::unique_ptr<store::Reader> reader_;
  const std::atomic<const serve::Settings*>& settings_;
  const Clock& clock_;
  serve::Pipeline pipeline_;
  serve::Context context_;
};

}  // namespace steward::daemon

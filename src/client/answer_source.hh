#pragma once
// Where a search gets its answers from, and the time: the resolver, or a test. Used by one thread.

#include <chrono>
#include <vector>

#include "client/resolver.hh"

namespace steward::client {

class AnswerSource {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  virtual ~AnswerSource() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  /// Begins with a question. An answer of another `round` is never given again, so that a question which was asked
  /// before reaches the registry.
  virtual Result<uint64_t> start(const Question& question, unsigned round) = 0;
  /// Waits for answers until then; none have come where it returns nothing.
  virtual std::vector<Arrival> wait(TimePoint until) = 0;
  virtual void forget(uint64_t ticket) = 0;
};

}  // namespace steward::client

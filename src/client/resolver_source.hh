#pragma once
// Answers out of validating resolvers of our own: one a round, since each keeps what it has seen.

#include <optional>

#include "client/answer_source.hh"

namespace steward::client {

class ResolverSource final : public AnswerSource {
 public:
  /// Both outlive it. Sends nothing.
  ResolverSource(const Settings& settings, std::span<const dns::Record> anchors,
                 std::optional<Resolver::Closest> closest = std::nullopt)
      : settings_(settings), anchors_(anchors), closest_(std::move(closest)) {}

  [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }
  Result<uint64_t> start(const Question& question, unsigned round) override;
  std::vector<Arrival> wait(TimePoint until) override;
  void forget(uint64_t ticket) override;

 private:
  const Settings& settings_;
  std::span<const dns::Record> anchors_;
  std::optional<Resolver::Closest> closest_;
  std::vector<std::optional<Resolver>> resolvers_;  // by round
};

}  // namespace steward::client

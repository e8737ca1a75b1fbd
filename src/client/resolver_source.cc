#include "client/resolver_source.hh"

#include <poll.h>

#include <algorithm>

namespace steward::client {
namespace {

/// A ticket is the resolver's own with its round below it.
constexpr unsigned round_bits = 8;
/// Who waits asks again.
constexpr std::chrono::seconds longest_wait{60};

}  // namespace

Result<uint64_t> ResolverSource::start(const Question& question, unsigned round) {
  if (resolvers_.size() <= round) resolvers_.resize(round + 1);
  std::optional<Resolver>& resolver = resolvers_[round];
  if (!resolver) {
    auto opened = Resolver::open(settings_, anchors_, closest_);
    if (!opened) return tl::unexpected(opened.error());
    resolver = std::move(*opened);
  }
  const auto ticket = resolver->start(question);
  if (!ticket) return ticket;
  return *ticket << round_bits | round;
}

std::vector<Arrival> ResolverSource::wait(TimePoint until) {
  std::vector<pollfd> readable;
  for (const auto& resolver : resolvers_)
    readable.push_back({.fd = resolver ? resolver->fd() : -1, .events = POLLIN, .revents = 0});
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::min(until, now() + longest_wait) - now());
  if (::poll(readable.data(), readable.size(), static_cast<int>(std::max<int64_t>(left.count(), 0))) <= 0) return {};
  std::vector<Arrival> all;
  for (size_t round = 0; round < resolvers_.size(); ++round) {
    if (readable[round].revents == 0) continue;
    for (Arrival& arrival : resolvers_[round]->take_arrivals()) {
      arrival.ticket = arrival.ticket << round_bits | round;
      all.push_back(std::move(arrival));
    }
  }
  return all;
}

void ResolverSource::forget(uint64_t ticket) {
  const uint64_t round = ticket & ((1U << round_bits) - 1);
  if (round < resolvers_.size() && resolvers_[round]) resolvers_[round]->forget(ticket >> round_bits);
}

}  // namespace steward::client

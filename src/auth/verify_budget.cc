#include "auth/verify_budget.hh"

#include <algorithm>
#include <bit>

namespace steward::auth {

namespace {

constexpr uint64_t second_ns = 1'000'000'000;

bool take_from(std::atomic<uint64_t>& used_until, uint32_t per_second, uint64_t now) {
  const uint64_t cost = second_ns / per_second;
  uint64_t before = used_until.load(std::memory_order_relaxed);
  while (true) {
    const uint64_t after = std::max(before, now) + cost;
    if (after > now + second_ns) return false;
    if (used_until.compare_exchange_weak(before, after, std::memory_order_relaxed)) return true;
  }
}

}  // namespace

VerifyBudget::VerifyBudget(const VerifyBudgetSettings& settings, const crypto::SipHashKey& secret)
    : settings_(settings), secret_(secret) {
  settings_.per_second = std::clamp<uint32_t>(settings_.per_second, 1, second_ns);
  settings_.per_client_second = std::clamp<uint32_t>(settings_.per_client_second, 1, second_ns);
  settings_.slots = std::bit_ceil(std::clamp<uint32_t>(settings_.slots, 1, 1U << 24));
  slots_ = std::make_unique<std::atomic<uint64_t>[]>(settings_.slots);
}

std::atomic<uint64_t>& VerifyBudget::slot_of(const SocketAddress& client) const {
  const ByteView octets = client.octets();
  std::array<uint8_t, 17> network{};
  network[0] = static_cast<uint8_t>(octets.size());
  size_t bits = octets.size() == 4 ? settings_.ipv4_prefix : settings_.ipv6_prefix;
  for (size_t i = 0; i < octets.size() && bits > 0; ++i) {
    const size_t here = std::min<size_t>(bits, 8);
    network[i + 1] = static_cast<uint8_t>(octets[i] & (0xff00U >> here));
    bits -= here;
  }
  return slots_[crypto::siphash24(secret_, network) & (settings_.slots - 1)];
}

bool VerifyBudget::take(const SocketAddress& client, uint64_t monotonic_ns) {
  // The client's first: who has none left takes nothing from the others.
  return take_from(slot_of(client), settings_.per_client_second, monotonic_ns) &&
         take_from(all_, settings_.per_second, monotonic_ns);
}

}  // namespace steward::auth

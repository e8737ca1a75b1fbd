#include "crypto/operation_counts.hh"

#include <atomic>

namespace steward::crypto {
namespace {

constexpr size_t numbers = 16;  // of algorithms: all that we know are below

std::array<std::atomic<uint64_t>, numbers> made;
std::array<std::atomic<uint64_t>, numbers> checked;

}  // namespace

std::array<OperationCount, 5> operation_counts() {
  std::array<OperationCount, 5> counts{};
  size_t at = 0;
  for (const Algorithm algorithm : {Algorithm::RSASHA256, Algorithm::RSASHA512, Algorithm::ECDSAP256SHA256,
                                    Algorithm::ECDSAP384SHA384, Algorithm::ED25519})
    counts.at(at++) = {algorithm, made.at(value(algorithm)).load(std::memory_order_relaxed),
                       checked.at(value(algorithm)).load(std::memory_order_relaxed)};
  return counts;
}

void count_made(Algorithm algorithm, uint64_t signatures) {
  made[value(algorithm)].fetch_add(signatures, std::memory_order_relaxed);
}
void count_checked(Algorithm algorithm) { checked[value(algorithm)].fetch_add(1, std::memory_order_relaxed); }

}  // namespace steward::crypto

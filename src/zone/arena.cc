#include "zone/arena.hh"

#include <sys/mman.h>

#include <algorithm>

namespace steward::zone {
namespace {

constexpr size_t first_step = size_t{1} << 20;
constexpr size_t largest_step = size_t{32} << 20;
constexpr size_t least_reserve = size_t{64} << 20;

}  // namespace

Arena::~Arena() {
  if (base_ != nullptr) munmap(base_, reserved_);
}

// Addresses without memory behind them: PROT_NONE is not counted by any overcommit policy.
bool Arena::reserve() {
  for (size_t size = most_; size >= std::min(most_, least_reserve); size /= 2) {
    void* range = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) continue;
    base_ = static_cast<uint8_t*>(range);
    reserved_ = size;
    return true;
  }
  return false;
}

bool Arena::grow(size_t needed) {
  if (base_ == nullptr && !reserve()) return false;
  if (needed > reserved_) return false;
  const size_t step = std::clamp(committed_, first_step, largest_step);
  const size_t target = std::min(reserved_, (needed + step - 1) / step * step);
  if (mprotect(base_ + committed_, target - committed_, PROT_READ | PROT_WRITE) != 0) return false;
  // Whole steps are written from front to back: huge pages spare most of the page faults. Advice only.
  (void)madvise(base_ + committed_, target - committed_, MADV_HUGEPAGE);
  committed_ = target;
  return true;
}

}  // namespace steward::zone

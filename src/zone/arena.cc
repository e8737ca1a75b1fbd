#include "zone/arena.hh"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace steward::zone {
namespace {

constexpr size_t first_step = size_t{1} << 20;
constexpr size_t largest_step = size_t{32} << 20;
constexpr size_t least_reserve = size_t{64} << 20;

}  // namespace

Arena::Arena(Arena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      reserved_(std::exchange(other.reserved_, 0)),
      committed_(std::exchange(other.committed_, 0)),
      used_(std::exchange(other.used_, unit)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(reserved_, other.reserved_);
  std::swap(committed_, other.committed_);
  std::swap(used_, other.used_);
  return *this;
}

Arena::~Arena() {
  if (base_ != nullptr) munmap(base_, reserved_);
}

// Addresses without memory behind them: PROT_NONE is not counted by any overcommit policy.
bool Arena::reserve() {
  for (size_t size = most_octets; size >= least_reserve; size /= 2) {
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

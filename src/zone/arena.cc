#include "zone/arena.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace steward::zone {
namespace {

constexpr size_t first_step = size_t{1} << 20;
constexpr size_t largest_step = size_t{32} << 20;
constexpr size_t least_reserve = size_t{64} << 20;

}  // namespace

Arena::~Arena() {
  if (base_ != nullptr) munmap(base_, reserved_);
  if (file_ != no_file) close(file_);
}

// Addresses without memory behind them: PROT_NONE is not counted by any overcommit policy.
bool Arena::reserve() {
  for (size_t size = most_; size > 0 && size >= std::min(most_, least_reserve); size /= 2) {
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
  if (!commit(target - committed_)) return false;
  committed_ = target;
  return true;
}

// Makes the next `size` octets writable.
bool Arena::commit(size_t size) {
  uint8_t* const at = base_ + committed_;
  if (file_ == no_file) {
    if (mprotect(at, size, PROT_READ | PROT_WRITE) != 0) return false;
    // Whole steps are written from front to back: huge pages spare most of the page faults. Advice only.
    (void)madvise(at, size, MADV_HUGEPAGE);
    return true;
  }
  // With its blocks: writing to a hole of a file whose disk is full raises SIGBUS.
  if (posix_fallocate(file_, static_cast<off_t>(committed_), static_cast<off_t>(size)) != 0) return false;
  return mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, file_,
              static_cast<off_t>(committed_)) != MAP_FAILED;
}

}  // namespace steward::zone

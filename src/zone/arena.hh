#pragma once
// Memory that only grows and never moves: a range of addresses is reserved once, and pages of it are taken as they are
// needed.
//
// So nothing is copied on growth, a place is a 32-bit number, and all of it returns to the system when the arena dies.
// The pages are anonymous memory, or those of a file: then the kernel may write them out when memory is short. Used by
// one thread.

#include <cstdint>

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward::zone {

/// A place in an Arena, in units of four octets. 0 is no place.
using ArenaRef = uint32_t;

class Arena {
 public:
  static constexpr size_t unit = 4;
  /// 16 GiB of addresses; less where the process may not have so many (RLIMIT_AS).
  static constexpr size_t most_octets = (size_t{1} << 32) * unit;

  static constexpr int no_file = -1;

  /// Takes at most `most` octets. `file`: the descriptor of an empty file, open to read and write, of which nobody else
  /// knows; the arena owns it, and grows it with what is taken.
  explicit Arena(size_t most = most_octets, int file = no_file) : most_(most), file_(file) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// `size` octets, aligned to four, not initialised; null where the system (of a file: its disk) gives no more, or
  /// `most` are used up.
  uint8_t* take(size_t size) {
    const size_t start = (used_ + unit - 1) & ~(unit - 1);
    if (start + size > committed_ && !grow(start + size)) return nullptr;
    used_ = start + size;
    return base_ + start;
  }
  [[nodiscard]] ArenaRef ref(const uint8_t* place) const {
    return static_cast<ArenaRef>(static_cast<size_t>(place - base_) / unit);
  }
  [[nodiscard]] uint8_t* at(ArenaRef ref) const { return base_ + size_t{ref} * unit; }
  /// Octets handed out so far.
  [[nodiscard]] size_t used() const { return used_; }

 private:
  bool reserve();
  bool grow(size_t needed);
  bool commit(size_t size);

  size_t most_;
  int file_;
  uint8_t* base_ = nullptr;
  size_t reserved_ = 0;
  size_t committed_ = 0;
  size_t used_ = unit;  // so that no place is 0
};

}  // namespace steward::zone

#pragma once
// Sets of RR types as NSEC, NSEC3 and CSYNC carry them (RFC 4034 §4.1.2). Owned by whoever makes one; one thread.

#include <array>
#include <cstdint>

#include "base/bytes.hh"
#include "dns/rr_type.hh"

namespace steward::dns {

/// Collects types in any order and writes their windows. 8 KiB on the stack, of which only windows in use are ever
/// touched.
class TypeBitmap {
 public:
  void add(RrType type);
  /// The windows in ascending order, without trailing zeros; nothing for the empty set.
  void append_to(Bytes& out) const;

 private:
  static constexpr size_t window_size = 32;
  std::array<uint64_t, 4> used_{};  // a bit a window
  std::array<uint8_t, 256 * window_size> bits_;  // a window is cleared when it is first used
};

/// Calls `each(RrType)` for the types in a sound bitmap, ascending.
template <class Each>
void for_each_type(ByteView bitmap, Each each) {
  while (bitmap.size() >= 2 && bitmap.size() >= size_t{2} + bitmap[1]) {
    const unsigned window = bitmap[0];
    for (unsigned i = 0; i < bitmap[1]; ++i)
      for (unsigned bit = 0; bit < 8; ++bit)
        if ((bitmap[2 + i] & 0x80U >> bit) != 0) each(static_cast<RrType>(window << 8 | i << 3 | bit));
    bitmap = bitmap.subspan(size_t{2} + bitmap[1]);
  }
}

/// Whether `type` is in a sound bitmap.
bool bitmap_has(ByteView bitmap, RrType type);

}  // namespace steward::dns

#include "dns/type_bitmap.hh"

#include <bit>

#include "dns/rdata_fields.hh"

namespace steward::dns {

void TypeBitmap::add(RrType type) {
  const size_t window = value(type) >> 8;
  uint8_t* bits = &bits_[window * window_size];
  const uint64_t bit = uint64_t{1} << (window & 63);
  if ((used_[window >> 6] & bit) == 0) {
    used_[window >> 6] |= bit;
    std::memset(bits, 0, window_size);
  }
  bits[value(type) >> 3 & 0x1f] |= static_cast<uint8_t>(0x80 >> (value(type) & 7));
}

void TypeBitmap::append_to(Bytes& out) const {
  for (size_t word = 0; word < used_.size(); ++word)
    for (uint64_t left = used_[word]; left != 0; left &= left - 1) {
      const size_t window = word * 64 + static_cast<size_t>(std::countr_zero(left));
      const uint8_t* bits = &bits_[window * window_size];
      size_t size = window_size;
      while (bits[size - 1] == 0) --size;
      append_u8(out, static_cast<uint8_t>(window));
      append_u8(out, static_cast<uint8_t>(size));
      append(out, ByteView(bits, size));
    }
}

bool bitmap_has(ByteView bitmap, RrType type) {
  while (bitmap.size() >= 2 && bitmap.size() >= size_t{2} + bitmap[1]) {
    if (bitmap[0] == value(type) >> 8) {
      const size_t octet = value(type) >> 3 & 0x1f;
      return octet < bitmap[1] && (bitmap[2 + octet] & 0x80 >> (value(type) & 7)) != 0;
    }
    bitmap = bitmap.subspan(size_t{2} + bitmap[1]);
  }
  return false;
}

Result<void> check_bitmap(ByteView bitmap) {
  int last = -1;
  while (!bitmap.empty()) {
    if (bitmap.size() < 2 || bitmap.size() < size_t{2} + bitmap[1]) return fail(Errc::Invalid, "window is cut short");
    const size_t size = bitmap[1];
    if (size == 0 || size > 32) return fail(Errc::Invalid, "window must have 1 to 32 octets (RFC 4034 §4.1.2)");
    if (bitmap[0] <= last) return fail(Errc::Invalid, "windows must ascend (RFC 4034 §4.1.2)");
    if (bitmap[1 + size] == 0) return fail(Errc::Invalid, "window must not end in a zero octet (RFC 4034 §4.1.2)");
    last = bitmap[0];
    bitmap = bitmap.subspan(2 + size);
  }
  return {};
}

}  // namespace steward::dns

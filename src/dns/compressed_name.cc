#include "dns/compressed_name.hh"

namespace steward::dns {

Result<Name> name_from_message(ByteView message, size_t at, size_t end, size_t& used) {
  const size_t start = at;
  std::array<uint8_t, max_name_size> wire;
  size_t size = 0;
  size_t run = at;          // where the present run of labels starts: each pointer must go before it
  size_t in_place_end = 0;  // 0 until the first pointer
  size_t pointers = 0;
  while (true) {
    if (at >= end) return fail(Errc::Invalid, "name runs past the end of its data");
    const uint8_t octet = message[at];
    if (octet >= 0xc0) {
      if (end - at < 2) return fail(Errc::Invalid, "compression pointer is cut short");
      const size_t target = (octet & 0x3fU) << 8 | message[at + 1];
      if (in_place_end == 0) in_place_end = at + 2;
      if (target >= run) return fail(Errc::Invalid, "compression pointer does not point backward (RFC 1035 §4.1.4)");
      if (target < 12) return fail(Errc::Invalid, "compression pointer points into the header (RFC 1035 §4.1.4)");
      // Each useful pointer has a label before or behind it. A chain of thousands, followed for each record of a message, would cost
      // what the message does not show.
      if (++pointers > max_labels) return fail(Errc::Invalid, "name has more compression pointers than labels");
      at = run = target;
      continue;
    }
    if (octet > max_label_size) return fail(Errc::Invalid, "label type is neither 00 nor 11 (RFC 6891 §5)");
    const size_t label = octet + size_t{1};
    if (end - at < label) return fail(Errc::Invalid, "name runs past the end of its data");
    if (size + label > max_name_size) return fail(Errc::Invalid, "name is longer than 255 octets (RFC 1035 §3.1)");
    std::memcpy(&wire[size], &message[at], label);
    size += label;
    at += label;
    if (octet == 0) break;
  }
  used = (in_place_end == 0 ? at : in_place_end) - start;
  return Name(NameView(wire.data(), size));
}

}  // namespace steward::dns

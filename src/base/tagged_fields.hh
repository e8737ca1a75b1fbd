#pragma once
// Octets of rows in tables: a format number, then fields of a tag, a length in 4 octets and a value; integers of 8 octets
// in network byte order. Who reads steps over tags that it does not know.

#include <string_view>

#include "base/bytes.hh"

namespace steward {

inline void append_u64(Bytes& to, uint64_t value) {
  append_u32(to, static_cast<uint32_t>(value >> 32));
  append_u32(to, static_cast<uint32_t>(value));
}
/// Fewer octets make the reader not ok().
inline uint64_t read_u64(ByteReader& in) {
  const uint64_t high = in.u32();
  return high << 32 | in.u32();
}

/// `Tag`: an enum of one octet.
template <class Tag>
class TaggedWriter {
 public:
  explicit TaggedWriter(uint8_t format) : out{format} {}

  void octets(Tag tag, ByteView value) {
    append_u8(out, static_cast<uint8_t>(tag));
    append_u32(out, static_cast<uint32_t>(value.size()));
    append(out, value);
  }
  void text(Tag tag, std::string_view value) { octets(tag, as_bytes(value)); }
  void number(Tag tag, uint64_t value) {
    Bytes wire;
    append_u64(wire, value);
    octets(tag, wire);
  }

  Bytes out;
};

}  // namespace steward

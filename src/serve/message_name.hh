#pragma once
// Names in a message of our own making: following its compression pointers.

#include <array>
#include <cstdint>

#include "dns/name.hh"

namespace steward::serve {

/// A buffer for one name; not initialized on purpose.
struct NameBuffer {
  std::array<uint8_t, dns::max_name_size> octets;  // NOLINT(cppcoreguidelines-pro-type-member-init)
};

/// The name at `at`, uncompressed and in lower case, in `buffer`. The message is ours: its pointers lead back to whole
/// names.
inline dns::NameView read_folded(const uint8_t* message, size_t at, NameBuffer& buffer) {
  size_t size = 0;
  while (true) {
    while (message[at] >= 0xc0) at = load_u16(message + at) & 0x3fffU;
    const size_t label = message[at] + size_t{1};
    // A name that we copied out of a zone is never longer than this.
    if (size + label > buffer.octets.size()) return {};
    for (size_t i = 0; i < label; ++i) buffer.octets[size + i] = dns::fold(message[at + i]);
    size += label;
    if (label == 1) return {buffer.octets.data(), size};
    at += label;
  }
}

/// Where the tail of the name at `place` starts that begins `skip` octets (of the uncompressed name) further on.
inline uint16_t tail_place(const uint8_t* message, uint16_t place, size_t skip) {
  size_t at = place;
  while (message[at] >= 0xc0) at = load_u16(message + at) & 0x3fffU;
  while (skip > 0) {
    const size_t label = message[at] + size_t{1};
    skip -= label;
    at += label;
    while (message[at] >= 0xc0) at = load_u16(message + at) & 0x3fffU;
  }
  return static_cast<uint16_t>(at);
}

/// The RDATA of the RR at `at`: where it starts.
inline size_t rdata_place(const uint8_t* message, size_t at) {
  while (message[at] != 0 && message[at] < 0xc0) at += message[at] + size_t{1};
  return at + (message[at] == 0 ? 1 : 2) + 10;
}

/// Where the RR ends whose RDATA starts at `rdata`.
inline size_t rr_end(const uint8_t* message, size_t rdata) { return rdata + load_u16(message + rdata - 2); }

}  // namespace steward::serve

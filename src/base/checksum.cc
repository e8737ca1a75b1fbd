#include "base/checksum.hh"

#include <array>

namespace steward {
namespace {

constexpr std::array<std::array<uint32_t, 256>, 8> make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t octet = 0; octet < 256; ++octet) {
    uint32_t crc = octet;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78U : 0U);
    tables[0][octet] = crc;
  }
  for (size_t t = 1; t < tables.size(); ++t)
    for (uint32_t octet = 0; octet < 256; ++octet)
      tables[t][octet] = (tables[t - 1][octet] >> 8) ^ tables[0][tables[t - 1][octet] & 0xff];
  return tables;
}
constexpr auto tables = make_tables();

uint64_t load_8(const uint8_t* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

uint32_t crc_portable(const uint8_t* p, size_t size, uint32_t crc) {
  for (; size >= 8; p += 8, size -= 8) {
    const uint64_t word = load_8(p) ^ crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= tables[7 - i][(word >> (8 * i)) & 0xff];
  }
  for (; size > 0; ++p, --size) crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xff];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t crc_sse42(const uint8_t* p, size_t size, uint32_t crc) {
  uint64_t wide = crc;
  for (; size >= 8; p += 8, size -= 8) wide = __builtin_ia32_crc32di(wide, load_8(p));
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; ++p, --size) crc = __builtin_ia32_crc32qi(crc, *p);
  return crc;
}
#endif

}  // namespace

uint32_t crc32c(ByteView octets, uint32_t before) {
  const uint32_t start = ~before;
#if defined(__x86_64__)
  static const bool has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
  if (has_sse42) return ~crc_sse42(octets.data(), octets.size(), start);
#endif
  return ~crc_portable(octets.data(), octets.size(), start);
}

}  // namespace steward

// RDATA of rare types to text.
#include <cstdlib>

#include "dns/rdata_rare_text.hh"
#include "dns/text_parts.hh"

namespace steward::dns {
namespace {

void append_padded(std::string& out, uint32_t number, uint32_t width) {
  uint32_t scale = 1;
  while (--width > 0) scale *= 10;
  for (; scale > 0; scale /= 10) out += static_cast<char>('0' + number / scale % 10);
}

// Thousandths of a second of arc, 2^31 being the equator or the prime meridian.
void append_angle(std::string& out, uint32_t angle, char positive, char negative) {
  constexpr uint32_t zero = 0x80000000;
  const bool is_negative = angle < zero;
  const uint32_t size = is_negative ? zero - angle : angle - zero;
  append_number(out, size / 3600000);
  out += ' ';
  append_number(out, size / 60000 % 60);
  out += ' ';
  append_number(out, size / 1000 % 60);
  out += '.';
  append_padded(out, size % 1000, 3);
  out += ' ';
  out += is_negative ? negative : positive;
}

// A digit and a power of ten, in centimetres.
void append_size(std::string& out, uint8_t size) {
  uint64_t centimetres = size >> 4;
  for (int i = 0; i < (size & 0x0f); ++i) centimetres *= 10;
  append_number(out, static_cast<uint32_t>(centimetres / 100));
  if ((size & 0x0f) < 2) {
    out += '.';
    append_padded(out, static_cast<uint32_t>(centimetres % 100), 2);
  }
  out += 'm';
}

}  // namespace

void append_loc(std::string& out, ByteView field) {
  append_angle(out, load_u32(&field[4]), 'N', 'S');
  out += ' ';
  append_angle(out, load_u32(&field[8]), 'E', 'W');
  out += ' ';
  const int64_t altitude = static_cast<int64_t>(load_u32(&field[12])) - 10000000;
  if (altitude < 0) out += '-';
  const auto size = static_cast<uint64_t>(std::llabs(altitude));
  append_number(out, static_cast<uint32_t>(size / 100));
  out += '.';
  append_padded(out, static_cast<uint32_t>(size % 100), 2);
  out += 'm';
  for (size_t i = 1; i <= 3; ++i) {
    out += ' ';
    append_size(out, field[i]);
  }
}

void append_wks(std::string& out, ByteView field) {
  append_ipv4(out, field);
  out += ' ';
  append_number(out, field[4]);
  const ByteView ports = field.subspan(5);
  for (uint32_t port = 0; port < ports.size() * 8; ++port) {
    if ((ports[port / 8] & 0x80U >> port % 8) == 0) continue;
    out += ' ';
    append_number(out, port);
  }
}

void append_atma(std::string& out, ByteView field) {
  if (field[0] == 0) {
    append_encoded(out, hex_lower, field.subspan(1));
  } else {
    out += '+';
    out += as_text(field.subspan(1));
  }
}

void append_a6(std::string& out, ByteView field) {
  const unsigned prefix = field[0];
  append_number(out, prefix);
  const size_t suffix = (135U - prefix) / 8;
  if (suffix > 0) {
    std::array<uint8_t, 16> address{};
    std::memcpy(&address[16 - suffix], &field[1], suffix);
    out += ' ';
    append_ipv6(out, address);
  }
  if (prefix > 0) {
    out += ' ';
    append_name(out, NameView(&field[1 + suffix], field.size() - 1 - suffix));
  }
}

void append_apl(std::string& out, ByteView field) {
  for (size_t at = 0; at < field.size(); at += size_t{4} + (field[at + 3] & 0x7f)) {
    if (at > 0) out += ' ';
    if ((field[at + 3] & 0x80) != 0) out += '!';
    const unsigned family = load_u16(&field[at]);
    std::array<uint8_t, 16> address{};
    if (const size_t size = field[at + 3] & 0x7f; size > 0) std::memcpy(address.data(), &field[at + 4], size);
    append_number(out, family);
    out += ':';
    if (family == 1)
      append_ipv4(out, address);
    else
      append_ipv6(out, address);
    out += '/';
    append_number(out, field[at + 2]);
  }
}

void append_hip(std::string& out, ByteView field) {
  const size_t hit = field[0];
  const size_t key = load_u16(&field[2]);
  append_number(out, field[1]);
  out += ' ';
  append_encoded(out, hex, field.subspan(4, hit));
  out += ' ';
  append_encoded(out, base64, field.subspan(4 + hit, key));
  for (size_t at = 4 + hit + key; at < field.size();) {
    const auto server = NameView::from_wire(field.subspan(at));
    if (!server) return;
    out += ' ';
    append_name(out, *server);
    at += server->size();
  }
}

}  // namespace steward::dns

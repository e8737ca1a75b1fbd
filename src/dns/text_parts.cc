#include "dns/text_parts.hh"

#include <arpa/inet.h>

namespace steward::dns {
namespace {

void append_escape(std::string& out, uint8_t octet) {
  const char digits[] = {'\\', static_cast<char>('0' + octet / 100), static_cast<char>('0' + octet / 10 % 10),
                         static_cast<char>('0' + octet % 10)};
  out.append(digits, sizeof digits);
}

// What stands for itself, by octet.
constexpr std::array<bool, 256> plain_but_for(uint8_t first, std::string_view special) {
  std::array<bool, 256> plain{};
  for (size_t octet = first; octet < 0x7f; ++octet)
    plain[octet] = special.find(static_cast<char>(octet)) == special.npos;
  return plain;
}
constexpr auto is_plain_in_quotes = plain_but_for(' ', "\"\\");
constexpr auto is_plain_in_name = plain_but_for('!', ".\\\"();@$");

// Appends runs of plain octets at once, and the others through `escape`.
template <class Escape>
void append_runs(std::string& out, ByteView text, const std::array<bool, 256>& plain, Escape escape) {
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    while (at < text.size() && plain[text[at]]) ++at;
    out += as_text(text.subspan(start, at - start));
    if (at < text.size()) escape(out, text[at++]);
  }
}

int hex_digit(char c) {
  const uint8_t digit = hex.value[static_cast<uint8_t>(c)];
  return digit == 0xff ? -1 : digit;
}

}  // namespace

void append_quoted_octet(std::string& out, uint8_t octet) {
  if (octet < ' ' || octet >= 0x7f) return append_escape(out, octet);
  if (octet == '"' || octet == '\\') out += '\\';
  out += static_cast<char>(octet);
}

void append_quoted(std::string& out, ByteView text) {
  out += '"';
  append_runs(out, text, is_plain_in_quotes, append_quoted_octet);
  out += '"';
}

void append_name(std::string& out, NameView name) {
  if (name.is_root()) {
    out += '.';
    return;
  }
  const auto escape = [](std::string& to, uint8_t octet) {
    if (octet <= ' ' || octet >= 0x7f) return append_escape(to, octet);
    to += '\\';
    to += static_cast<char>(octet);
  };
  for (const uint8_t* p = name.data(); *p != 0; p += *p + 1) {
    append_runs(out, ByteView(p + 1, *p), is_plain_in_name, escape);
    out += '.';
  }
}

void append_ipv4(std::string& out, ByteView address) {
  for (size_t i = 0; i < 4; ++i) {
    if (i > 0) out += '.';
    append_number(out, address[i]);
  }
}

void append_ipv6(std::string& out, ByteView address) {
  char text[INET6_ADDRSTRLEN];
  out += inet_ntop(AF_INET6, address.data(), text, sizeof text);
}

bool parse_ipv4(std::string_view text, uint8_t* out) {
  size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (at >= text.size() || text[at++] != '.')) return false;
    const size_t start = at;
    unsigned number = 0;
    while (at < text.size() && at - start < 3 && text[at] >= '0' && text[at] <= '9')
      number = number * 10 + static_cast<unsigned>(text[at++] - '0');
    if (at == start || number > 255 || (text[start] == '0' && at - start > 1)) return false;
    out[part] = static_cast<uint8_t>(number);
  }
  return at == text.size();
}

bool parse_ipv6(std::string_view text, uint8_t* out) {
  size_t size = 0;        // octets written
  size_t gap = SIZE_MAX;  // where `::` stood
  size_t at = 0;
  std::memset(out, 0, 16);
  if (text.starts_with("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.size()) {
    if (size > 14) return false;
    const size_t start = at;
    unsigned group = 0;
    for (int digit = 0; at < text.size() && at - start < 4 && (digit = hex_digit(text[at])) >= 0; ++at)
      group = group << 4 | static_cast<unsigned>(digit);
    if (at == start) return false;
    if (at < text.size() && text[at] == '.') {  // the last 32 bits in dotted decimal
      if (size > 12 || !parse_ipv4(text.substr(start), out + size)) return false;
      size += 4;
      at = text.size();
      break;
    }
    store_u16(out + size, static_cast<uint16_t>(group));
    size += 2;
    if (at == text.size()) break;
    if (text[at++] != ':' || at == text.size()) return false;
    if (text[at] == ':') {
      if (gap != SIZE_MAX) return false;
      gap = size;
      ++at;
    }
  }
  if (gap == SIZE_MAX) return size == 16;
  if (size > 14) return false;  // `::` stands for at least one group (RFC 4291 §2.2)
  std::memmove(out + 16 - (size - gap), out + gap, size - gap);
  std::memset(out + gap, 0, 16 - size);
  return true;
}

}  // namespace steward::dns

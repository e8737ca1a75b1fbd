#pragma once
// Small parts of presentation format, written straight into a string: numbers, names, strings, addresses. Inside of the
// room.

#include <charconv>
#include <string>

#include "base/bytes.hh"
#include "dns/encoding.hh"
#include "dns/name.hh"

namespace steward::dns {

inline void append_number(std::string& out, uint32_t number) {
  char digits[10];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// One octet inside of double quotes: `"` and `\` get a backslash, what is not printable ASCII is \DDD (RFC 1035 §5.1).
void append_quoted_octet(std::string& out, uint8_t octet);
/// In double quotes.
void append_quoted(std::string& out, ByteView text);
/// As NameView::to_text.
void append_name(std::string& out, NameView name);
void append_ipv4(std::string& out, ByteView address);  ///< 4 octets
void append_ipv6(std::string& out, ByteView address);  ///< 16 octets, as in RFC 5952

/// Four octets in dotted decimal: nothing but four numbers from 0 to 255 without leading zeros.
bool parse_ipv4(std::string_view text, uint8_t* out);
/// Sixteen octets (RFC 4291 §2.2).
bool parse_ipv6(std::string_view text, uint8_t* out);

}  // namespace steward::dns

#pragma once
// A word of a master file entry (RFC 1035 §5.1), as the scanner cuts it and the RDATA parsers read it.

#include <cstdint>
#include <string_view>

namespace steward::dns {

struct Token {
  std::string_view text;  ///< without its quotes, escapes not yet undone; points into the file's text
  uint32_t line = 0;      ///< 1-based
  uint32_t column = 0;    ///< 1-based, in octets
  bool quoted = false;    ///< stood in double quotes: a character-string even where it looks like something else
  bool escaped = false;   ///< holds at least one backslash
};

}  // namespace steward::dns

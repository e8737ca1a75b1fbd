#include "steward/text.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "agent/a_label.hh"

namespace steward::client {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

/// What a terminal acts on, what reorders or hides its neighbours, and what has no shape. Ascending.
constexpr Range hidden[] = {
    {0x0000, 0x001F},   {0x007F, 0x009F},                        // C0, DEL, C1
    {0x00AD, 0x00AD},                                            // soft hyphen
    {0x034F, 0x034F},                                            // combining grapheme joiner
    {0x061C, 0x061C},                                            // Arabic letter mark: UAX #9
    {0x115F, 0x1160},                                            // Hangul fillers
    {0x17B4, 0x17B5},                                            // Khmer inherent vowels
    {0x180B, 0x180F},                                            // Mongolian selectors
    {0x200B, 0x200F},                                            // zero width, left-to-right and right-to-left marks
    {0x2028, 0x202E},                                            // line and paragraph separators, embeddings, overrides
    {0x2060, 0x206F},                                            // word joiner, invisible operators, isolates
    {0x3164, 0x3164},                                            // Hangul filler
    {0xFDD0, 0xFDEF},                                            // noncharacters
    {0xFE00, 0xFE0F},                                            // variation selectors
    {0xFEFF, 0xFEFF},                                            // zero width no-break space
    {0xFFA0, 0xFFA0},                                            // halfwidth Hangul filler
    {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF},                        // interlinear annotation, noncharacters
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},  // tags, more variation selectors
};

bool is_hidden(uint32_t c) {
  const auto* at =
      std::lower_bound(std::begin(hidden), std::end(hidden), c, [](const Range& r, uint32_t x) { return r.last < x; });
  return at != std::end(hidden) && at->first <= c;
}

struct Decoded {
  uint32_t character = 0;
  size_t size = 0;  // octets; 0: no UTF-8
};

uint8_t octet(std::string_view text, size_t at) {
  return at < text.size() ? static_cast<uint8_t>(text[at]) : uint8_t{0};
}

/// The first character (RFC 3629 §3: no overlong forms, no surrogates, nothing above U+10FFFF).
Decoded decode(std::string_view text) {
  const uint8_t first = octet(text, 0);
  if (first < 0x80) return {first, 1};
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return {};
  uint32_t c = first & (0xFFU >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((octet(text, i) & 0xC0) != 0x80) return {};
    c = c << 6 | (octet(text, i) & 0x3FU);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < least[size] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return {};
  return {c, size};
}

/// Letters that run from right to left, by the blocks that Unicode keeps for them (UAX #9 §3.1, DerivedBidiClass).
bool is_right_to_left(uint32_t c) {
  return (c >= 0x0590 && c <= 0x08FF) || (c >= 0xFB1D && c <= 0xFDFF) || (c >= 0xFE70 && c <= 0xFEFF) ||
         (c >= 0x10800 && c <= 0x10FFF) || (c >= 0x1E800 && c <= 0x1EFFF);
}

bool has_right_to_left(std::string_view text) {
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (is_right_to_left(next.character)) return true;
    text.remove_prefix(std::max<size_t>(next.size, 1));
  }
  return false;
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.size == 0)
      out += fmt::format("\\x{:02x}", octet(text, 0));
    else if (next.character == '\\')
      out += "\\\\";
    else if (next.character < 0x80 && is_hidden(next.character))
      out += fmt::format("\\x{:02x}", next.character);
    else if (is_hidden(next.character) || (next.character & 0xFFFE) == 0xFFFE)
      out += fmt::format("\\u{:04x}", next.character);
    else
      out += text.substr(0, next.size);
    text.remove_prefix(std::max<size_t>(next.size, 1));
  }
  return out;
}

std::string unicode_name(std::string_view name) {
  std::string out;
  for (std::string_view rest = name; true;) {
    const size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view label = rest.substr(0, end);
    const auto decoded = agent::u_label(label);
    out += decoded ? *decoded : std::string(label);
    if (end == rest.size()) break;
    out += '.';
    rest.remove_prefix(end + 1);
  }
  return out == name ? std::string() : out;
}

std::string shown_name(std::string_view name) {
  const std::string unicode = unicode_name(name);
  if (unicode.empty() || has_right_to_left(unicode)) return for_terminal(name);
  return fmt::format("{} ({})", for_terminal(unicode), for_terminal(name));
}

}  // namespace steward::client

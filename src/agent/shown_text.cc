#include "agent/shown_text.hh"

#include <fmt/format.h>

namespace steward::agent {

namespace {

enum class Character : uint8_t { Shown, Space, Hidden };

/// Hidden are control characters, and those that are not seen or change how the rest of a line is shown (UTR #36 §3.2).
Character character(char32_t point) {
  if (point == ' ' || (point >= 0x09 && point <= 0x0d) || point == 0x85 || point == 0xa0 || point == 0x2028 ||
      point == 0x2029)
    return Character::Space;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return Character::Hidden;
  if (point == 0xad || point == 0x061c || (point >= 0x200b && point <= 0x200f) ||
      (point >= 0x202a && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
      (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe007f))
    return Character::Hidden;
  return Character::Shown;
}

}  // namespace

char32_t next_point(std::string_view text, size_t& at) {
  constexpr char32_t replacement = 0xfffd;
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  const size_t more = first >= 0xf5 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
  if (more == 0 || text.size() - at < more) return replacement;
  char32_t point = first & (0x3fU >> more);
  for (size_t i = 0; i < more; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xc0) != 0x80) return replacement;
    point = point << 6 | (next & 0x3fU);
  }
  at += more;
  return point;
}

std::string in_quotes(std::string_view text) {
  constexpr size_t most = 60;
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char32_t point = next_point(text, at);
    if (at > most) return out + "…\"";
    if (point == '"' || point == '\\') out += '\\';
    const bool octet = point >= 0x80 && at - start == 1;  // not UTF-8
    if (octet) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(text[start])));
    } else if (point == ' ' || character(point) == Character::Shown) {
      out += text.substr(start, at - start);
    } else {
      out += fmt::format("\\u{{{:x}}}", static_cast<uint32_t>(point));
    }
  }
  return out + '"';
}

ShownLine one_line(std::string_view text, size_t most) {
  ShownLine line;
  bool space = false;
  for (size_t at = 0; at < text.size() && !line.cut;) {
    const size_t start = at;
    switch (character(next_point(text, at))) {
      case Character::Space: space = !line.text.empty(); break;
      case Character::Hidden: line.left_out = true; break;
      case Character::Shown:
        line.cut = line.text.size() + (space ? 1 : 0) + (at - start) > most;
        if (line.cut) break;
        if (space) line.text += ' ';
        space = false;
        line.text += text.substr(start, at - start);
        break;
    }
  }
  return line;
}

}  // namespace steward::agent

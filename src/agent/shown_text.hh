#pragma once
// Text that others wrote, made fit to be shown: on one line, without what would change how the rest of the line is
// read.
//
// Inside of the room. Pure functions, any thread.

#include <string>
#include <string_view>

namespace steward::agent {

/// Takes one code point off `text` from `at` on, which it moves: by one, and U+FFFD, where there is no UTF-8.
char32_t next_point(std::string_view text, size_t& at);

/// Text of others, for a sentence: in quotes, cut after 60 octets, what may not be shown as \u{...}, and
/// octets that are no UTF-8 as \x...
std::string in_quotes(std::string_view text);

struct ShownLine {
  std::string text;
  bool left_out = false;  ///< characters that may not be shown
  bool cut = false;       ///< at `most` octets, between characters
};
/// Of sound UTF-8: white space of any kind as single spaces, none at the ends.
ShownLine one_line(std::string_view text, size_t most);

}  // namespace steward::agent

#pragma once
// The words of one line in presentation format, for tests: a zone file scanner without lines, comments and parentheses.

#include <string_view>
#include <vector>

#include "dns/token.hh"

namespace steward::test {

/// Cuts `text` at spaces outside of double quotes. A word in quotes loses them, quotes inside a word (`alpn="h2"`)
/// stay.
inline std::vector<dns::Token> words_of(std::string_view text) {
  std::vector<dns::Token> words;
  size_t at = 0;
  while (true) {
    while (at < text.size() && text[at] == ' ') ++at;
    if (at == text.size()) return words;
    dns::Token word;
    const size_t start = at;
    bool open = false;
    for (; at < text.size() && (open || text[at] != ' '); ++at) {
      if (text[at] == '"') open = !open;
      if (text[at] != '\\') continue;
      word.escaped = true;
      if (at + 1 < text.size()) ++at;
    }
    word.text = text.substr(start, at - start);
    word.quoted = word.text.size() >= 2 && word.text.front() == '"' && word.text.back() == '"';
    if (word.quoted) word.text = word.text.substr(1, word.text.size() - 2);
    word.line = 1;
    word.column = static_cast<uint32_t>(start + 1);
    words.push_back(word);
  }
}

}  // namespace steward::test

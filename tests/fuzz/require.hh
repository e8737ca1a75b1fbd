#pragma once
// What a fuzz target must hold: aborts in every build type, since assert() may be compiled out.

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace steward::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

/// Whether an error's text is fit for a log line and a terminal.
inline bool is_plain(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  return true;
}

}  // namespace steward::fuzz

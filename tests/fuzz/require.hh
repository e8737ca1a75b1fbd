#pragma once
// What a fuzz target must hold: aborts in every build type, since assert() may be compiled out.

#include <cstdio>
#include <cstdlib>

namespace steward::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

}  // namespace steward::fuzz

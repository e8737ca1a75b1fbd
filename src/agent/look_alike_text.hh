#pragma once
// What look-alikes are told by: the code points of a label, and the two forms of which equal ones are alike. Pure
// functions, any thread.

#include <string>
#include <string_view>

namespace steward::agent {

/// Of the U-label where it is a sound A-label; of the label as it is otherwise.
std::u32string label_points(std::string_view label);

/// Without `-`, `_` and `.`.
std::u32string without_separators(std::u32string_view points);
/// UTS #39 skeleton, with letters folded (RFC 4343).
std::u32string skeleton_of(std::u32string_view points);

/// How many edits still make a look-alike of two names of these numbers of code points: the shorter one decides, so
/// that it does not matter which of them came first.
constexpr unsigned edits_alike(size_t points, size_t other) {
  const size_t shorter = points < other ? points : other;
  return shorter <= 4 ? 0 : shorter <= 8 ? 1 : 2;
}

}  // namespace steward::agent

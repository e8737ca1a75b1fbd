#pragma once
// Skeletons of code points (UTS #39 §4), ascending; tools/make_skeletons.py says which. Constant; any thread.

#include <cstddef>

namespace steward::agent {

struct SkeletonRow {
  char32_t point;
  const char32_t* skeleton;
};

extern const SkeletonRow skeleton_table[];
extern const size_t skeleton_table_size;

}  // namespace steward::agent

#include "agent/look_alike_text.hh"

#include <algorithm>

#include "agent/a_label.hh"
#include "agent/skeleton_table.hh"

namespace steward::agent {

std::u32string label_points(std::string_view label) {
  std::string decoded;
  if (label.starts_with("xn--"))
    if (auto text = u_label(label)) decoded = std::move(*text), label = decoded;
  std::u32string points;
  points.reserve(label.size());
  for (size_t at = 0; at < label.size();) {
    const auto first = static_cast<unsigned char>(label[at]);
    const size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    // Octets that are no UTF-8 stand for themselves: such a label came from elsewhere, and is compared all the same.
    if (more == 0 || label.size() - at <= more) {
      points.push_back(first);
      ++at;
      continue;
    }
    auto point = static_cast<char32_t>(first & (0x3fU >> more));
    for (size_t i = 1; i <= more; ++i) point = point << 6 | (static_cast<unsigned char>(label[at + i]) & 0x3fU);
    points.push_back(point);
    at += more + 1;
  }
  return points;
}

std::u32string without_separators(std::u32string_view points) {
  std::u32string out;
  out.reserve(points.size());
  for (const char32_t point : points)
    if (point != U'-' && point != U'_' && point != U'.') out.push_back(point);
  return out;
}

std::u32string skeleton_of(std::u32string_view points) {
  std::u32string out;
  out.reserve(points.size());
  const SkeletonRow* const end = skeleton_table + skeleton_table_size;
  for (const char32_t point : points) {
    const SkeletonRow* row = std::lower_bound(
        skeleton_table, end, point, [](const SkeletonRow& have, char32_t wanted) { return have.point < wanted; });
    if (row != end && row->point == point)
      out += row->skeleton;
    else
      out.push_back(point);
  }
  return out;
}

}  // namespace steward::agent

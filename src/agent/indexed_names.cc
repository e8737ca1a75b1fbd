#include "agent/indexed_names.hh"

#include <algorithm>

namespace steward::agent {
namespace {

uint32_t units_for(size_t size, bool is_wide) {
  return static_cast<uint32_t>(1 + (size * (is_wide ? sizeof(char32_t) : 1) + sizeof(uint64_t) - 1) / sizeof(uint64_t));
}

bool needs_wide(std::u32string_view points) {
  return std::any_of(points.begin(), points.end(), [](char32_t point) { return point > 0xff; });
}

}  // namespace

std::u32string IndexedName::points() const {
  std::u32string out;
  out.reserve(size());
  for (size_t i = 0; i < size(); ++i) out.push_back((*this)[i]);
  return out;
}

uint32_t IndexedNames::add(std::u32string_view points, uint32_t publisher) {
  const bool is_wide = needs_wide(points);
  const uint32_t units = units_for(points.size(), is_wide);
  auto& reusable = free_[units];
  uint32_t number = 0;
  if (reusable.empty()) {
    number = units_.take(units);
  } else {
    number = reusable.back();
    reusable.pop_back();
  }
  uint64_t* const record = &units_[number];
  record[0] = uint64_t{publisher} << 32 | (is_wide ? 0x100U : 0U) | points.size();
  if (is_wide)
    std::memcpy(record + 1, points.data(), points.size() * sizeof(char32_t));
  else
    std::transform(points.begin(), points.end(), reinterpret_cast<uint8_t*>(record + 1),
                   [](char32_t point) { return static_cast<uint8_t>(point); });
  return number;
}

void IndexedNames::remove(uint32_t number) {
  const std::u32string points = (*this)[number].points();
  free_[units_for(points.size(), needs_wide(points))].push_back(number);
}

}  // namespace steward::agent

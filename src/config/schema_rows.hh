#pragma once
// What the parts of the table of keys share. Private to schema.cc and the files of its rows.

#include <cstdint>
#include <span>

#include "config/schema.hh"
#include "config/value.hh"

namespace steward::config {

using T = Target&;
using V = const Value&;

constexpr int64_t kib = 1024;
constexpr int64_t mib = kib * kib;
constexpr int64_t minute = 60;
constexpr int64_t hour = 60 * minute;
constexpr int64_t day = 24 * hour;
constexpr int64_t year = 365 * day;

inline Seconds seconds(V v) { return Seconds{v.number}; }
template <class N>
N as(V v) {
  return static_cast<N>(v.number);
}

/// `registry` and all below it.
std::span<const Row> registry_rows();
/// `resolver` and all below it.
std::span<const Row> resolver_rows();

}  // namespace steward::config

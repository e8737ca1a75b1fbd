#pragma once
// A time as octets in tables and states: seconds since 1970, eight octets in network byte order.

#include "base/bytes.hh"
#include "base/clock.hh"

namespace steward {

inline void append_time(Bytes& to, UnixTime time) {
  const auto seconds = static_cast<uint64_t>(seconds_of(time));
  append_u32(to, static_cast<uint32_t>(seconds >> 32));
  append_u32(to, static_cast<uint32_t>(seconds));
}

/// Any eight octets are a time; fewer make the reader not ok().
inline UnixTime read_time(ByteReader& in) {
  const auto high = static_cast<uint64_t>(in.u32());
  return unix_time(static_cast<int64_t>(high << 32 | in.u32()));
}

}  // namespace steward

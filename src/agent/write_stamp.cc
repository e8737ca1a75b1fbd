#include "agent/write_stamp.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::agent {

Result<void> check_stamp(uint64_t stamp, UnixTime now, Seconds most_ahead) {
  const auto latest = static_cast<uint64_t>(std::max<int64_t>(seconds_of(now + most_ahead), 0));
  if (stamp <= latest) return {};
  return fail(Errc::Refused, fmt::format("stamp {} is more than {} s ahead of the time here, {}", stamp,
                                         most_ahead.count(), seconds_of(now)));
}

Result<uint64_t> next_stamp(uint64_t seen, UnixTime now, Seconds most_ahead) {
  if (auto sound = check_stamp(seen, now, most_ahead); !sound) return tl::unexpected(sound.error());
  const uint64_t stamp = std::max(seen + 1, static_cast<uint64_t>(std::max<int64_t>(seconds_of(now), 0)));
  if (auto sound = check_stamp(stamp, now, most_ahead); !sound) return tl::unexpected(sound.error());
  return stamp;
}

Result<WriteStamp> next_write(const WriteStamp& seen, std::string_view replica, UnixTime now, Seconds most_ahead) {
  const auto stamp = next_stamp(seen.stamp, now, most_ahead);
  if (!stamp) return tl::unexpected(stamp.error());
  WriteStamp next{seen.clock, *stamp, std::string(replica)};
  ++next.clock[next.replica];
  if (next.clock.size() > max_replicas)
    return fail(Errc::Full, fmt::format("clock: no room for {} beside {} replicas", replica, max_replicas));
  return next;
}

}  // namespace steward::agent

#include "federation/clock.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace steward::federation {
namespace {

constexpr size_t max_replica_id = 32;

Result<uint64_t> count_from(std::string_view text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '0' || count > max_count)
    return fail(Errc::Invalid, "clock: a count from 1 to 2^53 - 1 without leading zeros wanted");
  return count;
}

uint64_t count_of(const VectorClock& clock, const std::string& replica) {
  const auto found = clock.find(replica);
  return found == clock.end() ? 0 : found->second;
}

bool is_covered(const VectorClock& clock, const VectorClock& by) {
  return std::ranges::all_of(clock, [&](const auto& row) { return row.second <= count_of(by, row.first); });
}

}  // namespace

ClockOrder compare(const VectorClock& a, const VectorClock& b) {
  const bool a_in_b = is_covered(a, b);
  const bool b_in_a = is_covered(b, a);
  if (a_in_b && b_in_a) return ClockOrder::Equal;
  if (a_in_b) return ClockOrder::Before;
  return b_in_a ? ClockOrder::After : ClockOrder::Concurrent;
}

VectorClock join(const VectorClock& a, const VectorClock& b) {
  VectorClock out = a;
  for (const auto& [replica, count] : b) {
    uint64_t& held = out[replica];
    held = std::max(held, count);
  }
  return out;
}

bool is_replica_id(std::string_view text) {
  return !text.empty() && text.size() <= max_replica_id &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

Result<VectorClock> clock_from_text(std::string_view text) {
  VectorClock clock;
  for (bool more = true; more;) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    const size_t colon = part.find(':');
    if (colon == std::string_view::npos || colon + 1 == part.size() || !is_replica_id(part.substr(0, colon)))
      return fail(Errc::Invalid,
                  "clock: <replica>:<count>,... wanted, a replica being 1 to 32 of a-z, 0-9 and the hyphen");
    const auto count = count_from(part.substr(colon + 1));
    if (!count) return tl::unexpected(count.error());
    std::string replica(part.substr(0, colon));
    if (!clock.empty() && clock.rbegin()->first >= replica)
      return fail(Errc::Invalid, "clock: replicas in order of their octets wanted, each once");
    if (clock.size() == max_replicas)
      return fail(Errc::Invalid, fmt::format("clock: more than {} replicas", max_replicas));
    clock.emplace_hint(clock.end(), std::move(replica), *count);
  }
  return clock;
}

std::string clock_to_text(const VectorClock& clock) {
  std::string text;
  for (const auto& [replica, count] : clock) text += fmt::format("{}{}:{}", text.empty() ? "" : ",", replica, count);
  return text;
}

}  // namespace steward::federation

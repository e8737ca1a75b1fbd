#include "dns/ttl.hh"

namespace steward::dns {
namespace {

constexpr uint32_t unit_seconds(char unit) {
  switch (unit | 0x20) {
    case 'w': return 604800;
    case 'd': return 86400;
    case 'h': return 3600;
    case 'm': return 60;
    case 's': return 1;
    default: return 0;
  }
}

// Seconds up to 2^32 - 1. `what` names the thing in errors.
Result<uint32_t> span_from_text(std::string_view text, uint32_t most, std::string_view what) {
  uint64_t total = 0;
  uint32_t last_unit = UINT32_MAX;
  size_t at = 0;
  const auto invalid = [&](std::string_view rule) {
    return fail(Errc::Invalid, std::string(what) + " \"" + std::string(text) + "\": " + std::string(rule));
  };
  do {
    const size_t start = at;
    uint64_t number = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      number = number * 10 + static_cast<uint64_t>(text[at] - '0');
      if (number > UINT32_MAX) return invalid("number is too large");
    }
    if (at == start) return invalid("seconds, or numbers with the units w d h m s, are expected");
    uint32_t unit = 1;
    if (at < text.size()) {
      unit = unit_seconds(text[at++]);
      if (unit == 0) return invalid("unit is none of w d h m s");
      if (unit >= last_unit) return invalid("units must go from the largest to the smallest");
      last_unit = unit;
    } else if (start != 0) {
      return invalid("last number has no unit");
    }
    total += number * unit;
    if (total > most) return invalid(most == max_ttl ? "is above 2147483647 (RFC 2181 §8)" : "is above 4294967295");
  } while (at < text.size());
  return static_cast<uint32_t>(total);
}

}  // namespace

Result<uint32_t> ttl_from_text(std::string_view text) { return span_from_text(text, max_ttl, "TTL"); }
Result<uint32_t> period_from_text(std::string_view text) { return span_from_text(text, UINT32_MAX, "time span"); }

}  // namespace steward::dns

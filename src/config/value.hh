#pragma once
// Scalars of registry.yaml: from text to a checked value, and back to one canonical spelling.

#include <string>
#include <string_view>

#include "base/result.hh"
#include "config/schema.hh"

namespace steward::config {

/// `text` as the row's type says; the error says what was expected, without a place. Relative paths count from
/// `folder`.
[[nodiscard]] Result<Value> parse_value(const Row& row, std::string_view text, const Path& folder);

/// "30d", "12h", "90s", "1d12h", "45" (seconds). Units w, d, h, m, s in descending order; y is 365 days.
[[nodiscard]] Result<int64_t> parse_duration(std::string_view text);
/// "64M", "1G", "512": octets, multiples of 1024.
[[nodiscard]] Result<int64_t> parse_size(std::string_view text);
constexpr int64_t fraction_one = 1'000'000;
/// "0.25", "1", ".5": millionths.
[[nodiscard]] Result<int64_t> parse_fraction(std::string_view text);
/// The shortest spelling: 250000 is "0.25".
[[nodiscard]] std::string fraction_text(int64_t millionths);
/// The shortest spelling: 86400 is "1d", 5400 is "1h30m", 0 is "0".
[[nodiscard]] std::string duration_text(int64_t seconds);
[[nodiscard]] std::string size_text(int64_t octets);

}  // namespace steward::config

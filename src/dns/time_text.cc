#include "dns/time_text.hh"

#include <algorithm>
#include <charconv>

namespace steward::dns {
namespace {

unsigned number(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
  return value;
}

void append_digits(std::string& out, unsigned value, unsigned width) {
  for (unsigned scale = width == 4 ? 1000 : 10; scale > 0; scale /= 10)
    out.push_back(static_cast<char>('0' + value / scale % 10));
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<UnixTime> time_from_text(std::string_view text) {
  const auto invalid = [&](std::string_view rule) {
    return fail(Errc::Invalid, "time \"" + std::string(text) + "\": " + std::string(rule));
  };
  if (text.size() != 14 || !all_digits(text))
    return invalid("fourteen digits YYYYMMDDHHmmSS are expected (RFC 4034 §3.2)");
  const unsigned year = number(text.substr(0, 4));
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(year)),
                                        std::chrono::month(number(text.substr(4, 2))),
                                        std::chrono::day(number(text.substr(6, 2)))};
  const unsigned hour = number(text.substr(8, 2));
  const unsigned minute = number(text.substr(10, 2));
  const unsigned second = number(text.substr(12, 2));
  if (year < 1970) return invalid("the year is before 1970");
  if (!day.ok()) return invalid("there is no such day");
  if (hour > 23 || minute > 59 || second > 59) return invalid("hours go to 23, minutes and seconds to 59");
  return std::chrono::sys_days(day) + std::chrono::hours(hour) + std::chrono::minutes(minute) + Seconds(second);
}

void append_time_text(std::string& out, UnixTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(days);
  const auto seconds = static_cast<unsigned>((time - days).count());
  append_digits(out, static_cast<unsigned>(static_cast<int>(day.year())), 4);
  append_digits(out, static_cast<unsigned>(day.month()), 2);
  append_digits(out, static_cast<unsigned>(day.day()), 2);
  append_digits(out, seconds / 3600, 2);
  append_digits(out, seconds / 60 % 60, 2);
  append_digits(out, seconds % 60, 2);
}

std::string time_to_text(UnixTime time) {
  std::string text;
  append_time_text(text, time);
  return text;
}

Result<uint32_t> rrsig_time_from_text(std::string_view text) {
  if (text.size() == 14) {
    const auto time = time_from_text(text);
    if (!time) return tl::unexpected(time.error());
    return static_cast<uint32_t>(seconds_of(*time));
  }
  uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (!all_digits(text) || error != std::errc{} || end != text.data() + text.size())
    return fail(Errc::Invalid,
                "time \"" + std::string(text) +
                    "\": fourteen digits YYYYMMDDHHmmSS, or seconds below 2^32, are expected (RFC 4034 §3.2)");
  return seconds;
}

}  // namespace steward::dns

#include "config/value.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "dns/encoding.hh"

namespace steward::config {
namespace {

struct Unit {
  char letter;
  int64_t factor;
};
constexpr std::array<Unit, 6> duration_units{
    {{'y', 365 * 86400}, {'w', 7 * 86400}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
constexpr std::array<Unit, 4> size_units{{{'T', int64_t{1} << 40}, {'G', 1 << 30}, {'M', 1 << 20}, {'K', 1 << 10}}};

/// Digits only, and no leading zero: `010` is ten to one reader and eight to another.
std::optional<int64_t> parse_digits(std::string_view text) {
  int64_t value = 0;
  if (text.empty() || text[0] == '-' || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view take_digits(std::string_view& text) {
  const size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

Result<Value> checked(const Row& row, int64_t number, std::string text) {
  if (number < row.least || number > row.most) return fail(Errc::Invalid, "out of range");
  Value value;
  value.number = number;
  value.text = std::move(text);
  return value;
}

Result<Bytes> decode_octets(std::string_view text) {
  if (!text.starts_with("0x")) return Bytes(text.begin(), text.end());
  if (text.size() == 2) return fail(Errc::Invalid, "no hex digits after 0x");
  return dns::decode(dns::hex, text.substr(2));
}

Result<Value> parse_choice(const Row& row, std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(),
                 [](char c) { return static_cast<char>(dns::fold(static_cast<uint8_t>(c))); });
  std::string_view left = row.choices;
  for (int64_t index = 0; !left.empty(); ++index) {
    const std::string_view choice = left.substr(0, left.find('|'));
    left.remove_prefix(std::min(choice.size() + 1, left.size()));
    if (choice != folded) continue;
    Value value;
    value.number = index;
    value.text = choice;
    return value;
  }
  return fail(Errc::Invalid, "not one of them");
}

Result<Value> parse_octets(const Row& row, std::string_view text) {
  auto octets = row.type == Type::Base64 ? dns::decode(dns::base64, text) : decode_octets(text);
  if (!octets) return tl::unexpected(octets.error());
  const auto size = static_cast<int64_t>(octets->size());
  if (size < row.least || size > row.most) return fail(Errc::Invalid, fmt::format("{} octets", size));
  Value value;
  value.octets = std::move(*octets);
  value.text = text;
  return value;
}

Result<Value> parse_text(const Row& row, std::string_view text, const Path& folder) {
  const bool clean =
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; });
  if (!clean) return fail(Errc::Invalid, "control characters");
  const auto size = static_cast<int64_t>(text.size());
  if (size < row.least || size > row.most) return fail(Errc::Invalid, fmt::format("{} octets", size));
  Value value;
  value.text = text;
  if (row.type == Type::File) {
    if (text.empty()) return fail(Errc::Invalid, "empty");
    value.path = (folder / Path(text)).lexically_normal();
    value.text = value.path.string();
  }
  return value;
}

Result<Value> parse_name(std::string_view text) {
  if (text.empty()) return fail(Errc::Invalid, "empty");
  const auto name = dns::Name::from_text(text);
  if (!name) return tl::unexpected(name.error());
  Value value;
  value.name = name->folded();
  value.text = value.name.to_text();
  return value;
}

Result<Value> parse_record_type(std::string_view text) {
  const auto type = dns::rr_type_from_text(text);
  if (!type) return fail(Errc::Invalid, "no such type");
  Value value;
  value.number = dns::value(*type);
  value.text = dns::to_text(*type);
  return value;
}

Result<Value> parse_pattern(std::string_view text) {
  auto pattern = parse_name_pattern(text);
  if (!pattern) return tl::unexpected(pattern.error());
  Value value;
  value.pattern = *pattern;
  value.text = to_text(*pattern);
  return value;
}

Result<Value> parse_address(const Row& row, std::string_view text) {
  auto address = SocketAddress::from_text(text, row.port);
  if (!address) return tl::unexpected(address.error());
  Value value;
  value.address = *address;
  value.port_given = text.find('@') != std::string_view::npos;
  value.text = address->to_text();
  return value;
}

Result<Value> parse_block(std::string_view text) {
  auto block = AddressBlock::from_text(text);
  if (!block) return tl::unexpected(block.error());
  Value value;
  value.block = *block;
  value.text = block->to_text();
  return value;
}

Result<Value> parse_flag(std::string_view text) {
  if (text != "true" && text != "false") return fail(Errc::Invalid, "neither");
  Value value;
  value.flag = text == "true";
  value.text = text;
  return value;
}

}  // namespace

Result<int64_t> parse_duration(std::string_view text) {
  if (const auto seconds = parse_digits(text)) return *seconds;
  int64_t sum = 0;
  auto unit = duration_units.begin();
  if (text.empty()) return fail(Errc::Invalid, "empty");
  while (!text.empty()) {
    const auto number = parse_digits(take_digits(text));
    if (!number || text.empty()) return fail(Errc::Invalid, "expected a number with a unit w, d, h, m or s");
    unit = std::find_if(unit, duration_units.end(), [&](const Unit& u) { return u.letter == text[0]; });
    if (unit == duration_units.end()) return fail(Errc::Invalid, "expected the units w, d, h, m, s in this order");
    int64_t part = 0;
    if (__builtin_mul_overflow(*number, unit->factor, &part) || __builtin_add_overflow(sum, part, &sum))
      return fail(Errc::Invalid, "too long");
    text.remove_prefix(1);
    ++unit;
  }
  return sum;
}

Result<int64_t> parse_size(std::string_view text) {
  if (const auto octets = parse_digits(text)) return *octets;
  const auto number = parse_digits(take_digits(text));
  const auto unit = std::find_if(size_units.begin(), size_units.end(),
                                 [&](const Unit& u) { return text == std::string_view(&u.letter, 1); });
  int64_t octets = 0;
  if (!number || unit == size_units.end()) return fail(Errc::Invalid, "expected a number, with K, M, G or T");
  if (__builtin_mul_overflow(*number, unit->factor, &octets)) return fail(Errc::Invalid, "too large");
  return octets;
}

Result<int64_t> parse_fraction(std::string_view text) {
  constexpr size_t most_digits = 6;
  const size_t point = text.find('.');
  const std::string_view behind = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const auto whole = point == 0 ? std::optional<int64_t>(0) : parse_digits(text.substr(0, point));
  const bool is_whole = point == std::string_view::npos;
  if (!whole || *whole > 1000 || behind.size() > most_digits || (!is_whole && behind.empty()))
    return fail(Errc::Invalid, "expected a number with at most six digits behind the point");
  // Behind the point, and there alone, a number may begin with 0: a 1 before it is taken off again.
  const auto part = parse_digits('1' + std::string(behind) + std::string(most_digits - behind.size(), '0'));
  if (!part) return fail(Errc::Invalid, "expected digits behind the point");
  return (*whole - 1) * fraction_one + *part;
}

std::string fraction_text(int64_t millionths) {
  std::string text = fmt::format("{}.{:06}", millionths / fraction_one, millionths % fraction_one);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string duration_text(int64_t seconds) {
  if (seconds == 0) return "0";
  std::string text;
  for (const Unit& unit : duration_units) {
    if (unit.letter == 'w' || seconds < unit.factor) continue;
    text += fmt::format("{}{}", seconds / unit.factor, unit.letter);
    seconds %= unit.factor;
  }
  return text;
}

std::string size_text(int64_t octets) {
  for (const Unit& unit : size_units)
    if (octets >= unit.factor && octets % unit.factor == 0)
      return fmt::format("{}{}", octets / unit.factor, unit.letter);
  return std::to_string(octets);
}

Result<Value> parse_value(const Row& row, std::string_view text, const Path& folder) {
  switch (row.type) {
    case Type::None: return fail(Errc::Invalid, "a single value");
    case Type::Flag: return parse_flag(text);
    case Type::Integer: {
      const auto number = parse_digits(text);
      if (!number) return fail(Errc::Invalid, "not a whole number");
      return checked(row, *number, std::to_string(*number));
    }
    case Type::Duration: {
      const auto seconds = parse_duration(text);
      if (!seconds) return tl::unexpected(seconds.error());
      return checked(row, *seconds, duration_text(*seconds));
    }
    case Type::Fraction: {
      const auto millionths = parse_fraction(text);
      if (!millionths) return tl::unexpected(millionths.error());
      return checked(row, *millionths, fraction_text(*millionths));
    }
    case Type::Size: {
      const auto octets = parse_size(text);
      if (!octets) return tl::unexpected(octets.error());
      return checked(row, *octets, size_text(*octets));
    }
    case Type::Text:
    case Type::File: return parse_text(row, text, folder);
    case Type::Name: return parse_name(text);
    case Type::Address: return parse_address(row, text);
    case Type::Block: return parse_block(text);
    case Type::Choice: return parse_choice(row, text);
    case Type::Base64:
    case Type::Octets: return parse_octets(row, text);
    case Type::RecordType: return parse_record_type(text);
    case Type::Pattern: return parse_pattern(text);
  }
  return fail(Errc::Invalid, "unknown type");
}

}  // namespace steward::config

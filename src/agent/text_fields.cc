#include "agent/text_fields.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "agent/shown_text.hh"
#include "crypto/digest.hh"
#include "dns/encoding.hh"

namespace steward::agent {

namespace {

constexpr size_t max_string = 255;
constexpr size_t max_key = 63;

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= max_key && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string_view key_of(std::string_view string) { return string.substr(0, string.find('=')); }

bool digits_at(std::string_view text, size_t from, size_t count, unsigned& out) {
  out = 0;
  for (const char c : text.substr(from, count)) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + static_cast<unsigned>(c - '0');
  }
  return true;
}

}  // namespace

Result<std::vector<TextField>> fields_from_txt(ByteView txt_rdata) {
  std::vector<TextField> fields;
  ByteReader in(txt_rdata);
  for (size_t number = 1; in.left() != 0; ++number) {
    const std::string_view string = as_text(in.bytes(in.u8()));
    if (!in.ok()) return fail(Errc::Invalid, fmt::format("string {}: ends early (RFC 1035 §3.3)", number));
    const std::string_view key = key_of(string);
    if (key.size() == string.size() || !is_key(key)) {
      return fail(Errc::Invalid, fmt::format("string {}: \"key=value\" with a key of a-z, 0-9 and - wanted", number));
    }
    const std::string_view value = string.substr(key.size() + 1);
    if (!fields.empty() && fields.back().key == key) {
      fields.back().value += value;
    } else if (find_field(fields, key)) {
      return fail(Errc::Invalid,
                  fmt::format("string {}: key {} is repeated, and not directly after itself", number, key));
    } else {
      fields.push_back({std::string(key), std::string(value)});
    }
  }
  if (fields.empty()) return fail(Errc::Invalid, "a TXT record with at least one string wanted (RFC 1035 §3.3.14)");
  return fields;
}

void append_field(Bytes& txt_rdata, std::string_view key, std::string_view value) {
  constexpr size_t usual_size = 160;  // of all fields together
  if (txt_rdata.empty()) txt_rdata.reserve(usual_size);
  const size_t room = max_string - key.size() - 1;
  do {
    const std::string_view part = value.substr(0, room);
    value.remove_prefix(part.size());
    append_u8(txt_rdata, static_cast<uint8_t>(key.size() + 1 + part.size()));
    append(txt_rdata, as_bytes(key));
    append_u8(txt_rdata, '=');
    append(txt_rdata, as_bytes(part));
  } while (!value.empty());
}

std::optional<std::string_view> find_field(std::span<const TextField> fields, std::string_view key) {
  for (const TextField& field : fields) {
    if (field.key == key) return field.value;
  }
  return std::nullopt;
}

Bytes signed_octets(std::string_view label, NameView agent, ByteView txt_rdata,
                    std::span<const std::string_view> left_out) {
  Bytes out;
  out.reserve(label.size() + 1 + agent.size() + txt_rdata.size());
  append(out, as_bytes(label));
  append_u8(out, 0);
  const size_t at = out.size();
  out.resize(at + agent.size());
  dns::fold_into(agent, &out[at]);
  ByteReader in(txt_rdata);
  while (in.left() != 0) {
    const uint8_t size = in.u8();
    const ByteView string = in.bytes(size);
    if (std::find(left_out.begin(), left_out.end(), key_of(as_text(string))) != left_out.end()) continue;
    append_u8(out, size);
    append(out, string);
  }
  return out;
}

Result<UnixTime> modified_from_text(std::string_view text) {
  namespace ch = std::chrono;
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  const bool shape = text.size() == 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' &&
                     text[16] == ':' && text[19] == 'Z' && digits_at(text, 0, 4, year) &&
                     digits_at(text, 5, 2, month) && digits_at(text, 8, 2, day) && digits_at(text, 11, 2, hour) &&
                     digits_at(text, 14, 2, minute) && digits_at(text, 17, 2, second);
  const ch::year_month_day date{ch::year(static_cast<int>(year)), ch::month(month), ch::day(day)};
  if (!shape || !date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 59) {
    return fail(Errc::Invalid,
                fmt::format("{}: a time such as 2025-11-21T13:00:00Z wanted (RFC 3339)", in_quotes(text)));
  }
  return UnixTime(ch::sys_days(date) + ch::hours(hour) + ch::minutes(minute) + Seconds(second));
}

std::string modified_to_text(UnixTime time) {
  namespace ch = std::chrono;
  const auto midnight = ch::floor<ch::days>(time);
  const ch::year_month_day date(midnight);
  const ch::hh_mm_ss clock(time - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

bool is_sha256_text(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  return text.size() == prefix.size() + 64 && text.starts_with(prefix) &&
         text.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

std::string sha256_text(ByteView data) { return "sha256:" + dns::encode(dns::hex_lower, crypto::sha256(data)); }

}  // namespace steward::agent

#include "base/log.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

namespace steward::log {
namespace {

std::atomic<Level> least_level{Level::Info};
std::atomic<Format> line_format{Format::Text};

std::string_view name_of(Level level) {
  switch (level) {
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Notice: return "notice";
    case Level::Warning: return "warning";
    case Level::Error: return "error";
  }
  return "error";
}

// Octets of the well-formed UTF-8 character at `text[at]` that may be shown; 0 where there is none. C1 controls and
// what is not UTF-8 may not.
size_t shown_utf8(std::string_view text, size_t at) {
  const auto octet = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = octet(at);
  const size_t size = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
  for (size_t i = 1; i < size; ++i)
    if ((octet(at + i) & 0xc0) != 0x80) return 0;
  if (lead == 0xc2 && octet(at + 1) < 0xa0) return 0;
  // Overlong forms, surrogates and what lies past U+10FFFF (RFC 3629 §3).
  const unsigned second = octet(at + 1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
      (lead == 0xf4 && second > 0x8f))
    return 0;
  return size;
}

// Control characters and what is not UTF-8 go out as escapes: a name from the wire must not steer the operator's terminal.
void append_quoted(std::string& line, std::string_view value, bool json) {
  line += '"';
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const auto octet = static_cast<unsigned char>(c);
    if (const size_t size = shown_utf8(value, i); size > 0) {
      line += value.substr(i, size);
      i += size - 1;
    } else if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (octet < 0x20 || octet >= 0x7f) {
      fmt::format_to(std::back_inserter(line), fmt::runtime(json ? "\\u{:04x}" : "\\x{:02x}"), octet);
    } else {
      line += c;
    }
  }
  line += '"';
}

bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value)
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=') return false;
  return true;
}

}  // namespace

void set_level(Level least) { least_level.store(least, std::memory_order_relaxed); }
void set_format(Format format) { line_format.store(format, std::memory_order_relaxed); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  const bool json = line_format.load(std::memory_order_relaxed) == Format::Json;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto millis = now.time_since_epoch().count() % 1000;
  const std::string stamp = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03d}Z",
                                        fmt::gmtime(std::chrono::system_clock::to_time_t(now)), millis);

  std::string line;
  if (json)
    line = fmt::format(R"({{"time":"{}","level":"{}","event":"{}")", stamp, name_of(level), event);
  else
    line = fmt::format("{} {:7} {}", stamp, name_of(level), event);
  for (const Field& field : fields) {
    if (json) {
      line += ',';
      append_quoted(line, field.key, true);
      line += ':';
    } else {
      line += ' ';
      line += field.key;
      line += '=';
    }
    if (field.number || (!json && is_plain(field.value)))
      line += field.value;
    else
      append_quoted(line, field.value, json);
  }
  line += json ? "}\n" : "\n";
  // A log that cannot be written is no reason to stop answering.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace steward::log

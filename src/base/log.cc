#include "base/log.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "base/utf8.hh"

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

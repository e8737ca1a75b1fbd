#include "cli/console.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace steward::cli {
namespace {

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::Plain: return "";
    case Tone::Good: return "\x1b[32m";
    case Tone::Bad: return "\x1b[31m";
    case Tone::Warn: return "\x1b[33m";
    case Tone::Dim: return "\x1b[2m";
  }
  return "";
}

/// Characters on a terminal, near enough: octets that begin one in UTF-8.
size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

int Console::failed(const Error& error) {
  end_progress();
  err_ << toned(Tone::Bad, program_ + ": ") << printable(error.what) << '\n';
  return exit_code = exit_failed;
}

void Console::warn(std::string_view text) { err_ << toned(Tone::Warn, "warning: ") << printable(text) << '\n'; }

void Console::note(std::string_view text) {
  end_progress();
  err_ << printable(text) << '\n';
}

std::string Console::toned(Tone tone, std::string_view text) const {
  if (!color_ || tone == Tone::Plain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", code_of(tone), text);
}

void Console::progress(uint64_t done, uint64_t total, std::string_view what, std::string_view beside) {
  using namespace std::chrono_literals;
  if (!interactive_ || total == 0) return;
  const auto now = std::chrono::steady_clock::now();
  pace_.note(done, now);
  if (now - begun_ < 1s) return;
  constexpr uint64_t cells = 20;
  const auto part = static_cast<double>(std::min(done, total)) / static_cast<double>(total);
  const auto full = static_cast<size_t>(part * static_cast<double>(cells));
  std::string text = fmt::format("{} [{}{}] {:.0f}%", printable(what), std::string(full, '#'), std::string(cells - full, ' '), part * 100);
  if (!beside.empty()) text += fmt::format(", {}", printable(beside));
  if (const auto left = pace_.seconds_left(total)) text += fmt::format(", {} left", human_duration(*left));
  err_ << '\r' << text << "\x1b[K";
  err_.flush();
  drawn_ = true;
}

void Console::end_progress() {
  if (!drawn_) return;
  err_ << "\r\x1b[K";
  err_.flush();
  drawn_ = false;
}

std::string Table::text() const {
  std::vector<size_t> widths;
  for (const auto& cells : rows_) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width(printable(cells[i])));
  }
  std::string out;
  for (const auto& cells : rows_) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = printable(cells[i]);
      const std::string blank(widths[i] - width(cell), ' ');
      line += (i == 0 ? "" : "  ") + (is_number(cell) ? blank + cell : cell + blank);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto octet = static_cast<uint8_t>(out[i]);
    // C1 controls come as C2 80 to C2 9F in UTF-8.
    const bool c1 = octet == 0xC2 && i + 1 < out.size() && static_cast<uint8_t>(out[i + 1]) < 0xA0;
    if ((octet < 0x20 && octet != '\n') || octet == 0x7F || c1) out[i] = '?';
    if (c1) out[++i] = '?';
  }
  return out;
}

std::string human_duration(int64_t seconds) {
  constexpr std::array<std::pair<int64_t, char>, 4> units{{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  std::string out;
  int parts = 0;
  for (const auto& [size, letter] : units) {
    if (seconds < size && parts == 0) continue;
    if (parts == 2) break;
    if (seconds >= size) out += fmt::format("{}{}", seconds / size, letter);
    seconds %= size;
    ++parts;
  }
  return out.empty() ? "0s" : out;
}

std::string human_size(uint64_t octets) {
  constexpr std::array<std::string_view, 5> units{"octets", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(octets);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} octets", octets) : fmt::format("{:.1f} {}", value, units.at(unit));
}

std::string human_time(int64_t unix_seconds) {
  // Years 1970 to 9999: what gmtime and the format below surely take.
  constexpr int64_t last = 253402300799;
  if (unix_seconds < 0 || unix_seconds > last) return "-";
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

}  // namespace steward::cli

#pragma once
// What a command writes to, and how: results on `out`, errors and progress on `err`, colour only for a person's eyes.

#include <chrono>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "cli/pace.hh"

namespace steward::cli {

enum ExitCode : int { exit_done = 0, exit_failed = 1, exit_usage = 2 };

enum class Tone : uint8_t { Plain, Good, Bad, Warn, Dim };

class Console {
 public:
  /// `interactive`: `err` is a terminal, so that progress may be drawn. `program`: what errors begin with.
  Console(std::ostream& out, std::ostream& err, bool color, bool interactive, std::string_view program = "steward-registry")
      : out_(out), err_(err), program_(program), color_(color), interactive_(interactive) {}

  [[nodiscard]] std::ostream& out() { return out_; }
  [[nodiscard]] std::ostream& err() { return err_; }
  void line(std::string_view text) { out_ << text << '\n'; }
  /// "<program>: …" on `err`, and the exit code for it.
  int failed(const Error& error);
  void warn(std::string_view text);
  /// A line on `err` that is neither a result nor wrong.
  void note(std::string_view text);
  [[nodiscard]] std::string toned(Tone tone, std::string_view text) const;

  /// Whether somebody watches `err`.
  [[nodiscard]] bool is_interactive() const { return interactive_; }

  /// A bar that shows itself once the work has taken a second, on a terminal only: how much of it is done, `beside` where there is more to
  /// say, and how long it will take yet.
  void progress(uint64_t done, uint64_t total, std::string_view what, std::string_view beside = {});
  void end_progress();

  int exit_code = exit_done;

 private:
  std::ostream& out_;
  std::ostream& err_;
  std::string program_;
  bool color_;
  bool interactive_;
  bool drawn_ = false;
  Pace pace_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

/// Columns as wide as their widest cell; numbers stand to the right. Text from elsewhere is stripped of control
/// characters.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  /// With the header in capitals, two spaces between columns, no trailing space.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Without the control characters that a terminal would act on: '?' in their place.
[[nodiscard]] std::string printable(std::string_view text);
/// "3d4h", "12m5s": the two largest units. Negative durations as "0s".
[[nodiscard]] std::string human_duration(int64_t seconds);
/// "12.5 MiB".
[[nodiscard]] std::string human_size(uint64_t octets);
/// "2026-01-31 12:00:00 UTC".
[[nodiscard]] std::string human_time(int64_t unix_seconds);

}  // namespace steward::cli

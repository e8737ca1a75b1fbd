#include "cli/program.hh"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>

namespace steward::cli {
namespace {

/// https://no-color.org: any non-empty NO_COLOR; and where nobody would see it.
bool wants_color() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return (no_color == nullptr || *no_color == '\0') && !dumb && ::isatty(STDOUT_FILENO) == 1 &&
         ::isatty(STDERR_FILENO) == 1;
}

}  // namespace

int run_app(CLI::App& app, int argc, const char* const* argv, Console& console) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 has an exit code of its own for each kind of mistake; all of them are wrong usage.
    return app.exit(error, console.out(), console.err()) == 0 ? exit_done : exit_usage;
  }
  return console.exit_code;
}

int run_program(std::string_view name, const std::function<int(Console&)>& run) {
  try {
    Console console(std::cout, std::cerr, wants_color(), ::isatty(STDERR_FILENO) == 1, name);
    const int code = run(console);
    std::cout.flush();
    // A full disk or a closed pipe behind the output is a failure too.
    return std::cout.good() || code != exit_done ? code : exit_failed;
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return exit_failed;
  }
}

}  // namespace steward::cli

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "cli/commands.hh"
#include "daemon/serve.hh"

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

int main(int argc, char** argv) {
  using namespace steward;
  try {
    cli::Console console(std::cout, std::cerr, wants_color(), ::isatty(STDERR_FILENO) == 1);
    const int code = cli::run_registry(argc, argv, console, &daemon::serve);
    std::cout.flush();
    // A full disk or a closed pipe behind the output is a failure too.
    return std::cout.good() || code != cli::exit_done ? code : cli::exit_failed;
  } catch (const std::exception& error) {
    std::cerr << "steward-registry: " << error.what() << '\n';
    return cli::exit_failed;
  }
}

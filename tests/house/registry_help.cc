#include <iostream>

#include "cli/commands.hh"

int main(int argc, char** argv) {
  steward::cli::Console console(std::cout, std::cerr, false, false);
  return steward::cli::run_registry(argc, argv, console, [](const steward::daemon::ServeOptions&) { return 0; });
}

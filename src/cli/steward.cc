#include "cli/client_commands.hh"
#include "cli/program.hh"

int main(int argc, char** argv) {
  using namespace steward;
  return cli::run_program("steward", [&](cli::Console& console) { return cli::run_steward(argc, argv, console); });
}

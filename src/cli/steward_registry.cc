#include "cli/commands.hh"
#include "cli/program.hh"
#include "daemon/serve.hh"

int main(int argc, char** argv) {
  using namespace steward;
  return cli::run_program("steward-registry", [&](cli::Console& console) {
    return cli::run_registry(argc, argv, console, &daemon::serve);
  });
}

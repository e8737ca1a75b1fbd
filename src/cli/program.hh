#pragma once
// What both programs do around their commands. Called from main(), once.

#include <functional>
#include <string_view>

#include "cli/console.hh"

namespace CLI {
class App;
}

namespace steward::cli {

/// Takes the command line apart, runs the command that it names, and gives the exit status.
int run_app(CLI::App& app, int argc, const char* const* argv, Console& console);

/// Runs the command line on the standard streams and gives the exit status: also a failure where the output could not
/// be written, or something threw.
int run_program(std::string_view name, const std::function<int(Console&)>& run);

}  // namespace steward::cli

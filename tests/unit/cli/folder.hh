#pragma once
// What the tests of this room share: a folder of their own, and a run of the command line with its output.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

#include "cli/commands.hh"

namespace steward::cli {

class TestFolder {
 public:
  TestFolder() {
    char name[] = "/tmp/steward-cli-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  void write(const std::string& name, std::string_view text) const { std::ofstream(path / name) << text; }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path / name).rdbuf();
    return text.str();
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path / name).string(); }

  std::filesystem::path path;
};

/// What `serve` was called with last.
inline daemon::ServeOptions& served() {
  static daemon::ServeOptions options;
  return options;
}

struct Ran {
  int code;
  std::string out;
  std::string err;
};

inline Ran run(std::initializer_list<std::string> arguments) {
  std::vector<const char*> argv{"steward-registry"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, false, false);
  const int code =
      run_registry(static_cast<int>(argv.size()), argv.data(), console, [](const daemon::ServeOptions& options) {
        served() = options;
        return 0;
      });
  return {code, out.str(), err.str()};
}

inline bool has(std::string_view text, std::string_view part) {
  INFO(text);
  CHECK_MESSAGE(text.find(part) != std::string_view::npos, part);
  return true;
}

}  // namespace steward::cli

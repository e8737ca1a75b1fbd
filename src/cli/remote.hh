#pragma once
// What all commands that ask the running server share: how it is found, and how its reply is shown.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "cli/console.hh"
#include "cli/control_client.hh"

namespace CLI {
class App;
}

namespace steward::cli {

/// The options of such a command; shared with its callback, which outlives the function that adds it.
struct Remote {
  std::string config;   ///< empty: the first of the default places that exists
  std::string control;  ///< the socket itself; empty: as the configuration says
  int timeout = 30;     ///< seconds
  bool json = false;
};

enum class JsonOption : uint8_t { Offered, Left };

/// Adds --config, --control, --timeout and, where the command shows something, --json.
std::shared_ptr<Remote> add_remote_options(CLI::App& command, JsonOption json);

/// registry.yaml: `given`, else ./registry.yaml, else /etc/steward-registry/registry.yaml; NotFound names them.
[[nodiscard]] Result<std::string> find_config(const std::string& given);
/// Of the option that gives it.
constexpr const char* config_help = "Configuration; default registry.yaml here, in steward-registry.d or in /etc/steward-registry";

/// The control socket of the server: --control, or as the configuration says.
[[nodiscard]] Result<std::filesystem::path> socket_of(const Remote& remote);

/// Sends the request and shows each result line: the server's own text with --json, else through `show`. Sets the exit
/// code. `judge` sees each line in both cases.
void ask(Console& console, const Remote& remote, const Json& request, const std::function<void(const Json&)>& show,
         const std::function<void(const Json&)>& judge = {});

/// The same, and leaves the failure to the caller: NotFound where nobody listens.
[[nodiscard]] Result<void> ask_at(Console& console, const Remote& remote, const std::filesystem::path& socket, const Json& request,
                                  const std::function<void(const Json&)>& show,
                                  const std::function<void(const Json&)>& judge = {});

/// Fields of a reply for people: "-" where the field is missing, null or of another type.
[[nodiscard]] std::string text_field(const Json& object, const char* key);
/// The words of a list, ", " between them; "-" where there is none.
[[nodiscard]] std::string joined(const Json& list);
[[nodiscard]] std::string number_field(const Json& object, const char* key);
[[nodiscard]] std::string time_field(const Json& object, const char* key);
[[nodiscard]] bool flag_field(const Json& object, const char* key);
/// The member, or an empty value of its kind.
[[nodiscard]] const Json& list_field(const Json& object, const char* key);
[[nodiscard]] const Json& object_field(const Json& object, const char* key);
/// {"at", "what"} as "re-sign 2026-01-31 12:00:00 UTC".
[[nodiscard]] std::string event_field(const Json& object, const char* key);

}  // namespace steward::cli

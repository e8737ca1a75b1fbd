#include "cli/remote.hh"

#include <fmt/format.h>

#include <CLI/App.hpp>

#include <array>
#include <filesystem>

#include "config/loader.hh"

namespace steward::cli {
namespace {

// Here; where `serve --namespace` makes its folder; the system's.
constexpr std::array<const char*, 3> default_configs{"registry.yaml", "steward-registry.d/registry.yaml", "/etc/steward-registry/registry.yaml"};

}  // namespace

std::shared_ptr<Remote> add_remote_options(CLI::App& command, JsonOption json) {
  auto remote = std::make_shared<Remote>();
  command
      .add_option("--config", remote->config,
                  config_help)
      ->type_name("FILE");
  command.add_option("--control", remote->control, "Control socket of the server, instead of the configuration's")
      ->type_name("SOCKET");
  command.add_option("--timeout", remote->timeout, "Seconds that the server may be silent")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  if (json == JsonOption::Offered) command.add_flag("--json", remote->json, "Print the server's JSON");
  return remote;
}

Result<std::string> find_config(const std::string& given) {
  if (!given.empty()) return given;
  for (const char* path : default_configs)
    if (std::error_code error; std::filesystem::exists(path, error)) return path;
  return fail(Errc::NotFound, fmt::format("no configuration: none of {}, {} and {} is there; give --config FILE",
                                          default_configs[0], default_configs[1], default_configs[2]));
}

Result<std::filesystem::path> socket_of(const Remote& remote) {
  if (!remote.control.empty()) return remote.control;
  const auto file = find_config(remote.config);
  if (!file) return tl::unexpected(file.error());
  auto config = config::load_file(*file);
  if (!config)
    return fail(config.error().code,
                config.error().what + "\n(the running server is not affected; --control reaches it meanwhile)");
  return config->control;
}

void ask(Console& console, const Remote& remote, const Json& request, const std::function<void(const Json&)>& show,
         const std::function<void(const Json&)>& judge) {
  const auto socket = socket_of(remote);
  if (!socket) {
    console.failed(socket.error());
    return;
  }
  if (const auto answered = ask_at(console, remote, *socket, request, show, judge); !answered)
    console.failed(answered.error());
}

Result<void> ask_at(Console& console, const Remote& remote, const std::filesystem::path& socket, const Json& request,
                    const std::function<void(const Json&)>& show, const std::function<void(const Json&)>& judge) {
  const ControlClient client(socket, std::chrono::seconds(remote.timeout));
  const auto on_line = [&](const ControlLine& line) {
    console.end_progress();
    if (judge) judge(line.json);
    if (remote.json)
      console.line(line.text);
    else
      show(line.json);
  };
  const auto on_progress = [&](uint64_t done, uint64_t total, std::string_view what) {
    console.progress(done, total, what);
  };
  auto answered = client.call(request, on_line, on_progress);
  console.end_progress();
  return answered;
}

std::string joined(const Json& list) {
  std::string out;
  for (const Json& item : list)
    if (item.is_string()) out += (out.empty() ? "" : ", ") + item.get<std::string>();
  return out.empty() ? "-" : out;
}

std::string text_field(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() && !at->get_ref<const std::string&>().empty() ? at->get<std::string>()
                                                                                             : "-";
}

std::string number_field(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number() ? at->dump() : "-";
}

std::string time_field(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? human_time(at->get<int64_t>()) : "-";
}

bool flag_field(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_boolean() && at->get<bool>();
}

const Json& list_field(const Json& object, const char* key) {
  static const Json none = Json::array();
  const auto at = object.find(key);
  return at != object.end() && at->is_array() ? *at : none;
}

const Json& object_field(const Json& object, const char* key) {
  static const Json none = Json::object();
  const auto at = object.find(key);
  return at != object.end() && at->is_object() ? *at : none;
}

std::string event_field(const Json& object, const char* key) {
  const Json& event = object_field(object, key);
  return event.empty() ? "-" : fmt::format("{} {}", text_field(event, "what"), time_field(event, "at"));
}

}  // namespace steward::cli

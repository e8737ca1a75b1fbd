#include "steward/settings.hh"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "base/address.hh"
#include "base/file.hh"
#include "client/failure.hh"
#include "client/text_file.hh"
#include "config/syntax.hh"
#include "dns/encoding.hh"
#include "dns/name.hh"

namespace steward::client {
namespace {

using config::Node;
using config::NodeKind;
using config::Problem;
using std::filesystem::path;

constexpr size_t max_settings_size = size_t{1} << 20;

/// What one key of the file does with its value; false: not what was expected.
struct Key {
  std::string_view name;
  std::string_view expected;
  bool (*take)(const Node& value, const path& folder, Settings& settings);
};

bool is_text(const Node& value) { return value.kind == NodeKind::Scalar && !value.text.empty(); }

std::string resolved(const path& folder, const std::string& text) {
  return (folder / text).lexically_normal().string();
}

bool is_name(const std::string& text) { return dns::Name::from_text(text).has_value(); }

bool take_pin(const Node& value, Settings& settings) {
  constexpr size_t digest_size = 32;
  const auto digest = dns::decode(dns::base64, value.text);
  if (!is_text(value) || !digest || digest->size() != digest_size) return false;
  settings.tls_pins.push_back(value.text);
  return true;
}

// One, or a list of them: a registry that changes its key is told beforehand.
bool take_pins(const Node& value, Settings& settings) {
  if (value.kind != NodeKind::List) return take_pin(value, settings);
  for (const Node& one : value.items)
    if (!take_pin(one, settings)) return false;
  return !value.items.empty();
}

bool take_tls(const Node& value, const path& folder, Settings& settings) {
  if (value.kind != NodeKind::Map) return false;
  settings.tls = true;
  for (const config::Entry& entry : value.entries) {
    if (entry.key.text == "pin") {
      if (!take_pins(entry.value, settings)) return false;
      continue;
    }
    if (!is_text(entry.value)) return false;
    if (entry.key.text == "name" && is_name(entry.value.text))
      settings.tls_name = entry.value.text;
    else if (entry.key.text == "authorities")
      settings.tls_authorities = resolved(folder, entry.value.text);
    else
      return false;
  }
  // Who trusts a key does not ask who else does: one way to know the registry, not two.
  return settings.tls_pins.empty() || settings.tls_authorities.empty();
}

bool take_timeout(const Node& value, const path&, Settings& settings) {
  unsigned seconds = 0;
  const std::string& text = value.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (!is_text(value) || error != std::errc{} || end != text.data() + text.size() || seconds == 0 || seconds > 600)
    return false;
  settings.timeout = std::chrono::seconds(seconds);
  return true;
}

constexpr Key keys[] = {
    {"registry", "ADDRESS@PORT",
     [](const Node& value, const path&, Settings& settings) {
       settings.registry = value.text;
       return is_text(value) && SocketAddress::from_text(value.text).has_value();
     }},
    {"namespace", "a namespace below the apex",
     [](const Node& value, const path&, Settings& settings) {
       settings.name_space = value.text;
       return is_text(value) && is_name(value.text);
     }},
    {"apex", "a domain name",
     [](const Node& value, const path&, Settings& settings) {
       settings.apex = value.text;
       return is_text(value) && is_name(value.text);
     }},
    {"trust-anchor", "a file of DS or DNSKEY records",
     [](const Node& value, const path& folder, Settings& settings) {
       settings.trust_anchor = resolved(folder, value.text);
       return is_text(value);
     }},
    {"known-agents", "a file",
     [](const Node& value, const path& folder, Settings& settings) {
       settings.known_agents = resolved(folder, value.text);
       return is_text(value);
     }},
    {"tls", "a map with `name`, and `authorities` where they are not the system's; or with `pin`, 44 characters of base64, or a list of them", take_tls},
    {"timeout", "seconds, 1 to 600", take_timeout},
};

std::string home_folder() {
  if (const char* folder = std::getenv("XDG_CONFIG_HOME"); folder != nullptr && *folder == '/') return folder;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return std::string(home) + "/.config";
  return {};
}

void read_keys(const Node& root, const path& folder, Settings& settings, std::vector<Problem>& problems) {
  if (root.kind != NodeKind::Map) {
    problems.push_back({root.at, "expected a map of settings"});
    return;
  }
  for (const config::Entry& entry : root.entries) {
    const auto* key =
        std::find_if(std::begin(keys), std::end(keys), [&](const Key& k) { return k.name == entry.key.text; });
    if (key == std::end(keys))
      problems.push_back({entry.key.at, fmt::format("unknown key '{}'", config::shown(entry.key.text))});
    else if (!key->take(entry.value, folder, settings))
      problems.push_back({entry.value.at, fmt::format("{}: expected {}", key->name, key->expected)});
  }
  // Of a registry that is found, the DNS says the name.
  const bool is_known = !settings.tls_name.empty() || !settings.tls_pins.empty();
  if (const Node* tls = root.find("tls"); tls != nullptr && problems.empty() && !settings.registry.empty() && !is_known)
    problems.push_back({tls->at, "tls: `name` or `pin` is needed, by which the registry is known"});
}

}  // namespace

Outcome<Settings> Settings::load(const std::string& file) {
  const auto text = read_text_file(file, max_settings_size);
  if (!text) return failure_of(text.error());
  Settings settings;
  settings.known_agents = (path(file).parent_path() / "known_agents").string();
  std::vector<Problem> problems;
  const auto root = config::parse_yaml(*text);
  if (root)
    read_keys(*root, path(file).parent_path(), settings, problems);
  else
    problems = root.error();
  if (problems.empty()) return settings;
  std::string what;
  for (const Problem& problem : problems)
    what +=
        fmt::format("{}{}:{}:{}: {}", what.empty() ? "" : "\n", file, problem.at.line, problem.at.column, problem.what);
  return Failure{Fault::Invalid, std::move(what)};
}

std::string Settings::default_file() {
  const std::string folder = home_folder();
  return folder.empty() ? folder : folder + "/steward/config.yaml";
}

std::string Settings::default_known_agents() {
  const std::string folder = home_folder();
  return folder.empty() ? folder : folder + "/steward/known_agents";
}

}  // namespace steward::client

#include <fmt/format.h>

#include <CLI/App.hpp>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "config/loader.hh"
#include "crypto/identity.hh"

namespace steward::cli {
namespace {

constexpr const char* system_folder = "/etc/steward-registry";

struct KeygenOptions {
  std::string algorithm = "rsa4096";
  std::string out;
  std::string config;
  bool json = false;
};

/// Where --out says, else where the configuration has registry.identity, else in the system's folder.
Result<std::filesystem::path> path_of(const KeygenOptions& options, crypto::IdentityKind kind) {
  if (options.out.empty()) {
    const auto file = find_config(options.config);
    const auto config = file ? config::load_file(*file) : Result<config::Config>(tl::unexpected<Error>(file.error()));
    if (config && config->registry && !config->registry->identity.empty()) return config->registry->identity;
    if (!options.config.empty())
      return config ? fail(Errc::NotFound, options.config + ": has no registry.identity; give --out DIR") : tl::unexpected<Error>(config.error());
  }
  return std::filesystem::path(options.out.empty() ? system_folder : options.out) /
         (kind == crypto::IdentityKind::Rsa4096 ? "registry_id_rsa" : "registry_id_ed25519");
}

void keygen(Console& console, const KeygenOptions& options) {
  const auto report = [&](const Error& error) { console.failed(error); };
  const auto kind = crypto::identity_kind_from_text(options.algorithm);
  if (!kind) return report(kind.error());
  const auto place = path_of(options, *kind);
  if (!place) return report(place.error());
  const std::string path = *place;
  std::error_code error;
  const std::filesystem::path folder = place->parent_path().empty() ? "." : place->parent_path();
  std::filesystem::create_directories(folder, error);
  if (error) return report({Errc::Io, fmt::format("{}: {}", folder.string(), error.message())});
  if (std::filesystem::exists(path, error))
    return report({Errc::Exists, fmt::format("{}: is there already; an identity is never overwritten", path)});
  const auto identity = crypto::Identity::generate(*kind);
  if (!identity) return report(identity.error());
  if (const auto saved = identity->save(path); !saved) return report(saved.error());
  if (options.json) {
    nlohmann::json json{{"private_key", path},
                        {"public_key", path + ".pub"},
                        {"algorithm", options.algorithm},
                        {"fingerprint", identity->fingerprint()},
                        {"key", identity->key_text()}};
    console.line(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  console.line(fmt::format("Private key: {}", path));
  console.line(fmt::format("Public key: {}.pub", path));
  console.line(fmt::format("Fingerprint: {}", identity->fingerprint()));
  console.line(fmt::format("KEY: {}", identity->key_text()));
}

}  // namespace

void add_keygen(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("keygen", "Make the registry's identity key");
  command->footer(
      "Examples:\n  steward-registry keygen\n  steward-registry keygen --algorithm ed25519 --out acme/keys");
  auto options = std::make_shared<KeygenOptions>();
  command->add_option("--algorithm", options->algorithm, "Kind of key")
      ->check(CLI::IsMember({"rsa4096", "ed25519"}))
      ->capture_default_str();
  CLI::Option* out = command->add_option("--out", options->out,
                                         "Folder for registry_id_rsa or registry_id_ed25519, and its .pub; default where the configuration has "
                                         "registry.identity, without one /etc/steward-registry")
                         ->type_name("DIR");
  command->add_option("--config", options->config, config_help)->type_name("FILE")->excludes(out);
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->callback([&console, options] { keygen(console, *options); });
}

}  // namespace steward::cli

#include <fmt/format.h>

#include <CLI/App.hpp>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.hh"
#include "crypto/identity.hh"

namespace steward::cli {
namespace {

struct KeygenOptions {
  std::string algorithm = "rsa4096";
  std::string out = "/etc/steward-registry";
  bool json = false;
};

void keygen(Console& console, const KeygenOptions& options) {
  const auto report = [&](const Error& error) { console.failed(error); };
  const auto kind = crypto::identity_kind_from_text(options.algorithm);
  if (!kind) return report(kind.error());
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) return report({Errc::Io, fmt::format("{}: {}", options.out, error.message())});
  const std::string path = std::filesystem::path(options.out) /
                           (*kind == crypto::IdentityKind::Rsa4096 ? "registry_id_rsa" : "registry_id_ed25519");
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
  command->add_option("--out", options->out, "Folder for registry_id_rsa or registry_id_ed25519, and its .pub")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->callback([&console, options] { keygen(console, *options); });
}

}  // namespace steward::cli

#include "cli/tls_check.hh"

#include <fmt/format.h>

#include <filesystem>

#include "config/walker.hh"
#include "crypto/certificate.hh"
#include "crypto/secret_file.hh"
#include "crypto/tls.hh"

namespace steward::cli {
namespace {

// The key whose file the reason begins with.
std::string where(const config::Config& config, const std::string& why) {
  const std::pair<const char*, const config::Path*> files[] = {
      {"tls.key", &config.tls.key}, {"tls.client-ca", &config.tls.client_ca}, {"tls.certificate", &config.tls.certificate}};
  for (const auto& [key, file] : files)
    if (!file->empty() && why.starts_with(file->string() + ":") && config.settings.contains(key)) return config.where(key);
  return config.where("tls");
}

void check_server(const config::Config& config, std::vector<std::string>& errors) {
  const config::TlsConfig& tls = config.tls;
  std::error_code ignored;
  const bool is_given = config.settings.contains("tls.certificate");
  if (tls.certificate.empty() || (!is_given && !std::filesystem::exists(tls.certificate.string(), ignored))) return;
  const auto opened = crypto::TlsServerContext::open({.certificate = tls.certificate.string(),
                                                      .key = tls.key.string(),
                                                      .client_ca = tls.client_ca.string(),
                                                      .require_client_certificate = tls.require_client_certificate,
                                                      .registries = tls.registries});
  if (!opened) errors.push_back(fmt::format("{}: tls: {}", where(config, opened.error().what), opened.error().what));
}

void check_peer(const config::Config& config, const config::Peer& peer, std::vector<std::string>& errors) {
  if (!peer.tls || peer.tls->registry || (peer.tls->ca.empty() && peer.tls->certificate.empty())) return;
  using Verify = crypto::TlsClientOptions::Verify;
  crypto::TlsClientOptions options;
  options.verify = peer.tls->opportunistic ? Verify::Nobody : !peer.tls->pins.empty() ? Verify::Pin : Verify::Authority;
  options.name = peer.tls->name;
  options.authorities = peer.tls->ca.string();
  options.pins = peer.tls->pins;
  options.certificate = peer.tls->certificate.string();
  options.key = peer.tls->key.string();
  if (const auto opened = crypto::TlsClientContext::open(std::move(options)); !opened)
    errors.push_back(fmt::format("{}: tls of {}: {}", config::at_text(config.file, peer.at), peer.address.to_text(), opened.error().what));
}

void check_peers(const config::Config& config, const std::vector<config::Peer>& peers, std::vector<std::string>& errors) {
  for (const config::Peer& peer : peers) check_peer(config, peer, errors);
}

// Where it is not there yet, the root registry is yet to make it.
void check_root(const config::Config& config, std::vector<std::string>& errors) {
  const std::string file = config.registry ? config.registry->root_ca.string() : std::string();
  std::error_code ignored;
  if (file.empty() || !std::filesystem::exists(file, ignored)) return;
  const auto text = crypto::read_small_file(file);
  const auto certificates = text ? crypto::certificates_from_pem(*text) : Result<std::vector<Bytes>>(tl::unexpected<Error>(text.error()));
  if (!certificates) errors.push_back(fmt::format("{}: {}: {}", config.where("registry.root-ca"), file, certificates.error().what));
}

}  // namespace

std::vector<std::string> tls_errors(const config::Config& config) {
  std::vector<std::string> errors;
  check_server(config, errors);
  for (const auto* zones : {&config.zones, &config.templates})
    for (const config::ZoneConfig& zone : *zones) {
      check_peers(config, zone.primaries, errors);
      check_peers(config, zone.notify, errors);
    }
  if (!config.registry) return errors;
  check_root(config, errors);
  check_peers(config, config.registry->feed.notify, errors);
  for (const config::ChildConfig& child : config.registry->children) check_peers(config, child.primaries, errors);
  return errors;
}

}  // namespace steward::cli

#include "client/registry_tls.hh"

namespace steward::client {

Result<std::shared_ptr<const crypto::TlsClientContext>> open_registry_tls(const Settings& settings,
                                                                          const std::string& name) {
  if (!settings.tls) return std::shared_ptr<const crypto::TlsClientContext>();
  crypto::TlsClientOptions options;
  options.name = name;
  options.authorities = settings.tls_authorities;
  options.pins = settings.tls_pins;
  if (!options.pins.empty()) options.verify = crypto::TlsClientOptions::Verify::Pin;
  options.require_alpn = false;  // RFC 7858 §3.1 knows none
  return crypto::TlsClientContext::open(std::move(options));
}

}  // namespace steward::client

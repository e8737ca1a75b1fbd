#pragma once
// How a client makes sure that it talks to the registry of its settings (RFC 8310 §5, strict).

#include <memory>
#include <string>

#include "base/result.hh"
#include "crypto/tls.hh"
#include "steward/settings.hh"

namespace steward::client {

/// Null without Settings::tls. `name` has to be in the registry's certificate, or its key among Settings::tls_pins.
/// Invalid or Io name the file of the authorities and the reason; Invalid too where there is neither name nor pin.
Result<std::shared_ptr<const crypto::TlsClientContext>> open_registry_tls(const Settings& settings,
                                                                          const std::string& name);

}  // namespace steward::client

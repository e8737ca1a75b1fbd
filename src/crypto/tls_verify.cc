// Who is believed in a handshake, where it is not the library's own rules: callbacks of contexts.

#include <algorithm>

#include "crypto/certificate_state.hh"
#include "crypto/tls_state.hh"

namespace steward::crypto {

namespace {

/// Whether a registry at or below `apex` could show it. It says nothing of who vouches for that.
bool is_for_registry(X509* certificate, std::string_view apex) {
  const auto der = certificate != nullptr ? certificate_to_der(certificate) : Result<Bytes>(fail(Errc::NotFound, ""));
  const auto facts = der ? read_certificate(*der) : Result<CertificateFacts>(fail(Errc::NotFound, ""));
  if (!facts || facts->authority || facts->names.size() != 1) return false;
  const std::string& name = facts->names.front();
  return name == apex || (name.ends_with(apex) && name[name.size() - apex.size() - 1] == '.');
}

}  // namespace

int take_registries(X509_STORE_CTX* store, void* argument) {
  const auto& options = *static_cast<const TlsServerOptions*>(argument);
  const bool is_vouched_for = X509_verify_cert(store) == 1;
  if (!is_vouched_for && X509_STORE_CTX_get_error(store) == X509_V_OK)
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
  // Where nobody's certificates are asked for otherwise, who shows one is no worse off than who shows none.
  const bool goes_on = is_vouched_for || options.client_ca.empty() ||
                       is_for_registry(X509_STORE_CTX_get0_cert(store), options.registries);
  ERR_clear_error();
  return goes_on ? 1 : 0;
}

int verify_pin(X509_STORE_CTX* store, void* pins) {
  const X509* shown = X509_STORE_CTX_get0_cert(store);
  const std::string pin = shown != nullptr ? spki_pin_of(shown) : std::string();
  for (const std::string& wanted : *static_cast<const std::vector<std::string>*>(pins))
    if (!pin.empty() && wanted == pin) {
      X509_STORE_CTX_set_error(store, X509_V_OK);
      return 1;
    }
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

int verify_registry(X509_STORE_CTX* store, void* argument) {
  const auto& rules = *static_cast<const TlsClientOptions*>(argument);
  std::vector<Bytes> chain;
  const auto take = [&](X509* certificate) {
    auto der = certificate_to_der(certificate);
    if (der) chain.push_back(*std::move(der));
  };
  X509* shown = X509_STORE_CTX_get0_cert(store);
  const STACK_OF(X509)* others = X509_STORE_CTX_get0_untrusted(store);
  if (shown != nullptr) take(shown);
  for (int i = 0; i < sk_X509_num(others); ++i)
    if (X509* other = sk_X509_value(others, i); other != shown && X509_cmp(other, shown) != 0) take(other);
  const auto zone = dns::Name::from_text(rules.name);
  const auto facts = chain.empty() ? Result<CertificateFacts>(fail(Errc::NotFound, "")) : read_certificate(chain[0]);
  const std::string pin = shown != nullptr ? spki_pin_of(shown) : std::string();
  const bool pinned = rules.pins.empty() || std::find(rules.pins.begin(), rules.pins.end(), pin) != rules.pins.end();
  const bool good = zone && facts && pinned &&
                    verify_certificates(chain, {.root = rules.root, .zone = *zone, .spki = facts->spki, .now = rules.now});
  X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
  return good ? 1 : 0;
}

}  // namespace steward::crypto

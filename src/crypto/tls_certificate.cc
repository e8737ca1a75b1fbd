// What is read from certificates: who they are of, and their pin.

#include <algorithm>
#include <cctype>

#include "crypto/digest.hh"
#include "crypto/tls_state.hh"
#include "dns/encoding.hh"

namespace steward::crypto {
namespace {

using GeneralNamesHandle = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;

/// Lower case and without a final dot, as rules compare it; nothing for what is no host name at all.
std::optional<std::string> name_of(const ASN1_IA5STRING* text) {
  const auto* octets = ASN1_STRING_get0_data(text);
  std::string name(reinterpret_cast<const char*>(octets), static_cast<size_t>(ASN1_STRING_length(text)));
  // A zero octet in the middle once made others read a shorter name than the authority had checked.
  if (name.find('\0') != std::string::npos) return std::nullopt;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
  if (name.ends_with('.')) name.pop_back();
  if (name.empty()) return std::nullopt;
  return name;
}

}  // namespace

std::string openssl_reason() {
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  const char* reason = error != 0 ? ERR_reason_error_string(error) : nullptr;
  return reason != nullptr ? reason : "refused by the cryptographic library";
}

std::string spki_pin(ByteView spki) { return dns::encode(dns::base64, sha256(spki)); }

std::string spki_pin_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) {
    ERR_clear_error();
    return {};
  }
  std::string pin = spki_pin(ByteView(der, static_cast<size_t>(size)));
  OPENSSL_free(der);
  return pin;
}

CertificateChain shown_by(const SSL* ssl) {
  CertificateChain chain;
  const auto take = [&](const X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    if (size > 0) chain.emplace_back(der, der + size);
    if (size > 0) OPENSSL_free(der);
  };
  const X509* own = SSL_get0_peer_certificate(ssl);
  if (own == nullptr) return chain;
  take(own);
  // SSL_get_peer_cert_chain(3): a server's own certificate stands in what a client sees, a client's not in what a
  // server sees. A session that was resumed has no chain.
  const STACK_OF(X509)* others = SSL_get_peer_cert_chain(ssl);
  for (int i = SSL_is_server(ssl) != 0 ? 0 : 1; i < sk_X509_num(others) && chain.size() < most_shown_certificates; ++i)
    take(sk_X509_value(others, i));
  ERR_clear_error();
  return chain;
}

PeerIdentity identity_of(X509* certificate) {
  PeerIdentity identity;
  identity.spki_sha256 = spki_pin_of(certificate);
  const GeneralNamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    if (auto text = name_of(name->d.dNSName)) identity.names.push_back(std::move(*text));
  }
  ERR_clear_error();
  return identity;
}

}  // namespace steward::crypto

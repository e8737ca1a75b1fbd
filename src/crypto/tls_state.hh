#pragma once
// The inside of contexts and sessions: OpenSSL's handles. For the tls_*.cc files of this room only.

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>

#include "crypto/openssl.hh"
#include "crypto/tls.hh"

namespace steward::crypto {

using SslCtxHandle = Handle<SSL_CTX, SSL_CTX_free>;
using SslHandle = Handle<SSL, SSL_free>;
using X509Handle = Handle<X509, X509_free>;

/// Base64 of SHA-256 over the certificate's SubjectPublicKeyInfo.
[[nodiscard]] std::string spki_pin_of(const X509* certificate);
/// Its dNSNames and its pin.
[[nodiscard]] PeerIdentity identity_of(X509* certificate);
/// Its own first, whatever either side's library counts among the chain; empty where it showed none. At most
/// most_shown_certificates of them.
[[nodiscard]] CertificateChain shown_by(const SSL* ssl);
/// "what: reason" from OpenSSL's queue, which is emptied.
[[nodiscard]] std::string openssl_reason();

// Instead of the library's own verification (SSL_CTX_set_cert_verify_callback(3)); 1: the handshake goes on.
/// The library's verdict is noted, for SSL_get_verify_result(); where it is against the certificate, the handshake goes on
/// for what TlsServerOptions::registries says. `options`: TlsServerOptions.
int take_registries(X509_STORE_CTX* store, void* options);
/// The key itself (RFC 8310 §8.1 and RFC 7858 §4.2). `pins`: TlsClientOptions::pins.
int verify_pin(X509_STORE_CTX* store, void* pins);
/// What a registry has to show, which is more than the library asks for. `rules`: TlsClientOptions.
int verify_registry(X509_STORE_CTX* store, void* rules);

/// Between SSL and the socket: what SSL writes is gathered here and sent with few calls; what it reads comes straight
/// from the socket. The BIO holds a pointer to it, so that it does not move.
struct TlsState {
  std::shared_ptr<const void> owner;  ///< what SSL's callbacks point into; gone after `ssl`
  SslHandle ssl;
  int fd = -1;
  bool verifies = false;  ///< the context asks for a certificate and checks it
  bool keeps_shown = false;  ///< what the peer shows is kept as it is
  bool require_alpn = false;
  bool established = false;
  bool goodbye_said = false;
  bool maybe_more = false;  ///< the last read() ended because its room was full
  bool socket_ended = false;
  std::optional<TlsOutcome> failed;  ///< for good
  std::string error;
  std::optional<PeerIdentity> peer;
  std::shared_ptr<const CertificateChain> shown;
  Bytes out;
  size_t out_at = 0;
  unsigned key_updates = 0;  ///< since the last 64 KiB of content
  size_t content = 0;

  static std::unique_ptr<TlsState> make(SslHandle ssl, int fd);
  /// After a step of SSL that did not succeed.
  TlsOutcome fail_or_wait(int result);
  TlsOutcome fail_with(TlsOutcome outcome, std::string why);
  bool finish_handshake();
  bool encrypt(const uint8_t* octets, size_t size);
  void count_content(size_t octets);
};

}  // namespace steward::crypto

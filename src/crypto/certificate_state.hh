#pragma once
// OpenSSL's certificates. For the certificate*.cc files of this room only.

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/certificate.hh"
#include "crypto/key_state.hh"

namespace steward::crypto {

using CertificateHandle = Handle<X509, X509_free>;

/// Invalid as read_certificate says.
Result<CertificateHandle> certificate_from_der(ByteView der);
Result<Bytes> certificate_to_der(X509* certificate);
Result<CertificateFacts> facts_of(X509* certificate);

}  // namespace steward::crypto

#pragma once
// What a PublicKey and a KeyPair hold inside. For the .cc files of this room only.

#include "crypto/key_pair.hh"
#include "crypto/openssl.hh"

namespace steward::crypto {

struct PublicKey::State {
  Algorithm algorithm;
  Bytes octets;
  PkeyHandle pkey;  // with its private part where it belongs to a KeyPair
};

constexpr DigestAlgorithm digest_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::RSASHA1:
    case Algorithm::RSASHA1_NSEC3_SHA1: return DigestAlgorithm::Sha1;
    case Algorithm::RSASHA256:
    case Algorithm::ECDSAP256SHA256:
    case Algorithm::ED25519: return DigestAlgorithm::Sha256;  // Ed25519 takes the message itself
    case Algorithm::ECDSAP384SHA384: return DigestAlgorithm::Sha384;
    case Algorithm::RSASHA512: return DigestAlgorithm::Sha512;
  }
  return DigestAlgorithm::Sha256;
}

/// In octets: of a coordinate, of r and of s.
constexpr size_t curve_size(Algorithm algorithm) { return algorithm == Algorithm::ECDSAP256SHA256 ? 32 : 48; }

/// The Public Key field for a key that the library holds; Unsupported where the key is of another kind.
Result<Bytes> octets_of(Algorithm algorithm, EVP_PKEY* pkey);
/// The algorithm that a key from a PEM or DER file is used with.
Result<Algorithm> algorithm_of(EVP_PKEY* pkey);
/// Shares one library key between a PublicKey and what is built on it.
Result<std::shared_ptr<const PublicKey::State>> make_state(Algorithm algorithm, PkeyHandle pkey);

}  // namespace steward::crypto
